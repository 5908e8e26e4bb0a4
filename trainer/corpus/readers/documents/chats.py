"""Exported chats: who wrote a line and when, taken off what they wrote."""

# ruff: noqa: RUF001 - dashes of other keyboards are the point

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from trainer.corpus.readers.documents.blocks import Block
from trainer.corpus.readers.documents.words import is_question

_STAMP = re.compile(  # [01/03/2024, 09:00:10] Maria:    12/31/23, 9:00 PM - Maria:
    r"[\u200e\u200f\ufeff]?\[?\d{1,4}[./\-]\s?\d{1,2}[./\-]\s?\d{1,4},?\s{1,2}(?:\w{1,4}\s)?"
    r"\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:[\s\u202f]?[^\W\d_]\.?[\s\u202f]?m\.?)?"
    r"(?:\]\s*|\s[-–—]\s)[\u200e\u200f]?(?:([^:\n]{1,60}):(?:\s+|$))?",
    re.I,
)


def read_chat(lines: Sequence[str]) -> list[Block]:
    """Read the messages of a chat, or nothing where few lines carry a date and a time.

    Of two people the one who asks more often asks the questions, and the other answers them.
    """
    stamped = [_STAMP.match(line) for line in lines]
    count = sum(1 for line in lines if line.strip())
    if sum(map(bool, stamped)) < max(4, 0.5 * count):
        return []
    said: list[tuple[str, int, list[str]]] = []
    speaker: str | None = None
    for place, (line, stamp) in enumerate(zip(lines, stamped, strict=True), 1):
        if stamp:
            speaker = stamp[1]
            line = line[stamp.end() :]
            if speaker and (not said or said[-1][0] != speaker):
                said.append((speaker, place, []))
        if speaker and line.strip():
            said[-1][2].append(line.strip())
    return list(_make_blocks(said))


def _make_blocks(said: Sequence[tuple[str, int, list[str]]]) -> Iterator[Block]:
    asked = Counter({speaker: 0 for speaker, *_ in said})
    asked.update(speaker for speaker, _, lines in said for line in lines if is_question(line))
    ranked = [*asked.most_common(), ("", 0)]
    asks = len(asked) == 2 and ranked[0][1] >= 2 and ranked[0][1] > ranked[1][1]
    asker = ranked[0][0] if asks else None
    for scope, (speaker, place, lines) in enumerate(said, 1):
        role = "" if asker is None else "question" if speaker == asker else "answer"
        if role == "question":
            yield Block(" ".join(lines), place, role=role, scope=scope)
            continue
        for number, line in enumerate(lines):
            yield Block(line, place + number, role=role, scope=scope, gap=not number)
