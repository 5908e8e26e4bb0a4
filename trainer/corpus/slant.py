"""Toxic wording, and how a corpus speaks of groups of people: counts, beside which words, how sure.

Word lists see words, not meaning, and the lists are short: what they find is a reason to read, and
what they miss is no proof of fairness. They are open, in words/*.toml, for anybody to correct.
"""

import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import sqrt
from pathlib import Path
from typing import Any

from trainer.corpus.examples import Example
from trainer.corpus.language import detect

BESIDE = 6  # words to either side
FEWEST = 5  # mentions with a slanted word before anything is made of them
SLANTS = ("negative", "positive", "stereotype")
LIMITS = (
    "Word lists see words, not meaning: irony, denial ('not lazy'), quotations and names count as "
    "they stand, 'poor eyesight' is negative, and a slight without a listed word is missed. A word "
    f"is beside a mention within {BESIDE} words of it. Only listed groups in the languages named "
    "here are seen. With some 20 groups, one or so may stand out by chance."
)
_LISTED = ("en", "de", "fr", "es", "it", "pt", "nl")
_WORD = re.compile(r"[^\W\d_]+")
_Z = 1.96  # 95 %


@dataclass(frozen=True)
class Share:
    """So many of so many, with the 95 % interval of Wilson (1927) around the share."""

    count: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share itself, 0 where there is nothing to have a share of."""
        return self.count / self.of if self.of else 0.0

    def __str__(self) -> str:
        if not self.of:
            return "none"
        return f"{self.share:.1%} (95 % interval {self.low:.1%} to {self.high:.1%})"


@dataclass(frozen=True)
class Group:
    """How often a group is mentioned, and how often slanted words stand beside it.

    `examples` is the share of all examples that mention the group; `beside` are, for each list of
    slanted words, the mentions beside which one stands, and `words` which they are, the most
    frequent first. `slanted` names the lists whose words stand beside this group more often than
    beside any word of the corpus.
    """

    kind: str
    name: str
    in_questions: int
    in_answers: int
    examples: Share
    beside: dict[str, Share]
    words: dict[str, tuple[tuple[str, int], ...]]
    slanted: tuple[str, ...]


@dataclass(frozen=True)
class Mentions:
    """The groups a corpus mentions, the most mentioned first, and what holds for all its words."""

    groups: tuple[Group, ...]
    overall: dict[str, Share]
    languages: tuple[str, ...]
    limits: str = LIMITS

    @property
    def told(self) -> tuple[str, ...]:
        """What was found, a sentence for each group with slanted words more often beside it."""
        sentences = []
        for group in self.groups:
            for slant in group.slanted:
                here, overall = group.beside[slant], self.overall[slant].share
                words = ", ".join(f"'{word}'" for word, _ in group.words[slant][:3])
                sentences.append(
                    f"{group.name}: {slant} words beside {here} of {here.of:,} mentions, beside "
                    f"{overall:.1%} of all words; most often {words}."
                )
        return tuple(sentences)


def wilson(count: int, of: int) -> Share:
    """The share of `count` in `of` with its 95 % Wilson interval."""
    if not of:
        return Share(count, of, 0.0, 1.0)
    share, z2 = count / of, _Z * _Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z * sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return Share(count, of, max(0.0, middle - half), min(1.0, middle + half))


# toxic wording -----------------------------------------------------------------------------------


def find_toxic(text: str) -> tuple[str, ...]:
    """Find insults, slurs and profanity of the open list, each once, in text order."""
    lists = _toxic()
    found: dict[str, None] = {}
    folded = text.casefold()
    words = _WORD.findall(folded)
    if not lists.first.isdisjoint(words):
        languages: set[str] | None = None
        for start, word in enumerate(words):
            if word not in lists.first:
                continue
            for phrase, where in lists.phrases[word]:
                if tuple(words[start : start + len(phrase)]) != phrase:
                    continue
                if where and languages is None:
                    languages = {detect(text) or ""}
                if not where or (languages and languages & where):
                    found[" ".join(phrase)] = None
    if not text.isascii():
        found.update(dict.fromkeys(lists.anywhere.findall(folded)))
    return tuple(found)


@dataclass(frozen=True)
class _Toxic:
    first: frozenset[str]
    phrases: dict[str, list[tuple[tuple[str, ...], set[str]]]]
    anywhere: re.Pattern[str]


@cache
def _toxic() -> _Toxic:
    lists = _read("toxic")
    phrases: dict[tuple[str, ...], set[str]] = {}
    for language, words in lists.items():
        if language not in ("certain", "anywhere"):
            for word in words:
                phrases.setdefault(_tokens(word), set()).add(language)
    phrases.update({_tokens(word): set() for word in lists["certain"]})
    by_first: dict[str, list[tuple[tuple[str, ...], set[str]]]] = defaultdict(list)
    for phrase, languages in phrases.items():
        by_first[phrase[0]].append((phrase, languages))
    anywhere = re.compile("|".join(map(re.escape, lists["anywhere"])))
    return _Toxic(frozenset(by_first), dict(by_first), anywhere)


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "words" / f"{name}.toml").read_text("utf-8"))


def _tokens(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold()))


# groups of people --------------------------------------------------------------------------------


class _Lists:
    """The phrases of groups and the slanted words of some languages, by their first word."""

    def __init__(self, languages: Iterable[str]) -> None:
        self.groups: list[tuple[str, str]] = []
        self.phrases: dict[str, dict[tuple[str, ...], set[int]]] = defaultdict(dict)
        self.slants: dict[str, set[str]] = defaultdict(set)
        people = _read("groups")["people"]
        for kind, groups in _read("groups").items():
            if kind == "people":
                continue
            for name, words in groups.items():
                self.groups.append((kind, name))
                for language in languages:
                    for phrase in _phrases(words, people, language):
                        known = self.phrases[phrase[0]].setdefault(phrase, set())
                        known.add(len(self.groups) - 1)
        for slant in SLANTS:
            for language in languages:
                for word in _read("slanted")[slant].get(language, ()):
                    self.slants[word].add(slant)

    def find(self, words: Sequence[str]) -> Iterator[tuple[set[int], set[str]]]:
        """The mentions in a text: which groups each is of, and the slanted words beside it."""
        slanted = [i for i, word in enumerate(words) if word in self.slants]
        end = 0
        for start, word in enumerate(words):
            if start < end or word not in self.phrases:
                continue
            size, groups = self._longest(words, start)
            if size:
                end = start + size
                near = range(start - BESIDE, end + BESIDE)
                yield groups, {words[i] for i in slanted if i in near and not start <= i < end}

    def _longest(self, words: Sequence[str], start: int) -> tuple[int, set[int]]:
        best: tuple[int, set[int]] = (0, set())
        for phrase, groups in self.phrases[words[start]].items():
            size = len(phrase)
            if size > best[0] and (size == 1 or tuple(words[start : start + size]) == phrase):
                best = size, groups
        return best


def _phrases(
    words: dict[str, list[str]], people: dict[str, list[str]], language: str
) -> Iterator[tuple[str, ...]]:
    for word in words.get(language, ()):
        yield _tokens(word)
    for adjective in words.get(f"{language}_adjectives", ()):
        for person in people.get(language, ()):
            yield (*_tokens(adjective), *_tokens(person))


def count_mentions(examples: Sequence[Example]) -> Mentions:
    """Count where groups of people are mentioned and which slanted words stand beside them."""
    languages = _languages(examples)
    lists = _Lists(languages)
    known = lists.phrases.keys() | lists.slants.keys()
    questions: Counter[int] = Counter()
    answers: Counter[int] = Counter()
    either: Counter[int] = Counter()
    mentions: Counter[int] = Counter()
    beside: Counter[tuple[int, str]] = Counter()
    words_beside: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    near: Counter[str] = Counter()
    total = 0
    for example in examples:
        here: list[set[int]] = []
        for text in (example.question, example.answer):
            words = _WORD.findall(text.casefold())
            total += len(words)
            here.append(set())
            if known.isdisjoint(words):
                continue
            for slant in SLANTS:
                near[slant] += _covered(words, lists.slants, slant)
            for groups, close in lists.find(words):
                here[-1] |= groups
                mentions.update(groups)
                for slant in SLANTS if close else ():
                    those = [word for word in close if slant in lists.slants[word]]
                    for group in groups:
                        beside[group, slant] += bool(those)
                        words_beside[group, slant].update(those)
        questions.update(here[0])
        answers.update(here[1])
        either.update(here[0] | here[1])
    overall = {slant: wilson(near[slant], total) for slant in SLANTS}
    found = []
    for group, count in mentions.most_common():
        shares = {slant: wilson(beside[group, slant], count) for slant in SLANTS}
        found.append(
            Group(
                *lists.groups[group],
                in_questions=questions[group],
                in_answers=answers[group],
                examples=wilson(either[group], len(examples)),
                beside=shares,
                words={slant: tuple(words_beside[group, slant].most_common(8)) for slant in SLANTS},
                slanted=tuple(slant for slant in SLANTS if _stands_out(shares, overall, slant)),
            )
        )
    return Mentions(tuple(found), overall, languages)


def _stands_out(shares: dict[str, Share], overall: dict[str, Share], slant: str) -> bool:
    """Whether slanted words stand beside a group more often than chance explains."""
    here = shares[slant]
    return slant != "positive" and here.count >= FEWEST and here.low > overall[slant].share


def _covered(words: Sequence[str], slants: dict[str, set[str]], slant: str) -> int:
    """How many words of a text have one of the slanted words beside them."""
    covered, last = 0, 0
    for position, word in enumerate(words):
        if word in slants and slant in slants[word]:
            start, end = max(last, position - BESIDE), min(len(words), position + BESIDE + 1)
            covered, last = covered + max(0, end - start), max(last, end)
    return covered


def _languages(examples: Sequence[Example]) -> tuple[str, ...]:
    """The languages of the lists that the corpus speaks; words of others mean something else."""
    some = examples[:: -(-len(examples) // 300) or 1]
    told = Counter(detect(text) for e in some for text in (e.question, e.answer))
    enough = 0.05 * sum(n for language, n in told.items() if language)
    return tuple(language for language in _LISTED if told[language] > enough)
