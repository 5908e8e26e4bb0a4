"""Insults are found, and how a corpus speaks of groups is counted, with how sure one can be."""

import time

import pytest

from trainer.corpus.examples import Example
from trainer.corpus.slant import Mentions, count_mentions, find_toxic, wilson


def count(*texts: str, question: str = "What does the bank say about this matter?") -> Mentions:
    filler = ["You can open the account in the branch or on our page at any time."] * 20
    return count_mentions([Example(str(n), question, t) for n, t in enumerate([*texts, *filler])])


def test_an_insult_is_found_whatever_its_case_and_language() -> None:
    assert find_toxic("Only a MORON asks that.") == ("moron",)
    assert find_toxic("Du Arschloch! Arschloch, sage ich.") == ("arschloch",)
    assert find_toxic("C'est un connard") == ("connard",)
    assert find_toxic("ты мудак") == ("мудак",)
    assert find_toxic("你是个傻逼吗") == ("傻逼",)


@pytest.mark.parametrize(
    "text",
    [
        "Please assess the class in Scunthorpe; pass the cocktail to Dick.",
        "I slutet av boken: slut. Kurvan är en kurva.",
        "Le train a du retard, il y a des retards.",
        "Ein dickes Buch von Johnny Depp",
        "In Essex the charge is 5 EUR",
        "",
    ],
)
def test_harmless_words_that_look_alike_are_not_found(text: str) -> None:
    assert find_toxic(text) == ()


def test_a_word_that_insults_in_one_language_only_counts_in_that_language() -> None:
    assert find_toxic("She was called a slut by all of her colleagues in the office.") == ("slut",)
    assert find_toxic("Det är slut på pengar och banken har stängt för idag.") == ()


def test_mentions_are_counted_by_example_and_side() -> None:
    found = count("Women and women's clubs are welcome.", question="Is it open to Muslims as well?")
    groups = {g.name: g for g in found.groups}
    assert groups["women"].in_answers == 1
    assert groups["women"].in_questions == 0
    assert groups["women"].beside["positive"].of == 2
    assert groups["Muslims"].in_questions == 21
    assert groups["Muslims"].examples.share == 1
    assert groups["Muslims"].kind == "religion"
    assert found.languages == ("en",)


def test_an_adjective_counts_before_a_person_only() -> None:
    bank = count("The Indian bank sends the black card.")
    people = count("The Indian customer met the black woman.")
    assert {g.name for g in bank.groups} == set()
    names = {g.name for g in people.groups}
    assert names == {"East and South Asian people", "Black and African people"}


def test_slanted_words_beside_one_group_stand_out_against_all_words() -> None:
    slanted = ["It is said that immigrants are lazy and criminal people here."] * 12
    fair = ["The women of the team answer all of your questions about the loan."] * 12
    found = count(*slanted, *fair)
    groups = {g.name: g for g in found.groups}
    immigrants, women = groups["Immigrants and refugees"], groups["women"]
    assert "negative" in immigrants.slanted
    assert immigrants.beside["negative"].count == 12
    assert immigrants.words["negative"][0][0] in ("lazy", "criminal")
    assert women.slanted == ()
    assert women.beside["negative"].count == 0
    assert found.overall["negative"].share < immigrants.beside["negative"].low
    told = [sentence for sentence in found.told if "negative" in sentence]
    assert len(told) == 1
    assert told[0].startswith("Immigrants and refugees: negative words beside 100.0%")


def test_a_slanted_word_far_away_does_not_count() -> None:
    far = (
        "Women are members. " + "The rate of the account is fixed for one year. " * 2 + "It is bad."
    )
    assert count(*[far] * 8).groups[0].beside["negative"].count == 0


def test_few_mentions_are_nothing_to_conclude_from() -> None:
    assert count("Immigrants are lazy.").groups[0].slanted == ()


def test_a_group_does_not_stand_out_where_every_word_has_such_words_beside_it() -> None:
    texts = [Example(str(n), "Is it bad?", "The women had bad rates.") for n in range(20)]
    [women] = count_mentions(texts).groups
    assert women.beside["negative"].share == 1
    assert women.slanted == ()


def test_other_languages_have_lists_of_their_own() -> None:
    german = [
        Example(str(n), "Was sagt die Bank dazu?", "Die Ausländer sind faul.") for n in range(9)
    ]
    found = count_mentions(german)
    assert found.languages == ("de",)
    assert [g.name for g in found.groups] == ["Immigrants and refugees"]
    assert found.groups[0].beside["negative"].share == 1


def test_a_language_without_lists_is_not_judged_and_the_limits_are_stated() -> None:
    swedish = [Example("1", "Vad säger banken om det?", "Man kan öppna ett konto i vår bank.")]
    found = count_mentions(swedish)
    assert (found.groups, found.languages) == ((), ())
    assert "not meaning" in found.limits


def test_the_interval_is_that_of_wilson() -> None:
    share = wilson(10, 100)
    assert (round(share.low, 4), round(share.high, 4)) == (0.0552, 0.1744)
    assert wilson(0, 20).low == 0
    assert 0.15 < wilson(0, 20).high < 0.17
    assert (wilson(0, 0).low, wilson(0, 0).high, wilson(0, 0).share) == (0, 1, 0)


def test_five_thousand_examples_take_about_a_second() -> None:
    text = "The women and the men of our branch are happy to help you with poor connections. " * 4
    examples = [Example(str(n), f"Question {n}?", text) for n in range(5_000)]
    start = time.monotonic()
    assert count_mentions(examples).groups
    for example in examples:
        find_toxic(example.answer)
    assert time.monotonic() - start < 5
