"""Questions known by the look most of them share: a heading level, weight, number or class."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise

from trainer.corpus.readers.documents.blocks import Block, join_answer
from trainer.corpus.readers.documents.words import is_ending, is_question, is_spoken, strip_number
from trainer.corpus.table import Pair

MOST_LOOKS = 16  # tried, of those with the most questions
_SHORT = 200


@dataclass
class Reading:
    """One way to read a document as questions and answers."""

    pairs: list[Pair] = field(default_factory=list)
    unanswered: list[tuple[int, str]] = field(default_factory=list)
    fit: float = 0.0
    sure: bool = True

    @property
    def asked(self) -> int:
        """How many of its questions ask, by their mark."""
        return sum(is_question(pair.question, short=True) for pair in self.pairs)


def read_by_look(blocks: Sequence[Block], *, called_faq: bool) -> Reading:
    """Find the look that most questions share, and read all that look alike as questions."""
    asking = {n for n, block in enumerate(blocks) if asks(block)}
    looks = _sort_by_look(blocks, asking)
    total = sum(not blocks[n].marker or not blocks[n].depth for n in asking)
    readings: list[tuple[float, int, Reading, set[int]]] = []
    ranked = sorted(looks, key=lambda look: -len(looks[look] & asking))[:MOST_LOOKS]
    for rank, look in enumerate(sorted(ranked, key=_preference)):
        members = looks[look]
        reading = assemble(blocks, members, by_number=look == "chain")
        hits, size = reading.asked, len(reading.pairs)
        enough = 2 if called_faq or hits >= 0.65 * size else 3
        if hits >= enough and hits >= 0.5 * size:
            reading.fit = 2 * hits / (size + max(total, hits))
            readings.append((reading.fit, -rank, reading, members))
    if readings:
        *_, reading, members = max(readings, key=lambda found: found[:2])
        more = [
            other for *_, other_reading, other in readings if _adds(other_reading, other, members)
        ]
        if more:
            reading = assemble(blocks, members.union(*more), by_number=False)
            reading.fit = 2 * reading.asked / (len(reading.pairs) + max(total, reading.asked))
        if reading.fit >= 0.35:
            return reading
    return _read_unmarked(blocks, looks) if called_faq and len(asking) < 3 else Reading()


def _adds(reading: Reading, members: Set[int], chosen: Set[int]) -> bool:
    """Whether another look holds questions of its own and hardly anything else."""
    return len(members - chosen) >= 2 and reading.asked >= 0.8 * len(members)


def _read_unmarked(blocks: Sequence[Block], looks: dict[str, set[int]]) -> Reading:
    """Read a document that calls itself an FAQ and writes no question marks."""
    readings = [Reading()]
    for look in sorted(looks, key=_preference):
        if look.startswith(("heading", "bold", "chain", "first", "style", "size", "role")):
            found = assemble(blocks, looks[look], by_number=False)
            asked = sum(len(pair.question) for pair in found.pairs)
            answered = sum(len(pair.answer) for pair in found.pairs)
            if len(found.pairs) >= 3 and 2 * answered > asked and asked < _SHORT * len(found.pairs):
                readings.append(found)
    best = max(readings, key=lambda reading: len(reading.pairs))
    best.sure, best.fit = False, 0.35
    return best


def read_by_marks(blocks: Sequence[Block], *, called_faq: bool) -> Reading:
    """Read every paragraph that ends in a question mark as a question, where there are many."""
    asking = {n for n, block in enumerate(blocks) if asks(block) and len(block.text) <= 300}
    plain = sum(not block.marker and not block.code for block in blocks)
    if len(asking) < (0.04 if called_faq else 0.2) * plain:
        return Reading()
    reading = assemble(blocks, asking, by_number=False)
    reading.sure, reading.fit = False, 0.34
    return reading


def asks(block: Block) -> bool:
    """Tell whether a block is a question as a whole."""
    if block.code or (block.depth and block.marker) or is_spoken(block.text):
        return False
    return is_question(block.text, short=bool(block.level or block.bold or block.role))


def _preference(look: str) -> tuple[int, str]:
    order = ("role", "heading", "bold numbered", "bold", "chain", "style", "size", "numbered")
    return next((n for n, start in enumerate(order) if look.startswith(start)), 9), look


def _sort_by_look(blocks: Sequence[Block], asking: Set[int]) -> dict[str, set[int]]:
    looks: dict[str, set[int]] = defaultdict(set)
    for number, block in enumerate(blocks):
        for look in _looks_of(block):
            looks[look].add(number)
    for number, (block, following) in enumerate(pairwise(blocks)):
        if block.gap and not following.gap:
            looks["first"].add(number)
    looks["chain"] = _find_chain(blocks, asking)
    several = sorted((look for look in looks if len(looks[look]) >= 2), key=_preference)
    unlike = {frozenset(looks[look]): look for look in reversed(several)}  # the plainest name stays
    return {look: looks[look] for look in several if unlike[frozenset(looks[look])] == look}


def _looks_of(block: Block) -> Iterable[str]:
    if block.code:
        return
    yield from block.looks
    if block.level:
        yield f"heading {block.level}"
    elif block.bold:
        yield "bold"
    if block.role == "question":
        yield "role"
    if block.marker and not block.depth:
        shape = re.sub(r"\w+", "1", block.marker)
        yield f"numbered {shape}"
        if block.bold:
            yield f"bold numbered {shape}"


def _find_chain(blocks: Sequence[Block], asking: Set[int]) -> set[int]:
    """Find the numbered blocks that count through the document, not the steps inside answers."""
    numbered = [
        (number, value)
        for number, block in enumerate(blocks)
        if block.marker and not block.depth and (value := _count(block.marker)) is not None
    ]
    chain: list[int] = []
    last = 0.0
    for position, (number, value) in enumerate(numbered):
        asked = number in asking
        if not chain:
            if not asked and not _leads_chain(numbered[position : position + 3]):
                continue
        elif not (last < value < last + 1.5 or (value == 1 and asked)) or (
            not asked and _is_step(numbered, position, chain[-1], asking)
        ):
            continue
        chain.append(number)
        last = value
    return set(chain)


def _count(marker: str) -> float | None:
    """Read "31." as 31 and "31a." as a little more."""
    found = re.search(r"(\d{1,4})([a-z])?", marker)
    return (
        int(found[1]) + (ord(found[2]) - 96) / 100
        if found and found[2]
        else (float(found[1]) if found else None)
    )


def _is_step(
    numbered: Sequence[tuple[int, float]], position: int, question: int, asking: Set[int]
) -> bool:
    """Whether a number goes on counting the steps of an answer, and the question is yet to come."""
    value = numbered[position][1]
    before, counted = numbered[position - 1]
    for number, other in numbered[position + 1 : position + 41]:
        if other == value and (number in asking or (before != question and counted == value - 1)):
            return True
        if other == value + 1 and number in asking:
            return False
    return False


def _leads_chain(numbered: Sequence[tuple[int, float]]) -> bool:
    return len(numbered) > 2 and numbered[1][1] == numbered[0][1] + 1


def assemble(blocks: Sequence[Block], members: Set[int], *, by_number: bool) -> Reading:
    """Give every question the blocks below it, up to the next question, topic or card."""
    reading = Reading()
    belongs = _limit_to_cards(blocks, sorted(members))
    topics: list[tuple[int, str]] = []
    weak_topic = ""
    asked: int | None = None
    body: list[Block] = []

    def close(following: Block | None) -> None:
        nonlocal weak_topic
        if asked is None:
            return
        question, answer = _part(blocks[asked], body) if by_number else (blocks[asked].text, body)
        text = join_answer(answer)
        if question and text:
            topic = weak_topic or next((name for _, name in topics[::-1]), "")
            reading.pairs.append(Pair(question, text, topic, blocks[asked].place))
            return
        head = blocks[asked]
        deeper = following is not None and 0 < head.level < following.level
        if deeper or not is_question(head.text, short=True):
            if head.level:
                topics.append((head.level, strip_number(head.text)))
                weak_topic = ""
            else:
                weak_topic = strip_number(head.text)
        elif head.text:
            reading.unanswered.append((head.place, head.text))

    for number, block in enumerate(blocks):
        if is_ending(block.text) and (block.level or block.bold or block.gap):
            close(None)
            asked, body = None, []
            continue
        if number in members:
            close(block)
            asked, body = number, []
            if block.level:
                weak_topic = ""
                while topics and topics[-1][0] >= block.level:
                    topics.pop()
            continue
        if block.level:
            if asked is not None and 0 < blocks[asked].level < block.level:
                body.append(block)
                continue
            close(block)
            asked, body, weak_topic = None, [], ""
            while topics and topics[-1][0] >= block.level:
                topics.pop()
            topics.append((block.level, strip_number(block.text)))
        elif asked is not None and belongs(asked, block):
            body.append(block)
    close(None)
    return reading


def _part(head: Block, body: list[Block]) -> tuple[str, list[Block]]:
    """Part a numbered section whose number stands over a longer question, as in a forum's."""
    if asks(head) or not body:
        return head.text, body
    last = max((n for n, block in enumerate(body) if is_question(block.text)), default=None)
    if last is None:
        return head.text, body
    end = next((n for n in range(last + 1, len(body)) if body[n].gap), last + 1)
    if end >= len(body):
        gaps = [n for n in range(last + 1) if body[n].gap]
        if not gaps:
            end = 1 + next(n for n, block in enumerate(body) if is_question(block.text))
        else:
            end = gaps[-1]
    if end >= len(body):
        return head.text, body
    asked = [head.text, *(block.written for block in body[:end])]
    code = any(_CODE.search(line) for line in asked)
    return ("\n" if code else " ").join(asked), body[end:]


