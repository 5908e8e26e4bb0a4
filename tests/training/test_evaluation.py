"""Base, tuned and lookup on held-out questions, and the host that chats with the same weights."""

import threading
import weakref
from pathlib import Path

import pytest
import torch

from assistant.host import ModelHost
from tests.conftest import returns_csv
from trainer.config import RunConfig
from trainer.corpus.examples import Example
from trainer.corpus.library import Corpora
from trainer.errors import DeviceBusy, ModelError
from trainer.evaluation import evaluate
from trainer.events import Answering
from trainer.finetune import finetune
from trainer.locks import Lock
from trainer.report import CONTENDERS, Report
from trainer.runs import EvaluationConfig, Run, Runs
from trainer.words import at_work
from trainer.work import State

ASKED = [{"role": "user", "content": "May I return item 3?"}]


def tune(workspace: Path, base: Path, *, answer: str) -> Run:
    file = workspace / f"{answer.split()[0].lower()}.csv"
    file.write_text(returns_csv(answers=20, answer=answer))
    corpus = Corpora(workspace / "corpora").add(file)
    given = {"base": str(base), "corpus": corpus.name, "version": 1, "epochs": 6}
    given |= {"learning_rate": 2e-2, "lora_rank": 8}
    run = Runs(workspace / "runs").create(RunConfig.parse(given), corpus.split)
    finetune(run)
    return run


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Run:
    return tune(tmp_path_factory.mktemp("tuned"), tiny_model, answer="Yes to {n}")


@pytest.fixture(scope="module")
def report(tuned: Run) -> Report:
    before = sorted(p for p in tuned.path.iterdir() if p.name != "evaluations")
    evaluation = tuned.create_evaluation(EvaluationConfig(most_new_tokens=12))
    evaluate(evaluation)
    assert evaluation.state() is State.FINISHED
    report = evaluation.report()
    assert report is not None
    answering = [e for e in evaluation.events.read() if isinstance(e, Answering)]
    assert answering[-1].done == answering[-1].total
    assert sorted(p for p in tuned.path.iterdir() if p.name != "evaluations") == before
    return report


def test_an_evaluation_reports_every_contender_on_every_held_out_question(
    tuned: Run, report: Report
) -> None:
    assert report.adapter == tuned.adapter_hash
    split, corpus = tuned.split, tuned.corpus
    assert {r.id for r in report.of("reworded")} == {e.id for e in corpus.pile("reworded", split)}
    assert {r.id for r in report.of("unseen")} == {e.id for e in corpus.pile("unseen", split)}
    held_out = (*report.of("reworded"), *report.of("unseen"))
    for row in held_out:
        assert set(row.answers) == set(CONTENDERS)
        for answer in row.answers.values():
            assert -1.001 <= answer.scores["similarity"] <= 1.001
            assert {"nearest", "token_f1", "rouge_l", "exact"} <= answer.scores.keys()
    said = [{who: row.answers[who].text for who in CONTENDERS} for row in held_out]
    assert any(one["base"] != one["tuned"] for one in said)
    assert any(one["base"] != one["retrieval"] for one in said), "it has seen approved answers"
    taught = {e.answer for e in corpus.pile("train", split)}
    assert all(one["lookup"] in taught for one in said)
    assert all(row.approved not in taught for row in report.of("unseen"))


def test_a_report_holds_what_the_checks_found_and_what_made_it(tuned: Run, report: Report) -> None:
    assert report.task == "answers"
    assert report.primary == "similarity"
    assert {r.id for r in report.of("taught")} <= {
        e.id for e in tuned.corpus.pile("train", tuned.split)
    }
    assert all(set(row.answers) == {"tuned"} for row in report.of("taught"))
    assert report.overfitting is not None
    assert report.forgetting is not None
    assert report.forgetting.loss.n == len(report.forgetting.probes) == 40
    assert report.bias is not None
    assert report.bias.swaps
    for kind in report.kinds:
        assert report.differences[kind].keys() == {"base", "retrieval", "lookup"}
        rows = report.of(kind)
        apart = [
            row.answers["tuned"].scores["similarity"] - row.answers["base"].scores["similarity"]
            for row in rows
        ]
        found = report.difference(kind)
        assert found is not None
        assert found.mean == pytest.approx(sum(apart) / len(apart))
        nearest = [row.answers["lookup"].scores["nearest"] for row in rows]
        accuracy = report.answers[kind]["lookup"].accuracy
        assert accuracy == pytest.approx(sum(nearest) / len(nearest))
    assert report.libraries.keys() >= {"torch", "peft"}
    assert report.base == tuned.config.base


