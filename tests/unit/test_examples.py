"""An example keeps its id, equal texts are one, and groups hold together what is tied."""

from dataclasses import replace

import pytest

from trainer.corpus.examples import (
    Example,
    connect,
    distinct,
    group_examples,
    identify,
    make_examples,
    normalise,
)
from trainer.corpus.table import Pair


def examples_of(*pairs: tuple[str, str]) -> tuple[Example, ...]:
    return make_examples(Pair(q, a, "", row) for row, (q, a) in enumerate(pairs, start=2))


def test_an_id_is_made_of_the_texts_alone_so_that_old_corpora_keep_theirs() -> None:
    [example] = make_examples([Pair("How?", "So.", "topic", 7, "sheet 2")])
    assert example == Example("c1dff92331a2", "How?", "So.", "topic", 7, "sheet 2", drafted=False)


def test_a_repeated_pair_gets_a_number_behind_its_id() -> None:
    ids = [e.id for e in examples_of(("How?", "So."), ("Why?", "For."), ("How?", "So."))]
    assert ids[2] == f"{ids[0]}-2"


def test_an_edited_example_gets_the_id_of_its_new_texts_and_keeps_the_rest() -> None:
    first, second = examples_of(("How?", "So."), ("Why?", "For."))
    edited = identify([replace(first, question="Why?", answer="For.", drafted=True), second])
    assert [e.id for e in edited] == [second.id, f"{second.id}-2"]
    assert (edited[0].row, edited[0].drafted) == (first.row, True)


def test_a_lone_half_of_a_surrogate_pair_does_not_stop_the_reading() -> None:
    assert examples_of(("broken \ud83d?", "So."))[0].id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I PAY?", "how do i pay"),
        ("Ｈｏｗ？", "how"),  # noqa: RUF001
        ("a\u00a0 b", "A b."),
        ("Straße", "STRASSE"),
    ],
)
def test_case_width_space_and_punctuation_do_not_make_another_text(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


def test_repeats_count_once() -> None:
    examples = examples_of(("How?", "So."), ("how", "so"), ("How?", "Not so."))
    assert distinct(examples) == (examples[0], examples[2])


def test_a_group_holds_what_shares_a_question_or_an_answer_in_chains() -> None:
    examples = examples_of(("A?", "1"), ("B?", "1"), ("b", "2"), ("C?", "3"))
    assert group_examples(examples) == [list(examples[:3]), [examples[3]]]


def test_clusters_tie_what_is_not_equal() -> None:
    examples = examples_of(("A?", "1"), ("B?", "2"), ("C?", "3"))
    questions = {examples[0].id: 0, examples[1].id: 0, examples[2].id: 2}
    answers = {e.id: i for i, e in enumerate(examples)}
    grouped = group_examples(examples, questions=questions, answers=answers)
    assert grouped == [list(examples[:2]), [examples[2]]]


def test_ties_hold_in_chains() -> None:
    assert connect(6, [(4, 5), (1, 3), (3, 5)]) == [0, 1, 2, 1, 1, 1]
