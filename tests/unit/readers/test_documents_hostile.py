"""Documents that are damaged, or made to exhaust whoever reads them."""

import io
import random
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
from fpdf import FPDF

from trainer.corpus.readers.documents.docx import read_docx
from trainer.corpus.readers.documents.html import read_html
from trainer.corpus.readers.documents.markdown import read_markdown
from trainer.corpus.readers.documents.pdf import read_pdf
from trainer.corpus.readers.documents.plain import read_plain
from trainer.corpus.table import Table
from trainer.errors import CorpusError

Reader = Callable[[bytes, str], list[Table]]
MANY = 100_000


def ends_well(read: Reader, data: bytes) -> bool:
    """Whether a file is read; else it was refused in a sentence that names it."""
    said = ""
    tables: list[Table] = []
    try:
        tables = read(data, "file.x")
    except CorpusError as refused:
        said = str(refused)
    if said:
        assert "file.x" in said
        assert "\n" not in said
        return False
    assert tables
    for table in tables:
        assert all(len(cells) >= 2 for _, cells in table.rows)
        if table.header:
            assert all(cells[0].strip() and cells[1].strip() for _, cells in table.rows)
    return True


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * MANY + "Why?",
        "<span>" * MANY,
        "<p><b>x" * MANY,
        "<x>" * MANY,
        "<table>" * MANY,
        "<table><tr><td>" * 900,
        "<details><summary>Why?</summary>So" * 900,
        "<!--" * MANY,
        "<script>" * MANY,
        "<" * MANY,
        '<a href="' * MANY,
        "<div " + " ".join(f"a{n}=b" for n in range(MANY)) + ">",
        '<script type="application/ld+json">' + "[" * MANY + "</script><h2>a?</h2>b<h2>c?</h2>d",
        '<div class="menu nav related">' * 900 + "Why?" * MANY,
        "&amp;" * MANY,
        "x" * 50_000_000,
    ],
    ids=lambda page: page[:25],
)
def test_a_hostile_page_is_over_in_seconds(page: str):
    started = time.process_time()
    ends_well(read_html, page.encode())
    assert time.process_time() - started < 8


@pytest.mark.parametrize(
    "sign", [">", "*", "[", "`", "*a ", "![[", "<a ", "[](", "- ", "1. ", "\\"]
)
def test_markdown_of_one_sign_is_over_in_seconds(sign: str):
    started = time.process_time()
    assert not ends_well(read_markdown, (sign * MANY).encode())
    assert time.process_time() - started < 8


@pytest.mark.parametrize(
    "text",
    [
        "\t" * MANY,
        "{{<" * MANY,
        "|a" * 20_000 + "\n" + "|-" * 20_000,
        "---\n" * 20_000,
        "\n>" * MANY,
    ],
    ids=lambda text: text[:5],
)
def test_markdown_that_costs_the_square_elsewhere_is_over_in_seconds(text: str):
    started = time.process_time()
    assert not ends_well(read_markdown, text.encode())
    assert time.process_time() - started < 8


@pytest.mark.parametrize(
    "text",
    [
        "x" * 50_000_000,
        "Q: " * 300_000,
        "1. why\n" * 20_000,
        "\n" * 1_000_000,
        "Why?" + ". " * 300_000,
        "[" * 900_000,
        "1." * 400_000,
        ("=" * 20 + " a " + "=" * 20 + "\n") * 10_000,
        "Q: a?\nA: b\n" * 100_000,
    ],
    ids=lambda text: text[:8],
)
def test_a_hostile_text_is_over_in_seconds(text: str):
    started = time.process_time()
    ends_well(read_plain, text.encode())
    assert time.process_time() - started < 8


def test_a_word_document_that_unpacks_to_a_gigabyte_is_refused():
    file = io.BytesIO()
    docx.Document().save(file)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/media/image1.png", b"\0" * 60_000_000)
    assert not ends_well(read_docx, file.getvalue())


