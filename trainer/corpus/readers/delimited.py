# ruff: noqa: RUF001 - full-width commas and colons separate columns too
"""CSV and its relatives: text in which a sign separates the cells.

No file says which sign that is, nor whether quotation marks hold cells together. Both are chosen
by what makes the most consistent table of many records; the first row alone misleads.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from trainer.corpus.readers.limits import MOST_CELL, MOST_COLUMNS, MOST_ROWS
from trainer.corpus.readers.text import decode
from trainer.corpus.table import Table
from trainer.errors import CorpusError

_USUAL = (",", ";", "\t", "|")
_RARE = ("~", "^", "¦", "§", "¬", "¶", "\x1f", "\x01", "\x1e", "，", "；", "#", "@", "$", "*")
_LONG = ("::", "||", "|||", "@@", "##", "~~", "^^", "$$", "%%")
_NONE = "\ue000"  # a sign of no meaning: no text has it, so as a delimiter it makes one column
_JOINED = "\ue001"  # stands for a delimiter of several signs
_INNER = "\ue002"  # stands for a quotation mark that is part of a text
_SAMPLE = 200_000  # characters
_SAMPLE_RECORDS = 2_000


@dataclass(frozen=True)
class _Dialect:
    """How the text is to be cut into cells."""

    delimiter: str
    quote: str | None = '"'
    skip_space: bool = False
    inner: str = ""  # quotation marks that are text: "" for none, "escaped" or "mended"

    def records(self, text: str, *, strict: bool = True) -> Iterator[list[str]]:
        """Cut a text into records, blank ones included; `csv.Error` where a quote is unbalanced."""
        csv.field_size_limit(MOST_CELL)
        delimiter = self.delimiter
        if len(delimiter) > 1:
            text, delimiter = text.replace(delimiter, _JOINED), _JOINED
        if self.inner == "escaped":
            text = text.replace('\\"', _INNER)
        if self.inner == "mended":
            edge = re.escape(delimiter) + '\r\n"'
            text = re.sub(f'(?<=[^{edge}])"(?=[^{edge}])', _INNER, text)
        return csv.reader(
            io.StringIO(text, newline=""),
            delimiter=delimiter,
            quotechar=self.quote,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            skipinitialspace=self.skip_space,
            strict=strict,
        )

    def clean(self, cell: str) -> str:
        """Give a cell back what was set aside while cutting."""
        if self.inner:
            cell = cell.replace(_INNER, '"')
        if len(self.delimiter) > 1:
            cell = cell.replace(_JOINED, self.delimiter)
        cell = cell.strip()
        if not self.quote and len(cell) > 1 and cell[0] == cell[-1] == '"':
            cell = cell[1:-1].replace('""', '"').strip()
        return cell


def read_delimited(data: bytes, name: str) -> list[Table]:
    """Read a CSV or TSV of any delimiter and quoting, or raise `CorpusError` naming the row."""
    decoded = decode(data, name)
    text, said = _take_sep_line(decoded.text.lstrip("\ufeff"))
    if not text.strip(' \t\r\n,;|"'):
        raise CorpusError(f"{name} is empty. Upload a table of questions and answers.")
    _refuse_wide(text, name)
    delimiter = said or _choose_delimiter(text[:_SAMPLE])
    dialect, note = _choose_quoting(text, delimiter, name)
    rows, notes = _collect_rows(dialect, text, name)
    format_ = "tsv" if delimiter == "\t" else "csv"
    said_notes = (*decoded.notes, *([note] if note else []), *notes)
    return [Table(format_, rows, encoding=decoded.encoding, notes=said_notes)]


def looks_delimited(text: str) -> bool:
    """Tell a table without a telling file name from prose and from marked questions."""
    sample = text[:_SAMPLE].lstrip("\ufeff")
    sample, said = _take_sep_line(sample)
    if said:
        return True
    delimiter = _choose_delimiter(sample)
    if delimiter == _NONE:
        return False
    records = _sample_records(_Dialect(delimiter), sample, truncated=len(text) > _SAMPLE)
    plain = _sample_records(_Dialect(delimiter, None), sample, truncated=len(text) > _SAMPLE)
    best = max((records, plain), key=_fit)
    if len(best) < 2 or _fit(best) < 0.9:
        return False
    first_cells = {record[0].strip() for record in best}
    if len(first_cells) <= 3 and all(
        cell[-1:] in (":", "：", ".", ")", "") for cell in first_cells
    ):
        return False  # Q: and A: marks before a tab
    if delimiter == "\t":
        return True
    return _names_columns(best[0]) or (len(best) >= 20 and _fit(best) > 0.98)


_SEP_LINE = re.compile(r'"?sep=(.|\\t)"?[^\S\n\r]*(?:\r\n|\n|\r)', re.IGNORECASE)


def _take_sep_line(text: str) -> tuple[str, str]:
    """The line by which Excel is told the delimiter; Excel does not show it, so it is no row."""
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
            for sign in _USUAL:
                if text.count(sign, start, end) > MOST_CELL // 2:
                    raise _too_wide(name, number)
        number, start = number + 1, end + 1


def _too_wide(name: str, number: int) -> CorpusError:
    return CorpusError(
        f"{name}, row {number}: more than {MOST_COLUMNS:,} columns. Keep the columns that hold "
        "questions, answers and topics, and upload it again."
    )


# --- Which sign separates the columns? --------------------------------------------------------


def _choose_delimiter(sample: str) -> str:
    """The sign that makes the most consistent table of many records; `_NONE` for one column."""
    best, best_score = _NONE, 0.0
    for delimiter in (*_USUAL, *_RARE, *_LONG):
        if delimiter not in sample:
            continue
        score = max(
            _score(_sample_records(dialect, sample, truncated=len(sample) >= _SAMPLE), dialect)
            for dialect in (_quoted(delimiter, sample), _Dialect(delimiter, None))
        )
        if delimiter not in _USUAL:
            score -= 0.05 if len(delimiter) > 1 or ord(delimiter) < 32 else 0.1
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _quoted(delimiter: str, sample: str) -> _Dialect:
    return _Dialect(delimiter, skip_space=f'{delimiter} "' in sample)


def _sample_records(dialect: _Dialect, sample: str, *, truncated: bool) -> list[list[str]]:
    records = []
    try:
        for record in islice(dialect.records(sample, strict=False), _SAMPLE_RECORDS):
            if any(map(str.strip, record)):
                records.append(record)
    except csv.Error:  # a cell beyond all bounds: refused where the rows are read
        pass
    if truncated and len(records) > 2:
        records.pop()
    return records


def _width(record: Sequence[str]) -> int:
    return max((at for at, cell in enumerate(record, 1) if cell.strip()), default=0)


def _usual_width(records: Sequence[Sequence[str]]) -> int:
    """The number of columns most records have; where the first names columns, what it says."""
    counts = Counter(map(len, records))
    width, count = counts.most_common(1)[0]
    first = len(records[0])
    if first > 1 and _names_columns(records[0]) and (first > width or counts[first] == count):
        return first
    return width


def _fit(records: Sequence[Sequence[str]]) -> float:
    if not records:
        return 0.0
    width = _usual_width(records)
    return sum(len(record) == width for record in records) / len(records)


def _score(records: Sequence[Sequence[str]], dialect: _Dialect) -> float:
    """How much these records look like a table: as wide and as even as can be."""
    if not records:
        return 0.0
    width, fit = _usual_width(records), _fit(records)
    first = len(records[0])
    named = first > 1 and _names_columns(records[0])
    if named and sum(len(r) >= first for r in records) >= 0.9 * len(records):
        width, fit = first, max(fit, 0.7)
    if width < 2 or fit < 0.6:
        return 0.0
    if dialect.delimiter in ",;，；" and not named and _reads_as_prose(records):
        return 0.0
    return fit * (1 - 1 / (2 * width)) * (1.0 if named else 0.95)


_ENDS = ("?", ".", "!", "？", "。", "！", "؟", ",", ";")


def _names_columns(record: Sequence[str]) -> bool:
    """Whether these cells could be the names of columns rather than a question and its answer."""
    names = [cell.strip().strip('"') for cell in record]
    given = [name for name in names if name]
    return (
        len(given) >= max(1, len(names) / 2)
        and len({name.casefold() for name in given}) == len(given)
        and all(len(name) <= 60 and not name.endswith(_ENDS) for name in given)
        and not any(name.replace(".", "").isdigit() for name in given)
    )


def _reads_as_prose(records: Sequence[Sequence[str]]) -> bool:
    """Commas of sentences have a space behind them."""
    later = [cell for record in records for cell in record[1:] if cell.strip()]
    return sum(cell[0] == " " for cell in later) >= 0.9 * len(later)


# --- Do quotation marks hold cells together? --------------------------------------------------


@dataclass(frozen=True)
class _Trial:
    """What became of a text cut in one way."""

    dialect: _Dialect
    records: int
    width: int
    fit: float
    error: str = ""
    row: int = 0


def _choose_quoting(text: str, delimiter: str, name: str) -> tuple[_Dialect, str]:
    """The quoting that makes the most consistent table, and what to say of an unusual one."""
    quoted = _quoted(delimiter, text[:_SAMPLE])
    if '"' not in text:
        if re.match(r"\s*'[^'\n]*'\s*" + re.escape(delimiter), text[:_SAMPLE]):
            single = _try_dialect(replace(quoted, quote="'"), text)
            if not single.error:
                return single.dialect, ""
        return replace(quoted, quote=None), ""
    usual = _try_dialect(quoted, text)
    plain = _try_dialect(_Dialect(delimiter, None), text)
    if not usual.error and not _is_better(plain, usual):
        return usual.dialect, ""
    if usual.error and '\\"' in text:
        escaped = _try_dialect(replace(quoted, inner="escaped"), text)
        if not escaped.error and escaped.fit >= plain.fit:
            return escaped.dialect, 'Quotation marks inside cells are written \\" in this file.'
    if usual.error:
        mended = _try_dialect(replace(quoted, inner="mended"), text)
        if not mended.error and mended.fit > plain.fit and not _is_better(plain, mended):
            note = "Quotation marks inside cells are not doubled; they were read as text."
            return mended.dialect, note
    if plain.error or (usual.error and plain.fit < 0.9):
        raise _broken(name, usual.row, usual.error or plain.error)
    where = f", first in row {usual.row}" if usual.error else ""
    note = f"Quotation marks are not paired in this file{where}; they were read as text."
    return plain.dialect, note


def _broken(name: str, row: int, error: str) -> CorpusError:
    if "field larger" in error:
        return CorpusError(
            f"{name}, row {row}: a cell holds more than {MOST_CELL:,} characters. Shorten it, or "
            "look for a quotation mark that is not closed, and upload the file again."
        )
    what = "is never closed" if "end of data" in error else "stands inside a cell undoubled"
    return CorpusError(
        f"{name}, row {row}: a quotation mark {what}. Mend the row, or save the file again from a "
        "spreadsheet."
    )


def _is_better(plain: _Trial, quoted: _Trial) -> bool:
    """Whether quotes that seemed to hold lines together only hid records that stand alone."""
    return plain.records > quoted.records and plain.fit > 0.99 and plain.width == quoted.width


def _try_dialect(dialect: _Dialect, text: str) -> _Trial:
    widths: Counter[int] = Counter()
    first: list[str] = []
    row = 0
    error = ""
    try:
        for record in dialect.records(text):
            row += 1
            if record:
                widths[len(record)] += 1
                first = first or record
    except csv.Error as problem:
        error, row = str(problem), row + 1
    count = sum(widths.values())
    if not count:
        return _Trial(dialect, 0, 0, 0.0, error, row)
    width = widths.most_common(1)[0][0]
    return _Trial(dialect, count, width, widths[width] / count, error, row)


# --- The rows ---------------------------------------------------------------------------------


def _collect_rows(
    dialect: _Dialect, text: str, name: str
) -> tuple[tuple[tuple[int, tuple[str, ...]], ...], list[str]]:
    """Cut the whole text into rows of equal width, with notes on those that had to be mended."""
    sample = _sample_records(dialect, text[:_SAMPLE], truncated=len(text) > _SAMPLE)
    width = _usual_width(sample) if sample else 1
    if width > MOST_COLUMNS:
        raise _too_wide(name, 1)
    spaced = _reads_as_prose(sample)
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
        raise _broken(name, number + 1, str(problem)) from None
    if not rows:
        raise CorpusError(f"{name} is empty. Upload a table of questions and answers.")
    even = tuple(
        (number, cells[:used] if len(cells) >= used else cells + ("",) * (used - len(cells)))
        for number, cells in rows
    )
    return even, _note_joined(joined, dialect.delimiter)


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
