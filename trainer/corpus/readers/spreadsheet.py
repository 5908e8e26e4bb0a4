"""Spreadsheets: XLSX, XLSB, XLS and ODS, a table for every visible sheet that holds anything.

calamine gives the values. What it does not tell, such as which rows are hidden and how far a sheet
really reaches, is surveyed in the XML first; a few bytes can claim a million rows of a thousand
columns, which calamine would lay out in memory.
"""

import datetime
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TypeVar
from xml.parsers import expat

import python_calamine
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from trainer.corpus.readers.archive import check_zip
from trainer.corpus.readers.limits import MOST_CELL, MOST_COLUMNS, MOST_ROWS
from trainer.corpus.table import Table
from trainer.errors import CorpusError

MOST_AREA = 10_000_000  # cells of one sheet, the empty ones between others included
_OLE = b"\xd0\xcf\x11\xe0"

Row = tuple[int, tuple[str, ...]]


@dataclass
class _Survey:
    """What the XML of a sheet says beyond its values; rows and columns count from 0."""

    hidden: set[int] = field(default_factory=set)
    merged: list[tuple[int, int, int]] = field(default_factory=list)  # first row, last row, column
    errors: list[int] = field(default_factory=list)
    uncounted: list[int] = field(default_factory=list)  # formulas nobody calculated
    rows: int = 0
    columns: int = 0

    def reach(self, row: int, column: int) -> None:
        """Note that a cell of this row and column holds something."""
        self.rows = max(self.rows, row + 1)
        self.columns = max(self.columns, column + 1)


