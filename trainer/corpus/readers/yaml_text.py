"""YAML as plain values, built from the events of its parser."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import yaml

from trainer.corpus.readers.limits import MOST_DEPTH
from trainer.corpus.readers.parsed import Parsed, collect_fields, finish, too_deep
from trainer.errors import CorpusError

_MOST_NODES = 5_000_000  # of a YAML file, aliases counted as often as they are used


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
            mark: Any = event.start_mark  # the parser in C has marks of its own
            size = 1
            if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                opened.append(_Open(isinstance(event, yaml.MappingStartEvent), event.anchor))
                if len(opened) > MOST_DEPTH:
                    raise too_deep(name)
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
                    raise _bad_yaml(name, mark, f"nothing is called *{event.anchor}")
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
                parsed.lines.append(mark.line + 1)
            if size > _MOST_NODES:
                raise CorpusError(
                    f"{name} refers to its own parts until it holds more than {_MOST_NODES:,} "
                    "values. Save the questions and answers as CSV."
                )
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _bad_yaml(name, mark, str(getattr(error, "problem", None) or error)) from None
    return finish(parsed, name, repeated)


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
    return merged | collect_fields(pairs, repeated)
