"""The text of JSON, JSONL, YAML and XML files as plain values: dicts, lists and scalars.

Each is read with the forgiveness its writers need, and without what makes a parser dangerous:
no entities, no tags of a programming language, no depth without an end.
"""

import html
import html.entities
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice

import defusedxml.ElementTree
import yaml
from defusedxml.common import DefusedXmlException

from trainer.corpus.readers.limits import MOST_DEPTH
from trainer.errors import CorpusError

_MOST_NODES = 5_000_000  # of a YAML file, aliases counted as often as they are used
_MOST_FORGIVEN = 20_000_000  # characters of JSON that is searched for slips of the pen


@dataclass
class Parsed:
    """The values of a file, the line on which each begins, and what was forgiven."""

    values: list[object] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def parse_json(text: str, name: str) -> Parsed:
    """Parse a JSON text, or several one after the other; small slips are forgiven and noted."""
    repeated: Counter[str] = Counter()
    decoder = _make_decoder(repeated)
    with _depth_told(name):
        try:
            parsed = Parsed([decoder.decode(text)], [1])
        except json.JSONDecodeError as error:
            parsed = _parse_again(text, name, error, decoder)
    return _finish(parsed, name, repeated)


def parse_lines(text: str, name: str) -> Parsed:
    """Parse a JSON text on every line; a file that is not written so is read as JSON."""
    repeated: Counter[str] = Counter()
    decoder = _make_decoder(repeated)
    parsed, forgiven = Parsed(), 0
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip("\r \t\x1e\ufeff").removesuffix(",")
        if not line:
            continue
        try:
            with _depth_told(f"{name}, line {number}"):
                try:
                    value = decoder.decode(line)
                except json.JSONDecodeError:
                    value = decoder.decode(_forgive(line))
                    forgiven += 1
        except json.JSONDecodeError as error:
            if not parsed.values or parsed.lines == [number - 1]:
                return parse_json(text, name)
            raise CorpusError(
                f"{name}, line {number}: this is not JSON ({_explain(error)}, column "
                f"{error.colno}). Correct or remove that line; every line must be one record."
            ) from None
        parsed.values.append(value)
        parsed.lines.append(number)
    if forgiven:
        parsed.notes.append(
            f"Lines that are not quite JSON: {forgiven:,}; {_SLIPS} were overlooked."
        )
    return _finish(parsed, name, repeated)


_SLIPS = "comments, single quotes, bare names or spare commas"


def _finish(parsed: Parsed, name: str, repeated: Counter[str]) -> Parsed:
    if repeated:
        shown = ", ".join(f"'{key[:60]}'" for key, _ in repeated.most_common(3))
        parsed.notes.append(
            f"Names that occur more than once in their object: {repeated.total():,} ({shown}). "
            "What stands under each of them is kept."
        )
    _check_depth(parsed.values, name)
    return parsed


def _make_decoder(repeated: Counter[str]) -> json.JSONDecoder:
    def collect(pairs: list[tuple[str, object]]) -> dict[str, object]:
        return _collect(pairs, repeated)

    return json.JSONDecoder(
        object_pairs_hook=collect,
        parse_int=lambda digits: int(digits) if len(digits) < 400 else digits[:400],
        parse_constant=lambda _: None,
        strict=False,
    )


def _collect(pairs: Sequence[tuple[str, object]], repeated: Counter[str]) -> dict[str, object]:
    """Make a dict of pairs; values under one key are put together."""
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    together: dict[str, list[object]] = {}
    for key, value in pairs:
        together.setdefault(key, []).extend(value if isinstance(value, list) else [value])
    times = Counter(key for key, _ in pairs)
    for key, count in times.items():
        if count > 1:
            repeated[key] += 1
            made[key] = together[key]
    return made


def _parse_again(
    text: str, name: str, error: json.JSONDecodeError, decoder: json.JSONDecoder
) -> Parsed:
    try:
        return _parse_stream(text, decoder)
    except json.JSONDecodeError as in_stream:
        if error.msg == "Extra data":
            error = in_stream
    if len(text) <= _MOST_FORGIVEN:
        try:
            parsed = _parse_stream(_forgive(text), decoder)
            parsed.notes.append(f"{name} is not quite JSON; {_SLIPS} were overlooked.")
            return parsed
        except json.JSONDecodeError:
            pass  # the first error is about the text as the person sees it
    raise CorpusError(
        f"{name}, line {error.lineno}, column {error.colno}: this is not JSON "
        f"({_explain(error)}). Correct it there, or export the file again."
    ) from None


def _parse_stream(text: str, decoder: json.JSONDecoder) -> Parsed:
    parsed = Parsed()
    at = line = 0
    while True:
        start = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
        line += text.count("\n", at, start)
        if start == len(text) and parsed.values:
            return parsed
        value, at = decoder.raw_decode(text, start)
        if not isinstance(value, dict | list):
            raise json.JSONDecodeError("Expecting an object", text, start)
        parsed.values.append(value)
        parsed.lines.append(line + 1)
        line += text.count("\n", start, at)


