"""Whatever is uploaded ends in a corpus or one clear sentence, and harms no corpus there."""

import io
import random
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from trainer.corpus.library import Corpora, Corpus
from trainer.corpus.readers.sandbox import MOST_MEMORY, MOST_SECONDS, read_tables
from trainer.errors import CorpusError


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/"), data)
    return out.getvalue()


def sheet(rows: bytes) -> bytes:
    """A workbook of one sheet, as small as a reader takes it."""
    schemas = "http://schemas.openxmlformats.org"
    main, office = f"{schemas}/spreadsheetml/2006/main", f"{schemas}/officeDocument/2006"
    package = f"{schemas}/package/2006"
    return zipped(
        **{
            "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>'.encode(),
            "xl__workbook.xml": (
                f'<workbook xmlns="{main}" xmlns:r="{office}/relationships">'
                '<sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>'
            ).encode(),
            "xl___rels__workbook.xml.rels": (
                f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
                f'Type="{office}/relationships/worksheet" Target="worksheets/sheet1.xml"/>'
                "</Relationships>"
            ).encode(),
            "xl__worksheets__sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>'.encode()
            + rows
            + b"</sheetData></worksheet>",
        }
    )


def pictures_only() -> bytes:
    from fpdf import FPDF
    from PIL import Image

    pdf = FPDF()
    for _ in range(3):
        pdf.add_page()
        pdf.image(Image.new("RGB", (200, 200), "grey"))
    return bytes(pdf.output())


def encrypted_workbook() -> bytes:
    """The head of a compound file whose one stream is called EncryptedPackage."""
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + b"\x3e\x00\x03\x00\xfe\xff\x09\x00"
    return head + bytes(480) + "EncryptedPackage".encode("utf-16-le") + bytes(4096)


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">' + b"".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(9)
) + b"]><faq><q>&j;</q></faq>"  # fmt: skip

HOSTILE: dict[str, Callable[[], bytes]] = {
    "program.csv": lambda: b"\x7fELF\x02\x01\x01" + random.Random(1).randbytes(50_000),
    "noise.csv": lambda: random.Random(2).randbytes(200_000),
    "columns.csv": lambda: b"," * 1_000_000 + b"\n" + b"," * 1_000_000,
    "cell.csv": lambda: b'question,answer\nHow?,"' + b"x" * 49_000_000 + b'"\n',
    "quotes.csv": lambda: b'question,answer\n"' + b'""' * 5_000_000,
    "deep.json": lambda: b"[" * 10_000 + b"]" * 10_000,
    "deep-objects.json": lambda: b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "keys.json": lambda: b"[" + b",".join(b'{"k%d": "x"}' % n for n in range(30_000)) + b"]",
    "laughs.xml": lambda: LAUGHS,
    "aliases.yaml": lambda: (
        b"a0: &a0 [x, x]\n"
        + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 40))
    ),
    "bomb.zip": lambda: zipped(**{f"{n}.csv": bytes(40_000_000) for n in range(30)}),
    "bomb.xlsx": lambda: sheet(b"<row><c><v>1</v></c></row>" * 8_000_000),
    "far.xlsx": lambda: sheet(
        b'<row r="1"><c r="A1"><v>1</v></c></row>'
        b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    ),
    "climb.zip": lambda: zipped(**{"..__..__etc__faq.csv": b"question,answer\nHow?,So.\n"}),
    "locked.xlsx": encrypted_workbook,
    "pictures.pdf": pictures_only,
    "cut.pdf": lambda: pictures_only()[:700],
    "divs.html": lambda: b"<html><body>" + b"<div>" * 200_000 + b"Why?",
    "stars.md": lambda: b"*a " * 300_000,
    "brackets.md": lambda: b"[" * 300_000,
    "line.txt": lambda: b"Q: " + b"a" * 20_000_000,
    "marks.txt": lambda: b"?\n" * 2_000_000,
}

SAYS = {
    "program.csv": "is a program",
    "noise.csv": "not a text file",
    "columns.csv": "is empty",
    "cell.csv": "row 2: a cell holds more than 1,000,000 characters",
    "quotes.csv": "a quotation mark that is not closed",
    "deep.json": "nested more than 100 levels",
    "deep-objects.json": "nested more than 100 levels",
    "keys.json": "no questions with answers",
    "laughs.xml": "entities of its own",
    "aliases.yaml": "refers to its own parts",
    "bomb.zip": "unpacks to more than 50 MB",
    "bomb.xlsx": "unpacks to more than 200 MB",
    "far.xlsx": "sheet 'a': more than 1,000 columns",
    "climb.zip": "leads out of the archive",
    "locked.xlsx": "protected with a password",
    "pictures.pdf": "Run OCR",
    "cut.pdf": "is damaged",
    "divs.html": "nests more than 1,000 elements",
    "stars.md": "No question-answer pairs",
    "brackets.md": "No question-answer pairs",
    "line.txt": "more than 10,000,000 characters",
    "marks.txt": "200,000 are read",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_ends_in_one_sentence_soon(
    corpora: Corpora, corpus: Corpus, tmp_path: Path, name: str
) -> None:
    before = sorted(corpora.root.rglob("*"))
    file = tmp_path / name
    file.write_bytes(HOSTILE[name]())
    began = time.monotonic()
    with pytest.raises(CorpusError, match=SAYS[name]) as caught:
        corpora.add(file)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    assert time.monotonic() - began < MOST_SECONDS + 5
    assert sorted(corpora.root.rglob("*")) == before


@pytest.mark.parametrize(
    "name", ["cell.csv", "columns.csv", "bomb.xlsx", "aliases.yaml", "laughs.xml", "line.txt"]
)
def test_reading_a_hostile_file_stays_within_its_memory(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(HOSTILE[name]())
    script = (
        "import resource, subprocess, sys\n"
        "command = [sys.executable, '-m', 'trainer.corpus.readers.sandbox', sys.argv[1]]\n"
        "subprocess.run(command, stdout=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    said = subprocess.check_output([sys.executable, "-c", script, str(file)])
    assert 10_000 < int(said) * 1024 < MOST_MEMORY


def read_or_refuse(file: Path) -> str:
    try:
        return f"{len(read_tables(file))} tables"
    except CorpusError as error:
        return str(error)


@pytest.mark.slow
def test_real_files_that_were_damaged_are_read_or_refused_in_a_sentence(
    shared: Path, tmp_path: Path
) -> None:
    rng = random.Random(5)
    files = [
        "corpora/utility_sesro_xlsx/faq.xlsx",
        "corpora/vehicle_inspection_docx/FAQ.docx",
        "corpora/ecommerce_faq_json/Ecommerce_FAQ_Chatbot_dataset.json",
        "corpora/course_faq_de_pdf/FAQ.pdf",
        "corpora/letsencrypt_faq_md_multilang/ja_faq.md",
        "corpora/gov_defense_fr_html_page/defense-2020-05-04.html",
    ]
    for name in files:
        data = bytearray((shared / name).read_bytes())
        for turn in range(4):
            hurt = data[: rng.randrange(len(data))] if turn % 2 else bytearray(data)
            for _ in range(rng.randrange(1, 40)):
                hurt[rng.randrange(len(hurt))] = rng.randrange(256)
            file = tmp_path / f"hurt-{turn}{Path(name).suffix}"
            file.write_bytes(hurt)
            assert "\n" not in read_or_refuse(file)
