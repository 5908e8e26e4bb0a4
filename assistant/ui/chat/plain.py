"""What people and models say, as Markdown in which no HTML and no picture works."""

import re
from collections.abc import Callable
from html import escape, unescape

# Fences and spans of code: what draws Markdown escapes these by itself.
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`)", re.DOTALL)


def plainly(text: str) -> str:
    """Markdown as it was said, but `<b>` is shown as it is typed and no picture is fetched."""
    return _outside_code(text, lambda said: escape(said, quote=False).replace("![", "!&#91;"))


def as_typed(markdown: str) -> str:
    """What `plainly` was given."""
    return _outside_code(markdown, unescape)


def in_words(text: str, most: int = 0) -> str:
    """A text on one line in which nothing at all is Markdown, cut after so many characters."""
    text = " ".join(text.split())
    if most and len(text) > most:
        text = text[: most - 1].rstrip() + "…"
    return re.sub(r"([\\`*_\[\]#~|$])", r"\\\1", escape(text, quote=False))


def fenced(text: str) -> str:
    """A block of plain lines that a click copies."""
    ticks = "`" * (1 + max(2, *map(len, re.findall("`+", text)), 0))
    return f"{ticks}\n{text}\n{ticks}"


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    pieces = _CODE.split(text)
    return "".join(piece if n % 2 else change(piece) for n, piece in enumerate(pieces))
