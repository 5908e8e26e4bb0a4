"""Word documents: paragraphs, lists and tables as blocks, deleted and hidden text left out."""

import io
from collections.abc import Iterator

import docx

from trainer.corpus.readers.archive import check_zip
from trainer.corpus.readers.documents.blocks import MOST_TEXT, Block, join_answer
from trainer.corpus.readers.documents.docx_styles import (
    Element,
    Numbering,
    Style,
    W,
    get_integer,
    get_value,
    is_on,
    read_numbering,
    read_styles,
)
from trainer.corpus.readers.documents.grids import Grid, count_worded, find_columns, table_blocks
from trainer.corpus.readers.documents.pairs import find_pairs, make_table
from trainer.corpus.table import Table
from trainer.errors import CorpusError

_LEFT_OUT = frozenset(
    f"{W}{tag}"
    for tag in ("del", "moveFrom", "pPr", "rPr", "sdtPr", "instrText", "footnoteReference")
) | {"{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}
_SYMBOLS = {
    "F0E0": "→",
    "F0E8": "→",
    "F0DF": "←",
    "F0B7": "•",
    "F0A7": "▪",
    "F0FC": "✓",
    "F0FE": "☑",
}
_MOST_NESTED = 200
_GRID_SHARE = 0.6  # of the document's text, in one table: then the table is the document


def read_docx(data: bytes, name: str) -> list[Table]:
    """Read the questions and answers of a Word document."""
    check_zip(data, name)
    try:
        document = docx.Document(io.BytesIO(data))
        body = document.element.body
        styles = read_styles(document.part)
        numbering = read_numbering(document.part)
    except Exception as error:  # python-docx raises whatever its parsers do
        raise CorpusError(
            f"{name} is damaged or no Word document: it cannot be opened. Open it in the program "
            "that made it and save it again as DOCX."
        ) from error
    if body is None:
        raise CorpusError(f"{name} holds no text. Check that it is the right file.")
    walk = _Walk(styles, numbering)
    blocks = list(walk.read(body))
    if sum(len(block.text) for block in blocks) > MOST_TEXT:
        raise CorpusError(f"{name} holds more than {MOST_TEXT:,} characters. Split it into parts.")
    if table := _find_main_table(walk.grids, blocks):
        return [table]
    pairs, notes = find_pairs(blocks, name)
    return [make_table(pairs, "DOCX", "paragraph", notes=notes)]


def _find_main_table(grids: list[Grid], blocks: list[Block]) -> Table | None:
    """Take the document as a sheet where most of it is one table of several columns."""
    if not grids:
        return None
    grid = max(grids, key=lambda grid: sum(len(cell) for row in grid for cell in row))
    size = sum(len(cell) for row in grid for cell in row)
    columns = max(map(len, grid))
    whole = sum(len(block.text) for block in blocks)
    if len(grid) < 3 or not 2 <= columns <= 20 or size < _GRID_SHARE * whole:
        return None
    if find_columns(grid) is None:
        return None
    rows = tuple(
        (number, tuple(row + [""] * (columns - len(row)))) for number, row in enumerate(grid, 1)
    )
    return Table("DOCX", rows, unit="row", part="table" if len(grids) > 1 else "")


class _Walk:
    """One pass over the body, in the order a reader sees it."""

    def __init__(self, styles: dict[str, Style], numbering: Numbering) -> None:
        self.styles, self.numbering = styles, numbering
        self.place = 0
        self.gap = True
        self.scope = 0
        self.grids: list[Grid] = []

    def read(self, parent: Element, nesting: int = 0) -> Iterator[Block]:
        """Yield the blocks of a body, a cell or a text box."""
        for child in parent:
            if child.tag == f"{W}p":
                yield from self.read_paragraph(child, nesting)
            elif child.tag == f"{W}tbl":
                yield from self.read_table(child, nesting)
            elif nesting < _MOST_NESTED and child.tag not in _LEFT_OUT:
                if get_value(child, "sdtPr/docPartObj/docPartGallery") == "Table of Contents":
                    continue
                yield from self.read(child, nesting + 1)

    def read_paragraph(self, paragraph: Element, nesting: int) -> Iterator[Block]:
        if not nesting:
            self.place += 1
        style_id = get_value(paragraph, "pPr/pStyle") or ""
        style = self.styles.get(style_id, Style())
        text, lead, size = self.read_text(paragraph, style)
        boxes = list(_find_boxes(paragraph))
        skipped = len(text) - len(text.lstrip())
        text = text.strip()
        if style.contents:
            return
        if text:
            number = self._number(paragraph, style)
            marker = self.numbering.mark(*number) if number else ""
            outline = get_integer(get_value(paragraph, "pPr/outlineLvl"))
            level = style.level if outline is None else (outline + 2 if outline < 9 else 0)
            looks = tuple(
                f"{kind} {value}"
                for kind, value in (("style", style_id), ("list", number), ("size", size))
                if value
            )
            yield Block(
                text,
                self.place,
                level=level,
                marker="" if level else marker,
                depth=number[1] if number else 0,
                lead=max(0, min(lead - skipped, len(text))),
                gap=self.gap,
                looks=looks,
            )
        self.gap = not text
        for box in boxes:
            if nesting < _MOST_NESTED:
                yield from self.read(box, nesting + 1)

    def _number(self, paragraph: Element, style: Style) -> tuple[str, int] | None:
        list_ = get_value(paragraph, "pPr/numPr/numId")
        if list_ is None:
            return style.number
        depth = get_integer(get_value(paragraph, "pPr/numPr/ilvl")) or 0
        return (list_, min(depth, 9)) if list_ not in ("0", "") else None

    def read_text(self, paragraph: Element, style: Style) -> tuple[str, int, int]:
        """Read a paragraph's text, how many of its first characters are bold, and their size."""
        parts: list[str] = []
        length, lead, size = 0, -1, 0
        for run in _find_runs(paragraph):
            if is_on(run, "rPr/vanish"):
                continue
            text = "".join(_read_run(run))
            character = self.styles.get(get_value(run, "rPr/rStyle") or "", Style())
            bold = is_on(run, "rPr/b")
            if bold is None:
                bold = style.bold or character.bold
            if text.strip() and not bold and lead < 0:
                lead = length
            if text.strip() and not size:
                size = get_integer(get_value(run, "rPr/sz")) or character.size or style.size
            parts.append(text)
            length += len(text)
        return "".join(parts), length if lead < 0 else lead, size

    def read_table(self, table: Element, nesting: int) -> Iterator[Block]:
        """Read a table of questions and answers, one that only lays out, or one in an answer."""
        rows: list[list[list[Block]]] = []
        places: list[int] = []
        for row in table.iter(f"{W}tr"):
            if row.getparent() is not table and nesting + 1 >= _MOST_NESTED:
                continue
            if _nearest_table(row) is not table:
                continue
            self.place += not nesting
            places.append(self.place)
            cells = [cell for cell in row.iter(f"{W}tc") if _nearest_row(cell) is row]
            rows.append([list(self.read(cell, nesting + 1)) for cell in cells])
        grid = [[join_answer(cell) for cell in row] for row in rows]
        columns = find_columns(grid)
        if grid and not nesting:
            self.grids.append(grid)
        layout = columns is None and (
            count_worded(grid) < 2
            or any(block.level for row in rows for cell in row for block in cell)
            or max((len(cell) for row in grid for cell in row), default=0) > 600
        )
        if layout:
            blocks = (block for row in rows for cell in row for block in cell)
            yield from (block for block in blocks if not block.text.isdigit())
        else:
            self.scope += 2 * len(grid) + 2
            yield from table_blocks(grid, places, self.scope - 2 * len(grid) - 1)


def _nearest_table(row: Element) -> Element | None:
    return next(row.iterancestors(f"{W}tbl"), None)


def _nearest_row(cell: Element) -> Element | None:
    return next(cell.iterancestors(f"{W}tr"), None)


def _find_runs(element: Element) -> Iterator[Element]:
    """Yield the runs of a paragraph, those of links and insertions too, not those of text boxes."""
    left: list[Element] = list(reversed(element))
    while left:
        child = left.pop()
        if child.tag == f"{W}r":
            yield child
        elif child.tag not in _LEFT_OUT and isinstance(child.tag, str):
            left += reversed(child)


def _read_run(run: Element) -> Iterator[str]:
    for child in run:
        if child.tag == f"{W}t":
            yield child.text or ""
        elif child.tag == f"{W}tab":
            yield " "
        elif child.tag in (f"{W}br", f"{W}cr"):
            yield "\n"
        elif child.tag == f"{W}noBreakHyphen":
            yield "-"
        elif child.tag == f"{W}sym":
            yield _SYMBOLS.get((child.get(f"{W}char") or "").upper(), "")


def _find_boxes(paragraph: Element) -> Iterator[Element]:
    """Yield the text boxes anchored in a paragraph, each once: old Words get a second copy."""
    for box in paragraph.iter(f"{W}txbxContent"):
        ancestors = list(box.iterancestors())
        inside = ancestors[: ancestors.index(paragraph)]
        if not any(a.tag in _LEFT_OUT or a.tag == f"{W}txbxContent" for a in inside):
            yield box
