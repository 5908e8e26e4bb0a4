"""Values a file of records holds, however they were written: dicts, lists and scalars.

Each format is read with the forgiveness its writers need, and without what makes a parser
dangerous: no entities, no tags of a programming language, no depth without an end.
"""

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
