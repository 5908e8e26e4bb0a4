"""The unit of a corpus, and when two texts count as the same."""

import hashlib
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from trainer.corpus.table import Pair


@dataclass(frozen=True)
class Example:
    """One question and its approved answer.

    `id` is made of the texts, so that an example keeps it from one version of a corpus to the
    next; a repeated pair gets a number behind it. `row` counts as a spreadsheet does, in the `part`
    of the upload it came from. `drafted` marks a wording that a model proposed.
    """

    id: str
    question: str
    answer: str
    topic: str = ""
    row: int = 0
    part: str = ""
    drafted: bool = False


def make_examples(pairs: Iterable[Pair]) -> tuple[Example, ...]:
    """Turn pairs, as they were found, into examples with ids."""
    return identify(Example("", *pair) for pair in pairs)


def identify(examples: Iterable[Example]) -> tuple[Example, ...]:
    """Give every example the id that its texts make, numbered where a pair is repeated."""
    seen: dict[str, int] = {}
    identified = []
    for example in examples:
        texts = f"{example.question}\x00{example.answer}".encode(errors="surrogatepass")
        id_ = hashlib.sha256(texts).hexdigest()[:12]
        seen[id_] = seen.get(id_, 0) + 1
        if seen[id_] > 1:
            id_ = f"{id_}-{seen[id_]}"
        identified.append(example if example.id == id_ else replace(example, id=id_))
    return tuple(identified)


def normalise(text: str) -> str:
    """Reduce a text to what decides sameness: letters, digits and symbols, without case.

    A text of nothing but punctuation stays as it is, so that "?" and "!" are not one question.
    """
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_blanks())
    return " ".join(folded.split()) or text.strip()


def distinct(examples: Iterable[Example]) -> tuple[Example, ...]:
    """The examples without repeats: equal question and equal answer count once, the first."""
    kept = {(normalise(e.question), normalise(e.answer)): e for e in reversed(list(examples))}
    return tuple(reversed(kept.values()))


def group_examples(
    examples: Sequence[Example],
    *,
    questions: Mapping[str, int] | None = None,
    answers: Mapping[str, int] | None = None,
) -> list[list[Example]]:
    """Put together what shares a question or an answer, also in chains.

    Two are one when they are equal once normalised, or, where the clusters of `Neighbours` are
    given by example id, when they are in one cluster. Groups come in the order of their first
    example.
    """
    first: dict[tuple[str, str | int], int] = {}
    ties = []
    for i, example in enumerate(examples):
        question = questions[example.id] if questions else normalise(example.question)
        answer = answers[example.id] if answers else normalise(example.answer)
        ties += [(first.setdefault(("q", question), i), i), (first.setdefault(("a", answer), i), i)]
    groups: dict[int, list[Example]] = {}
    for example, root in zip(examples, connect(len(examples), ties), strict=True):
        groups.setdefault(root, []).append(example)
    return list(groups.values())


def connect(count: int, ties: Iterable[tuple[int, int]]) -> list[int]:
    """For each of `count` things, the first of those it is tied to, also in chains."""
    parent = list(range(count))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        return i

    for i, j in ties:
        a, b = root(i), root(j)
        parent[max(a, b)] = min(a, b)
    return [root(i) for i in range(count)]


@cache
def _blanks() -> dict[int, str | None]:
    """What becomes a space (punctuation, separators, controls) and what vanishes (formats).

    Marks stay, for Indic vowels are among them, and so do the joiners that shape such scripts.
    """
    table: dict[int, str | None] = {}
    for code in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(code))
        if category[0] in "PZ" or category == "Cc":
            table[code] = " "
        elif category == "Cf" and code not in (0x200C, 0x200D):
            table[code] = None
    return table
