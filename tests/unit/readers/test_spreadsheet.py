"""Workbooks as people keep them: merged, hidden, calculated, damaged, hostile."""

import datetime
import io
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import CoveredTableCell, TableCell, TableRow
from odf.table import Table as OdfTable
from odf.text import P

from trainer.corpus.readers.spreadsheet import read_spreadsheet
from trainer.corpus.table import Table
from trainer.errors import CorpusError

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def save(fill: Callable[[openpyxl.Workbook], object]) -> bytes:
    workbook = openpyxl.Workbook()
    fill(workbook)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def save_rows(*rows: tuple[object, ...]) -> bytes:
    return save(lambda workbook: [workbook.active.append(row) for row in rows])


def read(data: bytes) -> Table:
    (table,) = read_spreadsheet(data, "faq.xlsx")
    return table


def change_member(data: bytes, member: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for name in old.namelist():
            new.writestr(name, content if name == member else old.read(name))
    return out.getvalue()


def with_sheet(rows: str, after: str = "") -> bytes:
    xml = f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData>{after}</worksheet>'
    return change_member(save_rows(("x",)), "xl/worksheets/sheet1.xml", xml.encode())


def cell(place: str, text: str = "x") -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def test_values_are_written_as_a_person_reads_them() -> None:
    moment = datetime.datetime(2026, 3, 4, 5, 6)
    data = save_rows(
        ("  text\n", 12.0, 12.5, 1e20, True),
        (datetime.date(2026, 3, 4), moment, datetime.time(5, 6), None, "Größe 日本"),
    )
    assert read(data).rows == (
        (1, ("text", "12", "12.5", "100000000000000000000", "TRUE")),
        (2, ("2026-03-04", "2026-03-04 05:06:00", "05:06:00", "", "Größe 日本")),
    )


def test_every_sheet_with_rows_is_a_table_and_hidden_sheets_are_named() -> None:
    def fill(workbook: openpyxl.Workbook) -> None:
        workbook.active.title = "Billing"
        workbook.active.append(("How?", "So."))
        workbook.create_sheet("Empty")
        workbook.create_sheet("Räume").append(("Wo?", "Hier."))
        secret = workbook.create_sheet("Old")
        secret.append(("Hidden?", "Yes."))
        secret.sheet_state = "hidden"

    tables = read_spreadsheet(save(fill), "faq.xlsx")
    assert [table.part for table in tables] == ["Billing", "Räume"]
    assert tables[0].notes == ("Of the whole workbook, the hidden sheet 'Old' is left out.",)


def test_a_merged_cell_holds_for_every_row_it_spans() -> None:
    def fill(workbook: openpyxl.Workbook) -> None:
        for row in (
            ("FAQ of our shop",),
            ("topic", "question", "answer"),
            ("returns", "How?", "So."),
            (None, None, "Or so."),
            (None, "Why?", "Thus."),
            ("cards", "Who?", "You."),
        ):
            workbook.active.append(row)
        for merged in ("A1:C1", "A3:A5", "B3:B4", "B6:B9", "C6:C9"):
            workbook.active.merge_cells(merged)

    assert read(save(fill)).rows == (
        (1, ("FAQ of our shop", "", "")),
        (2, ("topic", "question", "answer")),
        (3, ("returns", "How?", "So.")),
        (4, ("returns", "How?", "Or so.")),
        (5, ("returns", "Why?", "Thus.")),
        (6, ("cards", "Who?", "You.")),
    )


def test_a_hidden_row_is_left_out_and_counted() -> None:
    def fill(workbook: openpyxl.Workbook) -> None:
        for row in (("question", "answer"), ("How?", "So."), ("Draft?", "No."), ("Why?", "Thus.")):
            workbook.active.append(row)
        workbook.active.row_dimensions[3].hidden = True
        workbook.active.row_dimensions[9].hidden = True

    table = read(save(fill))
    assert [number for number, _ in table.rows] == [1, 2, 4]
    assert table.notes == ("1 hidden row left out: row 3.",)


def test_formulas_give_what_was_calculated_and_errors_are_empty_and_named() -> None:
    table = read(
        with_sheet(
            f'<row r="1">{cell("A1")}<c r="B1" t="str"><f>A1&amp;1</f><v>x1</v></c></row>'
            f'<row r="2">{cell("A2")}<c r="B2"><f>1+1</f><v></v></c></row>'
            f'<row r="3">{cell("A3")}<c r="B3" t="e"><v>#N/A</v></c></row>'
            f'<row r="4">{cell("A4")}<c r="B4" t="str"><f>""</f><v></v></c></row>'
        )
    )
    assert [cells for _, cells in table.rows] == [("x", "x1"), ("x", ""), ("x", ""), ("x", "")]
    assert table.notes == (
        "1 formula without a calculated value, read as empty: row 2.",
        "1 cell with an error such as #N/A, read as empty: row 3.",
    )


def test_empty_rows_and_columns_are_dropped_and_rows_keep_their_numbers() -> None:
    def fill(workbook: openpyxl.Workbook) -> None:
        workbook.active["C4"], workbook.active["F4"] = "question", "answer"
        workbook.active["C7"], workbook.active["F7"] = "How?", "So."

    assert read(save(fill)).rows == ((4, ("question", "answer")), (7, ("How?", "So.")))


def save_ods() -> bytes:
    document = OpenDocumentSpreadsheet()
    sheet = OdfTable(name="Fragen")
    document.spreadsheet.addElement(sheet)

    def add(*texts: str | None, span: int = 1, **row: str) -> None:
        line = TableRow(**row)
        for text in texts:
            spanned = {"numberrowsspanned": span} if span > 1 and text == texts[0] else {}
            place = TableCell(valuetype="string", **spanned) if text else CoveredTableCell()
            if text:
                place.addElement(P(text=text))
            line.addElement(place)
        sheet.addElement(line)

    add("Thema", "Frage")
    add("Versand", "Wie?", span=2)
    add(None, "Wann?")
    add("Alt", "Nie?", visibility="collapse")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_ods_has_merged_cells_and_hidden_rows_too() -> None:
    (table,) = read_spreadsheet(save_ods(), "faq.ods")
    assert (table.format, table.part) == ("ods", "Fragen")
    assert [cells for _, cells in table.rows] == [
        ("Thema", "Frage"), ("Versand", "Wie?"), ("Versand", "Wann?"),
    ]  # fmt: skip
    assert table.notes == ("1 hidden row left out: row 4.",)


def save_xls(*rows: tuple[str, ...]) -> bytes:
    """A workbook of Excel 97: records in the one stream of an OLE container."""

    def record(kind: int, content: bytes) -> bytes:
        return struct.pack("<HH", kind, len(content)) + content

    end = record(0x0A, b"")
    begin, sheet = ([struct.pack("<HHHHII", 0x600, kind, 0, 0, 0, 0)] for kind in (5, 0x10))
    cells = b"".join(
        record(0x204, struct.pack("<HHHHB", r, c, 0, len(text), 1) + text.encode("utf-16-le"))
        for r, row in enumerate(rows)
        for c, text in enumerate(row)
    )
    head = record(0x809, begin[0])
    start = len(head) + 4 + 14 + len(end)
    bound = record(0x85, struct.pack("<IHBB", start, 0, 6, 0) + b"Sheet1")
    stream = head + bound + end + record(0x809, sheet[0]) + cells + end
    stream = stream.ljust(4096 * (len(stream) // 4096 + 1), b"\0")
    sectors = len(stream) // 512
    fat = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, sectors + 2), 0xFFFFFFFE]
    fat += [0xFFFFFFFF] * (128 - len(fat))
    return save_ole(struct.pack("<128I", *fat), "Workbook", 2, len(stream)) + stream


def save_ole(fat: bytes, name: str, start: int, size: int) -> bytes:
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16)
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        raw = (name + "\0").encode("utf-16-le")
        none = 0xFFFFFFFF
        front = raw.ljust(64, b"\0") + struct.pack("<HBB3I", len(raw), kind, 1, none, none, child)
        return front + bytes(36) + struct.pack("<IQ", start, size)

    folder = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry(name, 2, 0xFFFFFFFF, start, size)
    return header + fat + folder.ljust(512, b"\0")


