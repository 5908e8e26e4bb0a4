"""Word documents: paragraphs, lists and tables as blocks, deleted and hidden text left out."""

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import docx
from lxml import etree  # type: ignore[import-untyped]

from trainer.corpus.readers.archive import check_zip
from trainer.corpus.readers.documents.blocks import MOST_TEXT, Block, join_answer
from trainer.corpus.readers.documents.grids import Grid, find_columns, table_blocks
from trainer.corpus.readers.documents.pairs import find_pairs, make_table
from trainer.corpus.table import Table
from trainer.errors import CorpusError

Element = etree._Element
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_LEFT_OUT = frozenset(
    f"{_W}{tag}"
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
        styles = _read_styles(document.part)
        numbering = _read_numbering(document.part)
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


@dataclass(frozen=True)
class _Style:
    """What a paragraph or character style says, with what it inherits."""

    level: int = 0
    bold: bool = False
    size: int = 0
    number: tuple[str, int] | None = None
    contents: bool = False


@dataclass
class _Numbering:
    """How lists are marked: "-" or numbers, for each list and depth, and where they count from."""

    marks: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    counts: Counter[tuple[str, int]] = field(default_factory=Counter)

    def mark(self, list_: str, depth: int) -> str:
        """Count one item and write its mark."""
        kind, start = self.marks.get((list_, depth), ("", 1))
        for other in [key for key in self.counts if key[0] == list_ and key[1] > depth]:
            del self.counts[other]
        self.counts[list_, depth] += 1
        number = self.counts[list_, depth] + start - 1
        return {"bullet": "-", "none": "", "": "-"}.get(kind, f"{number}.")


def _value(element: Element | None, path: str, key: str = "val") -> str | None:
    found = (
        None if element is None else element.find("/".join(_W + step for step in path.split("/")))
    )
    return None if found is None else found.get(_W + key, "")


def _is_on(element: Element | None, path: str) -> bool | None:
    value = _value(element, path)
    return None if value is None else value not in ("0", "false", "off", "none")


def _integer(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 7 else None


def _read_styles(part: object) -> dict[str, _Style]:
    """Resolve every style by what it is based on; names are local, ids and levels are not."""
    elements = {
        style.get(_W + "styleId", ""): style
        for style in part.styles.element.iter(_W + "style")  # type: ignore[attr-defined]
    }
    resolved: dict[str, _Style] = {}
    for id_ in elements:
        chain: list[str] = []
        while id_ in elements and id_ not in chain and len(chain) < 20:
            chain.append(id_)
            id_ = _value(elements[id_], "basedOn") or ""
        style = _Style()
        for link in reversed(chain):
            style = _inherit(style, elements[link])
        if chain:
            resolved[chain[0]] = style
    return resolved


def _inherit(base: _Style, element: Element) -> _Style:
    name = (_value(element, "name") or "").casefold()
    outline = _integer(_value(element, "pPr/outlineLvl"))
    level = base.level
    if name.startswith("heading ") and name[8:].isdigit():
        level = min(9, int(name[8:])) + 1
    elif name == "title":
        level = 1
    elif outline is not None:
        level = outline + 2 if outline < 9 else 0
    bold = _is_on(element, "rPr/b")
    list_ = _value(element, "pPr/numPr/numId")
    depth = _integer(_value(element, "pPr/numPr/ilvl")) or 0
    return _Style(
        level=level,
        bold=base.bold if bold is None else bold,
        size=_integer(_value(element, "rPr/sz")) or base.size,
        number=(list_, min(depth, 9)) if list_ and list_ != "0" else base.number,
        contents=base.contents or name.startswith(("toc ", "table of ")),
    )


def _read_numbering(part: object) -> _Numbering:
    numbering = _Numbering()
    try:
        root = part.numbering_part.element  # type: ignore[attr-defined]
    except (KeyError, NotImplementedError):
        return numbering
    kinds: dict[str, dict[int, tuple[str, int]]] = {}
    for abstract in root.iter(_W + "abstractNum"):
        levels = kinds.setdefault(abstract.get(_W + "abstractNumId", ""), {})
        for level in abstract.iter(_W + "lvl"):
            depth = _integer(level.get(_W + "ilvl")) or 0
            start = _integer(_value(level, "start"))
            levels[depth] = (_value(level, "numFmt") or "decimal", 1 if start is None else start)
    for number in root.iter(_W + "num"):
        for depth, mark in kinds.get(_value(number, "abstractNumId") or "", {}).items():
            numbering.marks[number.get(_W + "numId", ""), depth] = mark
    return numbering


class _Walk:
    """One pass over the body, in the order a reader sees it."""

    def __init__(self, styles: dict[str, _Style], numbering: _Numbering) -> None:
        self.styles, self.numbering = styles, numbering
        self.place = 0
        self.gap = True
        self.scope = 0
        self.grids: list[Grid] = []

    def read(self, parent: Element, nesting: int = 0) -> Iterator[Block]:
        """Yield the blocks of a body, a cell or a text box."""
        for child in parent:
            if child.tag == f"{_W}p":
                yield from self.read_paragraph(child, nesting)
            elif child.tag == f"{_W}tbl":
                yield from self.read_table(child, nesting)
            elif nesting < _MOST_NESTED and child.tag not in _LEFT_OUT:
                if _value(child, "sdtPr/docPartObj/docPartGallery") == "Table of Contents":
                    continue
                yield from self.read(child, nesting + 1)

    def read_paragraph(self, paragraph: Element, nesting: int) -> Iterator[Block]:
        if not nesting:
            self.place += 1
        style_id = _value(paragraph, "pPr/pStyle") or ""
        style = self.styles.get(style_id, _Style())
        text, lead, size = self.read_text(paragraph, style)
        boxes = list(_find_boxes(paragraph))
        skipped = len(text) - len(text.lstrip())
        text = text.strip()
        if style.contents:
            return
        if text:
            number = self._number(paragraph, style)
            marker = self.numbering.mark(*number) if number else ""
            outline = _integer(_value(paragraph, "pPr/outlineLvl"))
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

    def _number(self, paragraph: Element, style: _Style) -> tuple[str, int] | None:
        list_ = _value(paragraph, "pPr/numPr/numId")
        if list_ is None:
            return style.number
        depth = _integer(_value(paragraph, "pPr/numPr/ilvl")) or 0
        return (list_, min(depth, 9)) if list_ not in ("0", "") else None

    def read_text(self, paragraph: Element, style: _Style) -> tuple[str, int, int]:
        """Read a paragraph's text, how many of its first characters are bold, and their size."""
        parts: list[str] = []
        length, lead, size = 0, -1, 0
        for run in _find_runs(paragraph):
            if _is_on(run, "rPr/vanish"):
                continue
            text = "".join(_read_run(run))
            character = self.styles.get(_value(run, "rPr/rStyle") or "", _Style())
            bold = _is_on(run, "rPr/b")
            if bold is None:
                bold = style.bold or character.bold
            if text.strip() and not bold and lead < 0:
                lead = length
            if text.strip() and not size:
                size = _integer(_value(run, "rPr/sz")) or character.size or style.size
            parts.append(text)
            length += len(text)
        return "".join(parts), length if lead < 0 else lead, size

    def read_table(self, table: Element, nesting: int) -> Iterator[Block]:
        """Read a table of questions and answers, one that only lays out, or one in an answer."""
        rows: list[list[list[Block]]] = []
        places: list[int] = []
        for row in table.iter(f"{_W}tr"):
            if row.getparent() is not table and nesting + 1 >= _MOST_NESTED:
                continue
            if _nearest_table(row) is not table:
                continue
            self.place += not nesting
            places.append(self.place)
            cells = [cell for cell in row.iter(f"{_W}tc") if _nearest_row(cell) is row]
            rows.append([list(self.read(cell, nesting + 1)) for cell in cells])
        grid = [[join_answer(cell) for cell in row] for row in rows]
        columns = find_columns(grid)
        if grid and not nesting:
            self.grids.append(grid)
        layout = columns is None and (
            max(map(len, grid), default=0) < 2
            or any(block.level for row in rows for cell in row for block in cell)
            or max((len(cell) for row in grid for cell in row), default=0) > 600
        )
        if layout:
            yield from (block for row in rows for cell in row for block in cell)
        else:
            self.scope += 2 * len(grid) + 2
            yield from table_blocks(grid, places, self.scope - 2 * len(grid) - 1)


def _nearest_table(row: Element) -> Element | None:
    return next(row.iterancestors(f"{_W}tbl"), None)


def _nearest_row(cell: Element) -> Element | None:
    return next(cell.iterancestors(f"{_W}tr"), None)


def _find_runs(element: Element) -> Iterator[Element]:
    """Yield the runs of a paragraph, those of links and insertions too, not those of text boxes."""
    left = list(reversed(element))
    while left:
        child = left.pop()
        if child.tag == f"{_W}r":
            yield child
        elif child.tag not in _LEFT_OUT and isinstance(child.tag, str):
            left += reversed(child)


def _read_run(run: Element) -> Iterator[str]:
    for child in run:
        if child.tag == f"{_W}t":
            yield child.text or ""
        elif child.tag == f"{_W}tab":
            yield " "
        elif child.tag in (f"{_W}br", f"{_W}cr"):
            yield "\n"
        elif child.tag == f"{_W}noBreakHyphen":
            yield "-"
        elif child.tag == f"{_W}sym":
            yield _SYMBOLS.get((child.get(f"{_W}char") or "").upper(), "")


def _find_boxes(paragraph: Element) -> Iterator[Element]:
    """Yield the text boxes anchored in a paragraph, each once: old Words get a second copy."""
    for box in paragraph.iter(f"{_W}txbxContent"):
        ancestors = list(box.iterancestors())
        inside = ancestors[: ancestors.index(paragraph)]
        if not any(a.tag in _LEFT_OUT or a.tag == f"{_W}txbxContent" for a in inside):
            yield box
