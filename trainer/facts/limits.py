"""Where one answer limits what the other leaves open, or what is in and what is out change places.

"Only in the courtyard" and "nowhere except in the courtyard" leave the rest out; "everywhere except
in the courtyard", "not only" and "any" leave it in. Read in English only, and only in sentences
that are about the same.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Literal

from trainer.corpus.word_lists import read_words
from trainer.facts.lexicon import read_list
from trainer.facts.numerals import lowered
from trainer.facts.phrasing import BREAK, NOT, Phrasing, Word, stems_of

ABOUT = 0.5  # share of content words from which two sentences are about the same
_BESIDES = re.compile(r"\b(?:not (?:only|just|merely|solely)|with or without)\b")
_MODAL = frozenset({"allow", "can"})
_LIMITING = frozenset({"except", "unless", "only"})
_SPLIT = read_words("but while whereas however though although")
_BINDING = read_words("who whom whose that with without if on from aged over under as holding in")


def find_limits(answer: Phrasing, approved: Phrasing) -> Iterator[tuple[str, str]]:
    """Find sentences of an answer that treat the rest otherwise than the approved ones do."""
    if answer.language != "en":
        return
    for at, sentence in enumerate(answer.sentences):
        about = [_shared(sentence, other) for other in approved.sentences]
        if max(about, default=0) < ABOUT:
            continue
        place = about.index(max(about))
        near = approved.sentences[place]
        mine, theirs = _rest(answer, at, near), _rest(approved, place, sentence)
        if (mine and theirs and mine != theirs) or _exchanged(sentence, near):
            yield _said(sentence, answer), _said(near, approved)


def _shared(one: Sequence[Word], other: Sequence[Word]) -> float:
    mine, theirs = ({w.key for w in s if w.content} for s in (one, other))
    return len(mine & theirs) / max(1, min(len(mine), len(theirs)))


def _said(sentence: Sequence[Word], text: Phrasing) -> str:
    return text.text[sentence[0].start : sentence[-1].end].strip(" .,;:")


def _rest(text: Phrasing, number: int, other: Sequence[Word]) -> str:
    """Whether a sentence leaves all the rest "in" or "out", or "" where it does not say."""
    sentence = text.sentences[number]
    begin = max((s[-1].end for s in text.sentences[:number] if s), default=0)
    if _BESIDES.search(lowered(text.text), begin, sentence[-1].end):  # an idiom, so in no sentence
        return "in"
    found: set[str] = set()
    stems = tuple("only" if w.key == "only" else w.stem for w in sentence)
    for at, first in enumerate(stems):
        for phrase, name in _phrases().get(first, ()):
            if stems[at : at + len(phrase)] == phrase:
                found.add(_side(name, sentence, at, at + len(phrase), other))
                break
    found.discard("")
    return found.pop() if len(found) == 1 else ""


def _side(
    name: str, sentence: Sequence[Word], at: int, end: int, other: Sequence[Word]
) -> Literal["in", "out", ""]:
    """What a phrase of the open list, from one word to another, says of the rest."""
    clause = next(c for c in _clauses(sentence) if sentence[at] in c)
    after = sentence[end] if end < len(sentence) else None
    about = sentence if name == "except" else clause
    denials = sum(w.key == NOT or w.denied for w in about)
    if denials > 1:
        return ""
    if name == "except":
        return "out" if denials else "in"
    if name == "only":
        if after and (
            after.quantity or after.stem in ("one", "once", "of")
        ):  # only 5 euros, exclusive of tax
            return ""
        return "in" if denials else "out"
    if denials or any(w.stem in _LIMITING for w in sentence):
        return ""
    if name == "all":  # anyone may, but not anyone staying here
        bound = after and (after.stem in _BINDING or (after.content and after.key not in _MODAL))
        return "" if bound else "in"
    listed = {w.stem for w in other if w.content} if name == "also" else _limited(other)
    return "in" if after and after.stem in listed else ""


def _limited(sentence: Sequence[Word]) -> set[str]:
    """What stands close behind an "only"."""
    places = [at for at, word in enumerate(sentence) if word.key == "only"]
    return {w.stem for at in places for w in sentence[at + 1 : at + 5]}


@cache
def _phrases() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """The phrases of the open list by their first stem, the longest first."""
    by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for name, listed in read_list("limits").items():
        for phrase in listed:
            stems = stems_of(phrase, "en")
            by_first.setdefault(stems[0], []).append((stems, name))
    for group in by_first.values():
        group.sort(key=lambda entry: -len(entry[0]))
    return by_first


def _clauses(sentence: Sequence[Word]) -> list[list[Word]]:
    clauses: list[list[Word]] = [[]]
    for at, word in enumerate(sentence):
        denying = at + 1 < len(sentence) and sentence[at + 1].key == NOT
        if word.key == BREAK or word.stem in _SPLIT or (word.stem == "and" and denying):
            clauses.append([])
        clauses[-1].append(word)
    return clauses


def _exchanged(one: Sequence[Word], other: Sequence[Word]) -> bool:
    """Whether one thing is in here and out there, and another the reverse: cards but no cash."""
    mine, theirs = _sides(one), _sides(other)
    return bool(mine[0] & theirs[1]) and bool(mine[1] & theirs[0])


def _sides(sentence: Sequence[Word]) -> tuple[set[str], set[str]]:
    """What the clauses of a sentence affirm and what they deny."""
    affirmed: set[str] = set()
    denied: set[str] = set()
    for clause in _clauses(sentence):
        cues = [at for at, w in enumerate(clause) if w.key == NOT]
        turned = sum(w.denied for w in clause)
        if len(cues) + turned > 1 or any(w.key == "only" for w in clause if cues):
            continue
        words = [w for w in clause if w.content and not w.denied and w.key != "allow"]
        if cues and clause[cues[0]].stem in ("no", "without"):
            denied |= {w.key for w in words if w.start > clause[cues[0]].start}
            affirmed |= {w.key for w in words if w.start < clause[cues[0]].start}
        elif cues or turned:
            denied |= {w.key for w in words}
        else:
            affirmed |= {w.key for w in words}
    return affirmed - denied, denied - affirmed
