"""Base, tuned and lookup on held-out questions, and the host that chats with the same weights."""

import threading
import weakref
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from assistant.host import ModelHost
from tests.conftest import returns_csv
from trainer import scoring
from trainer.config import RunConfig
from trainer.corpus.examples import Example
from trainer.corpus.library import Corpora
from trainer.errors import DeviceBusy, ModelError
from trainer.evaluation import evaluate, look_up
from trainer.events import Answering
from trainer.finetune import finetune
from trainer.locks import Lock
from trainer.report import CONTENDERS
from trainer.runs import EvaluationConfig, Run, Runs
from trainer.words import at_work
from trainer.work import State

WORDS = ("thirty", "days", "refund", "fee")
ASKED = [{"role": "user", "content": "May I return item 3?"}]


class CountsWords:
    """One axis a known word."""

    def encode(self, texts: Sequence[str], /) -> scoring.Matrix:
        rows = np.array([[t.split().count(w) for w in WORDS] for t in texts], np.float32)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


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


def test_lookup_answers_with_the_approved_answer_of_the_nearest_question() -> None:
    known = [
        Example("1", "how many days for a refund", "Thirty."),
        Example("2", "what is the fee", "None."),
    ]
    assert look_up(["refund in thirty days", "any fee ?"], known, CountsWords()) == [
        "Thirty.",
        "None.",
    ]


def test_the_published_embedding_model_is_loaded_and_judges_meaning() -> None:
    folder = scoring.packaged_minilm()
    assert folder is not None
    scoring.check_weights(folder / "model.safetensors", scoring.MINILM_SHA256)
    vectors = scoring.load_embedder().encode(
        ["How do I block my card?", "My card should be stopped.", "The clinic opens at eight."]
    )
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    same, other = vectors[0] @ vectors[1], vectors[0] @ vectors[2]
    assert same > other + 0.3


def test_weights_that_are_not_the_published_ones_are_not_loaded(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"something else")
    with pytest.raises(ModelError, match="is not the published all-MiniLM-L6-v2"):
        scoring.check_weights(file, scoring.MINILM_SHA256)
    with pytest.raises(ModelError, match="sha256 no file"):
        scoring.check_weights(tmp_path / "absent", scoring.MINILM_SHA256)


def test_an_evaluation_reports_every_contender_on_every_held_out_question(tuned: Run) -> None:
    before = sorted(p for p in tuned.path.iterdir() if p.name != "evaluations")
    evaluation = tuned.create_evaluation(EvaluationConfig(most_new_tokens=12))
    evaluate(evaluation)
    assert evaluation.state() is State.FINISHED
    report = evaluation.report()
    assert report is not None
    assert report.adapter == tuned.adapter_hash
    split, corpus = tuned.split, tuned.corpus
    assert {r.id for r in report.of("reworded")} == {e.id for e in corpus.pile("reworded", split)}
    assert {r.id for r in report.of("unseen")} == {e.id for e in corpus.pile("unseen", split)}
    for row in report.rows:
        assert set(row.answers) == set(row.similarity) == set(CONTENDERS)
        assert all(-1.001 <= s <= 1.001 for s in row.similarity.values())
    assert any(row.answers["base"] != row.answers["tuned"] for row in report.rows)
    taught = {e.answer for e in corpus.pile("train", split)}
    assert all(row.answers["lookup"] in taught for row in report.rows)
    assert all(row.approved not in taught for row in report.of("unseen"))
    answering = [e for e in evaluation.events.read() if isinstance(e, Answering)]
    assert answering[-1].done == answering[-1].total == 2 * len(report.rows)
    assert sorted(p for p in tuned.path.iterdir() if p.name != "evaluations") == before


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
