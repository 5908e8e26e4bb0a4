# ruff: noqa: RUF001 - full-width commas and colons separate columns too
"""The dialect of a CSV: which sign separates its cells, and whether quotes hold them together.

No file says so. Both are chosen by what makes the most consistent table of many records; the first
row alone misleads.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from trainer.corpus.readers.limits import MOST_CELL
from trainer.errors import CorpusError

USUAL = (",", ";", "\t", "|")
_RARE = ("~", "^", "¦", "§", "¬", "¶", "\x1f", "\x01", "\x1e", "，", "；", "#", "@", "$", "*")
_LONG = ("::", "||", "|||", "@@", "##", "~~", "^^", "$$", "%%")
NO_DELIMITER = "\ue000"  # no text has this sign: as a delimiter it makes one column
_JOINED = "\ue001"  # stands for a delimiter of several signs
_INNER = "\ue002"  # stands for a quotation mark that is part of a text
SAMPLE = 200_000  # characters
_SAMPLE_RECORDS = 2_000


@dataclass(frozen=True)
class Dialect:
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


# --- Which sign separates the columns? --------------------------------------------------------


def choose_delimiter(sample: str) -> str:
    """Choose the sign that makes the most consistent table of many records, or `NO_DELIMITER`."""
    best, best_score = NO_DELIMITER, 0.0
    for delimiter in (*USUAL, *_RARE, *_LONG):
        if delimiter not in sample:
            continue
        score = max(
            _score(sample_records(dialect, sample, truncated=len(sample) >= SAMPLE), dialect)
            for dialect in (_quoted(delimiter, sample), Dialect(delimiter, None))
        )
        if delimiter not in USUAL:
            score -= 0.05 if len(delimiter) > 1 or ord(delimiter) < 32 else 0.1
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _quoted(delimiter: str, sample: str) -> Dialect:
    return Dialect(delimiter, skip_space=f'{delimiter} "' in sample)


def _score(records: Sequence[Sequence[str]], dialect: Dialect) -> float:
    """How much these records look like a table: as wide and as even as can be."""
    if not records:
        return 0.0
    width, fit = find_usual_width(records), measure_fit(records)
    first = len(records[0])
    named = first > 1 and names_columns(records[0])
    if named and sum(len(r) >= first for r in records) >= 0.9 * len(records):
        width, fit = first, max(fit, 0.7)
    if width < 2 or fit < 0.6:
        return 0.0
    if dialect.delimiter in ",;，；" and not named and reads_as_prose(records):
        return 0.0
    return fit * (1 - 1 / (2 * width)) * (1.0 if named else 0.95)


def reads_as_prose(records: Sequence[Sequence[str]]) -> bool:
    """Whether the cells are parts of sentences, whose commas have a space behind them."""
    later = [cell for record in records for cell in record[1:] if cell.strip()]
    return sum(cell[0] == " " for cell in later) >= 0.9 * len(later)


# --- What looks like a table? -----------------------------------------------------------------


def sample_records(dialect: Dialect, sample: str, *, truncated: bool) -> list[list[str]]:
    """Cut a sample into records; of one that was cut off, the last is left out."""
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


def find_usual_width(records: Sequence[Sequence[str]]) -> int:
    """Find the number of columns most records have, or that a first row of names has."""
    counts = Counter(map(len, records))
    width, count = counts.most_common(1)[0]
    first = len(records[0])
    if first > 1 and names_columns(records[0]) and (first > width or counts[first] == count):
        return first
    return width


def measure_fit(records: Sequence[Sequence[str]]) -> float:
    """Measure which share of the records is as wide as most are."""
    if not records:
        return 0.0
    width = find_usual_width(records)
    return sum(len(record) == width for record in records) / len(records)


_ENDS = ("?", ".", "!", "？", "。", "！", "؟", ",", ";")


def names_columns(record: Sequence[str]) -> bool:
    """Whether these cells could be the names of columns rather than a question and its answer."""
    names = [cell.strip().strip('"') for cell in record]
    given = [name for name in names if name]
    return (
        len(given) >= max(1, len(names) / 2)
        and len({name.casefold() for name in given}) == len(given)
        and all(len(name) <= 60 and not name.endswith(_ENDS) for name in given)
        and not any(name.replace(".", "").isdigit() for name in given)
    )


# --- Do quotation marks hold cells together? --------------------------------------------------


@dataclass(frozen=True)
class _Trial:
    """What became of a text cut in one way."""

    dialect: Dialect
    records: int
    width: int
    fit: float
    error: str = ""
    row: int = 0


def choose_quoting(text: str, delimiter: str, name: str) -> tuple[Dialect, str]:
    """Choose the quoting that makes the most consistent table, and say what is unusual about it."""
    quoted = _quoted(delimiter, text[:SAMPLE])
    if '"' not in text:
        if re.match(r"\s*'[^'\n]*'\s*" + re.escape(delimiter), text[:SAMPLE]):
            single = _try_dialect(replace(quoted, quote="'"), text)
            if not single.error:
                return single.dialect, ""
        return replace(quoted, quote=None), ""
    usual = _try_dialect(quoted, text)
    plain = _try_dialect(Dialect(delimiter, None), text)
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
        raise broken_row(name, usual.row, usual.error or plain.error)
    where = f", first in row {usual.row}" if usual.error else ""
    note = f"Quotation marks are not paired in this file{where}; they were read as text."
    return plain.dialect, note


def broken_row(name: str, row: int, error: str) -> CorpusError:
    """Make the error for a row whose quotation marks make no sense."""
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


def _try_dialect(dialect: Dialect, text: str) -> _Trial:
    widths: Counter[int] = Counter()
    row = 0
    error = ""
    try:
        for record in dialect.records(text):
            row += 1
            if record:
                widths[len(record)] += 1
    except csv.Error as problem:
        error, row = str(problem), row + 1
    count = sum(widths.values())
    if not count:
        return _Trial(dialect, 0, 0, 0.0, error, row)
    width = widths.most_common(1)[0][0]
    return _Trial(dialect, count, width, widths[width] / count, error, row)
