"""A text as the sentences and words that its facts are compared by.

A word is known by its key: its stem, the concept it stands for (words/polarity.toml), or the value
of the quantity it is. What negates is one key, NOT, and a word may deny its concept by itself:
"forbidden" is "allow", denied.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from trainer.corpus.word_lists import ENDING, FUNCTION, INFLECTED, NEGATION, read_words
from trainer.facts.lexicon import read_list
from trainer.facts.numerals import language_of, lowered
from trainer.facts.quantities import Quantity
from trainer.facts.quantity_reading import read_quantities

NOT = "\x01not"
BREAK = ","


class Word(NamedTuple):
    """A word where it stands: `denied` where it says the reverse of its key."""

    key: str
    stem: str
    start: int
    end: int
    denied: bool = False
    quantity: Quantity | None = None
    content: bool = True


class Phrasing(NamedTuple):
    """A text taken apart: `stems` are those of all its words, `keys` those of its content words.

    `opening` is "yes" or "no" where a text begins with it.
    """

    text: str
    language: str
    sentences: tuple[tuple[Word, ...], ...]
    quantities: tuple[Quantity, ...]
    stems: frozenset[str]
    keys: frozenset[str]
    opening: str


_FOLD = str.maketrans("\u2019\u2018\u00a0\u00ad", "''  ")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|[.!?;:,\n•()]|\d+")
_YES_NO = {word: "yes" for word in ("yes", "yeah", "yep", "ja", "oui", "sí", "sì", "sim")}
_YES_NO |= {word: "no" for word in ("no", "nope", "nein", "non", "não", "nee")}
_STATED = frozenset({"need", "allow"})  # by function words too: must, may
_NEGATED = re.compile(r"(.+)n't$")
_TITLES = read_words("dr mr mrs ms st vs eg ie etc approx incl bzw ca nr art inc ltd rs fig")
_JOINS = read_words(
    "but while whereas however although though and or because since so when if which who that "
    "aber und oder mais et ou pero y o ma e mas maar en"
)
_ENGLISH = FUNCTION["en"] | read_words(
    "if what which who whom whose when where how why all each every both more most other such "
    "only own same than very up out over again once as well be been being get got make made let "
    "able within without between through after before under above until while because since "
    "either neither nor yes no not never cannot however although though but whether"
)


@lru_cache(maxsize=20_000)
def read_phrasing(text: str, language: str = "") -> Phrasing:
    """Take a text apart into sentences of words, with its quantities in their place."""
    lower = lowered(text.translate(_FOLD))
    language = language or language_of(lower)
    quantities = read_quantities(text, language)
    parts = [part for part in _split(lower, quantities, language) if part]
    opening = ""
    for number, part in enumerate(parts):
        if lead := _lead(part[0], lower):
            opening = opening or (lead if number < 2 else "")
            part[0] = part[0]._replace(key=BREAK, stem=BREAK)
    sentences = tuple(_name_keys(part, language) for part in parts)
    stems = frozenset(word.stem for sentence in sentences for word in sentence)
    keys = frozenset(word.key for sentence in sentences for word in sentence if word.content)
    return Phrasing(text, language, sentences, quantities, stems, keys, opening)


def _lead(first: Word, lower: str) -> str:
    """Whether a sentence is led by a yes or no that is all of an answer already."""
    after = lower[first.end :].lstrip(" ")[:1]
    return _YES_NO.get(lower[first.start : first.end], "") if after in (*",.;:!-\n", "") else ""


def _split(lower: str, quantities: Sequence[Quantity], language: str) -> list[list[Word]]:
    stated = [
        q for q in quantities if not q.weak or (q.dimension == "count" and q.raw not in (0, 1))
    ]
    sentences: list[list[Word]] = [[]]
    at, place = 0, 0
    while match := _WORD.search(lower, at):
        while place < len(stated) and stated[place].end <= match.start():
            place += 1
        if place < len(stated) and stated[place].start < match.end():
            quantity = stated[place]
            key = f"#{quantity.dimension}:{quantity.value}"
            sentences[-1].append(Word(key, key, quantity.start, quantity.end, False, quantity))
            at, place = max(quantity.end, match.start() + 1), place + 1
            continue
        at = match.end()
        found = match[0]
        if found in ",()":
            sentences[-1].append(Word(BREAK, BREAK, *match.span(), content=False))
        elif found in ".!?;:\n•":
            if _ends(lower, match.start(), found, sentences[-1]):
                sentences.append([])
        else:
            sentences[-1] += _words(found, match.start(), language)
    return sentences


def _ends(lower: str, at: int, mark: str, before: Sequence[Word]) -> bool:
    if mark in "\n;!?•":
        return True
    after = lower[at + 1 : at + 2]
    short = bool(before) and before[-1].stem in _TITLES and before[-1].end == at
    letter = at > 1 and lower[at - 1].isalpha() and not lower[at - 2].isalnum()
    return (not after or after.isspace()) and not short and not (letter and mark == ".")


def _words(found: str, start: int, language: str) -> list[Word]:
    end = start + len(found)
    if language == "en":
        if found == "cannot":
            found = "cann't"
        if match := _NEGATED.match(found):
            verb = {"ca": "can", "can": "can", "wo": "will", "sha": "shall"}.get(match[1], match[1])
            first = Word(verb, verb, start, end, content=verb not in _ENGLISH)
            return [first, Word(NOT, "not", start, end, content=False)]
        found = found.removesuffix("'s").split("'")[0] or found
    elif "'" in found:  # l'assurance
        _, _, found = found.rpartition("'")
        start = end - len(found)
    stemmed = stem(found, language)
    function = found in (_ENGLISH if language == "en" else FUNCTION.get(language, frozenset()))
    if found in NEGATION and found not in ("except", "unless", "sin" if language == "en" else ""):
        return [Word(NOT, found, start, end, content=False)]
    return [Word(stemmed, stemmed, start, end, content=not function)]


def _name_keys(words: list[Word], language: str) -> tuple[Word, ...]:
    """The words of a sentence with its idioms out, its concepts named and its cues marked."""
    named: list[Word] = []
    at = 0
    by_first = _phrases(language)
    while at < len(words):
        word = words[at]
        for phrase, role, concept in by_first.get(word.stem, ()):
            size = len(phrase)
            if tuple(w.stem for w in words[at : at + size]) != phrase:
                continue
            if role == "cue":
                end = words[at + size - 1].end
                named.append(Word(NOT, " ".join(phrase), word.start, end, content=False))
            elif role != "idiom":
                denied = role == "not"
                whole = concept if size > 1 else word.stem
                if any(w.key == NOT for w in words[at : at + size]):
                    whole = NOT
                end = words[at + size - 1].end
                content = concept != "only" and (
                    word.content or denied or size > 1 or concept in _STATED
                )
                named.append(Word(concept, whole, word.start, end, denied, None, content))
            at += size
            break
        else:
            named.append(word)
            at += 1
    return tuple(named)


@cache
def _phrases(language: str) -> dict[str, list[tuple[tuple[str, ...], str, str]]]:
    """The phrases that mean more than their words, by the first stem, the longest first."""
    lists = read_list("polarity")
    found: dict[tuple[str, ...], tuple[str, str]] = {}
    for name, concept in lists["concepts"].items():
        for role in ("is", "not"):
            for phrase in concept[role]:
                found.setdefault(stems_of(phrase, language), (role, name))
    found |= {stems_of(phrase, language): ("cue", NOT) for phrase in lists["cues"]}
    found |= {stems_of(phrase, language): ("idiom", "") for phrase in lists["idioms"]}
    by_first: dict[str, list[tuple[tuple[str, ...], str, str]]] = {}
    for phrase, (role, name) in found.items():
        by_first.setdefault(phrase[0], []).append((phrase, role, name))
    for group in by_first.values():
        group.sort(key=lambda entry: -len(entry[0]))
    return by_first


@cache
def stems_of(phrase: str, language: str) -> tuple[str, ...]:
    """The stems of a phrase of the open lists, as they stand in a text."""
    found: list[str] = []
    for match in _WORD.finditer(phrase):
        if match[0] not in ",.()":
            found += [word.stem for word in _words(match[0], 0, language)]
    return tuple(found)


def joins(word: Word) -> bool:
    """Whether a new clause may begin at this word."""
    return word.key == BREAK or word.stem in _JOINS


@lru_cache(maxsize=100_000)
def stem(word: str, language: str) -> str:
    """Cut off what inflects or derives a word; a little greedy, for both texts are cut alike."""
    if language != "en":
        if language not in INFLECTED:
            return word
        inflected = ENDING.search(word)
        return word[: inflected.start()] if inflected else word
    if word in _irregular():
        return _irregular()[word]
    if len(word) < 4 or not word.isascii():
        return word
    if word.endswith("ies") or word.endswith("ied"):
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]
    if word in _irregular():
        return _irregular()[word]
    for ending, least in (("ation", 4), ("ment", 3), ("ing", 3), ("ed", 3), ("ly", 3), ("able", 4)):
        rest = word[: -len(ending)]
        if word.endswith(ending) and len(rest) >= least and any(c in rest for c in "aeiouy"):
            word = rest
            break
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "s":
        word = word[:-1]
    return word


@cache
def _irregular() -> dict[str, str]:
    listed = read_list("inflections")
    found = {word: word for word in listed["whole"].split()}
    return found | {w: base for base, words in listed["from"].items() for w in words.split()}
