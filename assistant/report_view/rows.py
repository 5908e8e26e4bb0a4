"""The rows of a report: which of them, in what order, and each with what everybody answered.

Whatever a corpus or a model says is escaped.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from html import escape
from typing import Literal

from assistant.report_view.naming import KINDS, number, plain, signed, troubles, who_head
from assistant.report_view.plots import change
from trainer.report import Answer, Contender, Kind, Report, Row

Which = Literal["all", "improved", "harmed", "flagged", "invented", "ran on"]
WHICH: Mapping[Which, str] = {
    "all": "All",
    "improved": "Most improved",
    "harmed": "Most harmed",
    "flagged": "Flagged",
    "invented": "Invented",
    "ran on": "Ran on",
}
MOST_WORDS = 600  # of two texts that are compared word by word: the time grows with their product
ALIKE = 0.25  # share of words in common from which on marking the others helps
# A word, or one character of a script that sets no spaces.
_PIECE = re.compile(r"\s+|[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")


def select(
    report: Report,
    *,
    which: Which = "all",
    kind: Kind | None = None,
    topic: str | None = None,
    text: str = "",
) -> list[Row]:
    """The rows that are asked for: the most improved first, or the most harmed where they are."""
    kinds = (kind,) if kind else report.kinds
    wanted = text.casefold().split()
    rows = [
        row
        for row in report.rows
        if row.kind in kinds
        and (topic is None or row.topic == topic)
        and is_among(which, row, report)
        and all(word in _words_of(row) for word in wanted)
    ]
    return sorted(rows, key=lambda row: change(row, report.primary), reverse=which != "harmed")


def is_among(which: Which, row: Row, report: Report) -> bool:
    """Whether a row belongs to such rows; it is about what the tuned model said."""
    tuned = row.answers.get("tuned")
    tests: Mapping[Which, Callable[[Answer], bool]] = {
        "improved": lambda _: change(row, report.primary) > 0.005,
        "harmed": lambda _: change(row, report.primary) < -0.005,
        "flagged": lambda answer: bool(answer.flags),
        "invented": lambda answer: bool(answer.invented),
        "ran on": lambda answer: not answer.ended,
    }
    return which == "all" or (tuned is not None and tests[which](tuned))


def _words_of(row: Row) -> str:
    said = [answer.text for answer in row.answers.values()]
    return "\n".join([row.id, row.question, row.topic, row.approved, *said]).casefold()


def topics(report: Report) -> list[str]:
    """The topics of the questions, by name."""
    return sorted({row.topic for row in report.rows if row.topic and row.kind in report.kinds})


def card(row: Row, report: Report) -> str:
    """A question, its approved answer, and what everybody said, with the words that differ."""
    moved = change(row, report.primary)
    both = "base" in row.answers and "tuned" in row.answers
    away = "" if not both else f'<span class="moved">{plain(report.primary)} {signed(moved)}</span>'
    topic = f'<span class="chip">{escape(row.topic)}</span>' if row.topic else ""
    unjudged = ""
    if row.id in report.unjudged:
        unjudged = '<p class="quiet">The embedding model cannot read this text; see the words.</p>'
    said = "".join(
        _said(who, answer, row, report)
        for who in report.contenders
        if (answer := row.answers.get(who))
    )
    among = " ".join(w.replace(" ", "-") for w in WHICH if is_among(w, row, report))
    return (
        f'<article class="asked" data-kind="{row.kind}" data-topic="{escape(row.topic)}" '
        f'data-among="{among}" data-change="{moved:.4f}"><h4>{escape(row.question)}</h4>'
        f'<p class="about">{away}{topic}<span class="quiet">{KINDS[row.kind][0].lower()}, row '
        f"{escape(row.id)}</span></p>{unjudged}"
        f'<p class="approved"><b>✓ Approved</b> {escape(row.approved)}</p>'
        f'<div class="answers-of">{said}</div></article>'
    )


def _said(who: Contender, answer: Answer, row: Row, report: Report) -> str:
    told = "".join(f"<li>{escape(trouble)}</li>" for trouble in troubles(answer))
    scores = [
        f"{plain(m)} {number(answer.scores[m], m)}" for m in report.measures if m in answer.scores
    ]
    told_scores = f"<small>{''.join(scores[:1])}</small>"
    if rest := " · ".join(scores[1:]):
        told_scores = f"<details><summary>{''.join(scores[:1])}</summary>{rest}</details>"
    return (
        f'<div class="said {who}"><div class="by">{who_head(who)} {told_scores}</div>'
        f'<p class="words">{marked(answer.text, row.approved)}</p>'
        f"{f'<ul class=flags>{told}</ul>' if told else ''}</div>"
    )


def marked(answer: str, approved: str) -> str:
    """An answer as HTML: words that the approved one lacks in <ins>, those it lacks in <del>.

    Case and punctuation do not count. Where next to nothing is shared, nothing is marked.
    """
    if not answer.strip():
        return '<span class="quiet">(said nothing)</span>'
    ours, theirs = _PIECE.findall(answer), _PIECE.findall(approved)
    here = [place for place, piece in enumerate(ours) if piece.strip()]
    there = [place for place, piece in enumerate(theirs) if piece.strip()]
    if max(len(here), len(there)) > MOST_WORDS:
        return escape(answer)
    matcher = SequenceMatcher(
        None, [_bare(theirs[i]) for i in there], [_bare(ours[i]) for i in here], autojunk=False
    )
    if matcher.ratio() < ALIKE:
        return f'{escape(answer)} <span class="quiet">(in other words altogether)</span>'
    parts = []
    for what, i1, i2, j1, j2 in matcher.get_opcodes():
        if what in ("delete", "replace"):
            lost, after = _span(theirs, there, i1, i2)
            parts.append(f"<del>{escape(lost)}</del>{after or ' '}")
        if what in ("insert", "replace"):
            new, after = _span(ours, here, j1, j2)
            parts.append(f"<ins>{escape(new)}</ins>{after}")
        if what == "equal":
            parts.append(escape("".join(_span(ours, here, j1, j2))))
    return "".join(parts).strip()


def _bare(word: str) -> str:
    return word.casefold().strip(".,;:!?\"'()[]“”„«»") or word


def _span(pieces: Sequence[str], words: Sequence[int], first: int, end: int) -> tuple[str, str]:
    """The text from one word up to another, and the white space behind it."""
    stop = words[end] if end < len(words) else len(pieces)
    text = "".join(pieces[words[first] : stop])
    return text.rstrip(), text[len(text.rstrip()) :]
