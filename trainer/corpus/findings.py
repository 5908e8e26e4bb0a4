"""What an audit finds, and what a person can do about it in one click."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Literal

import pydantic

from trainer.corpus.examples import Example, identify
from trainer.corpus.personal import mask
from trainer.corpus.slant import Mentions

MOST_ITEMS = 200  # of one kind that are kept to act on; the count is of all

Level = Literal["stop", "warning", "note"]
Choice = Literal["keep", "drop", "merge", "mask"]
Ready = Literal["ready", "ready with warnings", "not ready"]


class Item(pydantic.BaseModel, frozen=True):
    """One thing found: the examples it concerns, by id and row, and what shows it."""

    ids: tuple[str, ...] = ()
    where: str = ""
    shown: str = ""

    def key(self, kind: str) -> str:
        """What a person's "keep" is remembered by."""
        return hashlib.sha256("\x00".join((kind, *sorted(self.ids))).encode()).hexdigest()[:16]


class Problem(pydantic.BaseModel, frozen=True):
    """One kind of finding, why it matters, and what can be done about it in one click.

    `count` is of all items; `items` holds the first `MOST_ITEMS` of them.
    """

    kind: str
    level: Level
    meaning: str
    count: int
    items: tuple[Item, ...] = ()
    choices: tuple[Choice, ...] = ()

    @property
    def where(self) -> tuple[str, ...]:
        """The rows of each item."""
        return tuple(item.where for item in self.items)


class Audit(pydantic.BaseModel, frozen=True):
    """Everything found in one version of a corpus; written to `audit.json`."""

    problems: tuple[Problem, ...]
    languages: dict[str, int] = {}
    mentions: Mentions | None = None

    def without(self, kept: Collection[str]) -> "Audit":
        """The audit less the items a person decided to keep as they are."""
        problems = []
        for problem in self.problems:
            left = tuple(i for i in problem.items if i.key(problem.kind) not in kept)
            gone = len(problem.items) - len(left)
            if gone < problem.count or not problem.items:
                fewer = {"items": left, "count": problem.count - gone}
                problems.append(problem.model_copy(update=fewer))
        return self.model_copy(update={"problems": tuple(problems)})

    @property
    def ready(self) -> Ready:
        """Whether to tune on it: nothing in the way, something to look at first, or better not."""
        levels = {problem.level for problem in self.problems}
        if "stop" in levels:
            return "not ready"
        return "ready with warnings" if "warning" in levels else "ready"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not simply ready, the gravest first."""
        told: list[Problem] = [p for p in self.problems if p.level == "stop"]
        told += [p for p in self.problems if p.level == "warning"]
        return tuple(f"{p.kind.capitalize()}: {p.count:,}. {p.meaning}" for p in told)


def apply_choice(
    examples: Sequence[Example], problem: Problem, items: Iterable[Item], choice: Choice
) -> tuple[Example, ...]:
    """The examples after one decision: `drop` what repeats or is wrong, `merge` on the first
    answer, `mask` personal data. `keep` changes nothing; it is remembered elsewhere.
    """
    drop: set[str] = set()
    answer: dict[str, str] = {}
    masked: set[str] = set()
    by_id = {e.id: e for e in examples}
    for item in items:
        ids = [id_ for id_ in item.ids if id_ in by_id]
        if not ids:
            continue
        if choice == "drop":
            drop.update(ids[1:] if problem.kind in _KEEPS_FIRST else ids)
        elif choice == "merge":
            answer.update(dict.fromkeys(ids, by_id[ids[0]].answer))
        elif choice == "mask":
            masked.update(ids)
    changed = []
    for e in examples:
        if e.id in drop:
            continue
        question, text = e.question, answer.get(e.id, e.answer)
        if e.id in masked:
            question, text = mask(question), mask(text)
        changed.append(replace(e, question=question, answer=text))
    return identify(changed)


_KEEPS_FIRST = ("duplicate", "near-duplicate")
