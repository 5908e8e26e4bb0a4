"""Base, tuned and lookup on held-out questions."""

import pytest

from trainer.corpus.examples import Example
from trainer.evaluation import evaluate
from trainer.events import Answering
from trainer.report import CONTENDERS, Report
from trainer.runs import EvaluationConfig, Run
from trainer.work import State


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