def test_an_evaluation_that_was_cut_off_asks_only_what_is_not_answered(
    tuned: Run, caplog: pytest.LogCaptureFixture
) -> None:
    config = EvaluationConfig(most_new_tokens=12, checks=False)
    whole = tuned.create_evaluation(config)
    evaluate(whole)
    lines = (whole.path / "answers.jsonl").read_bytes().splitlines(keepends=True)
    again = tuned.create_evaluation(config)
    kept = [lines[0].replace(b'"text":"', b'"text":"kept '), *lines[1:7], lines[7][:20]]
    (again.path / "answers.jsonl").write_bytes(b"".join(kept))
    evaluate(again)
    assert "a damaged line is left out" in caplog.text
    left = [e.done for e in again.events.read() if isinstance(e, Answering)]
    assert left[-1] - left[0] < len(lines)
    one, other = whole.report(), again.report()
    assert one is not None
    assert other is not None
    differing = [
        (before.answers[who].text, after.answers[who].text)
        for before, after in zip(one.rows, other.rows, strict=True)
        for who in CONTENDERS
        if before.answers[who].text != after.answers[who].text
    ]
    assert len(differing) == 1
    assert differing[0][1] == f"kept {differing[0][0]}", (
        "what was answered before is not asked again"
    )


def test_an_evaluation_asks_a_test_file_and_leaves_out_what_was_taught(tuned: Run) -> None:
    taught = tuned.corpus.pile("train", tuned.split)[0]
    fresh = Example("f1", "Can number 3 come back?", "Yes to 3")
    config = EvaluationConfig(most_new_tokens=12, checks=False, file="more.csv")
    evaluation = tuned.create_evaluation(config, examples=[taught, fresh])
    evaluate(evaluation)
    report = evaluation.report()
    assert report is not None
    assert report.kinds == ("file",)
    assert [row.question for row in report.rows] == ["Can number 3 come back?"]
    assert report.notes[0].startswith("1 of 2 questions of more.csv were taught")


def test_an_evaluation_stops_when_asked_and_leaves_no_half_report(tuned: Run) -> None:
    evaluation = tuned.create_evaluation()
    evaluation.ask_to_stop()
    evaluate(evaluation)
    assert evaluation.state() is State.STOPPED
    assert evaluation.report() is None


def short_host() -> ModelHost:
    return ModelHost(most_new_tokens=12)


def answer_of(host: ModelHost, run: Run, adapter: str | None) -> str:
    return "".join(host.stream(run, adapter, ASKED))


def test_each_side_answers_with_its_own_weights(tuned: Run) -> None:
    base, own = short_host().sides(tuned)
    assert (base.adapter, own.adapter) == (None, tuned.adapter_hash)
    first = "".join(base.stream(ASKED))
    changed = "".join(own.stream(ASKED))
    assert first != changed
    assert "".join(base.stream(ASKED)) == first, "and the switch leaves no trace"


def test_adapters_of_two_runs_share_one_base_and_never_mix(tuned: Run, tiny_model: Path) -> None:
    other = tune(tuned.path.parent.parent, tiny_model, answer="No for {n}")
    alone = [answer_of(short_host(), run, run.adapter_hash) for run in (tuned, other)]
    assert alone[0] != alone[1]
    host = short_host()
    answers: dict[int, str] = {}
    asked = [(tuned, tuned.adapter_hash), (other, other.adapter_hash), (tuned, None)] * 3

    def ask(place: int) -> None:
        answers[place] = answer_of(host, *asked[place])

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    base = answer_of(host, tuned, None)
    assert [answers[i] for i in range(9)] == [alone[0], alone[1], base] * 3


def test_weights_that_are_not_those_asked_for_do_not_answer(tuned: Run) -> None:
    host = short_host()
    with pytest.raises(ModelError, match="no answer is better"):
        answer_of(host, tuned, "0" * 64)
    answer_of(host, tuned, None)
    assert host._base is not None
    for module in host._base.model.modules():
        if hasattr(module, "lora_B"):
            for weight in module.lora_B.values():
                torch.nn.init.zeros_(weight.weight)
    with pytest.raises(ModelError, match="cannot be switched on and off cleanly"):
        host._check_switch(tuned)


def test_a_reader_who_leaves_in_the_middle_does_not_leave_the_lock_behind(tuned: Run) -> None:
    host = short_host()
    leaving = host.stream(tuned, tuned.adapter_hash, ASKED)
    next(leaving)
    leaving.close()
    forgotten = host.stream(tuned, tuned.adapter_hash, ASKED)
    next(forgotten)
    assert answer_of(host, tuned, None)


def test_on_a_gpu_the_chat_waits_for_a_worker_and_makes_room_for_one(
    tuned: Run, tmp_path: Path
) -> None:
    device = Lock(tmp_path / "cuda-0.lock")
    host = ModelHost(most_new_tokens=8, device=device, who=lambda: at_work(tuned))
    with device.claim(), pytest.raises(DeviceBusy, match=r"being scored.* The chat waits"):
        answer_of(host, tuned, None)
    answer_of(host, tuned, None)
    assert device.held, "a worker cannot start beside a base on the same GPU"

    held = weakref.ref(host._base.model) if host._base else None
    assert held is not None
    host.make_room()
    assert not device.held
    assert held() is None, "the memory is free"
    assert answer_of(host, tuned, None), "and the chat comes back by itself"
