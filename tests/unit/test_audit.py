"""The audit names what harms, with its rows, and its choices do what they say."""

import pytest

from trainer.corpus.audit import audit_examples
from trainer.corpus.examples import Example, make_examples
from trainer.corpus.findings import Audit, Problem, apply_choice
from trainer.corpus.mapping import Task
from trainer.corpus.near import find_duplicates
from trainer.corpus.table import Pair

SUBJECTS = (
    "savings account", "credit card", "house loan", "standing order", "debit card", "cheque book",
    "safe deposit box", "mobile app", "currency exchange", "branch visit", "student discount",
    "pension plan", "gift voucher", "fixed deposit", "car insurance", "travel cover",
    "direct debit", "joint account", "overdraft", "business loan", "tax certificate", "demat",
)  # fmt: skip


def faq(*more: tuple[str, str]) -> tuple[Example, ...]:
    pairs = [
        (f"{verb} a {subject}?", f"Ask at the desk for the form called {subject} and sign it.")
        for subject in SUBJECTS
        for verb in ("How do I get", "Where can somebody cancel")
    ]
    rows = enumerate([*pairs, *more], start=2)
    return make_examples(Pair(question, answer, "", row) for row, (question, answer) in rows)


def audit(examples: tuple[Example, ...], task: Task = "answers") -> Audit:
    return audit_examples(examples, find_duplicates(examples, None), task=task)


def find(found: Audit, kind: str) -> Problem:
    return next(problem for problem in found.problems if problem.kind == kind)


def test_a_sound_corpus_is_ready() -> None:
    found = audit(faq())
    assert (found.ready, found.problems) == ("ready", ())


def test_too_few_examples_are_not_ready_and_say_what_to_do() -> None:
    found = audit(faq()[:19])
    assert found.ready == "not ready"
    assert "Too few examples: 19. " in found.reasons[0]
    assert "Add more questions" in found.reasons[0]


def test_the_same_question_with_two_answers_is_a_contradiction_with_both_rows() -> None:
    found = audit(faq(("how do I get a credit card", "You cannot.")))
    problem = find(found, "contradiction")
    assert (problem.count, problem.where) == (1, ("rows 4, 46",))
    assert "You cannot." in problem.items[0].shown
    assert found.ready == "ready with warnings"


def test_merging_a_contradiction_gives_every_row_the_first_answer() -> None:
    examples = faq(("how do I get a credit card", "You cannot."))
    problem = find(audit(examples), "contradiction")
    merged = apply_choice(examples, problem, problem.items, "merge")
    assert merged[-1].answer == merged[2].answer
    assert len({e.id for e in merged}) == len(merged) == len(examples)
    with pytest.raises(StopIteration):
        find(audit(merged), "contradiction")


def test_dropping_repeats_keeps_the_first_of_them() -> None:
    examples = faq(*[("How do I get a credit card?", faq()[2].answer)] * 2)
    problem = find(audit(examples), "duplicate")
    assert problem.count == 2
    assert apply_choice(examples, problem, problem.items, "drop") == faq()


def test_dropping_anything_else_drops_its_rows() -> None:
    examples = faq(("asdf", "Something or other that nobody asked for."))
    problem = find(audit(examples), "question without substance")
    assert apply_choice(examples, problem, problem.items, "drop") == faq()


def test_personal_data_is_shown_masked_and_masked_on_request() -> None:
    examples = faq(
        ("Whom do I call?", "Write to jane.roe@example.com or pay DE89370400440532013000.")
    )
    problem = find(audit(examples), "personal data")
    assert "jane.roe@example.com" not in problem.model_dump_json()
    masked = apply_choice(examples, problem, problem.items, "mask")[-1].answer
    assert "jane.roe" not in masked
    assert "370400440532" not in masked
    assert masked.startswith("Write to j")


def test_an_address_in_many_answers_is_taken_for_a_public_one_and_listed_once_with_its_rows() -> (
    None
):
    more = [
        (f"Who helps with my {s}?", f"For your {s}, call +44 20 7946 0958 in the morning.")
        for s in SUBJECTS[:4]
    ]
    found = audit(faq(*more))
    assert found.ready == "ready"
    (item,) = find(found, "contact point").items
    assert item.where == "rows 46, 47, 48, 49"
    assert "7946" not in found.model_dump_json()


def test_what_a_person_keeps_is_no_longer_held_against_the_corpus() -> None:
    found = audit(faq(("how do I get a credit card", "You cannot.")))
    problem = find(found, "contradiction")
    left = found.without({problem.items[0].key("contradiction")})
    assert left.ready == "ready"
    assert found.without({problem.items[0].key("duplicate")}).ready != "ready"


def test_one_wording_for_every_answer_says_that_rewording_cannot_be_measured() -> None:
    examples = faq()[::2]
    assert "cannot be measured" in find(audit(examples), "one wording each").meaning


@pytest.mark.parametrize(
    ("question", "answer", "kind"),
    [
        ("Is it open\ufffd?", "It is open from nine to five on all days.", "unreadable characters"),
        ("What is the fee for that?", "The fee depends on the contract and,", "answer cut off"),
        ("What is in the terms?", "Terms and conditions apply. " * 80, "long answer"),
        (
            "Wie kann ich meine verlorene Karte sperren lassen?",
            "Bitte rufen Sie unsere Hotline an und halten Sie Ihre Kundennummer bereit.",
            "other language",
        ),
    ],
)
def test_other_harm_is_found_with_its_row(question: str, answer: str, kind: str) -> None:
    problem = find(audit(faq((question, answer))), kind)
    assert problem.where == ("row 46",)


def test_labels_are_checked_for_balance_and_for_two_labels_of_one_text() -> None:
    texts = [f"{verb} my {s} now" for s in SUBJECTS for verb in ("open", "close", "show", "block")]
    pairs = [Pair(text, "cards", "", row) for row, text in enumerate(texts, start=2)]
    pairs += [Pair("open my overdraft now", "loans", "", 100)]
    found = audit(make_examples(pairs), "labels")
    assert find(found, "contradiction").where == (
        f"rows {2 + texts.index('open my overdraft now')}, 100",
    )
    assert "macro F1" in find(found, "unbalanced labels").meaning
    assert "loans: 1" in find(found, "small label").items[0].shown


def test_one_label_only_is_nothing_to_learn() -> None:
    examples = make_examples(Pair(s, "cards") for s in SUBJECTS)
    assert audit(examples, "labels").ready == "not ready"
