"""PDF: the lines of its pages, joined into paragraphs, headers and page numbers left out."""

# ruff: noqa: RUF001 - signs of other alphabets are the point

import io
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from trainer.corpus.readers.documents.blocks import MOST_TEXT, NUMBER, Block, join_wrapped
from trainer.corpus.readers.documents.grids import Grid, table_blocks
from trainer.corpus.readers.documents.pairs import find_pairs, make_table
from trainer.corpus.readers.documents.pdf_lines import (
    Line,
    find_tables,
    read_letters,
    read_letters_by_pdfium,
    read_lines,
)
from trainer.corpus.readers.documents.words import is_question, starts_with_label
from trainer.corpus.table import Table
from trainer.errors import CorpusError

MOST_PAGES = 2_000
_MOST_SECONDS = 24.0
_BULLET = re.compile(r"\s*(?:[•‣▪●○■►▶→·✓➤❖\uf0b7\uf0a7]|[-*–—](?=\s)|\(?[a-z][.)]\s)")
_DOTS = re.compile(r"(?:\.\s?){4,}\s*\d{1,4}\s*$|…{2,}\s*\d{1,4}\s*$")


def read_pdf(data: bytes, name: str) -> list[Table]:
    """Read the questions and answers of a PDF whose text is text."""
    pages, tables = _read_pages(data, name)
    if not _is_legible(pages) and not tables:
        pages = _read_pages_by_pdfium(data) or pages
    if not any(pages) and not tables:
        raise CorpusError(
            f"{name} holds pictures of text and no text. Run OCR (text recognition) on it, for "
            "example with ocrmypdf or your scanner's program, and upload the result."
        )
    if not _is_legible(pages) and not tables:
        raise CorpusError(
            f"The fonts of {name} do not say which letters they draw. Save it anew from the "
            "program that made it, or run OCR (text recognition) on it."
        )
    repeated = _find_repeated(pages)
    kept = [_drop_margins(lines, repeated) for lines in pages]
    pairs, notes = find_pairs(list(_make_blocks(kept, tables)), name)
    return [make_table(pairs, "PDF", "page", notes=notes)]


def _is_legible(pages: list[list[Line]]) -> bool:
    """Whether the letters are known, not only where they stand."""
    signs = sum(len(line.text) for lines in pages for line in lines)
    unknown = sum(line.text.count("(cid:") for lines in pages for line in lines)
    return signs > 20 * unknown


def _read_page(page: Any, number: int, boxes: list[Any]) -> list[Line]:
    return read_lines(read_letters(page), float(page.width), number, boxes)


def _read_pages_by_pdfium(data: bytes) -> list[list[Line]]:
    """Read the pages a second time, where the first found no letters."""
    import pypdfium2  # type: ignore[import-untyped]  # noqa: PLC0415 - rarely needed

    try:
        with pypdfium2.PdfDocument(data) as document:
            return [
                read_lines(read_letters_by_pdfium(page), float(page.get_size()[0]), number)
                for number, page in enumerate(document, 1)
            ]
    except pypdfium2.PdfiumError:
        return []


_Tables = dict[int, list[tuple[float, Grid]]]


def _read_pages(data: bytes, name: str) -> tuple[list[list[Line]], _Tables]:
    import pdfplumber  # noqa: PLC0415 - it takes as long as the rest of the package
    from pdfminer.pdfdocument import PDFPasswordIncorrect  # noqa: PLC0415 - with pdfplumber
    from pdfplumber.utils.exceptions import PdfminerException  # noqa: PLC0415

    pages: list[list[Line]] = []
    tables: _Tables = {}
    started, signs = time.monotonic(), 0
    try:
        with pdfplumber.open(io.BytesIO(data)) as document:
            count = len(document.pages)
            if count > MOST_PAGES:
                raise CorpusError(
                    f"{name} has {count:,} pages; at most {MOST_PAGES:,} are read. Split it."
                )
            for number, page in enumerate(document.pages, 1):
                if time.monotonic() - started > _MOST_SECONDS:
                    raise CorpusError(
                        f"Only {number - 1} of the {count:,} pages of {name} could be read in "
                        f"{_MOST_SECONDS:.0f} seconds. Split it into parts of {number // 2 or 1} "
                        "pages."
                    )
                found = find_tables(page)
                if found:
                    tables[number] = [(table.bbox[1], grid) for table, grid in found]
                pages.append(_read_page(page, number, [t.bbox for t, _ in found]))
                signs += sum(len(line.text) for line in pages[-1])
                if signs > MOST_TEXT:
                    raise CorpusError(
                        f"{name} holds more than {MOST_TEXT:,} characters. Split it into parts."
                    )
                page.close()
    except CorpusError:
        raise
    except Exception as error:  # pdfminer raises whatever its parsers stumble over
        cause = error.args[0] if isinstance(error, PdfminerException) and error.args else error
        if isinstance(cause, PDFPasswordIncorrect):
            raise CorpusError(
                f"{name} is protected with a password. Save it without one and upload it again."
            ) from None
        raise CorpusError(
            f"{name} is damaged: its pages cannot be read. Save or print it anew as PDF, or copy "
            "its text into a document."
        ) from error
    return pages, tables


def _find_repeated(pages: list[list[Line]]) -> set[str]:
    """Find what stands at the top or bottom of many pages, whatever number it holds."""
    if len(pages) < 2:
        return set()
    seen = Counter(
        key
        for lines in pages
        for key in {_bare(line.text) for line in (*lines[:3], *lines[-3:]) if len(line.text) < 150}
    )
    least = 2 if len(pages) < 4 else max(3, 0.3 * len(pages))
    return {key for key, count in seen.items() if count >= least}


def _bare(text: str) -> str:
    return re.sub(r"\d+", "#", "".join(text.split()).casefold())


