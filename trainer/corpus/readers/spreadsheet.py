"""Spreadsheets: XLSX, XLSB, XLS and ODS, a table for every visible sheet that holds anything.

calamine gives the values. What it does not tell, such as which rows are hidden and how far a sheet
really reaches, is surveyed in the XML first; a few bytes can claim a million rows of a thousand
columns, which calamine would lay out in memory.
"""

import datetime
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import python_calamine

from trainer.corpus.readers.archive import check_zip
from trainer.corpus.readers.limits import MOST_CELL, MOST_COLUMNS, MOST_ROWS
from trainer.corpus.readers.sheet_xml import Survey, damaged, protected, survey_archive, type_texts
from trainer.corpus.table import Table
from trainer.errors import CorpusError

MOST_AREA = 10_000_000  # cells of one sheet, the empty ones between others included
_OLE = b"\xd0\xcf\x11\xe0"


def read_spreadsheet(data: bytes, name: str) -> list[Table]:
    """Read the visible sheets of a workbook, or raise `CorpusError` where there is none."""
    if data.startswith(_OLE):
        _refuse_other_ole(data, name)
        format_ = "xls"
        surveys: dict[str, Survey] = {}
    else:
        archive = check_zip(data, name)
        format_, surveys = survey_archive(archive, name)
    for sheet, survey in surveys.items():
        _refuse_large(survey.rows, survey.columns, sheet, name)
    if any(survey.untyped for survey in surveys.values()):
        data = type_texts(archive)
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
        many = len(hidden) > 1
        sheets = f"the hidden sheet{'s' * many} {_list(hidden)} {'are' if many else 'is'} left out"
        note = f"Of the whole workbook, {sheets}."
        tables[0] = replace(tables[0], notes=(*tables[0].notes, note))
    return tables


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name[:40]}'" for name in names[:10])
    return shown + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _refuse_other_ole(data: bytes, name: str) -> None:
    """Excel 97, encrypted XLSX and Word 97 share one container."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise protected(name)
    if "WordDocument".encode("utf-16-le") in data:
        raise CorpusError(f"{name} is a document of Word 97 to 2003. Save it as DOCX.")


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
        raise protected(name) from None
    except (python_calamine.CalamineError, OSError, ValueError, OverflowError):
        raise damaged(name) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise damaged(name) from None


def _read_sheet(
    workbook: python_calamine.CalamineWorkbook,
    title: str,
    survey: Survey | None,
    format_: str,
    name: str,
) -> Table:
    sheet = _guarded(lambda: workbook.get_sheet_by_name(title), name)
    if sheet.start is None or sheet.end is None:
        return Table(format_, (), part=title)
    if survey is None:  # neither XLS nor XLSB says more
        survey = Survey(merged=[(r, last, c) for (r, c), (last, _) in _merged(sheet)])
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


def _notes(survey: Survey, own: set[int]) -> Iterator[str]:
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
