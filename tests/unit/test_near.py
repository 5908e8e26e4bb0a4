"""Which texts say nearly the same, by their words: labelled pairs, hostile corpora, clusters."""

import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.corpus.examples import Example, make_examples, normalise
from trainer.corpus.near import (
    ANSWER_WORDS,
    MOST_COMPARED,
    Neighbours,
    Pairs,
    Progress,
    find_duplicates,
    find_near,
)
from trainer.corpus.table import Pair
from trainer.corpus.wording import read_wording, speaks_english

LABELLED = Path(__file__).parent.parent / "data" / "near_pairs.jsonl"


def near(one: str, other: str) -> bool:
    return bool(find_near([one, other]))


def examples_of(*pairs: tuple[str, str]) -> tuple[Example, ...]:
    return make_examples(Pair(q, a, "", row) for row, (q, a) in enumerate(pairs, start=2))


class ScriptedJudge:
    """Finds close whatever the test says is close, and remembers what it was asked."""

    def __init__(self, close: dict[tuple[str, str], float]) -> None:
        self.close = close
        self.asked: list[str] = []
        self.candidates: Sequence[tuple[int, int]] | None = None

    def can_judge(self, text: str, /) -> bool:
        return speaks_english(text)

    def close_pairs(
        self,
        texts: Sequence[str],
        *,
        candidates: Sequence[tuple[int, int]] | None,
        threshold: float,
        progress: Progress | None = None,
    ) -> Pairs:
        self.asked, self.candidates = list(texts), candidates
        place = {text: i for i, text in enumerate(texts)}
        found = [
            (*sorted((place[a], place[b])), similarity)
            for (a, b), similarity in self.close.items()
            if a in place and b in place and similarity >= threshold
        ]
        return [(i, j, similarity) for i, j, similarity in found]


def test_the_labelled_pairs_are_told_apart_as_the_docstring_says() -> None:
    counts: Counter[tuple[bool, str, bool]] = Counter()
    for line in LABELLED.read_text(encoding="utf-8").splitlines():
        pair = json.loads(line)
        found = near(pair["first"], pair["second"])
        counts[pair["language"] == "en", pair["label"], found] += 1
    assert counts[True, "different", True] == counts[False, "different", True] == 0
    assert counts[True, "reworded", True] == counts[False, "reworded", True] == 0
    assert (counts[True, "near", True], counts[True, "near", False]) == (61, 45)
    assert (counts[False, "near", True], counts[False, "near", False]) == (32, 2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I block my card?", "my card, how can I block it"),
        ("How do I block my card?", "How do I block cards?"),
        ("Where do I change my address?", "where do i chagne my adress"),
        ("Is 1,000 euros the limit?", "Is the limit 1000 Euros?"),
        ("How do I get from A-town to the airport?", "How do I get to the airport from A-town?"),
        ("Wie kann ich meine Karte sperren?", "Wie sperre ich die Karten?"),
        ("我的订单什么时候发货？", "我的订单能不能什么时候发货呢"),  # noqa: RUF001
        ("บัตรหายต้องทำอย่างไร", "บัตรหาย ต้องทำอย่างไร?"),
    ],
)
def test_order_inflection_function_words_and_typos_make_no_other_question(
    one: str, other: str
) -> None:
    assert near(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is the limit for card A?", "What is the limit for card B?"),
        ("What is the fee for product 12345?", "What is the fee for product 12346?"),
        ("Is the limit 3.5 percent?", "Is the limit 35 percent?"),
        ("How do I open a savings account?", "How do I open a current account?"),
        ("Is it covered?", "Isn't it covered?"),
        ("Can I pay without a card?", "Can I pay with a card?"),
        ("When do I pay rent?", "Where do I pay rent?"),
        ("How do I move from Rome to Oslo?", "How do I move from Oslo to Rome?"),
        ("What does the payer sign?", "What does the payee sign?"),
        ("Is a million insured?", "Is a billion insured?"),
        ("Kann ich den Termin absagen?", "Kann ich den Termin nicht absagen?"),
        ("如何从储蓄账户转账到支票账户", "如何从支票账户转账到储蓄账户"),
        ("C++", "C#"),
    ],
)
def test_one_number_name_negation_or_direction_makes_another_question(one: str, other: str) -> None:
    assert not near(one, other)


def test_a_long_text_with_a_word_or_two_changed_is_nearly_the_same_answer() -> None:
    text = (
        "Visit the nearest branch with your identity card and a recent bill, fill in the pink form "
        "for customers, sign it before the clerk, and the new address is valid from next morning."
    )
    assert find_near([text, text.replace("pink ", "")], threshold=ANSWER_WORDS)
    assert find_near([text, text.replace("pink", "yellow")], threshold=ANSWER_WORDS)
    assert not find_near([text, text.replace("valid", "not valid")], threshold=ANSWER_WORDS)
    assert not find_near([text, text.replace("next", "3rd")], threshold=ANSWER_WORDS)
    assert not find_near([text, text.replace("pink", "yellow")])


@given(st.lists(st.text(max_size=40), max_size=12))
@settings(deadline=None)
def test_any_texts_can_be_compared_and_pairs_are_in_order(texts: list[str]) -> None:
    pairs = find_near(texts, threshold=0.5)
    assert all(0 <= i < j < len(texts) and 0.5 <= s <= 1 for i, j, s in pairs)
    wordings = [read_wording(text) for text in texts]
    assert all(wordings[i].numbers == wordings[j].numbers for i, j, _ in pairs)


