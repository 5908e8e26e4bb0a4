"""Where an answer states another fact than the approved one, and what nobody approved.

Wording and order do not count: quantities are compared by value, negation by what it denies, terms
and names by what they stand for. What an answer leaves out is no contradiction. The word lists are
open, in trainer/facts/words/, and what they miss is missed: no flag is no proof.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from rapidfuzz.distance import Levenshtein

from trainer.facts.flag import FactKind, Flag
from trainer.facts.limits import find_limits
from trainer.facts.names import find_names
from trainer.facts.negation import find_turns
from trainer.facts.numerals import language_of, lowered
from trainer.facts.phrasing import BREAK, NOT, Phrasing, Word, read_phrasing
from trainer.facts.quantities import DURATIONS, Quantity, family, same
from trainer.facts.terms import find_swaps

ALIKE = 0.8  # similarity of two sentences from which values are compared place by place
_BARE = frozenset({"count", "ordinal", "rate"})
_FAMILIES = dict.fromkeys(DURATIONS, DURATIONS)
_OPEN = _BARE | {"code"}  # said of nothing but themselves


def differing(answer: str, approved: str) -> tuple[Flag, ...]:
    """The facts in which an answer contradicts the approved one; wording and order do not count."""
    if answer.strip() == approved.strip() or not answer.strip():
        return ()
    language = language_of(lowered(f"{approved} {answer}"))
    mine, theirs = read_phrasing(answer, language), read_phrasing(approved, language)
    flags = [*_other_values(mine, theirs), *_misplaced_values(mine, theirs)]
    flags += _other_bounds(mine, theirs)
    for said, there in _other_yes(mine, theirs) or find_turns(mine, theirs):
        flags.append(Flag(kind="negation", said=said, approved=there))
    for swap in find_swaps(mine, theirs):
        flags.append(Flag(kind=swap.kind, said=swap.said, approved=swap.approved))
    if not flags:
        limits = find_limits(mine, theirs)
        flags += [Flag(kind="negation", said=said, approved=there) for said, there in limits]
    kept: list[Flag] = []
    for flag in flags:
        if not any(flag.said in k.said and flag.approved in k.approved for k in kept):
            kept.append(flag)
    return tuple(kept)


class Known:
    """The facts that some texts state, read once, for many answers to be held against."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._values: set[tuple[str, object]] = set()
        self._by_dimension: dict[str, list[Quantity]] = defaultdict(list)
        self._stems: set[str] = set()
        for text in dict.fromkeys(texts):
            phrasing = read_phrasing(text)
            self._stems |= phrasing.stems
            for quantity in phrasing.quantities:
                if (quantity.dimension, quantity.value) not in self._values:
                    self._values.add((quantity.dimension, quantity.value))
                    self._by_dimension[quantity.dimension].append(quantity)

    def unsupported(self, answer: str) -> tuple[str, ...]:
        """The amounts, dates, numbers with a unit, addresses and names that no known text states.

        A bare number is none of them: among thousands of texts one has it, about something else.
        """
        phrasing = read_phrasing(answer)
        new = [(q.start, q.said) for q in phrasing.quantities if not self._states(q)]
        new += [(n.start, answer[n.start : n.end]) for n in find_names(phrasing, self._stems)]
        return tuple(dict.fromkeys(said for _, said in sorted(new)))

    def _states(self, quantity: Quantity) -> bool:
        if quantity.weak or quantity.dimension in _BARE:
            return True
        if (quantity.dimension, quantity.value) in self._values:
            return True
        alike = _FAMILIES.get(quantity.dimension, (quantity.dimension,))
        return any(same(quantity, k) for name in alike for k in self._by_dimension.get(name, ()))


def _other_values(mine: Phrasing, theirs: Phrasing) -> Iterator[Flag]:
    """Each value that the approved answer does not state, with the one that it may stand for."""
    known = theirs.quantities
    used = [k for k in known if any(same(q, k) for q in mine.quantities)]
    for said in mine.quantities:
        if any(same(said, k) for k in known):
            continue
        if said.weak and not (said.dimension == "count" and _recounted(said, known)):
            continue
        if said.kind == "name" and said.said.lower() in theirs.text.lower():
            continue
        alike = [k for k in known if family(k) == family(said) and not k.weak]
        left = [k for k in alike if k not in used]
        unit = [k for k in known if k.raw == said.raw is not None and k not in used and not k.weak]
        if said.weak:
            alike = [k for k in known if k.dimension == "count" and k.noun == said.noun]
            unit, left = [], []
        if said.noun == "times" or said.said.lower() in ("twice", "thrice"):
            alike += [k for k in known if k.said.lower() == "once"]
        if said.dimension == "count" and not alike:
            left = alike = [k for k in known if k.raw is not None and k not in used and not k.weak]
        if said.dimension in _OPEN and not alike:
            continue
        nearest = _nearest(said, mine, unit or left or alike, theirs)
        turned = nearest is not None and _other_unit(said, nearest)
        kind: FactKind = "unit" if turned or said.dimension == "rate" else said.kind
        yield Flag(kind=kind, said=said.said, approved=nearest.said if nearest else "")


