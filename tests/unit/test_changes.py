"""What is different between two versions is told in a person's terms."""

from dataclasses import replace

from trainer.corpus.changes import describe_change, find_changes
from trainer.corpus.examples import make_examples
from trainer.corpus.table import Pair

BEFORE = make_examples(Pair(f"Question {n}?", f"Answer {n}.", "", n) for n in range(1, 6))


def test_edits_additions_and_removals_are_told_apart() -> None:
    edited = replace(BEFORE[1], answer="Another answer.")
    added = make_examples([Pair("New?", "Yes.")])
    after = (BEFORE[0], edited, *BEFORE[3:], *added)
    changes = find_changes(BEFORE, after)
    assert changes.edited == ((BEFORE[1], edited),)
    assert changes.removed == (BEFORE[2],)
    assert changes.added == added
    assert describe_change(BEFORE, after) == "1 added, 1 removed, 1 edited"


def test_another_order_is_no_change_and_a_topic_is_one() -> None:
    assert describe_change(BEFORE, BEFORE[::-1]) == "nothing changed"
    assert describe_change(BEFORE, (replace(BEFORE[0], topic="x"), *BEFORE[1:])) == "1 edited"


def test_one_of_two_equal_examples_removed_is_one_removal() -> None:
    twice = (*BEFORE, BEFORE[0])
    assert describe_change(twice, BEFORE) == "1 removed"
