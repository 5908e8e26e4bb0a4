"""Who is taught and who is asked: the split of a corpus, without leakage.

A group is what shares a question or an answer, equal or nearly so (`Neighbours`). Two kinds of
question are held out: *reworded* ones, where another wording of the answer stays in training, so
that a good tuned model knows the fact; and *unseen* ones, whole groups nobody taught. Validation is
made like reworded where the corpus has wordings enough, because loss on unseen facts says nothing
about learning. Where answers are labels, one pile, *test*, takes the place of both.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Literal

import pydantic

from trainer.corpus.examples import Example, group_examples, normalise
from trainer.corpus.near import Neighbours

Pile = Literal["train", "validation", "reworded", "unseen", "test"]
PILES: tuple[Pile, ...] = ("train", "validation", "reworded", "unseen", "test")
Key = Callable[[Example], str | int]  # what two examples of one wording, or one answer, share

SHARE = 0.1  # of the examples, in each held-out pile
MOST = 200  # examples in one held-out pile; more would make scoring long, not surer
MOST_OF_LABEL = 5  # with many labels, test and validation may be larger, up to so many of each
FEWEST_GROUPS = 5  # groups below which none is held out whole only because it is the smallest
SMALLEST_SHARE = 0.25  # unless it is no more than this share of the examples
FEWEST_WORDINGS = 10  # spare wordings below which validation is taken from unseen groups


class Split(pydantic.BaseModel, frozen=True, extra="forbid"):
    """Which example is in which pile, by id; written to `split.json`.

    `aside` holds examples that can be neither taught nor asked without a leak, which happens in
    later versions: new ones that tie an unseen group to a taught one, reworded ones whose answer
    is taught no longer, and those that something new ties to a question on another side.
    `leak_check` is False where rows were dealt at random.
    """

    seed: int
    validation_is: Literal["reworded", "unseen"]
    train: tuple[str, ...]
    validation: tuple[str, ...]
    reworded: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()
    leak_check: bool = True

    @property
    def kinds(self) -> tuple[Pile, ...]:
        """The piles that are asked at the end, those that are not empty."""
        asked: tuple[Pile, ...] = ("reworded", "unseen", "test")
        return tuple(pile for pile in asked if getattr(self, pile))

    def sizes(self) -> dict[str, int]:
        """The number of examples in each pile that this kind of split has."""
        piles = ("train", "validation", "test") if self.test else PILES[:4]
        return {pile: len(getattr(self, pile)) for pile in piles}

    def side_of(self) -> dict[str, Pile]:
        """The pile of each example id."""
        return {id_: pile for pile in PILES for id_ in getattr(self, pile)}


def split_examples(
    examples: Sequence[Example],
    *,
    seed: int,
    neighbours: Neighbours | None = None,
    before: Split | None = None,
) -> Split:
    """Deal examples into train, validation, reworded and unseen, the same way for the same seed.

    Nearly equal questions stay together, and what is nearly an unseen answer is not taught;
    without `neighbours`, only equal ones. With `before`, the split of an earlier version, examples
    keep their side, and so does a question that is already on one.
    """
    wording, answer = _keys(neighbours)
    before = before if before and before.leak_check and not before.test else None
    rng = random.Random(seed)
    groups = [
        sorted(group, key=lambda e: e.id)
        for group in group_examples(
            examples,
            questions=neighbours.questions if neighbours else None,
            answers=neighbours.answers if neighbours else None,
        )
    ]
    groups.sort(key=lambda group: group[0].id)  # not the order of the file
    rng.shuffle(groups)

    side, aside = _inherit(groups, before, wording) if before else ({}, frozenset())
    size = Counter(side.values())
    target = min(max(1, round(SHARE * len(examples))), MOST)

    def hold_out_groups(pile: Pile) -> None:
        fresh = [group for group in groups if not any(e.id in side for e in group)]
        smallest = min(map(len, fresh), default=0)
        if len(fresh) < FEWEST_GROUPS and smallest > SMALLEST_SHARE * len(examples):
            smallest = 0
        for group in fresh if len(fresh) > 1 else ():
            small = len(group) <= max(target // 4, smallest)  # no single answer fills the pile
            if small and (size[pile] + len(group) <= target or not size[pile]):
                side.update((e.id, pile) for e in group)
                size[pile] += len(group)

    hold_out_groups("unseen")
    spare = _spare_wordings(groups, side, aside, rng, wording, answer)
    if before:
        validation_is = before.validation_is
    else:
        untouched = sum(not any(e.id in side for e in group) for group in groups)
        few_groups = untouched < FEWEST_GROUPS and len(spare) > 1
        enough = len(spare) >= FEWEST_WORDINGS or few_groups
        validation_is = "reworded" if enough else "unseen"
    if validation_is == "unseen":
        hold_out_groups("validation")
        spare = _spare_wordings(groups, side, aside, rng, wording, answer)
    takers: list[Pile] = ["reworded", "validation"] if validation_is == "reworded" else ["reworded"]
    for held_out in spare:
        pile = min(takers, key=lambda taker: size[taker])
        if size[pile] < target:
            side.update((e.id, pile) for e in held_out)
            size[pile] += len(held_out)

    # A later version may tie what stood apart, or take the other wordings of an answer away.
    aside |= _on_two_sides(examples, side, aside, wording, ("train", "unseen"))
    whole = {"unseen"} if validation_is == "reworded" else {"unseen", "validation"}
    taught = {answer(e) for e in examples if _taught(e, side, aside)}
    for e in examples:
        pile = side.get(e.id, "train")
        if pile in (whole if answer(e) in taught else takers):
            aside |= {e.id}
    return _pile_up(examples, side, aside, seed, validation_is)


def split_labels(
    examples: Sequence[Example],
    *,
    seed: int,
    neighbours: Neighbours | None = None,
    before: Split | None = None,
) -> Split:
    """Deal labelled texts into train, validation and test with the same share of every label.

    Nearly equal texts stay together, under whatever labels. A label with fewer than three
    different texts is only taught. With `before`, texts keep their side.
    """
    wording, _ = _keys(neighbours)
    rng = random.Random(seed)
    before = before if before and before.leak_check and before.test else None
    known = before.side_of() if before else {}
    clusters: dict[str | int, list[Example]] = defaultdict(list)
    for example in sorted(examples, key=lambda e: e.id):
        clusters[wording(example)].append(example)
    side: dict[str, Pile] = {}
    aside: frozenset[str] = frozenset()
    fresh: dict[str, list[list[Example]]] = defaultdict(list)
    texts = Counter(normalise(e.answer) for e in examples)
    size: Counter[tuple[str, Pile]] = Counter()
    for cluster in sorted(clusters.values(), key=lambda cluster: cluster[0].id):
        old = {e.id: known[e.id] for e in cluster if e.id in known}
        if not old:
            fresh[normalise(cluster[0].answer)].append(cluster)
            continue
        side |= {e.id: next(iter(old.values())) for e in cluster} | old
        size.update((normalise(e.answer), side[e.id]) for e in cluster)
    share = min(SHARE, max(MOST, MOST_OF_LABEL * len(texts)) / max(1, len(examples)))
    held_out: tuple[Pile, ...] = ("test", "validation")
    for label in sorted(fresh):
        rng.shuffle(fresh[label])
        goal = max(1, round(share * texts[label]))
        spare = len(fresh[label]) - 1 + (size[label, "train"] > 0)
        for cluster in fresh[label]:
            pile = min(held_out, key=lambda pile: size[label, pile])
            room = goal - size[label, pile]
            fits = len(cluster) <= max(room, 1) and room > 0
            if fits and spare > 0 and (spare > 1 or pile == "test" or size[label, "test"]):
                side.update((e.id, pile) for e in cluster)
                size[label, pile] += len(cluster)
                spare -= 1
    aside |= _on_two_sides(examples, side, aside, wording, ("train", "test"))
    return _pile_up(examples, side, aside, seed, "reworded")


def split_randomly(examples: Sequence[Example], *, seed: int) -> Split:
    """Deal rows at random, as most tools do, so that it can be seen how much that flatters."""
    ids = sorted(e.id for e in examples)
    random.Random(seed).shuffle(ids)
    share = min(max(1, round(SHARE * len(ids))), MOST) if len(ids) > 2 else 0
    side: dict[str, Pile] = dict.fromkeys(ids[:share], "test")
    side |= dict.fromkeys(ids[share : 2 * share], "validation")
    split = _pile_up(examples, side, (), seed, "reworded")
    return split.model_copy(update={"leak_check": False})


def find_leaks(
    split: Split, examples: Sequence[Example], neighbours: Neighbours | None = None
) -> int:
    """Count the examples asked at the end whose question, or nearly that, is taught."""
    wording, _ = _keys(neighbours)
    side = split.side_of()
    taught = {wording(e) for e in examples if side.get(e.id) == "train"}
    return sum(side.get(e.id) in split.kinds and wording(e) in taught for e in examples)


def _keys(neighbours: Neighbours | None) -> tuple[Key, Key]:
    """What makes two questions one wording, and two answers one answer."""
    if neighbours is None:
        return lambda e: normalise(e.question), lambda e: normalise(e.answer)
    questions, answers = neighbours.questions, neighbours.answers
    return lambda e: questions[e.id], lambda e: answers[e.id]


def _taught(example: Example, side: Mapping[str, Pile], aside: Collection[str]) -> bool:
    return side.get(example.id, "train") == "train" and example.id not in aside


def _pile_up(
    examples: Sequence[Example],
    side: Mapping[str, Pile],
    aside: Collection[str],
    seed: int,
    validation_is: Literal["reworded", "unseen"],
) -> Split:
    piles: dict[str, list[str]] = {pile: [] for pile in PILES}
    for example in examples:
        if example.id not in aside:
            piles[side.get(example.id, "train")].append(example.id)
    return Split.model_validate(
        {"seed": seed, "validation_is": validation_is, "aside": sorted(aside), **piles}
    )


def _on_two_sides(
    examples: Sequence[Example],
    side: Mapping[str, Pile],
    aside: Collection[str],
    wording: Key,
    first: Sequence[Pile],
) -> frozenset[str]:
    """The ids that something new tied to a question in another pile, which keeps its place.

    Of the piles of one wording, that which comes first in `first`, or else in `PILES`, holds it.
    """
    order = list(dict.fromkeys((*first, *PILES)))
    dealt = [(e, side.get(e.id, "train")) for e in examples if e.id not in aside]
    holder: dict[str | int, Pile] = {}
    for example, pile in dealt:
        held = holder.setdefault(wording(example), pile)
        if order.index(pile) < order.index(held):
            holder[wording(example)] = pile
    return frozenset(e.id for e, pile in dealt if holder[wording(e)] != pile)


def _inherit(
    groups: Sequence[Sequence[Example]], before: Split, wording: Key
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
            asked: dict[str | int, set[Pile]] = defaultdict(set)
            for e in group:
                if e.id in old:
                    asked[wording(e)].add(old[e.id])
            for e in new:
                if len(piles := asked[wording(e)]) == 1:
                    side[e.id] = next(iter(piles))
                elif piles:
                    aside.append(e.id)
    return side, frozenset(aside)


def _spare_wordings(
    groups: Sequence[Sequence[Example]],
    side: Mapping[str, Pile],
    aside: Collection[str],
    rng: random.Random,
    wording: Key,
    answer: Key,
) -> list[list[Example]]:
    """Wordings that training can do without, one of each group before a second of any.

    A wording is all examples with nearly one question; it is spare when each of its answers
    keeps another wording in training, also when all spare wordings are taken at once.
    """
    by_group = []
    for group in groups:
        wordings: dict[str | int, list[Example]] = {}
        for example in group:
            if _taught(example, side, aside):
                wordings.setdefault(wording(example), []).append(example)
        several = list(wordings.values())
        several.sort(key=lambda examples: examples[0].id)
        rng.shuffle(several)
        answers = [{answer(e) for e in examples} for examples in several]
        taught = Counter(chain.from_iterable(answers))
        spare = []
        for examples, told in zip(several, answers, strict=True):
            free = not any(e.id in side for e in examples)
            if free and all(taught[one] > 1 for one in told):
                taught.subtract(told)
                spare.append(examples)
        by_group.append(spare)
    return [examples for turn in zip_longest(*by_group) for examples in turn if examples]
