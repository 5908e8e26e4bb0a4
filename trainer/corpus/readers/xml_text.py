"""XML as plain values: elements and attributes become fields, text with marks in it HTML."""

import html
import html.entities
import re
import xml.etree.ElementTree as ET
from collections import Counter
from itertools import islice

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from trainer.corpus.readers.limits import MOST_DEPTH
from trainer.corpus.readers.parsed import Parsed, too_deep
from trainer.errors import CorpusError

_INLINE = re.compile(
    "a|abbr|b|blockquote|br|code|div|em|font|h[1-6]|hr|i|img|li|ol|p|pre|small|span|strong|su[bp]"
    "|table|tbody|t[dhr]|u|ul"
)
_ASIDE = frozenset({"lang", "id", "type", "format", "space", "class", "isPermaLink", "domain"})


def parse_xml(text: str, name: str) -> Parsed:
    """Parse an XML file; elements and attributes become fields, repeated elements lists."""
    notes: list[str] = []
    try:
        try:
            root = defusedxml.ElementTree.fromstring(text)
        except ET.ParseError:
            mended = _ENTITY.sub(_mend, text)
            if mended == text:
                raise
            root = defusedxml.ElementTree.fromstring(mended)
            notes.append(f"{name} is not quite XML; '&' where '&amp;' belongs was overlooked.")
    except ET.ParseError as error:
        line, column = error.position
        problem = str(error).split(":")[0]
        raise CorpusError(
            f"{name}, line {line}, column {column + 1}: this is not XML ({problem}). Correct it "
            "there, or export the file again."
        ) from None
    except DefusedXmlException:
        raise CorpusError(
            f"{name} defines entities of its own, which are not read because they can hide what a "
            "file holds. Export it without a DOCTYPE that has an ENTITY."
        ) from None
    except (ValueError, LookupError) as error:
        raise CorpusError(
            f"{name} is not XML that can be read ({' '.join(str(error).split())[:100]}). Export "
            "it again as UTF-8."
        ) from None
    _check_element_depth(root, name)
    if _local(str(root.tag)) == "quiz":
        _spread_categories(root)
    return Parsed([_read_element(root)], [1], notes)


_ENTITY = re.compile(r"&(?!#\d{1,7};|#x[\da-fA-F]{1,6};|(?:amp|lt|gt|quot|apos);)(\w{1,32};)?")


def _mend(found: re.Match[str]) -> str:
    known = html.entities.html5.get(found[1] or "")
    return html.escape(known) if known else f"&amp;{found[1] or ''}"


def _check_element_depth(root: ET.Element, name: str) -> None:
    level = [root]
    for _ in range(MOST_DEPTH):
        level = [child for element in level for child in element]
        if not level:
            return
    raise too_deep(name)


def _read_element(element: ET.Element) -> object:
    fields: dict[str, object] = {_local(key): value for key, value in element.attrib.items()}
    children = [child for child in element if isinstance(child.tag, str)]
    text = (element.text or "").strip()
    if not children:
        spare = not text or not (fields.keys() <= _ASIDE)
        return fields | ({"text": text} if text else {}) if fields and spare else text
    names = [_local(child.tag) for child in children]
    if text or _is_prose(element):
        return _inner_html(element)
    values = [_read_element(child) for child in children]
    turn = len(set(names))
    if 1 < turn < len(names) and names == names[:turn] * (len(names) // turn):
        records = [
            dict(zip(names[at : at + turn], values[at : at + turn], strict=True))
            for at in range(0, len(names), turn)
        ]
        return fields | {"records": records} if fields else records
    times = Counter(names)
    for key, value in zip(names, values, strict=True):
        if times[key] == 1:
            fields[key] = value
        elif isinstance(kept := fields.get(key), list):
            kept.append(value)
        else:
            fields[key] = [value]
    if "title" in fields:
        _prefer_full_text(fields)
    return fields


def _prefer_full_text(fields: dict[str, object]) -> None:
    """Leave out the excerpt of an article whose full text a feed holds too."""
    said = {key: fields[key] for key in ("encoded", "content") if key in fields}
    texts = [
        text for value in said.values() for text in (value if isinstance(value, list) else [value])
    ]
    full = max((text for text in texts if isinstance(text, str)), key=len, default="")
    if not full or (len(texts) > 1 and "encoded" not in said):
        return
    if "encoded" in said:
        del fields["encoded"]
        fields["content"] = full
    for key in ("description", "summary"):
        excerpt = fields.get(key, full)
        if isinstance(excerpt, str) and len(excerpt) < len(full):
            del fields[key]


def _spread_categories(quiz: ET.Element) -> None:
    """Make of a Moodle quiz its questions, each with its category and its right answers only."""
    topic = ""
    for question in list(quiz):
        if question.attrib.pop("type", "") == "category":
            topic = (question.findtext("category/text") or "").rpartition("/")[2].strip()
            quiz.remove(question)
            continue
        for answer in question.findall("answer"):
            if answer.get("fraction", "100").startswith(("0", "-")):
                question.remove(answer)
        if topic:
            question.set("topic", topic)


def _is_prose(element: ET.Element) -> bool:
    """Whether the children of an element are marks inside its text, not fields."""
    if any((child.tail or "").strip() for child in element):
        return True
    inside = islice(element.iter(), 1, None)
    return all(isinstance(e.tag, str) and _INLINE.fullmatch(_local(e.tag)) for e in inside)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _inner_html(element: ET.Element) -> str:
    parts = [html.escape(element.text or "", quote=False)]
    for child in element:
        if isinstance(child.tag, str):
            tag = _local(child.tag)
            parts.append(f"<{tag}>{_inner_html(child)}</{tag}>")
        parts.append(html.escape(child.tail or "", quote=False))
    return "".join(parts).strip()