_PAGE_NUMBER = re.compile(
    r"(?i)\W*(?:(?:page|seite|página|pagina|strona|страница|стр|sivu|sida|side|halaman|trang|p|s)?[.\s]*\d{1,4}"
    r"(?:\s*(?:/|of|von|de|sur|di|van|av|из|z|of)\s*\d{1,4})?|第\s*\d+\s*[页頁ページ]+.{0,12}|[ivxlc]{1,6})\W*$"
)


def _drop_margins(lines: list[Line], repeated: set[str]) -> list[Line]:
    """Leave out running headers, footers and page numbers, which stand apart from the text."""
    kept = lines
    for _ in ("bottom", "top"):
        kept = kept[::-1]
        for count in (1, 2, 3):
            outer, inner = kept[:count], kept[count : count + 1]
            if (
                len(outer) == count
                and all(_is_margin(line, repeated) for line in outer)
                and (not inner or _stands_apart(outer[-1], inner[0]))
            ):
                kept = kept[count:]
                break
    return kept


def _is_margin(line: Line, repeated: set[str]) -> bool:
    if _PAGE_NUMBER.match(line.text):
        return True
    return _bare(line.text) in repeated and not is_question(line.text)


def _stands_apart(line: Line, text: Line) -> bool:
    gap = max(line.top - text.bottom, text.top - line.bottom)
    return gap > 0.8 * line.size or abs(line.size - text.size) > 0.5 or line.font != text.font


# --- Lines to paragraphs -----------------------------------------------------------------------


def _make_blocks(pages: Iterable[list[Line]], tables: _Tables) -> Iterator[Block]:
    pages = list(pages)
    lines = [line for page in pages for line in page]
    usual = Counter[float]()
    for line in lines:
        usual[line.size] += len(line.text)
    body = usual.most_common(1)[0][0] if usual else 10.0
    large = sorted({s for s in usual if s > 1.12 * body + 0.2 and _names(s, lines)}, reverse=True)
    levels = {size: min(6, n) for n, size in enumerate(large, 1)}
    step = _usual_step(lines)
    previous: list[Line] = []
    scope = 1
    for number, page in enumerate(pages, 1):
        left_tables = sorted(tables.get(number, []), key=lambda table: table[0])
        for line in page:
            while left_tables and left_tables[0][0] < line.top:
                yield from _flush(previous, levels, step)
                previous = []
                grid = left_tables.pop(0)[1]
                yield from table_blocks(grid, [number] * len(grid), scope)
                scope += 2 * len(grid) + 2
            if _DOTS.search(line.text):
                continue
            if previous and not _continues(previous, line, step):
                yield from _flush(previous, levels, step)
                previous = [previous[-1], line]
            else:
                previous = [*(previous or [line]), line]
        for _, grid in left_tables:
            yield from _flush(previous, levels, step)
            previous = []
            yield from table_blocks(grid, [number] * len(grid), scope)
            scope += 2 * len(grid) + 2
    yield from _flush(previous, levels, step)


def _names(size: float, lines: Sequence[Line]) -> bool:
    """Whether a large size is that of headings, not of text that happens to be larger."""
    alike = [line.text for line in lines if line.size == size]
    sentences = sum(text.endswith((".", "。", ",", ";")) for text in alike)
    return sum(map(len, alike)) < 0.35 * sum(len(line.text) for line in lines) and (
        sentences <= 0.15 * len(alike)
    )


def _flush(lines: list[Line], levels: dict[float, int], step: float) -> Iterator[Block]:
    """Write the paragraph that all but the first line make; the first stood before it."""
    if len(lines) < 2:
        return
    before, paragraph = lines[0], lines[1:]
    text, bold = "", True
    lead = 0
    for line in paragraph:
        longer = join_wrapped(text, line.text)
        if bold:
            lead = len(longer) - len(line.text) + line.lead
            bold = line.lead >= len(line.text)
        text = longer
    first = paragraph[0]
    yield Block(
        text,
        first.page,
        level=levels.get(first.size, 0) if len(text) <= 250 else 0,
        lead=min(lead, len(text)),
        gap=before is first or _apart(before, first, step),
        looks=(f"size {first.size}", f"font {first.font}"),
    )


def _usual_step(lines: Sequence[Line]) -> float:
    steps = Counter(
        round(b.bottom - a.bottom)
        for a, b in pairwise(lines)
        if a.page == b.page and 0.8 * b.size < b.bottom - a.bottom < 3 * b.size
    )
    return float(steps.most_common(1)[0][0]) if steps else 14.0


def _apart(line: Line, following: Line, step: float) -> bool:
    if following.page != line.page or following.bottom < line.bottom:
        return False
    usual = max(step * following.size / max(line.size, 1.0), 1.15 * following.size)
    return following.bottom - line.bottom > 1.35 * min(usual, 1.6 * following.size)


def _continues(previous: list[Line], line: Line, step: float) -> bool:
    """Whether a line goes on with the paragraph above it, which was only wrapped there."""
    last = previous[-1]
    margin = last.margin
    if abs(last.size - line.size) > 0.6 or _apart(last, line, step):
        return False
    if (last.lead >= len(last.text)) != (line.lead > 0) and not last.text.endswith("-"):
        return False
    if _BULLET.match(line.text) or NUMBER.match(line.text) or starts_with_label(line.text):
        return False
    if re.search(r"[^\W\d_]-$", last.text) and line.text[0].islower():
        return True
    fits = last.right + line.space < margin - 2
    if not fits:
        return not (is_question(last.text) and last.right < 0.7 * margin)
    return bool(
        line.text[0].islower()
        and last.text[-1:].isalpha()
        and last.right > 0.8 * margin
        and abs(line.left - last.left) < 2 * line.size
    )
