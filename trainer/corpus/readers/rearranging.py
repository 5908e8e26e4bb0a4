"""Tables that hold their pairs otherwise than side by side: below each other, several in a row."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from trainer.corpus.columns import HEAD, find_columns, names_a_pair, one_text
from trainer.corpus.readers.documents.blocks import Block
from trainer.corpus.readers.documents.labels import read_by_labels
from trainer.corpus.readers.documents.plain import alternates
from trainer.corpus.readers.documents.words import starts_with_label, strip_number
from trainer.corpus.readers.fields import says
from trainer.corpus.readers.grading import SURE
from trainer.corpus.table import Cell, Table

_SAMPLE = 200  # rows that must look so before a table is read in another way
_MOST_LAID = 200  # rows of a table that lies on its side
_BELOW = "Questions and answers stand below each other; each answer was put beside its question."
_NUMBERED = "Each {unit} holds several questions with their answers ({n} at most); all are read."
_LAID = "The table lies on its side: its first column was read as the names of its columns."


def rearrange(table: Table) -> Table:
    """Put every answer beside its question where a table holds them in another way."""
    return _unstack(table) or _unfold(_stand_up(table))


def _unstack(table: Table) -> Table | None:
    """Read a column in which questions and answers stand in turn, by their marks or without."""
    sample = [[one_text(cell).strip() for cell in cells] for _, cells in table.rows[:_SAMPLE]]
    columns = [
        (at, [text for text in column if text])
        for at, column in enumerate(zip(*sample, strict=True))
    ]
    worded = [at for at, texts in columns if any(any(map(str.isalpha, text)) for text in texts)]
    marks = [at for at, texts in columns if at in worded and _are_marks(texts)]
    rest = [(sum(map(len, texts)), at) for at, texts in columns if at in worded and at not in marks]
    if not rest or (len(worded) > 1 and len(marks) != 1):
        return None
    texts = max(rest)[1]
    blocks = [
        Block(": ".join(text for at in (*marks, texts) if (text := one_text(cells[at]).strip())), n)
        for n, cells in table.rows
        if one_text(cells[texts]).strip()
    ]
    pairs = [(pair.row, (pair.question, pair.answer)) for pair in read_by_labels(blocks).pairs]
    if not pairs and not marks:
        bare = [replace(block, text=strip_number(block.text)) for block in blocks]
        turns = next((at for at in (0, 1) if alternates(bare[at:])), len(blocks))
        lines = islice(blocks, turns, None)
        pairs = [
            (asked.place, (asked.text, said.text))
            for asked, said in zip(lines, lines, strict=False)
        ]
    if len(pairs) < 2 or len(pairs) < 0.2 * len(blocks):
        return None
    return _remake(table, ("question", "answer"), pairs, _BELOW)


def _are_marks(texts: Sequence[str]) -> bool:
    """Whether cells only say that what stands beside them is a question, or an answer: 'Q1'."""
    stems = Counter(_stem(text) for text in texts if len(text) <= 24)
    two = stems.most_common(2)
    return (
        len(two) == 2
        and two[1][1] > 1
        and two[0][1] + two[1][1] >= 0.8 * len(texts)
        and all(starts_with_label(f"{stem}:") for stem, _ in two)
    )


def _stem(name: str) -> str:
    return re.sub(r"\W*\d+\W*", " ", name).strip(" _.:").casefold()


def _stand_up(table: Table) -> Table:
    """Turn a table whose first column, not its first row, names a question and its answer."""
    rows = [cells for _, cells in table.rows]
    laid = table.header is None or table.header == ("key", "value")
    if not laid or not 2 <= len(rows) <= _MOST_LAID or len(rows[0]) < 2:
        return table
    names, *columns = zip(*rows, strict=True)
    names = tuple(one_text(name).strip() for name in names)
    pair = len(rows) <= 12 and len(columns) > 1 and names_a_pair(names)
    if not (pair or _find_numbered(names)) or names_a_pair([one_text(cell) for cell in rows[0]]):
        return table
    return _remake(table, names, list(enumerate(columns, 2)), _LAID, unit="column")


def _unfold(table: Table) -> Table:
    """Make a row of each question and answer of one row: of 'Q1', 'A1', 'Q2', 'A2' and so on."""
    heads = [table.header] if table.header else [cells for _, cells in table.rows[:HEAD]]
    if not any(_find_numbered([one_text(cell) for cell in cells]) for cells in heads):
        return table
    names, rows = find_columns(table, header=True)
    numbered = _find_numbered(names)
    if not numbered:
        return table
    spent = {at for pair in numbered for at in pair}
    others = [at for at in range(len(names)) if at not in spent]
    made = [
        (number, (cells[asked], cells[said], *(cells[at] for at in others)))
        for number, cells in rows
        for asked, said in numbered
        if cells[asked] or cells[said]
    ]
    header = ("question", "answer", *(names[at] for at in others))
    return _remake(table, header, made, _NUMBERED.format(unit=table.unit, n=len(numbered)))


def _find_numbered(names: Sequence[str]) -> list[tuple[int, int]]:
    """Where questions and the answers of the same numbers stand, if all of them have a number."""
    found: dict[str, dict[tuple[str, ...], int]] = {"question": {}, "answer": {}}
    stems = set()
    for at, name in enumerate(names):
        numbers, stem = tuple(re.findall(r"\d+", name[:200])), _stem(name[:200])
        last = stem.rpartition(" ")[2]
        role = max(found, key=lambda role: max(says(stem, role), says(last, role)))
        if numbers and max(says(stem, role), says(last, role)) >= SURE:
            found[role].setdefault(numbers, at)
            stems.add((role, stem))
    asked, said = found["question"], found["answer"]
    if len(asked) < 2 or asked.keys() != said.keys() or len(stems) != 2:
        return []
    return [(at, said[numbers]) for numbers, at in asked.items()]


def _remake(
    table: Table,
    header: tuple[str, ...],
    rows: Sequence[tuple[int, tuple[Cell, ...]]],
    note: str,
    unit: str = "",
) -> Table:
    unit, notes = unit or table.unit, (*table.notes, note)
    return replace(table, header=header, rows=tuple(rows), notes=notes, unit=unit)
