"""Phrases of web pages and empty forms in many languages, and how a text is compared with them."""

import re
import tomllib
from functools import cache
from pathlib import Path

_EDGES = (
    " \t\n.!?:;,…·|>»\u203a→<«\u2039←^▲△↑#*_-\u2013—[](){}¿¡。\uff01\uff1f\uff1a\uff0c、؟\"'“”👍👎✓"
)


@cache
def read_phrases(name: str) -> dict[str, frozenset[str]]:
    """Read the lists of words/NAME.toml; those that are compared with texts are folded."""
    text = (Path(__file__).parent / "words" / f"{name}.toml").read_text("utf-8")
    edged = {"texts", "lines", "dated", "question_headers", "answer_headers"}
    return {
        key: frozenset(map(fold, words)) if key in edged else frozenset(words)
        for key, words in tomllib.loads(text).items()
    }


def fold(text: str) -> str:
    """Fold a text for comparison: no case, one space, nothing but words at its edges."""
    return re.sub(r"[\s/|?,.!]+", " ", text.replace("\u2019", "'").casefold()).strip(_EDGES)
