"""Rows that ask or answer nothing: empty ones, placeholders, and headers among the rows."""

import unicodedata
from collections.abc import Sequence

from trainer.corpus.phrases import fold, read_phrases
from trainer.corpus.table import Pair


def drop_empty(pairs: Sequence[Pair], *, placeholders: bool) -> list[Pair | None]:
    """Put None for pairs without text; with `placeholders`, also for those that say nothing."""
    if not placeholders:
        return [p if p.question.strip() and p.answer.strip() else None for p in pairs]
    words = read_phrases("placeholders")
    labels = _are_labels([p.answer for p in pairs])

    def kept(pair: Pair) -> bool:
        if labels:
            return bool(pair.answer.strip()) and not _says_nothing(pair.question, words)
        if _says_nothing(pair.question, words) or _says_nothing(pair.answer, words):
            return False
        return not (
            fold(pair.question) in words["question_headers"]
            and fold(pair.answer) in words["answer_headers"]
        )

    return [pair if kept(pair) else None for pair in pairs]


def _are_labels(answers: Sequence[str]) -> bool:
    """Whether the answers are a few labels, among which 'none' or 'n/a' may be one."""
    different = set(answers)
    return len(different) * 5 <= len(answers) and max(map(len, different), default=0) <= 60


def _says_nothing(text: str, words: dict[str, frozenset[str]]) -> bool:
    if len(text) > 80:
        return any(text[:80].casefold().startswith(start) for start in words["starts"])
    text = text.strip()
    if not text or text in words["exact"] or fold(text) in words["texts"]:
        return True
    if any(character.isalnum() for character in text):
        return any(text.casefold().startswith(start) for start in words["starts"])
    return all(unicodedata.category(character)[0] in "PZC" for character in text)
