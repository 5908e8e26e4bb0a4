"""What a report means: what it counts, and the sentences on the first screen."""

from collections.abc import Mapping

import pytest

from tests.reports import scored_row
from trainer.difference import Difference
from trainer.report import Contender, Gap, Kind, Measure, Report
from trainer.verdict import about_overfitting, verdict, verdict_of

LABELS = {
    "card_arrival": ("I do not know.", "Card_arrival.", "card_arrival"),
    "lost_card": ("Hello.", "card_arrival", "lost_card"),
    "top_up": ("Top up your card", "top_up", "top_up"),
    "refund": ("Refund?", "refund", "fees"),
}


def apart(mean: float, half: float, *, p: float | None = None, n: int = 40) -> Difference:
    sure = abs(mean) > half
    return Difference(
        mean=mean,
        low=mean - half,
        high=mean + half,
        p=p if p is not None else 0.001 if sure else 0.4,
        wins=n // 2,
        losses=n - n // 2,
        ties=0,
        n=n,
        groups=n,
    )


def report(
    kind: Kind,
    scores: Mapping[Contender, float],
    differences: Mapping[Contender, Difference],
    primary: Measure = "similarity",
) -> Report:
    rows = [
        scored_row(kind, "Yes.", {who: "Yes." for who in scores}, scores, id_=str(number))
        for number in range(40)
    ]
    measured = {who: {primary: found} for who, found in differences.items()}
    return Report(embedder="", adapter="", rows=tuple(rows), differences={kind: measured})


def test_an_answer_is_exact_whatever_its_case_and_punctuation() -> None:
    rows = tuple(
        scored_row(
            "test",
            label,
            {"base": base, "tuned": tuned, "lookup": lookup},
            {"base": 0.1, "tuned": 0.9, "lookup": 0.8},
            id_=label,
        )
        for label, (base, tuned, lookup) in LABELS.items()
    )
    differences: Mapping[Contender, Mapping[Measure, Difference]] = {
        "base": {"exact": apart(0.5, 0.2)},
        "lookup": {"exact": apart(0.0, 0.3)},
    }
    labels = Report(
        task="labels",
        primary="exact",
        embedder="",
        adapter="",
        rows=rows,
        differences={"test": differences},
    )
    assert labels.kinds == ("test",)
    whos: tuple[Contender, ...] = ("base", "tuned", "lookup")
    assert [labels.score("test", who) for who in whos] == [0.25, 0.75, 0.75]
    told = labels.summary()["test"]
    assert isinstance(told, dict)
    assert told["n"] == 4
    assert told["tuned"] == {"similarity": 0.9, "exact": 0.75}
    first, second = verdict(labels)
    assert first == (
        "On 4 held-out texts, tuning raised the share of answers that are exactly the approved one "
        "from 25% to 75% (between +0.30 and +0.70)."
    )
    assert "looking the answer up reaches 75%, too close to the tuned model to tell" in second


def test_the_second_sentence_says_when_a_search_box_would_serve_as_well() -> None:
    won = report(
        "reworded",
        {"base": 0.2, "tuned": 0.5, "retrieval": 0.3, "lookup": 0.9},
        {"base": apart(0.3, 0.1), "retrieval": apart(0.2, 0.1), "lookup": apart(-0.4, 0.1)},
    )
    first, second = verdict_of(won, "reworded")
    assert first == (
        "On 40 reworded questions, whose answers were taught in other words, tuning raised "
        "similarity to the approved answer from 0.20 to 0.50 (between +0.20 and +0.40)."
    )
    assert second == (
        "Without tuning, looking the answer up reaches 0.90, more than the tuned model, and the "
        "base with the nearest approved answers in its prompt reaches 0.30, less than the tuned "
        "model. As it stands, a search box serves better."
    )
    equal = report(
        "reworded",
        {"base": 0.2, "tuned": 0.5, "retrieval": 0.5, "lookup": 0.2},
        {"base": apart(0.3, 0.1), "retrieval": apart(0.0, 0.02), "lookup": apart(0.3, 0.1)},
    )
    assert verdict_of(equal, "reworded")[1].endswith(
        "As it stands, the base with a search behind it serves as well."
    )
    best = report(
        "reworded",
        {"base": 0.2, "tuned": 0.9, "lookup": 0.5},
        {"base": apart(0.7, 0.1), "lookup": apart(0.4, 0.1)},
    )
    assert "search" not in verdict_of(best, "reworded")[1]


@pytest.mark.parametrize(
    ("difference", "word", "told"),
    [
        (apart(0.3, 0.1), "better", "tuning raised similarity"),
        (apart(-0.3, 0.1), "worse", "tuning lowered similarity"),
        (apart(0.01, 0.03), "no difference", "tuning made no difference that matters"),
        (apart(0.04, 0.2), "too few", "are too few to tell. About 2500 would do."),
        (
            apart(0.3, 0.1, p=0.2),
            "too few",
            "40 questions about 40 different answers are too few to tell.",
        ),
    ],
)
def test_a_verdict_needs_interval_and_test_and_says_how_many_questions_would_do(
    difference: Difference, word: str, told: str
) -> None:
    found = report("reworded", {"base": 0.3, "tuned": 0.4}, {"base": difference})
    assert difference.verdict == word
    assert told in verdict_of(found, "reworded")[0]
    summary = found.summary()["reworded"]
    assert isinstance(summary, dict)
    assert summary["verdict"] == word
    assert summary["difference"] == {
        "mean": difference.mean,
        "low": difference.low,
        "high": difference.high,
        "p": difference.p,
    }


def test_answers_to_unseen_questions_are_counted_that_nobody_approved() -> None:
    found = report("unseen", {"base": 0.1, "tuned": 0.3}, {"base": apart(0.2, 0.1)})
    invented = found.rows[0].answers["tuned"].model_copy(update={"invented": ("30 days",)})
    rows = (
        found.rows[0].model_copy(update={"answers": found.rows[0].answers | {"tuned": invented}}),
        *found.rows[1:],
    )
    told = found.model_copy(update={"rows": rows, "supported": 0.8})
    first, second = verdict_of(told, "unseen")
    assert "A model cannot know these answers" in first
    assert second.startswith("1 of 40 tuned answers to them state a number")
    assert "(0 of the base's)" in second


def test_what_could_not_be_measured_says_why() -> None:
    empty = Report(embedder="", adapter="", rows=())
    assert empty.kinds == ("reworded", "unseen")
    assert [sentence.partition(" could")[0] for sentence in verdict(empty)] == [
        "Reworded questions",
        "Unseen questions",
    ]
    summary = empty.summary()["reworded"]
    assert isinstance(summary, dict)
    assert (summary["n"], summary["difference"], summary["verdict"]) == (0, None, "too few")


def test_reciting_is_told_from_knowing() -> None:
    recites = Gap(taught=0.9, reworded=0.5, mean=0.4, low=0.3, high=0.5)
    assert "It recites" in about_overfitting(recites, "similarity")
    knows = Gap(taught=0.9, reworded=0.88, mean=0.02, low=-0.02, high=0.06)
    assert "does not merely recite" in about_overfitting(knows, "similarity")
    unsure = Gap(taught=0.9, reworded=0.8, mean=0.1, low=-0.1, high=0.3)
    assert "no clear sign" in about_overfitting(unsure, "similarity")