_BETWEEN = re.compile(r"[\s,;\x1e\ufeff]*")
_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*+(?:"|\Z))
    | (?P<single>'(?:[^'\\]|\\.)*+(?:'|\Z))
    | (?P<comment>//[^\n]*|\#[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<name>[^\W\d][\w$-]*+(?P<colon>\s*:)?)
    | (?P<close>[\]}])
    | (?P<space>\s+)
    | (?P<other>[^\s"'/#\w\]}]+|.)""",
    re.X | re.S,
)
_WORDS = {"True": "true", "False": "false", "None": "null", "undefined": "null", "nan": "null"}


def _forgive(text: str) -> str:
    """Rewrite what JavaScript, Python and people write as JSON."""
    kept: list[str] = []
    for token in _TOKEN.finditer(text):
        kind, found = token.lastgroup, token.group()
        if kind == "colon" or kind == "name":
            word = found.rstrip(": \t\r\n")
            found = f'"{word}":' if token["colon"] else _WORDS.get(word, word)
        elif kind == "single":
            inner = re.sub(r"\\'|\"", lambda m: "'" if m[0] != '"' else r"\"", found[1:-1])
            found = f'"{inner}"'
        elif kind == "comment" or kind == "space":
            found = "\n" * found.count("\n") or " "
        elif kind == "close":
            at = len(kept) - 1
            while at >= 0 and kept[at].isspace():
                at -= 1
            if at >= 0 and kept[at].endswith(","):
                kept[at] = kept[at][:-1]
        kept.append(found)
    return "".join(kept)


def _explain(error: json.JSONDecodeError) -> str:
    if error.pos >= len(error.doc.rstrip()):
        return "it ends too early"
    near = error.doc[error.pos : error.pos + 20].split("\n")[0]
    return f"{error.msg[:1].lower()}{error.msg[1:]} near {near!r}"


@contextmanager
def _depth_told(name: str) -> Iterator[None]:
    try:
        yield
    except RecursionError:
        raise _too_deep(name) from None


def _too_deep(name: str) -> CorpusError:
    return CorpusError(
        f"{name} is nested more than {MOST_DEPTH} levels deep, which no list of questions is. "
        "Save the questions and answers as CSV."
    )


def _check_depth(values: object, name: str) -> None:
    level = [values]
    for _ in range(MOST_DEPTH + 2):
        inner: list[object] = []
        for value in level:
            items = value.values() if isinstance(value, dict) else value
            inner += (v for v in items if isinstance(v, dict | list))  # type: ignore[attr-defined]
        if not inner:
            return
        level = inner
    raise _too_deep(name)


@dataclass
class _Open:
    """A YAML list or mapping that has begun; for a mapping, keys and values by turns."""

    mapping: bool
    anchor: str | None
    items: list[object] = field(default_factory=list)
    size: int = 1


def parse_yaml(text: str, name: str) -> Parsed:
    """Parse the documents of a YAML file; every scalar stays the text that was written.

    The values are built from the parser's events: no tag makes an object, 'yes' is an answer
    and not a truth value, and an alias costs what it stands for.
    """
    parsed, repeated = Parsed(), Counter[str]()
    anchors: dict[str, tuple[object, int]] = {}
    opened: list[_Open] = []
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for event in yaml.parse(text, Loader=loader):
            size = 1
            if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                opened.append(_Open(isinstance(event, yaml.MappingStartEvent), event.anchor))
                if len(opened) > MOST_DEPTH:
                    raise _too_deep(name)
                continue
            if isinstance(event, yaml.ScalarEvent):
                empty = event.implicit[0] and event.value in ("", "~", "null", "Null", "NULL")
                value: object = "" if empty else event.value
                anchor = event.anchor
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                done = opened.pop()
                value = _collect_yaml(done.items, repeated) if done.mapping else done.items
                anchor, size = done.anchor, done.size
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in anchors:
                    raise _bad_yaml(name, event.start_mark, f"nothing is called *{event.anchor}")
                (value, size), anchor = anchors[event.anchor], None
            else:
                if isinstance(event, yaml.DocumentStartEvent):
                    anchors.clear()
                continue
            if anchor:
                anchors[anchor] = value, size
            if opened:
                opened[-1].items.append(value)
                opened[-1].size += size
                size = opened[-1].size
            else:
                parsed.values.append(value)
                parsed.lines.append(event.start_mark.line + 1)
            if size > _MOST_NODES:
                raise CorpusError(
                    f"{name} refers to its own parts until it holds more than {_MOST_NODES:,} "
                    "values. Save the questions and answers as CSV."
                )
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _bad_yaml(name, mark, str(getattr(error, "problem", None) or error)) from None
    return _finish(parsed, name, repeated)


def _bad_yaml(name: str, mark: yaml.Mark | None, problem: str) -> CorpusError:
    where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return CorpusError(
        f"{name}{where}: this is not YAML ({' '.join(problem.split())[:200]}). Correct it there."
    )


def _collect_yaml(items: list[object], repeated: Counter[str]) -> dict[str, object]:
    pairs: list[tuple[str, object]] = []
    merged: dict[str, object] = {}
    for key, value in zip(items[::2], items[1::2], strict=True):
        if key == "<<":
            for source in value if isinstance(value, list) else [value]:
                merged = (source if isinstance(source, dict) else {}) | merged
        else:
            pairs.append((key if isinstance(key, str) else str(key)[:200], value))
    return merged | _collect(pairs, repeated)


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
    raise _too_deep(name)


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
    return fields


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
