"""Plain text: its lines and paragraphs as blocks."""

# ruff: noqa: RUF001 - signs of other alphabets are the point

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from trainer.corpus.readers.documents.blocks import (
    NUMBER,
    Block,
    first_word,
    join_wrapped,
    measure,
)
from trainer.corpus.readers.documents.chats import read_chat
from trainer.corpus.readers.documents.markdown import refuse_long
from trainer.corpus.readers.documents.pairs import find_pairs, make_table
from trainer.corpus.readers.documents.words import is_question, starts_with_label
from trainer.corpus.readers.text import decode
from trainer.corpus.table import Table

_RULE = re.compile(r"^\s*([=\-*_~#+])(?:\s*\1){2,}\s*$")
_FRAMED = re.compile(r"^\s*([=\-*#~]{2,20})\s*(\S.{0,200}?)\s*\1\s*$")
_BRACKETED = re.compile(r"^\s*[\[【](\w[^\[\]【】]{2,80})[\]】]\s*$")
_ITEM = re.compile(r"\s*(?:[-*+•‣▪●○·–—]|\(?[a-zA-Z]?\d{0,3}[.)])\s")
_BULLET = re.compile(r"\s*[-*+•‣▪●○·–—]\s")
_TOPIC = re.compile(
    r"(?i)\s*(?:topic|category|section|thema|kategorie|rubrik|thème|catégorie|rubrique|tema"
    r"|categoría|categoria|argomento|sezione|onderwerp|categorie|kategoria|kategori|тема|категория"
    r"|раздел|主题|分类|類別|主題|カテゴリー?|카테고리|주제)\s?[:：]\s*(\S.{0,79})$"
)
_TURN = re.compile(  # of a chat template: ChatML, Llama 3
    r"<\|(?:im_start|start_header_id)\|>(user|assistant)(?:<\|end_header_id\|>)?"
)
_TURN_END = re.compile(r"<\|(?:im_end|eot_id|begin_of_text|end_of_text|endoftext)\|>")
_WRAPPED = range(50, 131)  # columns at which people and programs wrap


def read_plain(data: bytes, name: str) -> list[Table]:
    """Read the questions and answers of a plain text."""
    decoded = decode(data, name)
    refuse_long(decoded.text, name)
    text = _TURN_END.sub("", _TURN.sub(r"\1:", decoded.text))
    lines = [line.rstrip() for line in text.expandtabs(4).splitlines()]
    chat = read_chat(lines)
    blocks = chat or list(_read_blocks(lines))
    by_turns = alternates(blocks)
    if by_turns:
        roles = ("question", "answer")
        blocks = [replace(b, role=roles[n % 2], scope=n + 1) for n, b in enumerate(blocks)]
    pairs, notes = find_pairs(blocks, name)
    if chat:
        notes.append("The text was read as an exported chat; its dates and names were left out.")
    if by_turns:
        notes.append(
            "Questions and answers are not marked in this text; every other line was read as a "
            "question. Check that the answers belong to them."
        )
    return [make_table(pairs, "plain text", "line", decoded.encoding, (*decoded.notes, *notes))]


def alternates(blocks: Sequence[Block]) -> bool:
    """Whether lines that ask, some without their mark, stand in turn with lines that answer."""
    if len(blocks) < 6 or len(blocks) % 2 or any(b.level or b.role or b.marker for b in blocks):
        return False
    asking = [is_question(block.text) for block in blocks]
    return (
        len({block.gap for block in blocks[1:]}) == 1
        and not any(asking[1::2])
        and 4 * sum(asking) >= len(blocks)
        and not any(starts_with_label(b.text) or _ITEM.match(b.text) for b in blocks)
        and sum(len(b.text) for b in blocks[1::2]) > sum(len(b.text) for b in blocks[::2])
    )


def _read_blocks(lines: Sequence[str]) -> Iterator[Block]:
    widest = max((measure(line) for line in lines), default=0)
    margin = widest if widest in _WRAPPED and _is_wrapped(lines, widest) else 0
    underlines = _find_underlines(lines)
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
        underlined = place in underlines
        if gap and (named := _TOPIC.match(line)):
            yield Block(named[1].strip(), place, level=1)
            continue
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


def _find_underlines(lines: Sequence[str]) -> set[int]:
    """Find the rules that stand below a heading; the others part what is above and below them."""
    found: dict[str, list[tuple[int, bool]]] = {}
    for number, (line, rule) in enumerate(pairwise(lines), 1):
        if not line.strip() or not _RULE.match(rule) or _RULE.match(line):
            continue
        before = lines[number - 2] if number > 1 else ""
        below = not before.strip() or bool(_RULE.match(before))
        length = measure(line.strip())
        fits = abs(measure(rule.strip()) - length) <= max(3, 0.25 * length)
        heads = (
            below
            and rule.strip()[0] in "=-~"
            and length <= 100
            and not _BULLET.match(line)
            and not starts_with_label(line)
            and (fits or not line.endswith((".", "!", ";", ",", "。", "！")))
        )
        found.setdefault(rule.strip(), []).append((number, heads))
    return {
        number
        for rules in found.values()
        if 2 * sum(heads for _, heads in rules) > len(rules)
        for number, heads in rules
        if heads
    }


def _is_wrapped(lines: Sequence[str], margin: int) -> bool:
    """Whether lines go on in the next as they do where a margin, not the writer, broke them."""
    starts = [
        after.strip()[0] for line, after in pairwise(lines) if _continues(line, after, margin)
    ]
    cased = [sign for sign in starts if sign.isupper() or sign.islower()]
    return not cased or sum(map(str.islower, cased)) >= 0.25 * len(cased)


def _continues(line: str, following: str, margin: int) -> bool:
    """Whether the next line goes on with this paragraph, which was only wrapped there."""
    if not margin or not following.strip() or _RULE.match(following) or _starts(following):
        return False
    if is_question(line) and measure(line) < 0.75 * margin:
        return False
    if is_question(following) and line.endswith((".", "!", "。", "！")):
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
