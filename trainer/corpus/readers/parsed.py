"""Values a file of records holds, however they were written: dicts, lists and scalars.

Each format is read with the forgiveness its writers need, and without what makes a parser
dangerous: no entities, no tags of a programming language, no depth without an end.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from trainer.corpus.readers.limits import MOST_DEPTH
from trainer.errors import CorpusError


@dataclass
class Parsed:
    """The values of a file, the line on which each begins, and what was forgiven."""

    values: list[object] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def finish(parsed: Parsed, name: str, repeated: Counter[str]) -> Parsed:
    """Refuse values that are nested too deep, and note the names that were repeated."""
    if repeated:
        shown = ", ".join(f"'{key[:60]}'" for key, _ in repeated.most_common(3))
        parsed.notes.append(
            f"Names that occur more than once in their object: {repeated.total():,} ({shown}). "
            "What stands under each of them is kept."
        )
    _check_depth(parsed.values, name)
    return parsed


def collect_fields(
    pairs: Sequence[tuple[str, object]], repeated: Counter[str]
) -> dict[str, object]:
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


def too_deep(name: str) -> CorpusError:
    """Make the error for a file that is nested deeper than is read."""
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
    raise too_deep(name)


# --- Rich text --------------------------------------------------------------------------------

_BLOCK = re.compile(
    r"doc|document|root|paragraph|p|heading(-?[1-6])?|h[1-6]|(bullet|ordered|unordered|numbered)?-?"
    r"_?list|[uo]l|list-?_?item(-child)?|li|block|block-?quote|quote|code-?_?(block)?"
)
_LINK = re.compile(r"(entry-|asset-)?(hyper|auto)?-?link|a|inline|mark|mention")
_ITEM = re.compile(r"list-?_?item|li")
_BREAK = re.compile(r"(hard-?|soft-?|line-?)?_?break|br")
_WITHOUT_TEXT = re.compile(r"hr|horizontal-?_?rule|divider|image|img|embedded-(asset|entry)-block")
_BARE = frozenset({"type", "nodeType", "_type", "attrs", "key", "_key"})
_INSIDE = ("content", "children", "nodes")


def join_rich_text(values: Sequence[object]) -> None:
    """Replace rich text inside values, which editors keep as a tree of nodes, by its plain text."""
    left = [value for value in values if isinstance(value, dict | list)]
    while left:
        holder = left.pop()
        places = holder.items() if isinstance(holder, dict) else enumerate(holder)
        for key, value in places:
            if isinstance(value, dict | list) and value:
                nodes = value if isinstance(value, list) else [value]
                if isinstance(nodes[0], dict) and nodes[0].keys() == {"root"}:  # Lexical
                    nodes = [nodes[0]["root"]]
                blocks = all(isinstance(n, dict) and _BLOCK.fullmatch(_kind(n)) for n in nodes)
                text = _write_nodes(nodes) if blocks else None
                if text is None:
                    left.append(value)
                else:
                    holder[key] = text.strip()


def _kind(node: dict[str, object]) -> str:
    kind = node.get("nodeType") or node.get("type") or node.get("_type")
    return kind.casefold() if isinstance(kind, str) else ""


def _write_nodes(nodes: Sequence[object]) -> str | None:
    """Write nodes one after the other, blocks on lines of their own; None if one is no node."""
    text = ""
    for node in nodes:
        written = _write_node(node) if isinstance(node, dict) else None
        if written is None:
            return None
        if text.endswith("\n"):
            written = written.removeprefix("\n")
        text += written
    return text


def _write_node(node: dict[str, object]) -> str | None:
    kind = _kind(node)
    if kind in ("text", "span", ""):
        text = node.get("text", node.get("value"))
        return text if isinstance(text, str) else None
    if _BREAK.fullmatch(kind):
        return "\n"
    if _WITHOUT_TEXT.fullmatch(kind):
        return ""
    block = _BLOCK.fullmatch(kind)
    if block and not any(value for key, value in node.items() if key not in _BARE):
        return "\n\n"
    inside = next((node[key] for key in _INSIDE if isinstance(node.get(key), list)), None)
    if "role" in node or not (block or _LINK.fullmatch(kind)) or not isinstance(inside, list):
        return None
    text = _write_nodes(inside)
    if text is None or not block:
        return text
    bullet = "- " if _ITEM.fullmatch(kind) or "listItem" in node else ""
    return f"\n{bullet}{text.strip()}\n"