_CODE = re.compile(r"[{};]\s*$|^\s*(?://|#\w)")


def _limit_to_cards(
    blocks: Sequence[Block], members: Sequence[int]
) -> Callable[[int, Block], bool]:
    """Say which blocks can belong to a question, by the elements they stand in.

    Where every question has an element that holds it, its answer and no other question, the answer
    ends with that element; elsewhere it ends where the element that holds all questions does.
    """
    paths = [blocks[n].path for n in members]
    if not any(paths) or len(paths) < 2:
        return lambda asked, block: True
    common = [_common(a, b) for a, b in pairwise(paths)]
    own = {n: paths[k][: 1 + max(common[max(k - 1, 0) : k + 1])] for k, n in enumerate(members)}
    within = sum(
        any(b.path[: len(own[n])] == own[n] for b in blocks[n + 1 : following][:20])
        for n, following in pairwise([*members, len(blocks)])
    )
    if within >= 0.8 * len(members):
        return lambda asked, block: block.path[: len(own[asked])] == own[asked]
    shared = paths[0][: min(common)]
    shared = paths[0][: min(len(shared), _common_of_all(paths))]
    return lambda asked, block: block.path[: len(shared)] == shared


def _common(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )


def _common_of_all(paths: Sequence[tuple[int, ...]]) -> int:
    return _common(min(paths), max(paths))
