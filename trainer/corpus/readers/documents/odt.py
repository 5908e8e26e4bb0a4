"""Texts of LibreOffice: made into the page they stand for, which is then read as one."""

import html
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from trainer.corpus.readers.archive import check_zip
from trainer.corpus.readers.documents.elements import read_elements
from trainer.corpus.readers.documents.html import parse_page
from trainer.corpus.readers.documents.pairs import find_pairs, make_table
from trainer.corpus.readers.limits import MOST_DEPTH
from trainer.corpus.table import Table
from trainer.errors import CorpusError

_TAGS = {
    "list": "ul",
    "list-item": "li",
    "table": "table",
    "table-row": "tr",
    "table-cell": "td",
}
_SIGNS = {"s": " ", "tab": " ", "line-break": "<br>"}
_LEFT_OUT = frozenset(
    """annotation note tracked-changes table-of-content alphabetical-index bibliography
    sequence-decls forms""".split()  # noqa: SIM905 - as a person reads them
)


def read_odt(data: bytes, name: str) -> list[Table]:
    """Read the questions and answers of a text document of LibreOffice or OpenOffice."""
    archive = check_zip(data, name)
    try:
        body = _parse(archive, "content.xml")
        styles = {**_read_styles(_parse(archive, "styles.xml")), **_read_styles(body)}
    except (KeyError, ET.ParseError, DefusedXmlException, ValueError):
        raise CorpusError(
            f"{name} is damaged: its text cannot be read. Open it in the program that made it and "
            "save it again."
        ) from None
    text = next((element for element in body.iter() if _local(element.tag) == "text"), body)
    page = "".join(_write(text, styles, 0))
    pairs, notes = find_pairs(read_elements(parse_page(page, name), page), name)
    return [make_table(pairs, "ODT", "line", notes=notes)]


def _parse(archive: zipfile.ZipFile, member: str) -> ET.Element:
    root: ET.Element = defusedxml.ElementTree.fromstring(archive.read(member))
    return root


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def _get(element: ET.Element, wanted: str) -> str:
    return next((value for key, value in element.attrib.items() if _local(key) == wanted), "")


def _read_styles(root: ET.Element) -> dict[str, tuple[bool, str]]:
    """Whether each style is bold, and the style it is made of."""
    return {
        _get(style, "name"): (
            any(_get(inner, "font-weight") in ("bold", "600", "700", "800") for inner in style),
            _get(style, "parent-style-name"),
        )
        for style in root.iter()
        if _local(style.tag) == "style"
    }


def _is_bold(style: str, styles: dict[str, tuple[bool, str]]) -> bool:
    for _ in range(20):
        bold, style = styles.get(style, (False, ""))
        if bold:
            return True
    return False


def _write(element: ET.Element, styles: dict[str, tuple[bool, str]], depth: int) -> Iterator[str]:
    """Write an element as HTML, a paragraph a line."""
    tag, style = _local(element.tag), _get(element, "style-name")
    if tag in _LEFT_OUT or depth > MOST_DEPTH:
        return
    yield _SIGNS.get(tag, "")
    if tag == "h":
        name = (
            f"h{min(6, int(level) if (level := _get(element, 'outline-level')).isdigit() else 1)}"
        )
    elif tag == "p":
        name = "h1" if "Title" in (style, styles.get(style, (False, ""))[1]) else "p"
    else:
        name = _TAGS.get(tag, "")
    bold = tag in ("p", "span") and name != "h1" and _is_bold(style, styles)
    yield (f"<{name}>" if name else "") + ("<b>" if bold else "")
    yield html.escape(element.text or "", quote=False)
    for child in element:
        yield from _write(child, styles, depth + 1)
        yield html.escape(child.tail or "", quote=False)
    yield ("</b>" if bold else "") + (f"</{name}>\n" if name else "")
