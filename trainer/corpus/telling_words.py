"""Words that tell what a number beside them is, as 'phone' does, in many languages."""

import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path


@cache
def _words(key: str) -> re.Pattern[str]:
    """A pattern for words of a list: short ones whole, longer ones as beginnings."""
    path = Path(__file__).parent / "words" / "personal.toml"
    forms = []
    for word in sorted(tomllib.loads(path.read_text("utf-8"))[key], key=len, reverse=True):
        if word[0] > "\u0e00" or unicodedata.category(word[0]) == "Lo":
            forms.append(re.escape(word))  # no spaces around words in these scripts
        else:
            end = r"(?![^\W\d_])" if len(word) < 5 else ""
            forms.append(rf"(?<![^\W\d_]){re.escape(word)}{end}")
    return re.compile("|".join(forms), re.I)


def stands_near(key: str, text: str, start: int, end: int) -> bool:
    """Whether a word of a list stands shortly before or right behind, in the same line."""
    before = text[max(0, start - 45) : start].rpartition("\n")[2]
    after = text[end : end + 18].partition("\n")[0]
    return bool(_words(key).search(before) or _words(key).search(after))
