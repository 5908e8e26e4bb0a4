"""Who is taught and who is asked: the split of a corpus, without leakage.

A group is what shares a normalised question or answer. Two kinds of question are held out:
*reworded* ones, where another wording of the answer stays in training, so that a good tuned
model knows the fact; and *unseen* ones, whole groups nobody taught. Validation is made like
reworded where the corpus has wordings enough, because loss on unseen facts says nothing
about learning.
"""

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Literal

import pydantic

from trainer.corpus.examples import Example, group_examples, normalise

Pile = Literal["train", "validation", "reworded", "unseen"]
PILES: tuple[Pile, ...] = ("train", "validation", "reworded", "unseen")

SHARE = 0.1  # of the examples, in each held-out pile
MOST = 200  # examples in one held-out pile; more would make scoring long, not surer
FEWEST_GROUPS = 5  # groups below which none is held out whole only because it is the smallest
FEWEST_WORDINGS = 10  # spare wordings below which validation is taken from unseen groups


class Split(pydantic.BaseModel, frozen=True, extra="forbid"):
    """Which example is in which pile, by id; written to `split.json`.

    `aside` holds examples of later versions that can be neither taught nor asked: new ones that
    tie an unseen group to a taught one, and reworded ones whose answer is taught no longer.
    """

    seed: int
    validation_is: Literal["reworded", "unseen"]
    train: tuple[str, ...]
    validation: tuple[str, ...]
    reworded: tuple[str, ...]
    unseen: tuple[str, ...]
    aside: tuple[str, ...] = ()

    def sizes(self) -> dict[str, int]:
        """The number of examples in each pile."""
        return {pile: len(getattr(self, pile)) for pile in PILES}

    def side_of(self) -> dict[str, Pile]:
        """The pile of each example id."""
        return {id_: pile for pile in PILES for id_ in getattr(self, pile)}


def split_examples(examples: Sequence[Example], *, seed: int, before: Split | None = None) -> Split:
    """Deal examples into train, validation, reworded and unseen, the same way for the same seed.

    Equal questions stay together. With `before`, the split of an earlier version, examples keep
    their side, and so does a question that is already on one.
    """
    rng = random.Random(seed)
    groups = [sorted(group, key=lambda e: e.id) for group in group_examples(examples)]
    groups.sort(key=lambda group: group[0].id)  # not the order of the file
    rng.shuffle(groups)

    side, aside = _inherit(groups, before) if before else ({}, frozenset())
    size = Counter(side.values())
    target = min(max(1, round(SHARE * len(examples))), MOST)

    def hold_out_groups(pile: Pile) -> None:
        fresh = [group for group in groups if not any(e.id in side for e in group)]
        smallest = min(map(len, fresh)) if len(fresh) >= FEWEST_GROUPS else 0
        for group in fresh:
            small = len(group) <= max(target // 4, smallest)  # no single answer fills the pile
            if small and (size[pile] + len(group) <= target or not size[pile]):
                side.update((e.id, pile) for e in group)
                size[pile] += len(group)

    hold_out_groups("unseen")
    spare = _spare_wordings(groups, side, aside, rng)
    if before:
        validation_is = before.validation_is
    else:
        validation_is = "reworded" if len(spare) >= FEWEST_WORDINGS else "unseen"
    if validation_is == "unseen":
        hold_out_groups("validation")
        spare = _spare_wordings(groups, side, aside, rng)
    takers: list[Pile] = ["reworded", "validation"] if validation_is == "reworded" else ["reworded"]
    for wording in spare:
        pile = min(takers, key=lambda taker: size[taker])
        if size[pile] < target:
            side.update((e.id, pile) for e in wording)
            size[pile] += len(wording)

    # Where a later version took the other wordings away, an answer is taught no longer.
    taught = {
        normalise(e.answer)
        for e in examples
        if side.get(e.id, "train") == "train" and e.id not in aside
    }
    aside |= {e.id for e in examples if side.get(e.id) in takers} & {
        e.id for e in examples if normalise(e.answer) not in taught
    }

    piles: dict[str, list[str]] = {pile: [] for pile in PILES}
    for example in examples:
        if example.id not in aside:
            piles[side.get(example.id, "train")].append(example.id)
    return Split.model_validate(
        {"seed": seed, "validation_is": validation_is, "aside": sorted(aside), **piles}
    )


def _inherit(
    groups: Sequence[Sequence[Example]], before: Split
) -> tuple[dict[str, Pile], frozenset[str]]:
    """The sides that an earlier version has decided, and the ids that no side can take."""
    known = before.side_of()
    whole = {"unseen"} if before.validation_is == "reworded" else {"unseen", "validation"}
    side: dict[str, Pile] = {}
    aside: list[str] = []
    for group in groups:
        old = {e.id: known[e.id] for e in group if e.id in known}
        new = [e for e in group if e.id not in known]
        sides = set(old.values())
        side.update(old)
        if len(sides) == 1 and sides <= whole:
            side.update((e.id, next(iter(sides))) for e in new)
        elif sides & whole:
            aside.extend(e.id for e in new)
        else:
            asked = {normalise(e.question): old[e.id] for e in group if e.id in old}
            same = ((e.id, asked.get(normalise(e.question))) for e in new)
            side.update((id_, pile) for id_, pile in same if pile)
    return side, frozenset(aside)


def _spare_wordings(
    groups: Sequence[Sequence[Example]],
    side: Mapping[str, Pile],
    aside: Collection[str],
    rng: random.Random,
) -> list[list[Example]]:
    """Wordings that training can do without, one of each group before a second of any.

    A wording is all examples with one normalised question; it is spare when each of its answers
    keeps another wording in training, also when all spare wordings are taken at once.
    """
    by_group = []
    for group in groups:
        wordings: dict[str, list[Example]] = {}
        for example in group:
            if side.get(example.id, "train") == "train" and example.id not in aside:
                wordings.setdefault(normalise(example.question), []).append(example)
        order = sorted(wordings)
        rng.shuffle(order)
        answers = {key: {normalise(e.answer) for e in wordings[key]} for key in order}
        taught = Counter(chain.from_iterable(answers.values()))
        spare = []
        for key in order:
            free = not any(e.id in side for e in wordings[key])
            if free and all(taught[answer] > 1 for answer in answers[key]):
                taught.subtract(answers[key])
                spare.append(wordings[key])
        by_group.append(spare)
    return [wording for turn in zip_longest(*by_group) for wording in turn if wording]
