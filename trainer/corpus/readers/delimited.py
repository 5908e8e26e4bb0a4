# ruff: noqa: RUF001 - full-width commas and colons separate columns too
"""CSV and its relatives: text in which a sign separates the cells."""

import csv
import re
from collections.abc import Sequence

from trainer.corpus.readers.dialect import (
    NO_DELIMITER,
    SAMPLE,
    USUAL,
    Dialect,
    broken_row,
    choose_delimiter,
    choose_quoting,
    find_usual_width,
    measure_fit,
    names_columns,
    reads_as_prose,
    sample_records,
)
from trainer.corpus.readers.limits import MOST_CELL, MOST_COLUMNS, MOST_ROWS
from trainer.corpus.readers.text import decode
from trainer.corpus.table import Table
from trainer.errors import CorpusError


def read_delimited(data: bytes, name: str) -> list[Table]:
    """Read a CSV or TSV of any delimiter and quoting, or raise `CorpusError` naming the row."""
    decoded = decode(data, name)
    text, said = _take_sep_line(decoded.text.lstrip("\ufeff"))
    if not text.strip(' \t\r\n,;|"'):
        raise CorpusError(f"{name} is empty. Upload a table of questions and answers.")
    _refuse_wide(text, name)
    delimiter = said or choose_delimiter(text[:SAMPLE])
    dialect, note = choose_quoting(text, delimiter, name)
    rows, notes = _collect_rows(dialect, text, name)
    format_ = "tsv" if delimiter == "\t" else "csv"
    said_notes = (*decoded.notes, *([note] if note else []), *notes)
    return [Table(format_, rows, encoding=decoded.encoding, notes=said_notes)]


def looks_delimited(text: str) -> bool:
    """Tell a table without a telling file name from prose and from marked questions."""
    sample = text[:SAMPLE].lstrip("\ufeff")
    sample, said = _take_sep_line(sample)
    if said:
        return True
    delimiter = choose_delimiter(sample)
    if delimiter == NO_DELIMITER or sample.lstrip().startswith("<|"):  # of a chat template
        return False
    records = sample_records(Dialect(delimiter), sample, truncated=len(text) > SAMPLE)
    plain = sample_records(Dialect(delimiter, None), sample, truncated=len(text) > SAMPLE)
    best = max((records, plain), key=measure_fit)
    if len(best) < 2 or measure_fit(best) < 0.9:
        return False
    first_cells = {record[0].strip() for record in best}
    if len(first_cells) <= 3 and all(
        cell[-1:] in (":", "：", ".", ")", "") for cell in first_cells
    ):
        return False  # Q: and A: marks before a tab
    if delimiter == "\t":
        return True
    return names_columns(best[0]) or (len(best) >= 20 and measure_fit(best) > 0.98)


_SEP_LINE = re.compile(r'"?sep=(.|\\t)"?[^\S\n\r]*(?:\r\n|\n|\r)', re.IGNORECASE)
_ANKI_LINES = re.compile(
    r"#separator:(tab|comma|semicolon|pipe)\n(?:#[\w ]{1,30}:[^\n]{0,200}\n)*", re.I
)
_ANKI = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


def _take_sep_line(text: str) -> tuple[str, str]:
    """The lines by which Excel or Anki is told the delimiter; neither shows them, so no rows."""
    if found := _ANKI_LINES.match(text):
        return text[found.end() :], _ANKI[found[1].lower()]
    found = _SEP_LINE.match(text[:100])
    if not found:
        return text, ""
    return text[found.end() :], "\t" if found[1] == "\\t" else found[1]


def _refuse_wide(text: str, name: str) -> None:
    """Refuse a line of a million columns before it is cut into as many cells."""
    number, start = 1, 0
    while len(text) - start > MOST_CELL:
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        if end - start > MOST_CELL:
            for sign in USUAL:
                if text.count(sign, start, end) > MOST_CELL // 2:
                    raise _too_wide(name, number)
        number, start = number + 1, end + 1


def _too_wide(name: str, number: int) -> CorpusError:
    return CorpusError(
        f"{name}, row {number}: more than {MOST_COLUMNS:,} columns. Keep the columns that hold "
        "questions, answers and topics, and upload it again."
    )


# --- The rows ---------------------------------------------------------------------------------


def _collect_rows(
    dialect: Dialect, text: str, name: str
) -> tuple[tuple[tuple[int, tuple[str, ...]], ...], list[str]]:
    """Cut the whole text into rows of equal width, with notes on those that had to be mended."""
    sample = sample_records(dialect, text[:SAMPLE], truncated=len(text) > SAMPLE)
    width = find_usual_width(sample) if sample else 1
    if width > MOST_COLUMNS:
        raise _too_wide(name, 1)
    spaced = reads_as_prose(sample)
    rows: list[tuple[int, tuple[str, ...]]] = []
    joined: list[int] = []
    used, number = 0, 0
    try:
        for number, record in enumerate(dialect.records(text), 1):
            whole = _width(record)
            if not whole:
                continue
            if whole > width:
                record = [] if spaced else _join_texts(record[:whole], dialect.delimiter)
                whole = len(record)
                if whole != width:
                    raise _too_long(name, number, dialect.delimiter)
                joined.append(number)
            if len(rows) == MOST_ROWS:
                raise CorpusError(f"{name} has more than {MOST_ROWS:,} rows. Split it into parts.")
            used = max(used, whole)
            rows.append((number, tuple(map(dialect.clean, record[:width]))))
    except csv.Error as problem:
        raise broken_row(name, number + 1, str(problem)) from None
    if not rows:
        raise CorpusError(f"{name} is empty. Upload a table of questions and answers.")
    even = tuple(
        (number, cells[:used] if len(cells) >= used else cells + ("",) * (used - len(cells)))
        for number, cells in rows
    )
    return even, _note_joined(joined, dialect.delimiter)


def _width(record: Sequence[str]) -> int:
    return max((at for at, cell in enumerate(record, 1) if cell.strip()), default=0)


def _join_texts(record: Sequence[str], delimiter: str) -> list[str]:
    """Take a sign followed by a space, or between digits by threes, as part of a text."""
    cells = [record[0]]
    for cell in record[1:]:
        thousands = cells[-1][-1:].isdigit() and re.match(r"\d{3}(?!\d)", cell)
        if cell[:1] == " " or (thousands and delimiter == ","):
            cells[-1] += delimiter + cell
        else:
            cells.append(cell)
    return cells


def _too_long(name: str, number: int, delimiter: str) -> CorpusError:
    sign = {"\t": "a tab", ",": "commas", ";": "semicolons"}.get(delimiter, f"'{delimiter}'")
    return CorpusError(
        f"{name}, row {number}: more cells than the first row has columns. "
        f"Put quotation marks around a text that holds {sign}."
    )


def _note_joined(joined: Sequence[int], delimiter: str) -> list[str]:
    if not joined:
        return []
    where = f"row{'s' * (len(joined) > 1)} " + ", ".join(map(str, joined[:10]))
    where += f" and {len(joined) - 10} more" if len(joined) > 10 else ""
    return [f"'{delimiter}' inside a text without quotation marks was kept in it: {where}."]
