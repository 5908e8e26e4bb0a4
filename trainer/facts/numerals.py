"""Numbers as they are written, in digits or in words, in the manner of a language."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from trainer.corpus.word_lists import LANGUAGES, read_words
from trainer.facts.lexicon import read_list

_HALVES = {"½": Fraction(1, 2), "¼": Fraction(1, 4), "¾": Fraction(3, 4)}
_DIGITS = r"\d+(?:[.,]\d+)+|\d{1,3}(?:[ ']\d{3})+(?!\d)|\d*[½¼¾]|\d+/\d+(?![\d/])|\d+"
_TOKEN = re.compile(rf"({_DIGITS})|[^\W\d_]+")
_ALONE = read_words("hundred thousand million dozen dutzend douzaine docena")
_AND_A_HALF = re.compile(r"\s+and\s+(?:a\s+)?half\b")


class Numeral(NamedTuple):
    """A number where it is written; a small one in words ("one", "once") says little by itself."""

    start: int
    end: int
    value: Fraction
    small: bool


def lowered(text: str) -> str:
    """The text in lower case, every character where it was."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def language_of(lower: str) -> str:
    """The language whose small words are most in a text, English in doubt."""
    hits = Counter(
        language
        for word in re.findall(r"[^\W\d_]+", lower)[:80]
        if word != "no"  # English too, and often the only one in a short answer
        for language in LANGUAGES.get(word, ())
    )
    return max(hits, key=lambda language: (hits[language], language == "en"), default="en")


def find_numbers(lower: str, language: str) -> Iterator[Numeral]:
    """Find the numbers of a text in lower case: 1,000, five hundred, 2 million, two and a half."""
    tokens = list(_TOKEN.finditer(lower))
    first = _ALONE | _number_words(language).keys()
    at = 0
    while at < len(tokens):
        if not tokens[at][1] and tokens[at][0] not in first:
            at += 1
            continue
        value, last, spelled = _read_run(lower, tokens, at, language)
        if value is None:
            at += 1
            continue
        end = tokens[last - 1].end()
        if half := _AND_A_HALF.match(lower[end:]):
            value, end = value + Fraction(1, 2), end + half.end()
        yield Numeral(tokens[at].start(), end, value, spelled and value <= 1)
        while at < len(tokens) and tokens[at].start() < end:
            at += 1


def _read_run(
    lower: str, tokens: Sequence[re.Match[str]], at: int, language: str
) -> tuple[Fraction | None, int, bool]:
    """The number that begins at a token, the token after it, and whether it has words."""
    words, times = _number_words(language), _multipliers()
    total, group = Fraction(0), Fraction(-1)  # the thousands before, and what is below them
    spelled, last = False, at
    while last < len(tokens):
        word, begins = tokens[last][0], last == at
        gap = "" if begins else lower[tokens[last - 1].end() : tokens[last].start()]
        if gap not in ("", " ", "-") or (gap == "-" and not spelled):
            break
        if tokens[last][1]:
            if not begins:
                break
            group = read_number(word, language)
        elif word in words and (begins or spelled):
            value = words[word]
            if value in (100, 1000):
                group = max(group, Fraction(1)) * value
            elif group > 0 and group % 100 and (value >= 10 or value == 0 or group % 10):
                break
            else:
                group = max(group, Fraction(0)) + value
            spelled = True
        elif word in times and (group >= 0 or word in _ALONE):
            if word in ("k", "cr", "mn", "bn") and gap:
                break
            if times[word] >= 1000:
                total, group = total + max(group, Fraction(1)) * times[word], Fraction(0)
            else:
                group = max(group, Fraction(1)) * times[word]
            spelled = True
        else:
            after = tokens[last + 1][0] if last + 1 < len(tokens) else ""
            if not spelled or not _goes_on(word, after, total, group, words):
                break
        last += 1
    return (total + group if group >= 0 else None), last, spelled


def _goes_on(
    word: str, after: str, total: Fraction, group: Fraction, words: Mapping[str, Fraction]
) -> bool:
    """Whether a small word stands inside a number: one hundred and two, half a dozen."""
    if word == "and":
        return bool(group >= 100 or total) and after in words
    return word == "a" and group == Fraction(1, 2) and after == "dozen"


def read_number(written: str, language: str) -> Fraction:
    """Read the number that digits stand for, with the thousands and decimals of a language."""
    if written[-1] in _HALVES:
        return (Fraction(written[:-1]) if written[:-1] else Fraction(0)) + _HALVES[written[-1]]
    if "/" in written:
        one, other = written.split("/")
        simple = int(one) < int(other) <= 10 if len(other) < 3 else False
        return Fraction(int(one), int(other)) if simple else Fraction(int(one))
    written = re.sub(r"[ ']", "", written)[:400]
    groups = re.split(r"[.,]", written)
    marks = re.findall(r"[.,]", written)
    if not marks:
        return Fraction(written)
    last_three = len(groups[-1]) == 3 and groups[0] not in ("0", "00")
    if len(set(marks)) == 2 and marks[-1] not in marks[:-1]:
        whole = False
    elif len(marks) > 1:
        whole = True
    else:
        whole = last_three and (marks[0] == "," or language in ("de", "es", "it", "pt", "nl"))
    if whole:
        return Fraction("".join(groups))
    return Fraction("".join(groups[:-1]) + "." + groups[-1])


@cache
def _number_words(language: str) -> dict[str, Fraction]:
    listed = read_list("quantities")["numbers"].get(language, "")
    pairs = (pair.split("=") for pair in listed.split())
    return {word: Fraction(number) for word, number in pairs}


def _multipliers() -> dict[str, Any]:
    return read_list("quantities")["times"]
