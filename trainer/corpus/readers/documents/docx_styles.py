"""What the styles and lists of a Word document say about a paragraph."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Element = Any  # of lxml, which has no types
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@dataclass(frozen=True)
class Style:
    """What a paragraph or character style says, with what it inherits."""

    level: int = 0
    bold: bool = False
    size: int = 0
    number: tuple[str, int] | None = None
    contents: bool = False


@dataclass
class Numbering:
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


def get_value(element: Element | None, path: str, key: str = "val") -> str | None:
    """Read an attribute of an element some steps below, "" where it has none; None without it."""
    found = (
        None if element is None else element.find("/".join(W + step for step in path.split("/")))
    )
    return None if found is None else found.get(W + key, "")


def is_on(element: Element | None, path: str) -> bool | None:
    """Read a switch: None where it is not set at all."""
    value = get_value(element, path)
    return None if value is None else value not in ("0", "false", "off", "none")


def get_integer(value: str | None) -> int | None:
    """Read a small number; None for anything else."""
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 7 else None


def read_styles(part: Any) -> dict[str, Style]:
    """Resolve every style by what it is based on; names are local, ids and levels are not."""
    elements = {
        style.get(W + "styleId", ""): style for style in part.styles.element.iter(W + "style")
    }
    resolved: dict[str, Style] = {}
    for id_ in elements:
        chain: list[str] = []
        while id_ in elements and id_ not in chain and len(chain) < 20:
            chain.append(id_)
            id_ = get_value(elements[id_], "basedOn") or ""
        style = Style()
        for link in reversed(chain):
            style = _inherit(style, elements[link])
        if chain:
            resolved[chain[0]] = style
    return resolved


def _inherit(base: Style, element: Element) -> Style:
    name = (get_value(element, "name") or "").casefold()
    outline = get_integer(get_value(element, "pPr/outlineLvl"))
    level = base.level
    if name.startswith("heading ") and name[8:].isdigit():
        level = min(9, int(name[8:])) + 1
    elif name == "title":
        level = 1
    elif outline is not None:
        level = outline + 2 if outline < 9 else 0
    bold = is_on(element, "rPr/b")
    list_ = get_value(element, "pPr/numPr/numId")
    depth = get_integer(get_value(element, "pPr/numPr/ilvl")) or 0
    return Style(
        level=level,
        bold=base.bold if bold is None else bold,
        size=get_integer(get_value(element, "rPr/sz")) or base.size,
        number=(list_, min(depth, 9)) if list_ and list_ != "0" else base.number,
        contents=base.contents or name.startswith(("toc ", "table of ")),
    )


def read_numbering(part: Any) -> Numbering:
    """Read how each list of a document is marked."""
    numbering = Numbering()
    try:
        root = part.numbering_part.element
    except (KeyError, NotImplementedError):
        return numbering
    kinds: dict[str, dict[int, tuple[str, int]]] = {}
    for abstract in root.iter(W + "abstractNum"):
        levels = kinds.setdefault(abstract.get(W + "abstractNumId", ""), {})
        for level in abstract.iter(W + "lvl"):
            depth = get_integer(level.get(W + "ilvl")) or 0
            start = get_integer(get_value(level, "start"))
            levels[depth] = (get_value(level, "numFmt") or "decimal", 1 if start is None else start)
    for number in root.iter(W + "num"):
        for depth, mark in kinds.get(get_value(number, "abstractNumId") or "", {}).items():
            numbering.marks[number.get(W + "numId", ""), depth] = mark
    return numbering