def test_a_workbook_of_excel_97_is_read() -> None:
    (table,) = read_spreadsheet(save_xls(("Frage", "Größe?"), ("Why?", "So.")), "faq.xls")
    assert table.format == "xls"
    assert table.rows == ((1, ("Frage", "Größe?")), (2, ("Why?", "So.")))


def test_a_password_is_named_as_the_reason() -> None:
    protected = save_ole(bytes(512), "EncryptedPackage", 2, 4096)
    with pytest.raises(
        CorpusError, match=r"faq.xlsx is protected with a password. Save it without"
    ):
        read_spreadsheet(protected, "faq.xlsx")


def test_texts_in_cells_of_an_ods_that_do_not_say_their_type_are_read() -> None:
    document = OpenDocumentSpreadsheet()
    sheet = OdfTable(name="FAQ")
    for texts in (("pregunta", "respuesta"), ("¿Cómo?", "Así."), ("", "Sí.")):
        row = TableRow()
        for text in texts:
            found = TableCell()
            if text:
                found.addElement(P(text=text))
            row.addElement(found)
        sheet.addElement(row)
    document.spreadsheet.addElement(sheet)
    out = io.BytesIO()
    document.save(out)
    assert read(out.getvalue()).rows == (
        (1, ("pregunta", "respuesta")),
        (2, ("¿Cómo?", "Así.")),
        (3, ("", "Sí.")),
    )


