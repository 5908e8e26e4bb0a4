"""The fields of a record: what they hold as cells, and what their names say."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from trainer.corpus.column_names import LETTERS, read_name
from trainer.corpus.readers.limits import MOST_CELL, MOST_DEPTH
from trainer.corpus.table import Cell

Cells = dict[str, Cell]
_MOST_NUMBERS = 20  # longer lists of numbers are vectors
_SHORT = 200  # characters of what is neither text nor a list of texts


def make_text(value: object) -> str:
    """Write a scalar as a person would."""
    if isinstance(value, str):
        text = value[: MOST_CELL + 1]
        return text if text.isascii() else _LONE.sub("\ufffd", text)
    if value is None or value != value:  # NaN
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, bytes):
        return value[:MOST_CELL].decode("utf-8", "replace")
    return str(value)


_LONE = re.compile("[\ud800-\udfff]")


def flatten(record: Mapping[str, object], skip: frozenset[str] = frozenset()) -> Cells:
    """Make one row of a record: nested fields get dotted names, lists of texts one cell."""
    cells: Cells = {}
    for key, value in record.items():
        if key not in skip:
            _flatten(make_text(key), value, cells, 0)
    return cells


def _flatten(name: str, value: object, cells: Cells, depth: int) -> None:
    if isinstance(value, Mapping) and value and depth < MOST_DEPTH:
        for key, inner in value.items():
            _flatten(f"{name[:500]}.{make_text(key)[:500]}", inner, cells, depth + 1)
    elif not isinstance(value, list | tuple):
        cells[name] = make_text(value)
    elif any(isinstance(item, list | tuple) for item in value):
        text = json.dumps(value, ensure_ascii=False, default=str)[:_SHORT] if depth < 20 else ""
        cells[name] = make_text(text)
    elif any(isinstance(item, Mapping) for item in value):
        columns: dict[str, list[str]] = {}
        for item in value:
            if isinstance(item, Mapping) and depth < MOST_DEPTH:
                inner_cells: Cells = {}
                for key, inner in item.items():
                    _flatten(make_text(key)[:500], inner, inner_cells, depth + 1)
                for key, cell in inner_cells.items():
                    columns.setdefault(key, []).extend([cell] if isinstance(cell, str) else cell)
        for key, texts in columns.items():
            cells[f"{name[:500]}.{key}"] = make_cell(texts)
    elif not _is_vector(value):
        cells[name] = make_cell([make_text(item) for item in value])


def _is_vector(values: Sequence[object]) -> bool:
    return len(values) > _MOST_NUMBERS and isinstance(values[0], float | int)


def make_cell(texts: Sequence[str]) -> Cell:
    """Make one cell of texts, leaving out the empty ones."""
    texts = [text for text in texts if text.strip()]
    return tuple(texts) if len(texts) > 1 else "".join(texts)


def says(name: str, role: str) -> int:
    """How strongly the name of a field, the last part of a dotted one too, names this role."""
    return _says(name[-200:], role)


@lru_cache(maxsize=20_000)
def _says(name: str, role: str) -> int:
    last = name.rpartition(".")[2].strip().casefold()
    place = {"question": 0, "answer": -1}.get(role)
    if place is not None and any(last == letters[place] for letters in LETTERS):
        return 80
    return read_name(name).says(role)