def read_spreadsheet(data: bytes, name: str) -> list[Table]:
    """Read the visible sheets of a workbook, or raise `CorpusError` where there is none."""
    if data.startswith(_OLE):
        _refuse_other_ole(data, name)
        format_ = "xls"
        surveys: dict[str, _Survey] = {}
    else:
        format_, surveys = _survey_archive(check_zip(data, name), name)
    for sheet, survey in surveys.items():
        _refuse_large(survey.rows, survey.columns, sheet, name)
    workbook = _guarded(lambda: python_calamine.load_workbook(io.BytesIO(data)), name)
    tables, hidden = [], []
    for about in workbook.sheets_metadata:
        if about.typ != python_calamine.SheetTypeEnum.WorkSheet:
            continue
        if about.visible != python_calamine.SheetVisibleEnum.Visible:
            hidden.append(about.name)
            continue
        table = _read_sheet(workbook, about.name, surveys.get(about.name), format_, name)
        if table.rows:
            tables.append(table)
    if not tables:
        left = f"; its hidden sheets ({_list(hidden)}) are left out" if hidden else ""
        raise CorpusError(
            f"{name} holds no visible rows{left}. Add questions and answers, or show the rows."
        )
    if hidden:
        note = f"Left out because hidden: {_list(hidden)}."
        tables[0] = replace(tables[0], notes=(*tables[0].notes, note))
    return tables


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name[:40]}'" for name in names[:10])
    return shown + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _refuse_other_ole(data: bytes, name: str) -> None:
    """Excel 97, encrypted XLSX and Word 97 share one container."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise _protected(name)
    if "WordDocument".encode("utf-16-le") in data:
        raise CorpusError(f"{name} is a document of Word 97 to 2003. Save it as DOCX.")


def _protected(name: str) -> CorpusError:
    return CorpusError(
        f"{name} is protected with a password. Save it without one and upload it again."
    )


def _damaged(name: str) -> CorpusError:
    return CorpusError(
        f"{name} is damaged: its sheets cannot be read. Open it in a spreadsheet program, save it "
        "anew, and upload it again."
    )


def _refuse_large(rows: int, columns: int, sheet: str, name: str) -> None:
    if columns > MOST_COLUMNS:
        raise CorpusError(
            f"{name}, sheet '{sheet[:40]}': more than {MOST_COLUMNS:,} columns. Keep the columns "
            "that hold questions, answers and topics, and upload it again."
        )
    if rows > MOST_ROWS or rows * columns > MOST_AREA:
        raise CorpusError(
            f"{name}, sheet '{sheet[:40]}': {rows:,} rows of {columns:,} columns are too many. "
            "Delete what lies far below or beside the table, or split it into several files."
        )


_T = TypeVar("_T")


def _guarded(read: Callable[[], _T], name: str) -> _T:
    """Call calamine; on a damaged file it raises, and now and then its Rust panics."""
    try:
        return read()
    except python_calamine.PasswordError:
        raise _protected(name) from None
    except (python_calamine.CalamineError, OSError, ValueError, OverflowError):
        raise _damaged(name) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise _damaged(name) from None


# --- Values -----------------------------------------------------------------------------------


def _read_sheet(
    workbook: python_calamine.CalamineWorkbook,
    title: str,
    survey: _Survey | None,
    format_: str,
    name: str,
) -> Table:
    sheet = _guarded(lambda: workbook.get_sheet_by_name(title), name)
    if sheet.start is None or sheet.end is None:
        return Table(format_, (), part=title)
    if survey is None:  # neither XLS nor XLSB says more
        survey = _Survey(merged=[(r, last, c) for (r, c), (last, _) in _merged(sheet)])
        _refuse_large(sheet.end[0] + 1, sheet.end[1] + 1, title, name)
    rows = _guarded(lambda: _show_rows(sheet, sheet.start[1] if sheet.start else 0), name)
    own = {row for row, cells in enumerate(rows) if any(cells)}
    shown = [row for row in sorted(own) if row not in survey.hidden]
    if any(len(cell) > MOST_CELL for row in shown for cell in rows[row]):
        raise CorpusError(
            f"{name}, sheet '{title[:40]}': a cell holds more than {MOST_CELL:,} characters."
        )
    _spread_merged(rows, own, survey.merged)
    used = [column for column in range(len(rows[0])) if any(rows[row][column] for row in shown)]
    return Table(
        format_,
        tuple((row + 1, tuple(rows[row][column] for column in used)) for row in shown),
        part=title,
        notes=tuple(_notes(survey, own)),
    )


def _merged(sheet: python_calamine.CalamineSheet) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    return sheet.merged_cell_ranges or []


def _show_rows(sheet: python_calamine.CalamineSheet, before: int) -> list[list[str]]:
    """The cells as texts, in the columns they stand in."""
    return [[""] * before + [_show_value(value) for value in row] for row in sheet.iter_rows()]


def _show_value(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return f"{value:.15g}" if abs(value) < 1e15 or value % 1 else f"{value:.0f}"
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)


def _spread_merged(
    rows: list[list[str]], own: set[int], merged: Sequence[tuple[int, int, int]]
) -> None:
    """Write what stands in a merged cell into every row it spans, where the row has more to say."""
    left = MOST_AREA
    for first, last, column in merged:
        if first >= len(rows) or column >= len(rows[0]) or not rows[first][column]:
            continue
        last = min(last, len(rows) - 1)
        left -= last - first
        if left < 0:
            return
        for row in range(first + 1, last + 1):
            if row in own and not rows[row][column]:
                rows[row][column] = rows[first][column]


def _notes(survey: _Survey, own: set[int]) -> Iterator[str]:
    hidden = sorted(survey.hidden & own)
    if hidden:
        yield f"{_count(hidden, 'hidden row')} left out: {_places(hidden)}."
    if survey.uncounted:
        many = _count(survey.uncounted, "formula")
        yield f"{many} without a calculated value, read as empty: {_places(survey.uncounted)}."
    if survey.errors:
        many = _count(survey.errors, "cell")
        yield f"{many} with an error such as #N/A, read as empty: {_places(survey.errors)}."


def _count(rows: Sequence[int], what: str) -> str:
    return f"{len(rows):,} {what}{'s' * (len(rows) > 1)}"


def _places(rows: Sequence[int]) -> str:
    rows = list(dict.fromkeys(rows))
    more = f" and {len(rows) - 10} more" if len(rows) > 10 else ""
    return f"row{'s' * (len(rows) > 1)} " + ", ".join(str(row + 1) for row in rows[:10]) + more


# --- What the XML says beyond values ----------------------------------------------------------


def _survey_archive(archive: zipfile.ZipFile, name: str) -> tuple[str, dict[str, _Survey]]:
    members = set(archive.namelist())
    try:
        if "content.xml" in members:
            if b"encryption-data" in _read(archive, "META-INF/manifest.xml"):
                raise _protected(name)
            return "ods", _survey_ods(archive)
        if "xl/workbook.bin" in members:
            return "xlsb", {}
        return "xlsx", _survey_xlsx(archive)
    except (
        expat.ExpatError,
        ParseError,
        DefusedXmlException,
        LookupError,
        ValueError,
        OverflowError,
    ):
        raise _damaged(name) from None


def _read(archive: zipfile.ZipFile, member: str) -> bytes:
    return archive.read(member) if member in archive.namelist() else b""


def _survey_xlsx(archive: zipfile.ZipFile) -> dict[str, _Survey]:
    """Survey each sheet under the name the workbook gives it."""
    targets = {}
    for relation in fromstring(archive.read("xl/_rels/workbook.xml.rels")):
        target = relation.get("Target", "")
        path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        targets[relation.get("Id")] = str(PurePosixPath(path))
    by_lower = {member.lower(): member for member in archive.namelist()}
    surveys = {}
    for element in fromstring(archive.read("xl/workbook.xml")).iter():
        if element.tag.endswith("}sheet") or element.tag == "sheet":
            ids = [value for key, value in element.attrib.items() if key.endswith("}id")]
            member = by_lower.get(targets.get(ids[0] if ids else None, "").lower())
            if member and member.endswith(".xml"):
                surveys[element.get("name", "")] = _survey_sheet(archive, member)
    return surveys


def _survey_sheet(archive: zipfile.ZipFile, member: str) -> _Survey:
    survey = _Survey()
    row, column = -1, -1
    kind, formula, filled, in_value = "", False, False, False

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, kind, formula, filled, in_value
        tag = tag.rpartition(":")[2]
        if tag == "c":
            place = _place(attributes["r"]) if "r" in attributes else (row, column + 1)
            row, column = place  # where the cell says it is, as calamine believes it
            kind = attributes.get("t", "")
            formula, filled = False, False
        elif tag in ("v", "is"):
            in_value = True
        elif tag == "f":
            formula = True
        elif tag == "row":
            row, column = int(attributes.get("r", row + 2)) - 1, -1
            if attributes.get("hidden") in ("1", "true"):
                survey.hidden.add(row)
        elif tag == "mergeCell":
            first, _, last = attributes.get("ref", "").partition(":")
            if last:
                (top, left), (bottom, _) = _place(first), _place(last)
                survey.merged.append((top, bottom, left))

    def text(_: str) -> None:
        nonlocal filled
        filled = filled or in_value

    def end(tag: str) -> None:
        nonlocal in_value
        tag = tag.rpartition(":")[2]
        if tag in ("v", "is"):
            in_value = False
        elif tag == "c" and (filled or formula):
            survey.reach(row, column)
            if kind == "e":
                survey.errors.append(row)
            elif formula and not filled and kind != "str":
                survey.uncounted.append(row)

    _parse(archive, member, start, end, text)
    return survey


_PLACE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")


def _place(reference: str) -> tuple[int, int]:
    """Row and column of 'B7', counted from 0."""
    found = _PLACE.fullmatch(reference)
    if not found:
        raise ValueError(reference)
    column = 0
    for letter in found[1].upper():
        column = column * 26 + ord(letter) - 64
    return int(found[2]) - 1, column - 1


def _survey_ods(archive: zipfile.ZipFile) -> dict[str, _Survey]:
    """Survey all sheets, which stand in one file and count repeated rows and cells once."""
    surveys: dict[str, _Survey] = {}
    survey = _Survey()
    row, column, row_repeated, cell_repeated, depth = 0, 0, 1, 1, 0
    held, formula, wrong, spanned = False, False, False, 1

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal survey, row, column, row_repeated, cell_repeated, depth
        nonlocal held, formula, wrong, spanned
        if tag == "table:table":
            depth += 1
            if depth == 1:
                survey = surveys[attributes.get("table:name", "")] = _Survey()
                row = 0
        elif depth != 1:
            return
        elif tag == "table:table-row":
            column = 0
            row_repeated = int(attributes.get("table:number-rows-repeated", 1))
            if attributes.get("table:visibility", "visible") != "visible":
                survey.hidden.update(range(min(row, MOST_ROWS), min(row + row_repeated, MOST_ROWS)))
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            cell_repeated = int(attributes.get("table:number-columns-repeated", 1))
            spanned = int(attributes.get("table:number-rows-spanned", 1))
            formula = "table:formula" in attributes
            wrong = attributes.get("calcext:value-type") == "error"
            held = "office:value-type" in attributes
        elif tag == "text:p":
            held = True

    def end(tag: str) -> None:
        nonlocal row, column, depth
        if tag == "table:table":
            depth -= 1
        elif depth != 1:
            return
        elif tag == "table:table-row":
            row += row_repeated
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            if held or formula:
                survey.reach(row + row_repeated - 1, column + cell_repeated - 1)
            if wrong:
                survey.errors.append(row)
            elif formula and not held:
                survey.uncounted.append(row)
            if spanned > 1:
                survey.merged.append((row, row + spanned - 1, column))
            column += cell_repeated

    _parse(archive, "content.xml", start, end, lambda _: None)
    return surveys


def _parse(
    archive: zipfile.ZipFile,
    member: str,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    text: Callable[[str], None],
) -> None:
    """Stream XML; a file that declares entities is refused before one is expanded."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.EntityDeclHandler = _refuse_entity
    with archive.open(member) as stream:
        parser.ParseFile(stream)


def _refuse_entity(*_: object) -> None:
    raise ValueError("a spreadsheet declares no entities")
