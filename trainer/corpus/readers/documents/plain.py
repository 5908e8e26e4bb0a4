"""Plain text: its lines and paragraphs as blocks."""

# ruff: noqa: RUF001 - signs of other alphabets are the point

import re
from collections.abc import Iterator

from trainer.corpus.readers.documents.blocks import (
    NUMBER,
    Block,
    first_word,
    join_wrapped,
    measure,
)
from trainer.corpus.readers.documents.markdown import refuse_long
from trainer.corpus.readers.documents.pairs import find_pairs, make_table
from trainer.corpus.readers.documents.words import is_question, starts_with_label
from trainer.corpus.readers.text import decode
from trainer.corpus.table import Table

_RULE = re.compile(r"^\s*([=\-*_~#+])(?:\s*\1){2,}\s*$")
_FRAMED = re.compile(r"^\s*([=\-*#~]{2,20})\s*(\S.{0,200}?)\s*\1\s*$")
_BRACKETED = re.compile(r"^\s*[\[【](\w[^\[\]【】]{2,80})[\]】]\s*$")
_ITEM = re.compile(r"\s*(?:[-*+•‣▪●○·–—]|\(?[a-zA-Z]?\d{0,3}[.)])\s")
_WRAPPED = range(50, 131)  # columns at which people and programs wrap


def read_plain(data: bytes, name: str) -> list[Table]:
    """Read the questions and answers of a plain text."""
    decoded = decode(data, name)
    refuse_long(decoded.text, name)
    pairs, notes = find_pairs(_read_blocks(decoded.text), name)
    return [make_table(pairs, "plain text", "line", decoded.encoding, (*decoded.notes, *notes))]


def _read_blocks(text: str) -> Iterator[Block]:
    lines = [line.rstrip() for line in text.expandtabs(4).splitlines()]
    widest = max((measure(line) for line in lines), default=0)
    margin = widest if widest in _WRAPPED else 0
    number, gap = 0, True
    while number < len(lines):
        line = lines[number]
        place, number = number + 1, number + 1
        if not line.strip() or _RULE.match(line):
            gap = True
            continue
        under = lines[number] if number < len(lines) else ""
        framed = _FRAMED.match(line) or (
            _BRACKETED.match(line) if not starts_with_label(line) else None
        )
        underlined = bool(_RULE.match(under)) and under.strip()[0] in "=-~" and measure(line) <= 100
        if framed or underlined or _is_title(line, gap, under):
            level = 2 if underlined and under.strip()[0] != "=" else 1
            yield Block(
                framed[framed.lastindex or 0] if framed else line.strip(), place, level=level
            )
            gap = True
            continue
        whole, last = line.strip(), line
        while number < len(lines) and _continues(last, lines[number], margin):
            last = lines[number]
            whole = join_wrapped(whole, last.strip())
            number += 1
        yield Block(whole, place, gap=gap)
        gap = False


def _continues(line: str, following: str, margin: int) -> bool:
    """Whether the next line goes on with this paragraph, which was only wrapped there."""
    if not margin or not following.strip() or _RULE.match(following) or _starts(following):
        return False
    if is_question(line) and measure(line) < 0.75 * margin:
        return False
    return measure(line) + 1 + measure(first_word(following)) > margin - 2


def _starts(line: str) -> bool:
    return bool(_ITEM.match(line) or NUMBER.match(line)) or starts_with_label(line)


def _is_title(line: str, gap: bool, following: str) -> bool:
    """Whether a line in capitals stands alone above what it names."""
    text = line.strip()
    letters = [sign for sign in text if sign.isalpha()]
    return (
        gap
        and not following.strip()
        and len(letters) >= 3
        and len(text) <= 60
        and all(sign.isupper() for sign in letters)
        and not text.endswith((".", "?", "!", ":"))
    )
