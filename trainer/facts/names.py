"""The names in an answer, and where it has another name than the approved answer."""

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import NamedTuple

from trainer.facts.phrasing import BREAK, NOT, Phrasing, Word


class Name(NamedTuple):
    """A name within a sentence, with the stems of the words around it."""

    start: int
    end: int
    words: tuple[Word, ...]
    before: str
    after: str


def find_names(text: Phrasing, known: Set[str]) -> list[Name]:
    """Find the names of a text that have a word nobody knows, by stem."""
    names = [name for names in names_of(text) for name in names]
    return [name for name in names if any(w.stem not in known for w in name.words)]


def names_of(text: Phrasing) -> list[list[Name]]:
    """The names within each sentence: capitalised, where most words are not, and none in German."""
    german = text.language == "de"
    return [[] if german else _names_of(text.text, sentence) for sentence in text.sentences]


def _names_of(text: str, sentence: Sequence[Word]) -> list[Name]:
    words = [w for w in sentence if not w.quantity and w.key != BREAK]
    capital = [text[w.start].isupper() and w.stem != "i" for w in words]
    if len(words) > 3 and 2 * sum(capital) > len(words) + 1:
        return []
    found: list[Name] = []
    at = 1
    while at < len(words):
        end = at
        while end < len(words) and capital[end] and words[end].key != NOT:
            if end > at and text[words[end - 1].end : words[end].start].strip():
                break
            end += 1
        if end > at:
            after = words[end].stem if end < len(words) else ""
            found.append(
                Name(
                    words[at].start,
                    words[end - 1].end,
                    tuple(words[at:end]),
                    words[at - 1].stem,
                    after,
                )
            )
        at = max(end, at + 1)
    return found


def other_names(
    answer: Phrasing,
    approved: Phrasing,
    names: Sequence[Name],
    others: Sequence[Name],
) -> Iterator[tuple[str, str]]:
    """Names nobody states, between the words between which the approved answer has another."""
    for name in names:
        if _known(name.words, approved):
            continue
        for there in others:
            if _known(there.words, answer):
                continue
            close = name.before == there.before or (name.after and name.after == there.after)
            if close:
                here = answer.text[name.start : name.end]
                yield here, approved.text[there.start : there.end]
                break


def _known(words: Iterable[Word], text: Phrasing) -> bool:
    """Whether a text has the words of a name, or what its letters stand for."""
    words = list(words)
    if all(w.stem in text.stems or w.stem.rstrip("s") in text.stems for w in words):
        return True
    initials = "".join(re.findall(r"\b([^\W\d_])", text.text)).lower()
    short = "".join(w.stem for w in words) if len(words) == 1 else "".join(w.stem[0] for w in words)
    if len(words) == 1:
        return 2 <= len(short) <= 6 and short in initials
    return len(short) > 1 and short in text.stems
