"""What people and models say, as Markdown in which no HTML and no picture works."""

import re
from html import escape

# What begins a tag, an entity or a picture does not where this stands behind it: it has no width.
# Code shows it as well as text does, so that nobody has to tell where Markdown sees code.
_JOINER = "\N{WORD JOINER}"


def plainly(text: str) -> str:
    """Markdown as it was said, but `<b>` is shown as it is typed and no picture is fetched."""
    return re.sub(r"[<&]|!(?=\[)", lambda found: found[0] + _JOINER, text)


def as_typed(markdown: str) -> str:
    """What `plainly` was given."""
    return re.sub(f"(?<=[<&!]){_JOINER}", "", markdown)


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
