"""What the XML of a spreadsheet says beyond its values; it is streamed, and never laid out."""

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from xml.parsers import expat

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from trainer.corpus.readers.limits import MOST_ROWS
from trainer.errors import CorpusError


@dataclass
class Survey:
    """What the XML of a sheet says beyond its values; rows and columns count from 0."""

    hidden: set[int] = field(default_factory=set)
    merged: list[tuple[int, int, int]] = field(default_factory=list)  # first row, last row, column
    errors: list[int] = field(default_factory=list)
    uncounted: list[int] = field(default_factory=list)  # formulas nobody calculated
    rows: int = 0
    columns: int = 0
    untyped: bool = False  # an ODS with texts in cells that do not say they hold one

    def reach(self, row: int, column: int) -> None:
        """Note that a cell of this row and column holds something."""
        self.rows = max(self.rows, row + 1)
        self.columns = max(self.columns, column + 1)


def survey_archive(archive: zipfile.ZipFile, name: str) -> tuple[str, dict[str, Survey]]:
    """Survey the sheets of a workbook, and tell its format; XLSB is not XML and says nothing."""
    members = set(archive.namelist())
    try:
        if "content.xml" in members:
            if b"encryption-data" in _read(archive, "META-INF/manifest.xml"):
                raise protected(name)
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
        raise damaged(name) from None


def protected(name: str) -> CorpusError:
    """Make the error for a workbook nobody can read without its password."""
    return CorpusError(
        f"{name} is protected with a password. Save it without one and upload it again."
    )


def damaged(name: str) -> CorpusError:
    """Make the error for a workbook whose sheets cannot be read."""
    return CorpusError(
        f"{name} is damaged: its sheets cannot be read. Open it in a spreadsheet program, save it "
        "anew, and upload it again."
    )


def _read(archive: zipfile.ZipFile, member: str) -> bytes:
    return archive.read(member) if member in archive.namelist() else b""


def _survey_xlsx(archive: zipfile.ZipFile) -> dict[str, Survey]:
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


def _survey_sheet(archive: zipfile.ZipFile, member: str) -> Survey:
    survey = Survey()
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


def type_texts(archive: zipfile.ZipFile) -> bytes:
    """Make a copy of an ODS in which every cell with a text says so, or calamine skips it."""
    content = _UNTYPED.sub(rb'\1 office:value-type="string">', archive.read("content.xml"))
    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w") as typed:
        for member in ("mimetype", "META-INF/manifest.xml"):
            typed.writestr(member, _read(archive, member))
        typed.writestr("content.xml", content)
    return copy.getvalue()


_UNTYPED = re.compile(
    rb"(<table:(?:covered-)?table-cell\b(?![^<>]{0,5000}value-type=)[^<>]{0,5000})(?<!/)>(?=\s*<text:p)"
)


def _survey_ods(archive: zipfile.ZipFile) -> dict[str, Survey]:
    """Survey all sheets, which stand in one file and count repeated rows and cells once."""
    surveys: dict[str, Survey] = {}
    survey = Survey()
    row, column, row_repeated, cell_repeated, depth = 0, 0, 1, 1, 0
    held, formula, wrong, spanned = False, False, False, 1

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal survey, row, column, row_repeated, cell_repeated, depth
        nonlocal held, formula, wrong, spanned
        if tag == "table:table":
            depth += 1
            if depth == 1:
                survey = surveys[attributes.get("table:name", "")] = Survey()
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
            survey.untyped = survey.untyped or not held
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
