"""The open word lists that facts are compared by: read once, from words/*.toml."""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

_WORDS = Path(__file__).parent / "words"


@cache
def read_list(name: str) -> dict[str, Any]:
    """Read an open word list by its name."""
    return tomllib.loads((_WORDS / f"{name}.toml").read_text("utf-8"))


def any_of(words: Iterable[str]) -> str:
    """A pattern for any of these words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda w: (-len(w), w)))
