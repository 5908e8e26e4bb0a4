"""Bytes of an uploaded file to a table of cells."""

import codecs
import csv
import io
from dataclasses import dataclass
from pathlib import Path

from trainer.errors import CorpusError

MOST_BYTES = 50_000_000
csv.field_size_limit(MOST_BYTES)
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Table:
    """The cells of a file. `rows` carries row numbers as a spreadsheet shows them."""

    format: str
    encoding: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read_table(path: Path) -> Table:
    """Read a CSV whose first row names the columns, or raise `CorpusError` saying where it breaks.

    Commas, semicolons, tabs and bars separate columns, whichever the first row uses most. The
    quoting is RFC 4180's.
    """
    text, encoding = _decode(path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    rows: list[tuple[int, tuple[str, ...]]] = []
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            rows.append((number, tuple(cell.strip() for cell in cells)))
    except csv.Error as error:
        raise CorpusError(
            f"{path.name}, row {number + 1}: {error}. Most often a quotation mark is missing or "
            "stands inside a cell without being doubled. Mend the row, or save the file again "
            "from a spreadsheet."
        ) from None
    while rows and (not any(rows[0][1]) or rows[0][1][0].lower().startswith("sep=")):
        del rows[0]
    if not rows:
        raise CorpusError(f"{path.name} is empty. Upload a CSV of questions and answers.")
    (_, header), *body = rows
    return Table("csv", encoding, header, tuple(body))


def _delimiter(text: str) -> str:
    lines = (line for line in text.splitlines() if line.strip())
    first = next((line for line in lines if not line.lower().startswith("sep=")), "")
    return max(_DELIMITERS, key=lambda d: len(next(csv.reader([first], delimiter=d), [])))


def _decode(path: Path) -> tuple[str, str]:
    try:
        if path.exists() and not path.is_file():
            raise CorpusError(f"{path} is not a file. Give a CSV of questions and answers.")
        if path.stat().st_size > MOST_BYTES:
            raise CorpusError(
                f"{path.name} is larger than {MOST_BYTES // 1_000_000} MB. Split it into parts."
            )
        data = path.read_bytes()
    except OSError as error:
        raise CorpusError(
            f"{path} cannot be read: {error.strerror or error}. Check the path and try again."
        ) from None
    encoding = "utf-8"
    if data.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif b"\x00" in data:
        raise CorpusError(
            f"{path.name} is not a text file. Tandem reads CSV; from a spreadsheet, "
            "use 'Save as' and choose CSV."
        )
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CorpusError(
            f"{path.name}, line {line}: the text is not {encoding.upper()}. "
            "Save the file as 'CSV UTF-8' and upload it again."
        ) from None
