"""A text reduced to what it says: its content words, numbers, negation, and what it asks for."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA

from trainer.corpus.examples import normalise
from trainer.corpus.word_lists import (
    A_NOT_A,
    ASKING,
    COUNTED,
    ENDING,
    FUNCTION,
    INFLECTED,
    LANGUAGES,
    NEGATION,
    NOT,
    NUMBER,
    PARTS,
    REVERSING,
    SILENT,
    TOWARDS,
    UNSPACED,
    WANTING,
    read_words,
)


class Wording(NamedTuple):
    """What two texts are compared by: details that must agree, and content words.

    `towards` are the content words that follow each word of direction.
    """

    numbers: tuple[str, ...]
    negations: int
    asks: frozenset[str]
    words: frozenset[str]
    towards: dict[str, frozenset[str]]


def agree(one: Wording, other: Wording) -> bool:
    """Whether numbers, negation and direction of two texts agree, and no word is an opposite."""
    if (one.numbers, one.negations) != (other.numbers, other.negations):
        return False
    for mark, there in one.towards.items():
        for mark2, there2 in other.towards.items():
            if mark == mark2 and not (there <= there2 or there2 <= there):
                return False
            if mark != mark2 and there == there2 and mark2 not in one.towards:
                return False
    left, right = one.words - other.words, other.words - one.words
    return not any(_opposite(a, b) for a in left for b in right) if len(left) < 10 else True


def read_wording(text: str) -> Wording:
    """Take a text apart into the details and the content words that it is compared by."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    tokens = _tokens(folded)
    language = _language(tokens)
    empty, asking, marks = FUNCTION[language], ASKING[language], TOWARDS[language]
    follow = 2 if language in ("fr", "es", "it", "pt", "zh") else 1  # where a name comes last
    numbers = [_number(found) for found in NUMBER.findall(folded)]
    asks: set[str] = set()  # the first question word; how is none
    words: list[str] = []
    led: dict[str, list[str]] = {}
    negations, mark, before = 0, "", ""
    for token in tokens:
        if token in NEGATION:
            negations += 1
        elif language == "en" and token in COUNTED:
            numbers.append(COUNTED[token])
        elif token in asking:
            if not asks:
                asks = {asking[token]}
        else:
            if token not in empty:
                words.append(_stem(token, language))
                if mark and len(led[mark]) < follow:
                    led[mark].append(words[-1])
            if token in marks and (token != "to" or before not in WANTING | empty | {*asking}):
                mark = token
                led[mark] = []
        before = token
    towards = {mark: frozenset(there) for mark, there in led.items() if there}
    every = frozenset(words or tokens)
    return Wording(tuple(sorted(numbers)), negations, frozenset(asks - {""}), every, towards)


def name_words(text: str) -> set[str]:
    """The stems of words that are capitalised within an English text, where not most are."""
    words = text.split()[1:]
    capital = [word for word in words if word[:1].isupper()]
    if 2 * len(capital) > len(words) + 2:
        return set()
    return {_stem(token, "en") for token in _tokens(" ".join(capital).casefold())}


def speaks_english(text: str) -> bool:
    """Whether a text seems to be English: ASCII letters, and no other language's small words."""
    letters = [char for char in text if char.isalpha()]
    ascii_letters = sum(char.isascii() for char in letters)
    return (
        bool(letters)
        and ascii_letters >= 0.95 * len(letters)
        and _language(_tokens(text.casefold())) == "en"
    )


def _tokens(folded: str) -> list[str]:
    if not folded.isascii():
        folded = A_NOT_A.sub(r"\1", SILENT.sub("", folded.replace("\u2019", "'")))
    folded = NOT.sub(" not", folded.replace("cannot", "can not"))
    tokens: list[str] = []
    for token in normalise(folded).split():
        if token.isascii() and token.isalpha():
            tokens.append(token)
        elif not token.isascii() and UNSPACED.search(token):
            tokens += [part for part in PARTS.findall(token) if not part.isdecimal()]
        elif word := "".join(char for char in token if not char.isdecimal()):
            tokens.append(word)
    return tokens


def _language(tokens: Sequence[str]) -> str:
    """The language whose function words are most among these, English in doubt."""
    if 2 * sum(UNSPACED.match(token) is not None for token in tokens[:60]) > len(tokens[:60]):
        return "zh"
    hits = Counter(language for token in tokens[:60] for language in LANGUAGES.get(token, ()))
    return max(FUNCTION, key=lambda language: hits[language])


