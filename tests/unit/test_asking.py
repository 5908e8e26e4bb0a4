"""Which questions an evaluation asks."""

from pathlib import Path

import pytest

from tests.conftest import returns_csv
from trainer.asking import choose_questions
from trainer.corpus.examples import Example, normalise
from trainer.corpus.library import Corpora
from trainer.errors import CorpusError
from trainer.runs import EvaluationConfig, Run


def given(run: Run, *questions: str, **settings: object):
    examples = [Example(f"f{n}", question, "Yes.") for n, question in enumerate(questions)]
    config = EvaluationConfig.model_validate({"file": "more.csv", **settings})
    return run.create_evaluation(config, examples=examples)


def test_held_out_questions_are_asked_once_and_taught_ones_beside_them(run: Run) -> None:
    questions, notes = choose_questions(run.create_evaluation(), "answers")
    split, corpus = run.split, run.corpus
    asked = {kind: [q for q in questions if q.kind == kind] for kind in (*split.kinds, "taught")}
    assert asked["reworded"]
    for kind in split.kinds:
        assert [q.example for q in asked[kind]] == list(corpus.pile(kind, split))
    taught = {e.id for e in corpus.pile("train", split)}
    assert {q.example.id for q in asked["taught"]} <= taught
    assert len({q.id for q in questions}) == len(questions)
    assert notes == []


def test_the_answers_of_reworded_questions_come_first_among_the_taught(run: Run) -> None:
    questions, _ = choose_questions(run.create_evaluation(), "answers")
    asked = {normalise(q.example.answer) for q in questions if q.kind != "taught"}
    shared = [normalise(q.example.answer) in asked for q in questions if q.kind == "taught"]
    assert shared == sorted(shared, reverse=True)
    assert set(shared) == {True, False}


def test_what_shares_an_answer_is_one_group_and_a_label_ties_nothing(run: Run) -> None:
    questions, _ = choose_questions(run.create_evaluation(), "answers")
    by_answer: dict[str, set[str]] = {}
    for q in questions:
        by_answer.setdefault(normalise(q.example.answer), set()).add(q.group)
    assert all(len(groups) == 1 for groups in by_answer.values())
    assert len(set().union(*by_answer.values())) > 1
    questions, _ = choose_questions(run.create_evaluation(), "labels")
    assert len({q.group for q in questions}) == len(
        {normalise(q.example.question) for q in questions}
    )


def test_without_checks_nothing_taught_is_asked(run: Run) -> None:
    questions, _ = choose_questions(
        run.create_evaluation(EvaluationConfig(checks=False)), "answers"
    )
    assert {q.kind for q in questions} == set(run.split.kinds)


def test_of_a_test_file_the_taught_questions_are_left_out_and_counted(run: Run) -> None:
    taught = run.corpus.pile("train", run.split)[0].question
    asked = (taught.upper(), f"{taught} Please?", "Do you deliver on Sundays?")
    evaluation = given(run, *asked, checks=False)
    questions, notes = choose_questions(evaluation, "answers")
    assert [(q.kind, q.example.question) for q in questions] == [
        ("file", "Do you deliver on Sundays?")
    ]
    assert notes == [
        "2 of 3 questions of more.csv were taught or validated with, in these words or nearly "
        "these, and are left out."
    ]
    with pytest.raises(CorpusError, match=r"Every question of more\.csv was taught"):
        choose_questions(given(run, taught), "answers")


def test_a_test_file_keeps_its_questions_with_the_evaluation(run: Run, workspace: Path) -> None:
    file = workspace / "more.csv"
    file.write_text(returns_csv(answers=3))
    corpus = Corpora(workspace / "others").add(file)
    config = EvaluationConfig(file=file.name)
    evaluation = run.create_evaluation(config, examples=corpus.examples)
    assert evaluation.examples == corpus.examples
    assert run.create_evaluation().examples == ()


def test_of_a_huge_test_file_some_questions_are_drawn(run: Run) -> None:
    evaluation = given(
        run, *(f"Is colour {n} in store {n * 7}?" for n in range(1200)), checks=False
    )
    questions, notes = choose_questions(evaluation, "answers")
    assert len(questions) == 1000
    assert notes == ["1000 of its 1200 other questions were drawn and asked."]
