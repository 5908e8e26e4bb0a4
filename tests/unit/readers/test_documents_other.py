"""ODT, RTF, EPUB and saved pages: each made into the page it stands for."""

import io
import quopri
import zipfile

import pytest
from odf.opendocument import OpenDocumentText
from odf.style import Style, TextProperties
from odf.text import H, List, ListItem, P

from trainer.corpus.readers.formats import read_bytes
from trainer.errors import CorpusError

PAIRS = [
    ("Wie kündige ich?", "Schreiben Sie uns bis vier Wochen vor dem Ende."),
    ("Ключ утерян", "Позвоните нам, и мы пришлём новый."),
    ("What does <b> mean & why?", "It means bold, & that is all there is to say."),
]


def read(data: bytes, name: str) -> list[tuple[object, ...]]:
    (table,) = read_bytes(data, name)
    return [cells[:2] for _, cells in table.rows]


def save_odt(*, bold: bool) -> bytes:
    document = OpenDocumentText()
    style = Style(name="Strong", family="paragraph")
    style.addElement(TextProperties(fontweight="bold"))
    document.styles.addElement(style)
    child = Style(name="P1", family="paragraph", parentstylename="Strong")
    document.automaticstyles.addElement(child)
    for question, answer in PAIRS:
        asked = P(stylename=child, text=question) if bold else H(outlinelevel=2, text=question)
        document.text.addElement(asked)
        document.text.addElement(P(text=answer))
    items = List()
    for text in ("first", "second"):
        item = ListItem()
        item.addElement(P(text=text))
        items.addElement(item)
    document.text.addElement(items)
    out = io.BytesIO()
    document.write(out)
    return out.getvalue()


@pytest.mark.parametrize("bold", [False, True])
def test_an_odt_is_read_by_its_headings_and_its_bold_paragraphs(bold: bool):
    *first, last = read(save_odt(bold=bold), "faq.odt")
    assert first == PAIRS[:2]
    assert last == (PAIRS[2][0], f"{PAIRS[2][1]}\n- first\n- second")


def escape(text: str) -> str:
    return "".join(sign if sign.isascii() else f"\\u{ord(sign)}?" for sign in text)


def test_rich_text_is_read_by_its_bold_paragraphs():
    body = "".join(rf"\pard{{\b {escape(q)}}}\par {escape(a)}\par\par" + "\n" for q, a in PAIRS)
    fonts = r"{\fonttbl{\f0 Arial;}}{\*\generator Riched20;}{\header A page\par}"
    assert read(rf"{{\rtf1\ansi\ansicpg1252 {fonts}{body}}}".encode(), "faq.rtf") == PAIRS


def test_rich_text_holds_tables_and_letters_of_its_code_page():
    letters = "".join(f"\\'{byte:02x}" for byte in "Где вы?".encode("cp1251"))
    cells = [("Question", "Answer"), (letters, "Here."), ("When?", "Now.")]
    body = "".join(rf"\trowd {a}\cell {b}\cell\row" + "\n" for a, b in cells)
    rows = read(rf"{{\rtf1\ansi\ansicpg1251 {body}}}".encode(), "faq.rtf")
    assert rows == [("Где вы?", "Here."), ("When?", "Now.")]


PAGE = "".join(
    f"<h3>{q.replace('<', '&lt;')}</h3><p>{a.replace('&', '&amp;')}</p>" for q, a in PAIRS
)


def test_an_epub_is_read_by_its_chapters():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        book.writestr("mimetype", "application/epub+zip")
        book.writestr("META-INF/container.xml", "<container/>")
        book.writestr("OEBPS/content.opf", "<package/>")
        book.writestr("OEBPS/one.xhtml", f"<html><body>{PAGE}</body></html>")
    (table,) = read_bytes(out.getvalue(), "faq.epub")
    assert [cells[:2] for _, cells in table.rows] == PAIRS
    assert not any("left out" in note for note in table.notes)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_page_saved_as_one_file_is_read(line_end: str):
    head = "From: <Saved by Blink>\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=X"
    part = (
        "--X\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable"
    )
    body = quopri.encodestring(f"<html><body>{PAGE}</body></html>".encode()).decode()
    text = f"{head}\n\n{part}\n\n{body}\n--X--\n".replace("\n", line_end)
    assert read(text.encode(), "faq.mhtml") == PAIRS


def test_what_is_damaged_or_has_no_text_is_refused():
    data = save_odt(bold=True)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        new.writestr("mimetype", old.read("mimetype"))
        new.writestr("content.xml", "<broken")
    with pytest.raises(CorpusError, match=r"faq\.odt is damaged"):
        read_bytes(out.getvalue(), "faq.odt")
    for text in ("", "Content-Type: image/png\n\nX", "Content-Type: text/html; charset=zzz\n\n "):
        with pytest.raises(CorpusError, match="without text"):
            read_bytes(f"MIME-Version: 1.0\n{text}\n\n".encode(), "mail.eml")
    with pytest.raises(CorpusError, match=r"TAR archive\. Pack its files as ZIP"):
        read_bytes(b"faq.csv".ljust(257, b"\0") + b"ustar\0", "faq.tar")
