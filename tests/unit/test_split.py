"""Who is taught and who is asked: nothing leaks, nothing moves."""

import csv
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.corpus.examples import Example, group_examples, make_examples, normalise
from trainer.corpus.near import Neighbours, find_duplicates
from trainer.corpus.split import (
    MOST,
    PILES,
    Split,
    find_leaks,
    split_examples,
    split_labels,
    split_randomly,
)
from trainer.corpus.table import Pair

# Few distinct texts, so that repeats, contradictions and chains of both turn up.
questions = st.integers(0, 40).map(lambda n: f"Question {n}?")
answers = st.integers(0, 25).map(lambda n: f"Answer {n}.")
corpora = st.lists(st.tuples(questions, answers), min_size=1, max_size=120)


def examples_of(pairs: list[tuple[str, str]]) -> tuple[Example, ...]:
    return make_examples(Pair(q, a, "", row) for row, (q, a) in enumerate(pairs, start=2))


def faq(answers: int, wordings: int) -> tuple[Example, ...]:
    pairs = [
        (f"Wording {w} of {a}?", f"Answer {a}.") for a in range(answers) for w in range(wordings)
    ]
    return examples_of(pairs)


@given(corpora, st.integers(0, 5))
@settings(deadline=None)
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
@settings(deadline=None)
def test_the_order_of_the_file_does_not_matter(pairs: list[tuple[str, str]]) -> None:
    forth, back = (
        split_examples(examples_of(order), seed=3) for order in (pairs, list(reversed(pairs)))
    )
    assert forth.side_of() == back.side_of()


@given(corpora, corpora)
@settings(max_examples=200, deadline=None)
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


def bank_faq(shared: Path) -> tuple[Example, ...]:
    file = shared / "corpora/banking_mrjay10/BankFAQs.csv"
    with file.open(encoding="utf-8", newline="") as opened:
        rows = [(row["Question"], row["Answer"]) for row in csv.DictReader(opened)]
    return examples_of(rows)


def test_a_public_bank_faq_has_few_reworded_questions_and_no_leak(shared: Path) -> None:
    examples = bank_faq(shared)
    neighbours = find_duplicates(examples)
    split = split_examples(examples, seed=17, neighbours=neighbours)
    assert sum(split.sizes().values()) == 1764
    assert 20 <= len(split.reworded) <= 60
    assert len(split.unseen) == pytest.approx(176, abs=5)
    assert find_leaks(split, examples, neighbours) == 0
    assert split.kinds == ("reworded", "unseen")


def test_a_random_split_of_it_asks_some_31_percent_of_what_it_taught(shared: Path) -> None:
    examples = bank_faq(shared)
    shares = []
    for seed in range(10):
        split = split_randomly(examples, seed=seed)
        assert not split.leak_check
        assert split.sizes() == {"train": 1412, "validation": 176, "test": 176}
        shares.append(find_leaks(split, examples) / len(split.test))
    assert sum(shares) / len(shares) == pytest.approx(0.31, abs=0.03)
    assert find_leaks(split, examples, find_duplicates(examples)) > find_leaks(split, examples)


# Questions that differ by function words, order or a typo, and answers that do by a word.
frames = st.sampled_from(
    ["How do I renew thing{}?", "renew thing{}, how can I", "How can I rennew thing{}", "Thing{}?"]
)
near_questions = st.tuples(frames, st.integers(0, 25)).map(lambda p: p[0].format(p[1]))
long_answer = (
    "Fill in the form for thing {}, sign below, add copies of your identity card {} today."
)
near_answers = st.tuples(st.integers(0, 15), st.sampled_from(["", "soon", "also"])).map(
    lambda pair: long_answer.format(*pair)
)
near_corpora = st.lists(st.tuples(near_questions, near_answers), min_size=1, max_size=80)


def assert_nothing_near_separates(
    split: Split, examples: tuple[Example, ...], neighbours: Neighbours
) -> None:
    side = split.side_of()
    sides_of_wording = defaultdict(set)
    sides_of_answer = defaultdict(set)
    for example in examples:
        if pile := side.get(example.id):
            sides_of_wording[neighbours.questions[example.id]].add(pile)
            sides_of_answer[neighbours.answers[example.id]].add(pile)
    assert all(len(sides) == 1 for sides in sides_of_wording.values())
    for sides in sides_of_answer.values():
        assert not {"train", "unseen"} <= sides, "an unseen answer is nearly taught"
        assert "reworded" not in sides or "train" in sides, "a reworded answer is not taught"
    assert find_leaks(split, examples, neighbours) == 0


@given(near_corpora, st.integers(0, 3))
@settings(deadline=None)
def test_near_duplicates_never_separate(pairs: list[tuple[str, str]], seed: int) -> None:
    examples = examples_of(pairs)
    neighbours = find_duplicates(examples)
    split = split_examples(examples, seed=seed, neighbours=neighbours)
    assert not split.aside
    assert {e.id for e in examples} == set(split.side_of())
    assert_nothing_near_separates(split, examples, neighbours)


@given(near_corpora, near_corpora)
@settings(deadline=None)
def test_near_duplicates_never_separate_in_later_versions(
    before: list[tuple[str, str]], added: list[tuple[str, str]]
) -> None:
    old = examples_of(before)
    first = split_examples(old, seed=3, neighbours=find_duplicates(old))
    examples = examples_of(before + added)
    neighbours = find_duplicates(examples)
    second = split_examples(examples, seed=3, neighbours=neighbours, before=first)
    kept = second.side_of()
    assert all(kept[id_] == pile for id_, pile in first.side_of().items() if id_ in kept)
    assert set(kept) | set(second.aside) == {e.id for e in examples}
    assert_nothing_near_separates(second, examples, neighbours)


