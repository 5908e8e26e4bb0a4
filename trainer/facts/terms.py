"""Where an answer names another kind of thing, or another name, than the approved answer does.

Kinds that are told apart (words/contrasts.toml) are compared wherever both texts speak of the same
matter; any other word only where the two sentences are the same but for it, and it is no synonym
(words/synonyms.toml) and stands nowhere in the approved answer.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Literal, NamedTuple

from rapidfuzz.distance import Levenshtein, Opcode

from trainer.corpus.word_lists import read_words
from trainer.facts.lexicon import read_list
from trainer.facts.names import names_of, other_names
from trainer.facts.phrasing import BREAK, NOT, Phrasing, Word, stem, stems_of

ALIKE = 0.7  # similarity from which a swapped word is looked for
MATTER = 0.2  # share of content words from which two sentences are about the same matter
_BEFORE_NOUNS = read_words(
    "a the your our their his her its this that these those any each every no all in at by with "
    "for of from into on via per using under or and my during than as about"
)


class Mention(NamedTuple):
    """One of a set of kinds, as a sentence names it."""

    among: int
    member: int
    start: int
    end: int
    beside: bool


class Swap(NamedTuple):
    """What the answer says in the place of what the approved answer says."""

    kind: Literal["term", "name"]
    said: str
    approved: str


def find_swaps(answer: Phrasing, approved: Phrasing) -> list[Swap]:
    """Find kinds, words and names of an answer that stand where the approved one has others."""
    swaps: dict[Swap, None] = {}
    mine = [list(_mentions(s, answer.language)) for s in answer.sentences]
    theirs = [list(_mentions(s, approved.language)) for s in approved.sentences]
    names, known = names_of(answer), names_of(approved)
    for number, sentence in enumerate(answer.sentences):
        best, closest = _most_alike(sentence, approved.sentences)
        if best == 1 or not sentence:
            continue
        swaps.update(dict.fromkeys(_other_kinds(number, answer, approved, mine, theirs)))
        about = [_shared(sentence, other) for other in approved.sentences]
        overlaps = [_overlap(sentence, other) for other in approved.sentences]
        closest_about = max(range(len(about)), key=overlaps.__getitem__, default=0)
        for place, other in enumerate(approved.sentences):
            if about[place] < MATTER:
                continue
            if place == closest_about:
                lists = mine[number], theirs[place]
                beside = _other_beside(answer, approved, sentence, other, *lists)
                swaps.update(dict.fromkeys(beside))
            for said, there in other_names(answer, approved, names[number], known[place]):
                swaps[Swap("name", said, there)] = None
        if closest is not None:
            other = approved.sentences[closest]
            lists = mine[number], theirs[closest]
            swaps.update(dict.fromkeys(_swapped(answer, approved, sentence, other, *lists)))
    return list(swaps)


def _overlap(one: Sequence[Word], other: Sequence[Word]) -> float:
    mine = {w.key for w in one if w.content}
    theirs = {w.key for w in other if w.content}
    return 2 * len(mine & theirs) / max(1, len(mine) + len(theirs))


def _shared(one: Sequence[Word], other: Sequence[Word]) -> float:
    mine = {w.key for w in one if w.content}
    theirs = {w.key for w in other if w.content}
    return len(mine & theirs) / max(1, min(len(mine), len(theirs)))


def _said(text: Phrasing, words: Sequence[Word]) -> str:
    return text.text[words[0].start : words[-1].end].strip(" .,;:") if words else ""


# kinds of the open list ---------------------------------------------------------------------------


def _mentions(sentence: Sequence[Word], language: str) -> Iterator[Mention]:
    stems = [word.stem for word in sentence]
    table, heads = _contrasts(language)
    for at, first in enumerate(stems):
        for phrase, among, member, kind in table.get(first, ()):
            end = at + len(phrase)
            if tuple(stems[at:end]) != phrase:
                continue
            if kind == "head" and not _leads_to(stems[end : end + 4], heads[among]):
                continue
            yield Mention(among, member, at, end, kind == "beside")


def _leads_to(stems: Sequence[str], heads: frozenset[str]) -> bool:
    """Whether a head follows: savings account, savings or current account."""
    if not stems:
        return False
    return stems[0] in heads or (stems[0] in ("and", "or", BREAK) and not heads.isdisjoint(stems))


def _other_kinds(
    number: int,
    answer: Phrasing,
    approved: Phrasing,
    mine: Sequence[Sequence[Mention]],
    theirs: Sequence[Sequence[Mention]],
) -> Iterator[Swap]:
    sentence = answer.sentences[number]
    said = {(m.among, m.member) for mentions in mine for m in mentions}
    known = {(m.among, m.member) for mentions in theirs for m in mentions}
    for mention in mine[number]:
        if mention.beside or (mention.among, mention.member) in known:
            continue
        for place, mentions in enumerate(theirs):
            other = approved.sentences[place]
            about = _shared(sentence, other) >= MATTER
            if not about and (len(answer.sentences) > 1 or len(approved.sentences) > 1):
                continue
            for there in mentions:
                if there.among != mention.among or (there.among, there.member) in said:
                    continue
                here = sentence[mention.start : mention.end]
                yield Swap(
                    "term", _said(answer, here), _said(approved, other[there.start : there.end])
                )
                break
            else:
                continue
            break


def _other_beside(
    answer: Phrasing,
    approved: Phrasing,
    sentence: Sequence[Word],
    other: Sequence[Word],
    mine: Sequence[Mention],
    theirs: Sequence[Mention],
) -> Iterator[Swap]:
    """Kinds that are told apart by what they stand beside: before Friday, after Friday."""
    if sum(w.key == NOT for w in sentence) != sum(w.key == NOT for w in other):
        return
    for one in mine:
        if not one.beside:
            continue
        here = _neighbours(sentence, one)
        for two in theirs:
            if two.among != one.among or two.member == one.member or not two.beside:
                continue
            there = _neighbours(other, two)
            if not any(a and a == b for a, b in zip(here, there, strict=True)):
                continue
            if any(_stands(one, here, m, other) for m in theirs):
                continue
            if any(_stands(two, there, m, sentence) for m in mine):
                continue
            yield Swap(
                "term",
                _said(answer, sentence[one.start : one.end]),
                _said(approved, other[two.start : two.end]),
            )
            return


def _stands(
    mention: Mention, beside: Iterable[str], other: Mention, sentence: Sequence[Word]
) -> bool:
    """Whether another sentence says the same member beside one of the same words."""
    alike = (mention.among, mention.member) == (other.among, other.member)
    return alike and bool(({*beside} & {*_neighbours(sentence, other)}) - {""})


def _neighbours(sentence: Sequence[Word], mention: Mention) -> tuple[str, str]:
    before = [w.key for w in sentence[max(0, mention.start - 3) : mention.start] if w.content]
    after = [w.key for w in sentence[mention.end : mention.end + 3] if w.content]
    return (before[-1] if before else ""), (after[0] if after else "")


# any word, in sentences worded alike --------------------------------------------------------------


def _most_alike(
    sentence: Sequence[Word], others: Sequence[Sequence[Word]]
) -> tuple[float, int | None]:
    mine = [word.stem for word in sentence]
    best: tuple[float, int | None] = (0.0, None)
    for place, other in enumerate(others):
        theirs = [word.stem for word in other]
        alike = Levenshtein.normalized_similarity(mine, theirs, score_cutoff=ALIKE)
        if alike > best[0]:
            best = alike, place
    return best


def _swapped(
    answer: Phrasing,
    approved: Phrasing,
    one: Sequence[Word],
    other: Sequence[Word],
    mine: Sequence[Mention],
    theirs: Sequence[Mention],
) -> Iterator[Swap]:
    ops = Levenshtein.opcodes([w.stem for w in one], [w.stem for w in other])
    changes = [op for op in ops if op.tag != "equal"]
    worded = [op for op in changes if op.tag == "replace"]
    said = {(m.among, m.member) for m in mine}
    known = {(m.among, m.member) for m in theirs}
    turned = sum(w.key == NOT for w in one) != sum(w.key == NOT for w in other)
    for op in worded:
        here = one[op.src_start : op.src_end]
        there = other[op.dest_start : op.dest_end]
        listed = [
            (a, b)
            for a in mine
            for b in theirs
            if a.among == b.among
            and not (a.beside and turned)
            and a.member != b.member
            and a.start in range(op.src_start, op.src_end)
            and b.start in range(op.dest_start, op.dest_end)
            and not ((a.among, a.member) in known and (b.among, b.member) in said)
        ]
        if listed or (
            len(changes) <= 2 and len(worded) == 1 and _other_word(op, one, here, there, approved)
        ):
            yield Swap("term", _said(answer, here), _said(approved, there))


def _other_word(
    op: Opcode, one: Sequence[Word], here: Sequence[Word], there: Sequence[Word], approved: Phrasing
) -> bool:
    """Whether one thing stands for another: a noun or what leads it, unknown and no synonym."""
    mine, theirs = [w for w in here if w.content], [w for w in there if w.content]
    if not 1 <= len(mine) <= 2 or not 1 <= len(theirs) <= 2 or len(here) > 3 or len(there) > 3:
        return False
    if any(w.quantity or w.denied for w in (*mine, *theirs)):
        return False
    before = one[op.src_start - 1].stem if op.src_start else "the"
    if before not in _BEFORE_NOUNS and not one[op.src_start - 1].content:
        return False
    if before not in _BEFORE_NOUNS and op.src_end < len(one) and not one[op.src_end].content:
        return False
    if before != "during" and any(w.stem.endswith(("ing", "ly")) for w in mine):
        return False
    return not any(
        w.key in approved.keys
        or w.stem in approved.stems
        or any(synonymous(w.stem, v.stem) for v in theirs)
        for w in mine
    )


@cache
def synonymous(one: str, other: str) -> bool:
    """Whether two stems are of one word, or may stand for each other in an answer."""
    if one == other or _synonyms().get(one, frozenset()) & _synonyms().get(other, frozenset()):
        return True
    short, long = sorted((one, other), key=len)
    common = (
        len(short)
        if long.startswith(short)
        else next(at for at in range(len(short) + 1) if short[:at] != long[:at]) - 1
    )
    if common >= 4 and common >= 0.6 * len(long):
        return True
    return len(short) > 4 and Levenshtein.normalized_similarity(one, other) >= 0.8


# the open lists -----------------------------------------------------------------------------------


@cache
def _contrasts(
    language: str,
) -> tuple[dict[str, list[tuple[tuple[str, ...], int, int, str]]], dict[int, frozenset[str]]]:
    lists = read_list("contrasts")
    table: dict[str, list[tuple[tuple[str, ...], int, int, str]]] = {}
    heads: dict[int, frozenset[str]] = {}
    sets = [(members, "alone") for members in lists["sets"]]
    sets += [(entry["kinds"], "head") for entry in lists["kinds"]]
    sets += [(members, "beside") for members in lists["beside"]["pairs"]]
    first_kind = len(lists["sets"])
    for at, entry in enumerate(lists["kinds"], start=first_kind):
        heads[at] = frozenset(stem(word, language) for word in entry["heads"])
    for among, (members, how) in enumerate(sets):
        for member, words in enumerate(members):
            for word in words.split("/"):
                phrase = stems_of(word, language)
                if phrase:
                    table.setdefault(phrase[0], []).append((phrase, among, member, how))
    return table, heads


@cache
def _synonyms() -> dict[str, frozenset[int]]:
    groups: dict[str, set[int]] = {}
    for at, line in enumerate(read_list("synonyms")["groups"]):
        for word in line.split():
            groups.setdefault(stem(word, "en"), set()).add(at)
    return {word: frozenset(found) for word, found in groups.items()}