def repeat_in_ods(rows: int, columns: int) -> bytes:
    data = save_ods()
    content = zipfile.ZipFile(io.BytesIO(data)).read("content.xml")
    row = f'<table:table-row table:number-rows-repeated="{rows}">'.encode()
    many = f'<table:table-cell table:number-columns-repeated="{columns}" '.encode()
    content = content.replace(b"<table:table-row>", row).replace(b"<table:table-cell ", many)
    return change_member(data, "content.xml", content)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (with_sheet(f"<row>{cell('A1')}</row><row>{cell('XFD1048576')}</row>"), "1,000 columns"),
        (with_sheet(f"<row>{cell('A1')}{cell('A1048576')}</row>"), "1,048,576 rows of 1 columns"),
        (with_sheet(f"<row>{cell('A1')}{cell('ALL50000')}</row>"), "50,000 rows of 1,000 columns"),
        (with_sheet(f"<row>{cell('A1', 'y' * 1_000_001)}</row>"), "more than 1,000,000 char"),
        (change_member(save_rows(("x",)), "xl/styles.xml", bytes(250_000_000)), "200 MB"),
        (repeat_in_ods(1_000_000, 900), "rows of 1,800 columns|more than 1,000 columns"),
        (repeat_in_ods(900_000, 100), "rows of 200 columns are too many"),
        (save_rows(), "no visible rows"),
        (b"PK\x03\x04" + bytes(99), "is damaged"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "is damaged"),
        (save_ole(bytes(512), "WordDocument", 2, 4096), "Save it as DOCX"),
    ],
)  # fmt: skip
def test_what_would_exhaust_the_machine_is_refused_in_one_sentence(
    data: bytes, message: str
) -> None:
    with pytest.raises(CorpusError, match=message) as caught:
        read_spreadsheet(data, "faq.xlsx")
    assert "\n" not in str(caught.value)


def test_entities_are_not_expanded() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>'
    data = change_member(save_rows(("x",)), "xl/worksheets/sheet1.xml", bomb)
    with pytest.raises(CorpusError, match="is damaged"):
        read_spreadsheet(data, "faq.xlsx")


@pytest.mark.parametrize(
    ("file", "sheet", "rows", "columns"),
    [
        ("medication_qa_xlsx/MedInfo2019-QA-Medications.xlsx", "DrugQA", 691, 6),
        ("utility_sesro_xlsx/faq.xlsx", "Sheet1", 22, 9),
    ],
)
def test_real_workbooks_have_their_rows(
    shared: Path, file: str, sheet: str, rows: int, columns: int
) -> None:
    table = read((shared / "corpora" / file).read_bytes())
    assert (table.part, len(table.rows), len(table.rows[0][1])) == (sheet, rows, columns)


@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls"])
def test_a_damaged_workbook_is_read_or_refused_and_nothing_else(shared: Path, kind: str) -> None:
    rng = random.Random(4)
    real = (shared / "corpora/utility_sesro_xlsx/faq.xlsx").read_bytes()
    whole = {"xlsx": real, "ods": save_ods(), "xls": save_xls(("Q", "A"))}[kind]
    members = [] if kind == "xls" else zipfile.ZipFile(io.BytesIO(whole)).namelist()
    refused = []
    for _ in range(200):
        member = rng.choice([name for name in members if name.endswith((".xml", ".rels"))] or [""])
        inside = member and rng.random() < 0.7
        data = zipfile.ZipFile(io.BytesIO(whole)).read(member) if inside else whole
        broken = bytearray(data[: rng.randrange(1, len(data))] if rng.random() < 0.3 else data)
        for _ in range(rng.choice((1, 3, 30))):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        try:
            read_spreadsheet(change_member(whole, member, broken) if inside else broken, "faq")
        except CorpusError as error:
            refused.append(str(error))
    assert 0 < len(refused) < 200
    assert not [message for message in refused if "\n" in message]
