"""Everything that is worked out about a list of examples: neighbours, findings, split."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trainer.corpus.audit import audit_examples
from trainer.corpus.examples import Example
from trainer.corpus.findings import Audit
from trainer.corpus.mapping import Task
from trainer.corpus.near import Judge, Neighbours, find_duplicates
from trainer.corpus.split import Split, split_examples, split_labels, split_randomly

SPLIT_SEED = 17
Tell = Callable[[str, float], None]  # what is being done, and the share of it that is done


@dataclass(frozen=True)
class Examined:
    """What is known of a list of examples."""

    neighbours: Neighbours
    audit: Audit
    split: Split


def examine(
    examples: Sequence[Example],
    *,
    task: Task = "answers",
    judge: Judge | None = None,
    leak_check: bool = True,
    before: Split | None = None,
    tell: Tell | None = None,
) -> Examined:
    """Compare the examples with each other, look for problems, and deal them into piles.

    With `before`, an earlier version's split, its seed and sides hold. Without `leak_check` they
    are dealt at random, as most tools do, to show how much that flatters.
    """
    say = tell or (lambda what, share: None)
    neighbours = find_duplicates(
        examples, judge, tell=lambda share: say("Comparing the questions", share)
    )
    say("Looking for problems", 0.0)
    audit = audit_examples(examples, neighbours, task=task)
    seed = before.seed if before else SPLIT_SEED
    if not leak_check:
        split = split_randomly(examples, seed=seed)
    elif task == "labels":
        split = split_labels(examples, seed=seed, neighbours=neighbours, before=before)
    else:
        split = split_examples(examples, seed=seed, neighbours=neighbours, before=before)
    return Examined(neighbours, audit, split)
