"""The unit of a corpus, and when two texts count as the same."""

import hashlib
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Example:
    """One question and its approved answer.

    `id` is made of the texts, so that an example keeps it from one version of a corpus to the
    next; a repeated pair gets a number behind it. `row` counts as a spreadsheet does.
    """

    id: str
    question: str
    answer: str
    topic: str = ""
    row: int = 0


def make_examples(rows: Iterable[tuple[int, str, str, str]]) -> tuple[Example, ...]:
    """Turn rows of (row number, question, answer, topic) into examples with ids."""
    seen: dict[str, int] = {}
    examples = []
    for row, question, answer, topic in rows:
        id_ = hashlib.sha256(f"{question}\x00{answer}".encode()).hexdigest()[:12]
        seen[id_] = seen.get(id_, 0) + 1
        if seen[id_] > 1:
            id_ = f"{id_}-{seen[id_]}"
        examples.append(Example(id_, question, answer, topic, row))
    return tuple(examples)


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


def group_examples(examples: Sequence[Example]) -> list[list[Example]]:
    """Put together what shares a normalised question or a normalised answer, also in chains.

    Groups come in the order of their first example.
    """
    parent = list(range(len(examples)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        return i

    first: dict[tuple[str, str], int] = {}
    for i, example in enumerate(examples):
        for text in (("q", normalise(example.question)), ("a", normalise(example.answer))):
            a, b = root(first.setdefault(text, i)), root(i)
            parent[max(a, b)] = min(a, b)
    groups: dict[int, list[Example]] = {}
    for i, example in enumerate(examples):
        groups.setdefault(root(i), []).append(example)
    return list(groups.values())


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