def test_a_later_question_that_ties_an_asked_one_to_a_taught_one_sets_the_asked_one_aside() -> None:
    examples = faq(answers=30, wordings=3)
    split = split_examples(examples, seed=17)
    apart = {e.id: i for i, e in enumerate(examples)}
    asked, taught = split.reworded[0], split.train[0]
    tied = Neighbours(
        method="by words",
        thresholds={},
        questions=apart | {asked: apart[taught]},
        answers={e.id: int(e.answer.split()[1].strip(".")) for e in examples},
    )
    later = split_examples(examples, seed=17, neighbours=tied, before=split)
    assert later.aside == (asked,)
    assert later.train == split.train


def test_twenty_examples_are_enough_for_something_in_each_pile() -> None:
    for answers, wordings in ((20, 1), (10, 2), (7, 3), (5, 4), (4, 5)):
        sizes = split_examples(faq(answers, wordings), seed=17).sizes()
        empty = {pile for pile, size in sizes.items() if not size}
        assert empty == ({"reworded"} if wordings == 1 else set()), (answers, wordings, sizes)
        assert sizes["train"] >= 10


def test_one_answer_alone_is_taught_and_not_asked_as_unseen() -> None:
    assert split_examples(faq(answers=1, wordings=30), seed=17).unseen == ()


def labelled(labels: dict[str, int]) -> tuple[Example, ...]:
    return examples_of(
        [(f"{la} text{n}", la) for la, count in labels.items() for n in range(count)]
    )


def test_labels_get_one_test_pile_with_every_label_in_proportion() -> None:
    examples = labelled({"spam": 100, "ham": 50, "rare": 10, "lonely": 2, "single": 1})
    split = split_labels(examples, seed=17)
    label = {e.id: e.answer for e in examples}
    assert Counter(label[id_] for id_ in split.test) == {
        "spam": 10,
        "ham": 5,
        "rare": 1,
        "lonely": 1,
    }
    assert Counter(label[id_] for id_ in split.validation) == {"spam": 10, "ham": 5, "rare": 1}
    assert set(split.sizes()) == {"train", "validation", "test"}
    assert split.kinds == ("test",)
    assert {label[id_] for id_ in split.train} == set(label.values())


labelled_corpora = st.lists(
    st.tuples(near_questions, st.sampled_from(["yes", "no", "other"])), min_size=1, max_size=80
)


@given(labelled_corpora, labelled_corpora)
@settings(deadline=None)
def test_near_texts_with_labels_never_separate(
    before: list[tuple[str, str]], added: list[tuple[str, str]]
) -> None:
    old, examples = examples_of(before), examples_of(before + added)
    first = split_labels(old, seed=3, neighbours=find_duplicates(old))
    assert not first.aside
    neighbours = find_duplicates(examples)
    split = split_labels(examples, seed=3, neighbours=neighbours, before=first)
    side = split.side_of()
    sides = defaultdict(set)
    for example in examples:
        sides[neighbours.questions[example.id]].add(side.get(example.id))
    assert all(len(piles - {None}) <= 1 for piles in sides.values())
    assert find_leaks(split, examples, neighbours) == 0
    if first.test:
        kept = first.side_of()
        assert all(side[id_] == kept[id_] for id_ in kept if id_ in side)


def test_the_order_of_the_file_does_not_matter_for_labels_or_at_random() -> None:
    examples = labelled({"spam": 40, "ham": 30})
    back = tuple(reversed(examples))
    for deal in (split_labels, split_randomly):
        assert deal(examples, seed=3).side_of() == deal(back, seed=3).side_of()


def test_many_labels_may_have_a_larger_test_pile() -> None:
    examples = labelled({f"label{n}": 60 for n in range(80)})
    assert len(split_labels(examples, seed=17).test) == 400


def test_sides_that_were_dealt_at_random_do_not_hold_once_the_check_is_on() -> None:
    examples = faq(answers=50, wordings=3)
    random = split_randomly(examples, seed=17)
    later = split_examples(examples, seed=17, before=random)
    assert later == split_examples(examples, seed=17)
    assert split_labels(examples, seed=17, before=random) == split_labels(examples, seed=17)


def test_an_old_split_without_test_pile_still_loads() -> None:
    old = {"seed": 1, "validation_is": "unseen", "train": ["a"], "validation": ["b"]}
    split = Split.model_validate(old | {"reworded": [], "unseen": ["c"], "aside": []})
    assert split.sizes() == {"train": 1, "validation": 1, "reworded": 0, "unseen": 1}
    assert split.kinds == ("unseen",)
    assert split.leak_check


def test_a_new_repeat_of_an_asked_question_is_asked_with_it() -> None:
    examples = faq(answers=40, wordings=3)
    split = split_examples(examples, seed=17)
    asked = next(e for e in examples if e.id == split.reworded[0])
    grown = examples_of(
        [(e.question, e.answer) for e in (*examples, asked)]
        + [(asked.question.upper(), asked.answer)]
    )
    later = split_examples(
        grown, seed=17, neighbours=find_duplicates(grown), before=split
    ).side_of()
    assert [later[e.id] for e in grown[-2:]] == ["reworded", "reworded"]
