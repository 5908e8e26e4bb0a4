"""Blocks: what every document becomes before questions are looked for, whatever its format."""

# ruff: noqa: RUF001 - letters and signs of other alphabets are the point

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace

MOST_TEXT = 10_000_000  # characters of one document: some twenty thick books
MOST_BLOCKS = 100_000

# 1.  1)  (1)  1.2.3  31a.  IV.  ①  一、  第1章
NUMBER = re.compile(
    r"\s*(?:[(（\[]?(\d{1,4})(?:\.\d{1,3}){0,3}[a-z]?(?:[.)\]）:：、．]+(?=\D)|(?=\s[-–—]\s))"
    r"|(?:\d{1,3}\.){1,3}\d{1,3}(?=\s)"
    r"|[(（]?[一二三四五六七八九十百]{1,4}[)）、.．]"
    r"|第\s?[\d一二三四五六七八九十百]{1,4}\s?[章节節条問问题題][:：、.．]?"
    r"|[\u2460-\u2473\u2776-\u277f]|[IVX]{1,5}[.)]|[٠-٩०-९]{1,3}[.)\-–:]"
    r")\s*(?:[-–—:]\s+)?"
)
_BULLET = re.compile(r"\s*(?:[•‣▪▫◦●○■□►▶→⁃∙·✓✔➤❖\u2022\uf0b7\uf0a7\uf0d8]|[-*–—+](?=\s))\s*")


@dataclass(frozen=True)
class Block:
    """One paragraph, heading, list item or cell of a document, in reading order.

    `role` is what the format itself says ("question", "answer", "topic"), `scope` numbers
    the element that says so. `looks` are names of how it is set, which siblings share. `lead`
    counts the bold characters it begins with. `path` numbers the elements it stands in, the
    outermost first.
    """

    text: str
    place: int = 0
    level: int = 0
    marker: str = ""
    depth: int = 0
    lead: int = 0
    gap: bool = True
    code: bool = False
    role: str = ""
    scope: int = 0
    looks: tuple[str, ...] = ()
    path: tuple[int, ...] = ()

    @property
    def bold(self) -> bool:
        """Whether all of it is bold."""
        return bool(self.text) and self.lead >= len(self.text)

    @property
    def written(self) -> str:
        """The text as an answer holds it: a list item with its mark."""
        text = f"{'  ' * min(self.depth, 5)}{self.marker} {self.text}" if self.marker else self.text
        return text.rstrip()

    def cut(self, start: int, end: int | None = None) -> "Block":
        """The same block with a part of its text."""
        part = self.text[start:end]
        kept = part.strip()
        skipped = len(part) - len(part.lstrip())
        return replace(self, text=kept, lead=max(0, min(self.lead - start - skipped, len(kept))))


def unmark(block: Block) -> Block:
    """Move a number or bullet that stands in the text into the marker."""
    if block.marker or block.code:
        return block
    for pattern in (NUMBER, _BULLET):
        if (found := pattern.match(block.text)) and found.end() < len(block.text):
            mark = found[0].strip() if pattern is NUMBER else "-"
            if mark:
                return replace(block.cut(found.end()), marker=mark)
    return block


def join_answer(blocks: Iterable[Block]) -> str:
    """Write blocks as one text: paragraphs apart, items and code on lines of their own."""
    text = ""
    last: Block | None = None
    kept = [block for block in blocks if "button" not in block.looks]
    outermost = min((block.depth for block in kept if block.marker), default=0)
    for block in kept:
        if outermost and block.marker:
            block = replace(block, depth=block.depth - outermost)
        if len(kept) == 1 and block.marker and not block.marker[:1].isalnum():
            block = replace(block, marker="")
        if last is not None:
            near = (last.marker and block.marker) or (last.code and block.code) or not block.gap
            text += "\n" if near or (block.marker and not last.level) else "\n\n"
        text += block.written
        last = block
    return text.strip()


def join_wrapped(first: str, second: str) -> str:
    """Join two lines of one paragraph as they stood before they were wrapped."""
    if not first or not second:
        return first or second
    if first.endswith("\xad"):
        return first[:-1] + second
    if first.endswith(("-", "‐")) and len(first) > 1 and first[-2].isalpha():
        word = second.split(maxsplit=1)[0].lower()
        if second[0].islower() and word not in ("und", "oder", "bzw.", "and", "or", "et", "en"):
            return first[:-1] + second
        capital = second[0].isalpha() and not second[0].islower()
        return first + second if capital else f"{first} {second}"
    if _wide(first[-1]) and _wide(second[0]):
        return first + second
    return f"{first} {second}"


def join_spaced(before: str, text: str) -> str:
    """Collapse the white space of HTML text that follows the sign `before`."""
    text = _SPACE.sub(_collapse, text)
    return text.lstrip(" ") if before in ("", " ", "\n") else text


_SPACE = re.compile(r"[ \t\r\n\f\u200b]+")


def _collapse(found: re.Match[str]) -> str:
    start, end, text = found.start(), found.end(), found.string
    broken = "\n" in found[0] and start > 0 and end < len(text)
    return "" if broken and _wide(text[start - 1]) and _wide(text[end]) else " "


def measure(text: str) -> int:
    """Count the columns a text takes where Chinese and Japanese signs take two."""
    if text.isascii():
        return len(text)
    return len(text) + sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)


def first_word(text: str) -> str:
    """Take what could not be broken at the beginning of a line."""
    word = text.split(maxsplit=1)[0] if text.strip() else ""
    return next((sign for sign in word[:1] if _wide(sign)), word)


def _wide(sign: str) -> bool:
    return unicodedata.east_asian_width(sign) in "WF" and not "가" <= sign <= "힣"
