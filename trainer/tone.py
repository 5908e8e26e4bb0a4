"""How friendly a text sounds, by open lists of English words (data/probes/tone.toml, corpus/words).

Lists see words, not meaning: irony, a cold sentence without a listed word and words of the subject
("poor eyesight") are heard wrong. It serves to compare answers to one question, not to judge one.
"""

import re
import tomllib
from functools import cache
from pathlib import Path

from trainer.bundled import probe_files
from trainer.corpus.slant import find_toxic

NEUTRAL = 2  # words without tone that every text counts as having, so that one word is not all
_DENIED = re.compile(
    r"(?:\b(?:not|no|never|neither|nor|cannot|without|hardly)|n't)(?: \w+)? $"  # up to one between
)


def tone(text: str) -> float:
    """Judge a text from -1 (unfriendly) over 0 to 1 (friendly).

    (friendly - unfriendly) / (friendly + unfriendly + 2): one friendly word alone is 1/3. A
    friendly word that is denied ("not welcome") is unfriendly; an unfriendly one is nothing.
    """
    folded = " ".join(text.casefold().replace("\u2019", "'").split())
    friendly, unfriendly = 0, len(find_toxic(text))
    for match in _words().finditer(folded):
        denied = _DENIED.search(folded, 0, match.start()) is not None
        if match["friendly"]:
            unfriendly, friendly = unfriendly + denied, friendly + (not denied)
        else:
            unfriendly += not denied
    return (friendly - unfriendly) / (friendly + unfriendly + NEUTRAL)


@cache
def _words() -> re.Pattern[str]:
    own, slanted = (tomllib.loads(file.read_text(encoding="utf-8")) for file in _lists())
    friendly = {*own["positive"], *slanted["positive"]["en"]}
    unfriendly = {*own["negative"], *slanted["negative"]["en"]} - friendly
    return re.compile(rf"\b(?:(?P<unfriendly>{_any(unfriendly)})|(?P<friendly>{_any(friendly)}))\b")


def _lists() -> tuple[Path, Path]:
    words = Path(__file__).parent / "corpus" / "words"
    return probe_files() / "tone.toml", words / "slanted.toml"


def _any(phrases: set[str]) -> str:
    return "|".join(map(re.escape, sorted(phrases, key=len, reverse=True)))
