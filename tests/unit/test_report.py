"""A report about labels counts what is exactly right, beside the similarity."""

from trainer.report import Report, Row
from trainer.words import verdict


def row(label: str, base: str, tuned: str, lookup: str) -> Row:
    return Row(
        id=label,
        kind="test",
        question="Where is my card?",
        topic="",
        approved=label,
        answers={"base": base, "tuned": tuned, "lookup": lookup},
        similarity={"base": 0.1, "tuned": 0.9, "lookup": 0.8},
    )


REPORT = Report(
    embedder="",
    adapter="",
    rows=(
        row("card_arrival", "I do not know.", "Card_arrival.", "card_arrival"),
        row("lost_card", "Hello.", "card_arrival", "lost_card"),
        row("top_up", "Top up your card", "top_up", "top_up"),
        row("refund", "Refund?", "refund", "fees"),
    ),
)


def test_an_answer_is_exact_whatever_its_case_and_punctuation() -> None:
    assert REPORT.kinds == ("test",)
    exact = [REPORT.exact("test", who) for who in ("base", "tuned", "lookup")]
    assert exact == [0.25, 0.75, 0.75]
    summary = REPORT.summary()["test"]
    assert isinstance(summary, dict)
    assert summary["n"] == 4
    assert summary["tuned"] == {"similarity": 0.9, "exact": 0.75}


def test_the_verdict_on_labels_tells_the_shares() -> None:
    (sentence,) = verdict(REPORT)
    assert "75% of the tuned model's answers are exactly the approved ones, 25% of the" in sentence