def test_join_finds_what_comparing_all_pairs_finds() -> None:
    words = [f"zq{a}{b}{c}" for a in "aeiou" for b in "klmnprst" for c in "bdg"]
    rng = random.Random(3)
    drawn = [rng.sample(words, rng.randint(6, 10)) for _ in range(150)]
    edited = [rng.sample(words, rng.randint(0, 2)) + text[rng.randint(0, 2) :] for text in drawn]
    texts = [" ".join(text) for text in drawn + edited]
    sets = [frozenset(text.split()) for text in texts]
    expected = {
        (i, j)
        for j in range(len(texts))
        for i in range(j)
        if len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= 0.6
    }
    assert 50 < len(expected) < 150
    assert {(i, j) for i, j, _ in find_near(texts, threshold=0.6)} == expected


@pytest.mark.parametrize(
    "template",
    [
        "What is the fee for product {n}?",
        "What is the fee for product {w}?",
        "I read the long and winding terms of your premium service on the website, but which of "
        "the many listed monthly charges would apply to customers who hold product {w}?",
    ],
)
def test_a_template_repeated_ten_thousand_times_stays_quick(template: str) -> None:
    rng = random.Random(1)
    letters = "bcdfgklmnprst"
    texts = [
        template.format(n=n, w="".join(rng.choices(letters, k=8)) + "ax") for n in range(10_000)
    ]
    began = time.process_time()
    find_near(texts)
    pairs = find_near(texts, threshold=ANSWER_WORDS)
    assert time.process_time() - began < 8
    assert len(pairs) <= 8 * len(texts)


def test_products_of_one_template_are_no_near_duplicates() -> None:
    texts = [f"What is the fee for product {n}?" for n in range(500)]
    assert find_near(texts) == []


def test_clusters_hold_equal_and_near_questions_and_answers() -> None:
    examples = examples_of(
        ("How do I block my card?", "Call us."),
        ("how do i block my card", "Tap Block."),
        ("How can I block my cards?", "Call us!"),
        ("How do I unblock my card?", "Visit a branch."),
    )
    found = find_duplicates(examples)
    assert [found.questions[e.id] for e in examples] == [0, 0, 0, 2]
    assert [found.answers[e.id] for e in examples] == [0, 1, 0, 2]
    assert found.pairs == ((examples[0].id, examples[2].id, 1.0),)
    assert found.told == "by words: 95% of the words in common"


def test_the_judge_adds_pairs_of_one_meaning_but_numbers_and_negation_are_heard() -> None:
    a, b = "How do I obtain a card?", "What is the way to a card?"
    c, d = "Is my parcel insured for 500 euros?", "Is my parcel not insured for 500 euros?"
    e = "Is my package insured for 600 euros?"
    judge = ScriptedJudge({(a, b): 0.95, (c, d): 0.99, (c, e): 0.99})
    examples = examples_of(*((question, f"{question} Ask.") for question in (a, b, c, d, e)))
    found = find_duplicates(examples, judge)
    assert [found.questions[x.id] for x in examples] == [0, 0, 2, 3, 4]
    assert found.pairs == ((examples[0].id, examples[1].id, 0.95),)
    assert found.told.startswith("by words and meaning")


def test_a_lower_similarity_is_enough_where_the_answer_is_the_same() -> None:
    a, b = "How do I obtain a card?", "What is the way to a card?"
    judge = ScriptedJudge({(a, b): 0.9})
    same, other = (
        find_duplicates(examples_of((a, "Ask."), (b, answer)), judge) for answer in ("ask", "No.")
    )
    assert len(set(same.questions.values())) == 1
    assert len(set(other.questions.values())) == 2


def test_products_with_names_and_answers_of_their_own_are_told_apart() -> None:
    a, b = "How do I cancel my Gold card?", "How do I cancel my Platinum card?"
    judge = ScriptedJudge({(a, b): 0.97})
    found = find_duplicates(examples_of((a, "Call us."), (b, "Write to us.")), judge)
    assert found.pairs == ()


def test_only_english_that_could_have_a_neighbour_is_embedded() -> None:
    questions = ["May I pay 5?", "Can we pay 5 francs?", "May I pay 77?", "Darf ich das bezahlen?"]
    judge = ScriptedJudge({})
    find_duplicates(examples_of(*((q, q + " Yes.") for q in questions)), judge)
    assert judge.asked == questions[:2]


def test_a_large_corpus_is_judged_by_its_candidates_only() -> None:
    judge = ScriptedJudge({})
    rng = random.Random(2)
    words = ["".join(rng.choices("bdfgklmnprst", k=7)) for _ in range(4000)]
    questions = [" ".join(rng.choices(words, k=6)) for _ in range(MOST_COMPARED + 1)]
    questions += [questions[0] + " extra", questions[1] + " more"]
    find_duplicates(examples_of(*((q, "Yes.") for q in questions)), judge)
    assert judge.candidates is not None
    assert {(0, MOST_COMPARED + 1), (1, MOST_COMPARED + 2)} <= set(judge.candidates)
    assert len(judge.candidates) < 1000


def test_progress_rises_to_the_end_and_neighbours_survive_being_written() -> None:
    shares: list[float] = []
    examples = examples_of(("How do I pay?", "So."), ("How can I pay?", "So."))
    found = find_duplicates(examples, ScriptedJudge({}), tell=shares.append)
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert Neighbours.model_validate_json(found.model_dump_json()) == found
    assert find_duplicates(()).questions == {}


def test_every_word_table_is_in_the_form_that_texts_are_read_in() -> None:
    assert speaks_english("How do I pay my bill?")
    assert not speaks_english("Wie bezahle ich die Rechnung?")
    assert not speaks_english("¿Cómo pago la factura?")
    assert not speaks_english("如何付款")
    assert not speaks_english("12345")
    assert normalise("whats") == "whats"