@lru_cache(maxsize=200_000)
def _stem(word: str, language: str) -> str:
    """Cut off what inflects a word; careful rather than complete, and no change for most scripts.

    A participle in -ed stays apart, for "is my card blocked" does not ask to block it.
    """
    if language != "en":
        if language not in INFLECTED:
            return word
        ending = ENDING.search(word)
        return word[: ending.start()] if ending else word
    if not word.isascii() or len(word) < 4:
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]
    if word.endswith("ing") and any(vowel in word[:-3] for vowel in "aeiouy"):
        word = word[:-3]
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word


def _number(found: str) -> str:
    """One spelling for a number: 1,000 and 1.000 are 1000; 5.00 and 5 are 5."""
    first, *rest = re.split(r"[.,]", found[:4000])  # Python refuses to read longer numbers
    if rest and first != "0" and all(len(part) == 3 for part in rest):
        return str(int(first + "".join(rest)))
    if len(rest) == 1:
        rest[0] = rest[0].rstrip("0")
    return ".".join([str(int(first)), *filter(None, rest)])


def settle_spelling(wordings: Sequence[Wording]) -> list[Wording]:
    """The wordings with each seldom word that looks like a mistyped other one put right.

    Mistyped is a word of five letters or more, seen in at most two texts, one letter (or two
    swapped ones) away from a word as frequent: not its first letter, for "million" is not
    "billion", nor another last one, for a payer is no payee. A word with many such neighbours is
    one of a family of names and stays.
    """
    often = Counter(word for wording in wordings for word in wording.words)
    shorter: dict[str, list[str]] = defaultdict(list)
    for word in often:
        if 5 <= len(word) <= 24 and word.isalpha() and not UNSPACED.search(word):
            for variant in {word[:at] + word[at + 1 :] for at in range(1, len(word))} | {word}:
                shorter[variant].append(word)
    near: dict[str, set[str]] = defaultdict(set)
    for family in shorter.values():
        if 2 <= len(family) <= 4:
            for one in family:
                near[one].update(other for other in family if _mistyped(one, other))
        elif len(family) > 4:
            for one in family:
                near[one].update(family[:5])  # too many: a family of names
    right: dict[str, str] = {}
    for word in sorted(near, key=lambda word: (often[word], word)):
        others = near[word] - {word}
        if often[word] <= 2 and 1 <= len(others) <= 3:
            best = max(others, key=lambda other: (often[other], other))
            if (often[best], best) > (often[word], word) and best not in right:
                right[word] = best
    if not right:
        return list(wordings)
    return [_correct(w, right) if not right.keys().isdisjoint(w.words) else w for w in wordings]


def _correct(wording: Wording, right: Mapping[str, str]) -> Wording:
    towards = {
        mark: frozenset(right.get(word, word) for word in there)
        for mark, there in wording.towards.items()
    }
    words = frozenset(right.get(word, word) for word in wording.words)
    return wording._replace(words=words, towards=towards)


def _mistyped(one: str, other: str) -> bool:
    last = len(one) == len(other) and one[:-1] == other[:-1]
    return one != other and not last and OSA.distance(one, other, score_cutoff=1) == 1


def _opposite(one: str, other: str) -> bool:
    """Whether two words mean the reverse by a prefix, or are a pair people ask about in turns."""
    short, long = sorted((one, other), key=len)
    if long.endswith(short) and len(short) > 2 and long[: -len(short)] in REVERSING:
        return True
    return frozenset((one, other)) in _OPPOSITES


_OPPOSITES = {
    frozenset(_stem(word, "en") for word in pair.split("/"))
    for pair in read_words(
        "minimum/maximum debit/credit debited/credited open/close opening/closing buy/sell "
        "deposit/withdraw deposit/withdrawal domestic/international inland/foreign lend/borrow "
        "savings/current local/national hypertension/hypotension increase/decrease "
        "include/exclude included/excluded import/export incoming/outgoing inbound/outbound "
        "fixed/variable fixed/floating male/female minor/senior child/adult children/adults "
        "new/used new/old start/stop begin/end before/after upper/lower high/low raise/lower "
        "early/late send/receive sender/recipient prepaid/postpaid employer/employee buyer/seller "
        "tenant/landlord day/night morning/evening weekly/monthly monthly/yearly weekly/daily "
        "daily/monthly physical/virtual primary/secondary"
    )
}
