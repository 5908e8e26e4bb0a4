"""What is different between two versions of a corpus."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from trainer.corpus.examples import Example


@dataclass(frozen=True)
class Changes:
    """Examples that came, went, or stand in the same row with other words (before, after)."""

    added: tuple[Example, ...]
    removed: tuple[Example, ...]
    edited: tuple[tuple[Example, Example], ...]


def find_changes(before: Sequence[Example], after: Sequence[Example]) -> Changes:
    """Compare two lists of examples by their texts and topics; a moved example is no change."""
    then = Counter(_content(e) for e in before)
    now = Counter(_content(e) for e in after)
    gone, came = then - now, now - then
    removed = [e for e in before if _take(gone, e)]
    added = [e for e in after if _take(came, e)]
    by_place: dict[tuple[str, int], list[Example]] = {}
    for example in added:
        by_place.setdefault((example.part, example.row), []).append(example)
    edited = []
    for example in removed:
        if same_place := by_place.get((example.part, example.row)):
            edited.append((example, same_place.pop(0)))
    old, new = {id(a) for a, _ in edited}, {id(b) for _, b in edited}
    return Changes(
        tuple(e for e in added if id(e) not in new),
        tuple(e for e in removed if id(e) not in old),
        tuple(edited),
    )


def describe_change(before: Sequence[Example], after: Sequence[Example]) -> str:
    """Say in a few words what an edit did."""
    changes = find_changes(before, after)
    counts = (
        (len(changes.added), "added"),
        (len(changes.removed), "removed"),
        (len(changes.edited), "edited"),
    )
    return ", ".join(f"{n:,} {what}" for n, what in counts if n) or "nothing changed"


def _content(example: Example) -> tuple[str, str, str]:
    return example.question, example.answer, example.topic


def _take(left: Counter[tuple[str, str, str]], example: Example) -> bool:
    content = _content(example)
    if left[content] > 0:
        left[content] -= 1
        return True
    return False