def _recounted(said: Quantity, known: Iterable[Quantity]) -> bool:
    """Whether a number that says little, as in "3 steps", is told otherwise of the same."""
    return said.raw not in (0, 1) and any(
        k.dimension == "count" and k.noun == said.noun != "" and k.raw not in (0, 1) for k in known
    )


def _other_unit(one: Quantity, other: Quantity) -> bool:
    """Whether it is the unit that differs, not the number."""
    return one.raw == other.raw is not None and one.dimension not in ("clock", "date", "count")


def _nearest(
    said: Quantity, mine: Phrasing, among: Sequence[Quantity], theirs: Phrasing
) -> Quantity | None:
    around = _around(said, mine)
    return max(among, key=lambda k: len(around & _around(k, theirs)), default=None)


def _around(quantity: Quantity, text: Phrasing) -> set[str]:
    near = range(quantity.start - 40, quantity.end + 40)
    return {w.key for s in text.sentences for w in s if w.start in near and w.content}


def _misplaced_values(mine: Phrasing, theirs: Phrasing) -> Iterator[Flag]:
    """Each value that stands where the approved answer has another, in a sentence worded alike."""
    for sentence in mine.sentences:
        if not any(w.quantity for w in sentence):
            continue
        best: tuple[float, int, list[tuple[Quantity, Quantity]]] = (0.0, 0, [])
        keys = _masked(sentence)
        for other in theirs.sentences:
            score = Levenshtein.normalized_similarity(keys, _masked(other), score_cutoff=ALIKE)
            if score:
                pairs = list(_paired(sentence, other))
                best = max(best, (score, sum(same(*p) for p in pairs), pairs), key=lambda b: b[:2])
        score, _, pairs = best
        values = Counter(q.value for q, _ in pairs), Counter(k.value for _, k in pairs)
        parted = [(q, k) for q, k in pairs if not same(q, k)]
        if values[0] == values[1]:
            moved = {family(q) for q, _ in parted}
            if score < 1 or len(moved) > 1 or len(keys) - len(pairs) < 3:
                continue
        for said, there in parted:
            if any(same(said, k) for k in theirs.quantities):  # otherwise told already
                kind: FactKind = "unit" if _other_unit(said, there) else said.kind
                yield Flag(kind=kind, said=said.said, approved=there.said)


def _masked(sentence: Sequence[Word]) -> list[str]:
    return ["#" + family(w.quantity) if w.quantity else w.key for w in sentence if w.key != BREAK]


def _paired(one: Sequence[Word], other: Sequence[Word]) -> Iterator[tuple[Quantity, Quantity]]:
    one = [w for w in one if w.key != BREAK]
    other = [w for w in other if w.key != BREAK]
    for op in Levenshtein.opcodes(_masked(one), _masked(other)):
        if op.tag == "equal":
            for left, right in zip(
                one[op.src_start : op.src_end], other[op.dest_start : op.dest_end], strict=True
            ):
                if left.quantity and right.quantity:
                    yield left.quantity, right.quantity


def _other_bounds(mine: Phrasing, theirs: Phrasing) -> Iterator[Flag]:
    """Each value that is the least here and the most there: at least 18, at most 18."""
    for said in mine.quantities:
        there = [k for k in theirs.quantities if not k.weak and same(said, k)]
        if not said.bound or not there or said.weak:
            continue
        if any(k.bound in ("", said.bound) for k in there):
            continue
        if any(_denials(said, mine) == _denials(k, theirs) for k in there):
            wording = _with_bound(said, mine.text), _with_bound(there[0], theirs.text)
            yield Flag(kind="term", said=wording[0], approved=wording[1])


def _denials(quantity: Quantity, text: Phrasing) -> int:
    for sentence in text.sentences:
        if sentence and sentence[0].start <= quantity.start <= sentence[-1].end:
            return sum(w.key == NOT or w.denied for w in sentence)
    return 0


def _with_bound(quantity: Quantity, text: str) -> str:
    before = text[: quantity.start].split()[-2:]
    return " ".join((*before, text[quantity.start : quantity.end]))


def _other_yes(mine: Phrasing, theirs: Phrasing) -> list[tuple[str, str]]:
    """A "no" at the beginning where the approved answer begins with "yes", or the reverse."""
    if mine.opening and theirs.opening and mine.opening != theirs.opening:
        return [(mine.opening, theirs.opening)]
    return []
