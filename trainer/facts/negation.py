"""Where one text denies what the other affirms.

Two sentences that are worded alike are compared word by word: a "not" more or less turns the
statement round, unless another change in the same clause turns it back ("not allowed" is
"forbidden"). Of sentences worded differently only a word that both use is compared, denied in one
and affirmed in the other; where one hedges and the other does not ("only", "unless", "until"),
nothing is made of it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from trainer.corpus.word_lists import REVERSING
from trainer.facts.lexicon import read_list
from trainer.facts.phrasing import BREAK, NOT, Phrasing, Word, joins, stem, stems_of

ALIKE = 0.6  # similarity from which two sentences are compared word by word
NEAR = 0.34  # share of the words around it from which a word of both is about the same
AROUND = 7  # words to either side
_CHAINING = frozenset({"can", "allow", "need", "want", "like", "wish", "try", "possibl", "able"})


class Turn(NamedTuple):
    """Words that turn a statement round: as the answer and the approved answer say it."""

    said: str
    approved: str


def find_turns(answer: Phrasing, approved: Phrasing) -> list[Turn]:
    """Find where an answer denies what the approved one affirms, or the reverse."""
    turns: dict[Turn, None] = {}
    compared: set[int] = set()
    partners: set[int] = set()
    for at, sentence in enumerate(answer.sentences):
        best, place = _most_alike(sentence, approved.sentences)
        if best >= ALIKE and place is not None:
            compared.add(at)
            partners.add(place)
            turned = list(_turned_inside(sentence, approved.sentences[place], answer, approved))
            turns.update(dict.fromkeys(turned))
    for turn in _turned_across(answer, approved, compared, partners):
        turns.setdefault(turn)
    return list(turns)


def _most_alike(
    sentence: Sequence[Word], others: Sequence[Sequence[Word]]
) -> tuple[float, int | None]:
    mine = [word.key for word in sentence if word.key != BREAK]
    said = [word.key for word in sentence if word.content]
    best: tuple[float, int | None] = (0.0, None)
    for place, other in enumerate(others):
        theirs = [word.key for word in other if word.key != BREAK]
        alike = Levenshtein.normalized_similarity(mine, theirs, score_cutoff=ALIKE)
        if said and said == [word.key for word in other if word.content]:
            alike = max(alike, ALIKE)  # so short that a "do not" is half of it
        if alike > best[0]:
            best = alike, place
    return best


# sentences worded alike ---------------------------------------------------------------------------


def _turned_inside(
    one: Sequence[Word], other: Sequence[Word], answer: Phrasing, approved: Phrasing
) -> Iterator[Turn]:
    """Each clause in which the one sentence has a negation more than the other."""
    ops = Levenshtein.opcodes([w.key for w in one], [w.key for w in other])
    restricted = {w.key == "only" for w in one}, {w.key == "only" for w in other}
    if True in restricted[0] ^ restricted[1] and _bare(one) == _bare(other):
        if sum(w.key == NOT for w in one) != sum(w.key == NOT for w in other):  # only, not
            yield _told((_limit(one), _limit(other)), answer, approved)
        return
    if _soft(one, "soft") != _soft(other, "soft"):
        return
    odd = 0
    where: tuple[Word | None, Word | None] = (None, None)
    for op in ops:
        mine = one[op.src_start : op.src_end]
        theirs = other[op.dest_start : op.dest_end]
        if op.tag == "equal":
            for left, right in zip(mine, theirs, strict=True):
                if left.denied != right.denied:
                    odd += 1
                    where = left, right
                if joins(left) and odd % 2:
                    yield _told(where, answer, approved)
                if joins(left):
                    odd = 0
            continue
        ours = [w for w in mine if _counts(w, other, approved)]
        yours = [w for w in theirs if _counts(w, one, answer)]
        if (len(ours) + len(yours)) % 2:
            where = ours[0] if ours else where[0], yours[0] if yours else where[1]
        odd += len(ours) + len(yours)
    if odd % 2:
        yield _told(where, answer, approved)


def _bare(sentence: Sequence[Word]) -> list[str]:
    return [w.key for w in sentence if w.key not in (NOT, BREAK, "only")]


def _limit(sentence: Sequence[Word]) -> Word | None:
    return next((w for w in sentence if w.key in (NOT, "only")), None)


def _counts(word: Word, other: Sequence[Word], text: Phrasing) -> bool:
    """Whether a word turns its sentence against another; "different" does so to "same" only."""
    if word.denied and word.stem != NOT:
        return word.key in text.keys or any(w.key == NOT for w in other)
    return _denies(word, text)


def _denies(word: Word, other: Phrasing) -> bool:
    return word.key == NOT or word.denied or _reversed_key(word, other) is not None


def _reversed_key(word: Word, other: Phrasing) -> str | None:
    """The key of the word that this one reverses by its prefix, where the other text has it."""
    for base in _bases(word.stem, other.language):
        if base in other.stems:
            return base
    return None


@lru_cache(maxsize=100_000)
def _bases(word: str, language: str) -> tuple[str, ...]:
    """What is left of a word without a prefix that reverses it."""
    rests = [word.removeprefix(prefix).lstrip("-") for prefix in sorted(REVERSING - {"de", "re"})]
    rests = [rest for rest in rests if len(rest) >= 4 and rest != word]
    return tuple(base for rest in rests for base in (rest, stem(rest, language)))


def _told(where: tuple[Word | None, Word | None], answer: Phrasing, approved: Phrasing) -> Turn:
    return Turn(_around(where[0], answer), _around(where[1], approved))


def _around(word: Word | None, text: Phrasing) -> str:
    """The word with what it stands before, as the text has it."""
    if word is None:
        return ""
    rest = text.text[word.end : word.end + 40].split()
    behind = " ".join(rest[:1]) if word.key == NOT else ""
    return f"{text.text[word.start : word.end]} {behind}".strip(" .,;:")


# sentences worded differently ---------------------------------------------------------------------


class _Head(NamedTuple):
    key: str
    denied: bool
    at: int
    sentence: int
    word: Word
    by: Word | None


def _turned_across(
    answer: Phrasing, approved: Phrasing, compared: set[int], partners: set[int]
) -> Iterator[Turn]:
    mine, theirs = _heads(answer, approved), _heads(approved, answer)
    for head in (h for h in mine if h.denied and h.sentence not in compared):
        if match := _affirmed(head, mine, theirs, answer, approved):
            yield Turn(_around(head.by or head.word, answer), _around(match.word, approved))
    for head in (h for h in theirs if h.denied and h.sentence not in partners):
        match = _affirmed(head, theirs, mine, approved, answer)
        if match and match.sentence not in compared:
            yield Turn(_around(match.word, answer), _around(head.by or head.word, approved))


def _affirmed(
    head: _Head, heres: Sequence[_Head], others: Sequence[_Head], here: Phrasing, there: Phrasing
) -> _Head | None:
    """The same word in the other text, about the same and affirmed, where none there denies it."""
    sentence = here.sentences[head.sentence]
    near = _near(sentence, head.at)
    short = len(here.sentences) == len(there.sentences) == 1 and len(near) <= 3
    owns = [own for own in heres if own.key == head.key and not own.denied]  # said besides
    best: tuple[float, _Head] | None = None
    for other in others:
        if other.key != head.key:
            continue
        context = _near(there.sentences[other.sentence], other.at)
        shared = _overlap(near, context)
        if other.denied and (shared > 0 or short):
            return None
        if any(
            _overlap(_near(here.sentences[own.sentence], own.at), context) > shared for own in owns
        ):
            continue
        if (shared >= NEAR or (short and len(context) <= 3)) and (best is None or shared > best[0]):
            best = shared, other
    if best is None:
        return None
    match = there.sentences[best[1].sentence]
    if _soft(sentence, "soft", "guarded") != _soft(match, "soft", "guarded"):
        return None
    if (
        any(_counts(w, (), here) for w in match)
        or sum(_counts(w, (), there) for w in sentence) != 1
    ):
        return None
    return best[1]


def _overlap(one: set[str], other: set[str]) -> float:
    return len(one & other) / max(1, min(len(one), len(other)))


def _near(sentence: Sequence[Word], at: int) -> set[str]:
    around = range(at - AROUND, at + AROUND + 1)
    return {w.key for i, w in enumerate(sentence) if i in around and w.content and i != at}


def _heads(text: Phrasing, other: Phrasing) -> list[_Head]:
    """The content words of a text, with whether each is what its clause denies."""
    found: list[_Head] = []
    for number, sentence in enumerate(text.sentences):
        denied = _scopes(sentence)
        for at, word in enumerate(sentence):
            if not word.content and word.key != "can":
                continue
            base = _reversed_key(word, other)
            turned = (at in denied) ^ (word.denied or base is not None)
            found.append(_Head(base or word.key, turned, at, number, word, denied.get(at)))
    return found


def _scopes(sentence: Sequence[Word]) -> dict[int, Word]:
    """Which words a negation is bound to: the next that says something, past auxiliaries."""
    scopes: dict[int, Word] = {}
    for at, cue in enumerate(sentence):
        if cue.key != NOT:
            continue
        place = at + 1
        while place < len(sentence) and not (joins(sentence[place]) and place > at + 1):
            word = sentence[place]
            if word.content or word.key in _CHAINING:
                scopes[place] = cue
                if word.key not in _CHAINING:
                    break
            place += 1
        if cue.stem in ("no", "none", "nobody", "nothing", "neither"):
            for here, there in pairwise(range(place, len(sentence))):
                if joins(sentence[here]):
                    break
                if sentence[here].stem in ("be", "can", "will") and sentence[there].content:
                    scopes[there] = cue
                    break
    return scopes


def _soft(sentence: Sequence[Word], *lists: str) -> Counter[str]:
    """The words of a sentence that leave open which way it goes."""
    stems = [word.stem for word in sentence]
    found: Counter[str] = Counter()
    for at in range(len(stems)):
        for name, phrase in _soft_phrases().get(stems[at], ()):
            if name in lists and tuple(stems[at : at + len(phrase)]) == phrase:
                found[" ".join(phrase)] += 1
    return found


@cache
def _soft_phrases() -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    by_first: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for name in ("soft", "guarded"):
        for words in read_list("polarity")[name]:
            phrase = stems_of(words, "en")
            by_first.setdefault(phrase[0], []).append((name, phrase))
    return by_first
