"""Which column is the question, which the answer: chosen by a person or a guess, and applied."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import pydantic

from trainer.corpus.column_names import (
    asks,
    begins_asking,
    ends_asking,
    read_name,
    reduce_name,
)
from trainer.corpus.columns import (
    SAMPLE,
    Rows,
    find_columns,
    find_header_row,
    is_filled,
    letters_of,
    one_text,
    show_names,
)
from trainer.corpus.drafts import note_drafts
from trainer.corpus.table import Cell, Pair, Table
from trainer.errors import CorpusError

Task = Literal["answers", "labels"]  # free answers, or a text with one of few labels


class Mapping(pydantic.BaseModel, frozen=True, extra="forbid"):
    """Which columns are used and how; columns go by name, or by place as in 'column B'."""

    question: str
    answer: str
    topic: str | None = None
    wordings: tuple[str, ...] = ()
    context: str | None = None
    header: bool = True
    task: Task = "answers"


@dataclass(frozen=True)
class Mapped:
    """The pairs that a mapping makes of a table, and what was expanded or left out."""

    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]


def apply_mapping(table: Table, mapping: Mapping, *, file: str) -> Mapped:
    """Make the pairs that the mapping finds in a table, every wording of a question its own.

    A row without a question or without an answer is passed on, for the cleaning to count.
    """
    names, rows = find_columns(table, header=mapping.header)
    question = _resolve(mapping.question, names, file)
    answer = _resolve(mapping.answer, names, file)
    if question == answer:
        raise CorpusError(
            f"{file}: column '{mapping.question}' cannot be both the question and the answer. "
            f"Choose two of {show_names(names)}."
        )
    topic = _resolve(mapping.topic, names, file) if mapping.topic else None
    context = _resolve(mapping.context, names, file) if mapping.context else None
    wordings = [_resolve(name, names, file) for name in mapping.wordings]
    breaks = _find_breaks([cells[question] for _, cells in rows])
    worded = read_name(names[question]).says("wording") > 0
    heading = (names[question], names[answer])
    filled_down = topic is not None and _heads_blocks([cells[topic] for _, cells in rows])
    sections = _find_sections(rows, answer) if topic is None else {}
    pairs, counts, under = [], Counter[str](), ""
    for number, cells in rows:
        if (cells[question], cells[answer]) == heading and mapping.header:
            counts["heading"] += 1
            continue
        if number in sections:
            under = sections[number]
            counts["sections"] += 1
            continue
        asked = (
            _split_wordings(cells[question])
            if worded
            else (_split_question(cells[question], breaks))
        )
        for at in wordings:
            asked += _split_wordings(cells[at])
        if len(asked) > 1:
            first: dict[str, str] = {}
            for text in asked:
                first.setdefault(" ".join(text.casefold().split()), text)
            asked = list(first.values())
        said = _list_texts(cells[answer])
        counts["expanded"] += len(asked) > 1
        counts["made"] += len(asked) if len(asked) > 1 else 0
        counts["several"] += len(said) > 1
        about = one_text(cells[context]).strip() if context is not None else ""
        front = f"{about}: " if any(map(str.isalnum, about)) else ""
        if topic is not None:
            own = ", ".join(_list_texts(cells[topic])).strip()
            under = own or (under if filled_down else "")
            counts["filled down"] += not own and bool(under)
            if (
                filled_down
                and own
                and not any(is_filled(cell) for at, cell in enumerate(cells) if at != topic)
            ):
                counts["sections"] += 1
                continue
        for text in asked or [""]:
            text = front + text if text else ""
            pairs.append(Pair(text, said[0] if said else "", under, number, table.part))
    used = {at for at in (question, answer, topic, context, *wordings) if at is not None}
    notes = (
        *_note(table, names, rows, mapping, counts),
        *note_drafts(names, rows, table.unit, used=used),
    )
    return Mapped(tuple(pairs), notes)


def _find_sections(rows: Rows, answer: int) -> dict[int, str]:
    """The rows that hold nothing but the topic of those below them, where the first row is one."""
    if not rows or sum(map(is_filled, rows[0][1])) != 1:
        return {}
    filled = [
        (number, [at for at, cell in enumerate(cells) if is_filled(cell)], cells)
        for number, cells in rows
    ]
    found = {
        number: text
        for number, (at, *others), cells in filled
        if not others and at != answer and len(text := one_text(cells[at]).strip()) <= 60
        if not asks(text) and not text.endswith((".", "!", "。"))
    }
    follow = any(one in found and other in found for (one, *_), (other, *_) in pairwise(filled))
    return found if rows[0][0] in found and len(found) > 1 and not follow else {}


def _heads_blocks(cells: Sequence[Cell]) -> bool:
    """Whether a topic stands only in the first row of its block, as below merged cells."""
    filled = [text for cell in cells if (text := one_text(cell).strip())]
    return (
        1 < len(filled) < 0.5 * len(cells)
        and is_filled(cells[0])
        and len(set(filled)) > 0.9 * len(filled)
    )


def _resolve(wanted: str, names: Sequence[str], file: str) -> int:
    """Where a column stands: by its name, by its name in another case, or by its place."""
    if wanted in names:
        return names.index(wanted)
    alike = [at for at, name in enumerate(names) if reduce_name(name) == reduce_name(wanted)]
    if len(alike) == 1:
        return alike[0]
    kind, _, place = wanted.strip().casefold().rpartition(" ")
    at = int(place) - 1 if place.isdecimal() and len(place) < 5 else -1
    at = next((i for i in range(len(names)) if letters_of(i).casefold() == place), at)
    if kind == "column" and 0 <= at < len(names):
        return at
    raise CorpusError(
        f"{file}: there is no column '{wanted[:60]}'. There are {show_names(names)}; choose "
        "among them."
    )


_BULLET = re.compile(r"^(?:[-*•·▪‣–]|\d{1,3}[.)])\s+")  # noqa: RUF001 - dashes as bullets
_LINES = re.compile(r"[\r\n]+")
_BARS = re.compile(r"[|｜]+")  # noqa: RUF001 - as wide as a Chinese letter
_AFTER_MARK = re.compile(r"(?<=[?？؟])\s?[;；,،]")  # noqa: RUF001 - marks of other scripts
_Breaks = tuple[re.Pattern[str], ...]


def _find_breaks(cells: Sequence[Cell]) -> _Breaks:
    """What the questions of one cell are parted by, where the column does so consistently."""
    texts = [cell for cell in cells if isinstance(cell, str)]
    found = []
    for breaks in (_LINES, _BARS):
        joined = [parts for text in texts if len(parts := _part(text, breaks)) > 1]
        asking = sum(map(_all_ask, joined[:SAMPLE]))
        share = min(len(joined), SAMPLE)
        if asking and asking >= 0.8 * share and len(joined) >= 0.01 * len(texts):
            found.append(breaks)
    return tuple(found)


def _all_ask(parts: Sequence[str]) -> bool:
    """Whether every part is a question by itself: "What does a | b print?" is not two."""
    return all(map(ends_asking, parts)) or (
        all(map(begins_asking, parts)) and max(map(len, parts)) < 200
    )


def _part(text: str, breaks: re.Pattern[str]) -> list[str]:
    if not breaks.search(text):
        return [text]
    parts = (_BULLET.sub("", part.strip()) for part in breaks.split(text, 1000))
    return [part for part in parts if part]


def _split_question(cell: Cell, breaks: _Breaks) -> list[str]:
    """Every wording of a question in its cell: the items of a list, or parts that all ask."""
    texts = _list_texts(cell)
    for pattern in breaks if len(texts) == 1 else ():
        parts = _part(texts[0], pattern)
        if len(parts) > 1 and _all_ask(parts):
            return parts
    return texts


def _split_wordings(cell: Cell) -> list[str]:
    """The items of a cell that is named to hold wordings, whatever they are parted by."""
    texts = _list_texts(cell)
    for pattern in (_LINES, _BARS, _AFTER_MARK):
        texts = [part for text in texts for part in _part(text, pattern)]
    return texts


def _list_texts(cell: Cell) -> list[str]:
    """The texts of a cell that are not empty; also where the file wrote a list as one text."""
    if not isinstance(cell, str):
        return [text for text in cell if text.strip()]
    bare = cell.strip()
    if bare.startswith('["') and bare.endswith('"]'):
        try:
            listed = json.loads(bare)
        except (ValueError, RecursionError):
            return [cell]
        if all(isinstance(text, str) for text in listed):
            return [text for text in listed if text.strip()]
    return [cell] if bare else []


def _note(
    table: Table, names: Sequence[str], rows: Rows, mapping: Mapping, counts: Counter[str]
) -> Iterator[str]:
    first = rows[0][0] if rows else 0
    above = [row for row in table.rows if row[0] < first and any(map(is_filled, row[1]))]
    skipped = find_header_row(tuple(r for r in table.rows if any(map(is_filled, r[1]))))
    if table.header is None and mapping.header and len(above) > 1 and skipped:
        text = next(one_text(cell) for cell in above[0][1] if is_filled(cell))
        text = " ".join(text.split())[:40]
        yield f"{_count(skipped, table.unit)} above the column names not used ('{text}')."
    for name in names:
        base, _, again = name.rpartition(" (")
        if base in names and again.rstrip(")").isdecimal():
            yield f"Another column is called '{base}' too; it goes by '{name}'."
    if counts["expanded"]:
        yield (
            f"{_count(counts['expanded'], table.unit)} with several wordings of the question: they "
            f"make {counts['made']:,} examples."
        )
    if counts["several"]:
        yield f"{_count(counts['several'], table.unit)} with several answers: the first is used."
    if counts["sections"]:
        yield f"{_count(counts['sections'], table.unit)} with nothing but a topic, for those below."
    if counts["filled down"]:
        yield f"{_count(counts['filled down'], table.unit)} without a topic take the one above."
    if counts["heading"]:
        yield f"{_count(counts['heading'], table.unit)} left out for repeating the column names."


def _count(number: int, unit: str) -> str:
    return f"{number:,} {unit}{'s' if number > 1 else ''}"
