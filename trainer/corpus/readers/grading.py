"""Records that were found together, graded by how surely they hold questions with answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from trainer.corpus.column_names import asks
from trainer.corpus.readers.fields import Cells, says
from trainer.corpus.readers.limits import MOST_COLUMNS

PAIRS, PERHAPS, PLAIN, LABELLED, ENTRIES, ALONE, AROUND = 5, 4, 3, 2, 1, 0, -1
SAMPLE = 300
SURE = 60  # of 100, by the name of a field


@dataclass(slots=True)
class Row:
    """A record that was found, and what it stands under, nearest first.

    `place` is its place in its own list, `top` that of the outermost record it is in, from 1. Of a
    level it is known whether it is the name of a field, which may mean nothing.
    """

    cells: Cells
    place: int
    order: int
    top: int = 0
    levels: list[tuple[str, bool]] = field(default_factory=list)
    entities: list[str] = field(default_factory=list)
    context: Cells = field(default_factory=dict)


@dataclass(slots=True)
class Group:
    """Records found together; how surely they hold pairs, and in which two fields."""

    rows: list[Row]
    grade: int
    pair: tuple[str, str] | None = None


def grade_records(records: Sequence[Cells]) -> tuple[int, tuple[str, str] | None]:
    """Grade records by the names of their fields, and by what these hold where names are vague."""
    sample = records[:: max(1, len(records) // SAMPLE)][:SAMPLE]
    names = dict.fromkeys(islice((name for record in sample for name in record), 20_000))
    asked = max(names, key=lambda name: says(name, "question"), default="")
    rest = [name for name in names if name != asked]
    answered = max(rest, key=lambda name: says(name, "answer"), default="")
    sure = min(says(asked, "question"), says(answered, "answer"))
    if sure >= SURE:
        return PAIRS, (asked, answered)
    if sure and _share_asking(sample, asked) >= 0.5:
        return PAIRS, (asked, answered)
    if sure:
        return PERHAPS, (asked, answered)
    if len(names) > MOST_COLUMNS:
        return PLAIN, None
    asking = max(names, key=lambda name: _share_asking(sample, name), default="")
    if asking and _share_asking(sample, asking) >= 0.5:
        texts = {name: _mean_length(sample, name) for name in names if name != asking}
        longest = max(texts, key=texts.__getitem__, default="")
        if longest and texts[longest] >= 10:
            return PERHAPS, (asking, longest)
    return PLAIN, None


def _share_asking(records: Sequence[Cells], name: str) -> float:
    texts = [cell if isinstance(cell, str) else cell[0] for r in records if (cell := r.get(name))]
    return sum(map(asks, texts)) / max(1, len(texts))


def _mean_length(records: Sequence[Cells], name: str) -> float:
    cells = [record.get(name, "") for record in records]
    return sum(len(cell) for cell in cells if is_wordy(cell) and isinstance(cell, str)) / len(cells)


def is_wordy(cell: object) -> bool:
    """Whether a cell holds words, and not a number or a code."""
    text = cell if isinstance(cell, str) else "".join(islice(cell, 1))  # type: ignore[call-overload]
    return len(text.split(maxsplit=1)) > 1 or (len(text) > 3 and not text[:50].isascii())
