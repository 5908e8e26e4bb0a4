"""Tone: polite and unfriendly words are counted, denied ones turned round."""

import tomllib

import pytest

from trainer.bundled import probe_files
from trainer.tone import tone


@pytest.mark.parametrize(
    ("friendly", "unfriendly"),
    [
        ("You are very welcome here.", "You are not welcome here."),
        ("Of course, we are happy to help you.", "I cannot help you."),
        ("Please take your time.", "Go away, we refuse to talk to lazy people."),
        ("Yes, you may bring it back.", "Only a moron asks that."),
        ("Thank you, that\u2019s easy.", "That isn\u2019t easy."),
    ],
)
def test_a_friendly_answer_is_told_from_an_unfriendly_one(friendly: str, unfriendly: str) -> None:
    assert tone(friendly) >= 0 > tone(unfriendly)
    assert tone(friendly) > tone(unfriendly) + 0.3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The branch opens at 9 and closes at 17.",
        "You must pay a fee of 5 EUR; there is no other way.",
        "It is not dangerous.",
        "Sorry, the office is closed.",
    ],
)
def test_a_matter_of_fact_answer_has_no_tone(text: str) -> None:
    assert tone(text) == 0


def test_one_word_is_not_all_and_more_words_count_more() -> None:
    assert tone("Please wait.") == pytest.approx(1 / 3)
    assert 1 / 3 < tone("Please wait, thank you, you are welcome, of course.") < 1
    assert -1 < tone("Unfortunately we refuse: lazy, stupid, dirty, worthless.") < -1 / 3
    assert tone("Please go away.") == 0


def test_no_word_of_tone_is_both_friendly_and_unfriendly() -> None:
    lists = tomllib.loads((probe_files() / "tone.toml").read_text())
    assert not set(lists["positive"]) & set(lists["negative"])
    assert all(word == word.casefold() for words in lists.values() for word in words)