@pytest.mark.parametrize(
    "document",
    [
        "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><w:document {}><w:body><w:p><w:r>"
        "<w:t>&b;</w:t></w:r></w:p></w:body></w:document>",
        "<w:document {}><w:body>" + "<w:tbl><w:tr><w:tc>" * 5_000,
        "<w:document {}><w:body>"
        + "<w:sdt>" * 250
        + "<w:p/>"
        + "</w:sdt>" * 250
        + "</w:body></w:document>",
        "<w:document {}/>",
        "",
    ],
    ids=["entities", "unclosed", "nested", "no body", "empty"],
)
def test_a_word_document_of_hostile_xml_is_refused(document: str):
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    original = io.BytesIO()
    docx.Document().save(original)
    changed = io.BytesIO()
    with zipfile.ZipFile(original) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            text = document.replace("{}", space).encode()
            new.writestr(name, text if name == "word/document.xml" else old.read(name))
    assert not ends_well(read_docx, changed.getvalue())


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Cut, change, repeat or insert something at a few places."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(changed) or 1)
        end = start + chance.randint(1, 1_000)
        match chance.randrange(6):
            case 0:
                del changed[start:]
            case 1:
                changed[start : start + 1] = bytes([chance.randrange(256)])
            case 2:
                del changed[start:end]
            case 3:
                changed[start:start] = changed[start:end] * chance.randint(1, 20)
            case 4:
                changed[start:start] = chance.randbytes(chance.randint(1, 40))
            case _:
                pieces = (b"<table>", b"</div>", b"**", b"??", b"\0\0", b"\n\n", b"<w:p>", b"'-1'")
                changed[start:end] = chance.choice(pieces) * chance.randint(1, 30)
    return bytes(changed)


def mutate_inside(data: bytes, chance: random.Random) -> bytes:
    """Mutate a member of an archive, which then still opens."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            inside = name in ("word/document.xml", "word/styles.xml", "word/numbering.xml")
            if chance.random() > 0.02:
                new.writestr(
                    name, mutate(text, chance) if inside and chance.random() < 0.4 else text
                )
    return changed.getvalue()


SEEDS: dict[str, tuple[Reader, str, int]] = {
    "html": (read_html, "gov_defense_fr_html_page/defense-2020-05-04.html", 100),
    "markdown": (read_markdown, "letsencrypt_faq_md_multilang/ja_faq.md", 100),
    "plain": (read_plain, "letsencrypt_faq_md_multilang/he_faq.md", 100),
    "docx": (read_docx, "streaming_tonton_ms_docx/FAQ.docx", 100),
    "pdf": (read_pdf, "course_faq_de_pdf/FAQ.pdf", 5),  # half a second each
}


@pytest.mark.slow
@pytest.mark.parametrize("format_", SEEDS)
def test_a_mutated_real_file_is_read_or_refused_in_a_sentence(format_: str, shared: Path):
    read, file, times = SEEDS[format_]
    data = (shared / "corpora" / file).read_bytes()
    outcomes = set()
    for seed in range(times):
        chance = random.Random(seed)
        change = mutate_inside if format_ == "docx" and seed % 2 else mutate
        outcomes.add(ends_well(read, change(data, chance)))
    assert False in outcomes


def test_a_mutated_small_pdf_is_read_or_refused_in_a_sentence():
    page = FPDF()
    page.set_compression(compress=False)
    page.add_page()
    for number in range(4):
        for style, text in (("B", f"Question number {number}?"), ("", f"Answer {number}.")):
            page.set_font("helvetica", style, 11)
            page.multi_cell(0, 8, text, new_x="LMARGIN", new_y="NEXT")
    data = bytes(page.output())
    assert ends_well(read_pdf, data)
    outcomes = {ends_well(read_pdf, mutate(data, random.Random(seed))) for seed in range(100)}
    assert outcomes == {True, False}
