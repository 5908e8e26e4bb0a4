"""What an answer is worth beside the approved one, against hand-worked cases and the libraries."""

import re
import string
from collections import Counter

import numpy as np
import pytest
from sacrebleu import sentence_bleu, sentence_chrf

from trainer.measures import (
    MEASURES,
    bleu,
    chrf,
    exact,
    repeats,
    right_nearest,
    rouge_l,
    rouge_n,
    score_labels,
    score_texts,
    token_f1,
    words_of,
)

PAIRS = [
    ("You may return the item within 14 days.", "Items may be returned within 14 days."),
    ("The Broncos won it", "Denver Broncos"),
    ("a cat and a cat and a dog", "the cat saw a dog"),
    ("Nothing in common here", "It costs five euros"),
    ("Yes", "yes."),
    ("14 days", "14 days or more"),
]


def squad_f1(prediction: str, truth: str) -> float:
    """F1 as the evaluation script of SQuAD 1.1 computes it."""

    def tokens(text: str) -> list[str]:
        text = "".join(char for char in text.lower() if char not in string.punctuation)
        return re.sub(r"\b(a|an|the)\b", " ", text).split()

    said, wanted = tokens(prediction), tokens(truth)
    same = sum((Counter(said) & Counter(wanted)).values())
    if not same:
        return 0.0
    precision, recall = same / len(said), same / len(wanted)
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize(("answer", "approved"), PAIRS)
def test_token_f1_is_that_of_squad(answer: str, approved: str) -> None:
    assert token_f1(answer, approved) == pytest.approx(squad_f1(answer, approved))


def test_token_f1_of_the_broncos_is_two_thirds() -> None:
    assert token_f1("The Broncos.", "Denver Broncos") == pytest.approx(2 / 3)


def test_a_script_without_spaces_is_compared_letter_by_letter() -> None:
    assert words_of("我們在9點开门, OK?") == ["我", "們", "在", "9", "點", "开", "门", "ok"]
    assert token_f1("我们九点开门", "我们八点开门") == pytest.approx(5 / 6)
    assert rouge_l("我们九点开门", "我们八点开门") == pytest.approx(5 / 6)


def test_an_answer_of_nothing_is_worth_nothing() -> None:
    assert set(score_texts("", "It costs five euros.", "answers").values()) == {0.0}
    for task in MEASURES:
        for answer in ("", "...", "the", "\n", "🙂"):
            scores = score_texts(answer, "It costs five euros.", task)
            assert all(0 <= score <= 1 for score in scores.values())


def test_an_approved_answer_is_worth_one_by_every_measure() -> None:
    for text in ("Bring the item and its receipt to any shop.", "请把商品带到任何一家商店。"):
        for task in MEASURES:
            scores = score_texts(text, text, task)
            assert scores == pytest.approx(dict.fromkeys(scores, 1.0))


def test_each_task_has_its_measures() -> None:
    assert {task: list(measures) for task, measures in MEASURES.items()} == {
        "answers": ["token_f1", "rouge_l", "exact"],
        "labels": ["exact", "token_f1"],
        "summaries": ["rouge_1", "rouge_2", "rouge_l", "token_f1", "exact"],
        "translations": ["chrf", "bleu", "rouge_l", "exact"],
    }


def test_rouge_l_is_that_of_lins_example() -> None:
    assert rouge_l("police kill the gunman", "police killed the gunman") == 0.75
    assert rouge_l("the gunman kill police", "police killed the gunman") == 0.5
    assert rouge_l("the gunman police killed", "police killed the gunman") == 0.5


def test_rouge_n_counts_no_word_more_often_than_it_was_approved() -> None:
    # of 4 and 6 words "the" (once) and "mat"; of 3 and 5 pairs none but "the mat"
    assert rouge_n("the the the mat", "a cat sat on the mat", 1) == pytest.approx(2 * 2 / 10)
    assert rouge_n("the the the mat", "a cat sat on the mat", 2) == pytest.approx(2 * 1 / 8)
    assert rouge_n("one", "one two", 2) == 0.0
    scores = score_texts("the the the mat", "a cat sat on the mat", "summaries")
    assert (scores["rouge_1"], scores["rouge_2"]) == (pytest.approx(0.4), pytest.approx(0.25))


