"""Who is taught and who is asked: nothing leaks, nothing moves."""

from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.corpus.examples import Example, group_examples, make_examples, normalise
from trainer.corpus.library import SPLIT_SEED
from trainer.corpus.reading import read_corpus
from trainer.corpus.split import MOST, PILES, split_examples

# Few distinct texts, so that repeats, contradictions and chains of both turn up.
questions = st.integers(0, 40).map(lambda n: f"Question {n}?")
answers = st.integers(0, 25).map(lambda n: f"Answer {n}.")
corpora = st.lists(st.tuples(questions, answers), min_size=1, max_size=120)


def examples_of(pairs: list[tuple[str, str]]) -> tuple[Example, ...]:
    return make_examples((row, q, a, "") for row, (q, a) in enumerate(pairs, start=2))


def faq(answers: int, wordings: int) -> tuple[Example, ...]:
    pairs = [
        (f"Wording {w} of {a}?", f"Answer {a}.") for a in range(answers) for w in range(wordings)
    ]
    return examples_of(pairs)


@given(corpora, st.integers(0, 5))
def test_a_split_is_complete_disjoint_and_leak_free(
    pairs: list[tuple[str, str]], seed: int
) -> None:
    examples = examples_of(pairs)
    split = split_examples(examples, seed=seed)
    dealt = [id_ for pile in PILES for id_ in getattr(split, pile)]
    assert sorted(dealt) == sorted(e.id for e in examples)
    assert not split.aside

    side = split.side_of()
    sides_of_question, taught_answers = defaultdict(set), set()
    for example in examples:
        sides_of_question[normalise(example.question)].add(side[example.id])
        if side[example.id] == "train":
            taught_answers.add(normalise(example.answer))
    assert all(len(sides) == 1 for sides in sides_of_question.values())
    for example in examples:
        pile = side[example.id]
        known = normalise(example.answer) in taught_answers
        if pile == "reworded" or (pile == "validation" and split.validation_is == "reworded"):
            assert known, "a reworded question's answer is not taught"
        if pile == "unseen":
            assert not known, "an unseen answer is taught"
    for group in group_examples(examples):
        sides = {side[e.id] for e in group}
        assert sides == {"unseen"} or "unseen" not in sides


@given(corpora)
def test_the_order_of_the_file_does_not_matter(pairs: list[tuple[str, str]]) -> None:
    forth, back = (
        split_examples(examples_of(order), seed=3) for order in (pairs, list(reversed(pairs)))
    )
    assert forth.side_of() == back.side_of()


@given(corpora, corpora)
@settings(max_examples=200)
def test_examples_keep_their_side_in_later_versions(
    before: list[tuple[str, str]], added: list[tuple[str, str]]
) -> None:
    first = split_examples(examples_of(before), seed=3)
    examples = examples_of(before + added)
    second = split_examples(examples, seed=3, before=first)
    old, new = first.side_of(), second.side_of()
    assert all(new[id_] == old[id_] for id_ in old if id_ not in second.aside)
    assert not any(old[id_] in ("train", "unseen") for id_ in second.aside if id_ in old)
    assert set(new) | set(second.aside) == {e.id for e in examples}

    # Nobody is asked a question that is taught, and no unseen answer is taught.
    taught = {e.id for e in examples if new.get(e.id) == "train"}
    taught_questions = {normalise(e.question) for e in examples if e.id in taught}
    taught_answers = {normalise(e.answer) for e in examples if e.id in taught}
    for example in examples:
        if new.get(example.id) in ("reworded", "unseen"):
            assert normalise(example.question) not in taught_questions
        if new.get(example.id) == "unseen":
            assert normalise(example.answer) not in taught_answers
        if new.get(example.id) == "reworded":
            assert normalise(example.answer) in taught_answers


def test_an_ordinary_faq_is_dealt_in_the_planned_sizes() -> None:
    split = split_examples(faq(answers=100, wordings=4), seed=17)
    assert split.sizes() == {"train": 280, "validation": 40, "reworded": 40, "unseen": 40}
    assert split.validation_is == "reworded"


def test_one_wording_an_answer_leaves_nothing_reworded_and_validates_on_unseen() -> None:
    split = split_examples(faq(answers=200, wordings=1), seed=17)
    assert split.sizes() == {"train": 160, "validation": 20, "reworded": 0, "unseen": 20}
    assert split.validation_is == "unseen"


def test_held_out_piles_stop_growing_where_scoring_would_only_take_longer() -> None:
    split = split_examples(faq(answers=2000, wordings=4), seed=17)
    assert split.sizes()["reworded"] == split.sizes()["unseen"] == MOST


def test_other_seeds_deal_otherwise() -> None:
    examples = faq(answers=50, wordings=3)
    assert split_examples(examples, seed=1).unseen != split_examples(examples, seed=2).unseen


def test_a_new_row_that_ties_an_unseen_answer_to_a_taught_one_is_set_aside() -> None:
    examples = faq(answers=100, wordings=3)
    split = split_examples(examples, seed=17)
    by_id = {e.id: e for e in examples}
    unseen, taught = by_id[split.unseen[0]], by_id[split.train[0]]
    pairs = [(e.question, e.answer) for e in examples] + [(unseen.question, taught.answer)]
    later = split_examples(examples_of(pairs), seed=17, before=split)
    assert later.aside == (examples_of(pairs)[-1].id,)


def test_a_reworded_question_whose_answer_is_taught_no_longer_is_set_aside() -> None:
    examples = faq(answers=40, wordings=2)
    split = split_examples(examples, seed=17)
    assert len(split.reworded) == 8
    asked = [e for e in examples if e.id in split.reworded]
    later = split_examples(asked, seed=17, before=split)
    assert set(later.aside) == {e.id for e in asked}
    assert later.reworded == ()


def test_a_public_bank_faq_has_few_reworded_questions_and_no_leak(shared: Path) -> None:
    reading = read_corpus(shared / "corpora/banking_mrjay10/BankFAQs.csv")
    split = split_examples(reading.examples, seed=SPLIT_SEED)
    assert sum(split.sizes().values()) == 1764
    assert 20 <= len(split.reworded) <= 60
    assert len(split.unseen) == pytest.approx(176, abs=5)