@pytest.mark.parametrize(("answer", "approved"), PAIRS)
def test_chrf_and_bleu_are_those_of_sacrebleu(answer: str, approved: str) -> None:
    assert chrf(answer, approved) == pytest.approx(sentence_chrf(answer, [approved]).score / 100)
    expected = sentence_bleu(answer, [approved], use_effective_order=True).score / 100
    assert bleu(answer, approved) == pytest.approx(expected)


def test_bleu_cuts_chinese_and_japanese_as_sacrebleu_does() -> None:
    for cut, answer, approved in (
        ("zh", "我们九点开门。", "我们八点开门。"),
        ("char", "お店は九時に開きます。", "お店は八時に開きます。"),
        ("char", "ร้านเปิดเก้าโมง", "ร้านเปิดแปดโมง"),
    ):
        expected = sentence_bleu(answer, [approved], tokenize=cut, use_effective_order=True)
        assert bleu(answer, approved) == pytest.approx(expected.score / 100)
        assert bleu(answer, approved) > 0.2


def test_case_and_punctuation_do_not_make_an_answer_another() -> None:
    assert exact("Card arrival.", "card_arrival") == 1.0
    assert exact("It is covered.", "It is not covered.") == 0.0


def test_repetition_is_the_share_of_word_groups_that_stood_there_before() -> None:
    assert repeats("we are open from nine to five") == 0.0
    assert repeats("go on go on go on") == 0.5  # four groups, of which two are new
    assert repeats("no no no no no no no no no no no no") == 0.9
    assert repeats("two words") == repeats("") == 0.0


def unit(*rows: tuple[float, ...]) -> np.ndarray:
    matrix = np.array(rows, np.float32)
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def test_the_right_answer_is_nearest_only_where_no_other_is_closer() -> None:
    known = unit((1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 1))
    answers = unit((0.9, 0.1, 0), (0.9, 0.1, 0), (0, 0.5, 0.6), (1, 1, 0))
    assert right_nearest(answers, [0, 1, 3, 1], known) == [True, False, True, True]
    assert right_nearest(answers[:0], [], known) == []


def test_labels_are_scored_each_and_together() -> None:
    approved = ["fees", "fees", "fees", "card lost", "card lost", "rates"]
    given = ["Fees.", "fees", "card_lost", "Card lost", "I would say fees", "fees"]
    scores = score_labels(approved, given)
    assert scores.accuracy == 0.5
    told = {s.label: (s.precision, s.recall, s.f1, s.n) for s in scores.labels}
    assert told["fees"] == pytest.approx((2 / 3, 2 / 3, 2 / 3, 3))
    assert told["card lost"] == pytest.approx((0.5, 0.5, 0.5, 2))
    assert told["rates"] == (0.0, 0.0, 0.0, 1)
    assert scores.macro_precision == scores.macro_recall == pytest.approx((2 / 3 + 0.5) / 3)
    assert scores.macro_f1 == pytest.approx((2 / 3 + 0.5) / 3)
    assert scores.confusion == {
        "card lost": {"": 1, "card lost": 1},
        "fees": {"card lost": 1, "fees": 2},
        "rates": {"fees": 1},
    }


def test_a_label_that_none_of_these_texts_has_is_seen_but_not_averaged() -> None:
    scores = score_labels(["fees", "rates"], ["fees", "Refund"], known=("fees", "rates", "refund"))
    assert [label.label for label in scores.labels] == ["fees", "rates"]
    assert scores.confusion["rates"] == {"refund": 1}
    assert scores.macro_f1 == 0.5


def test_no_text_has_no_score() -> None:
    assert score_labels([], []).accuracy == 0.0
