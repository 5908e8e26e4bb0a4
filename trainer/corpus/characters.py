"""Characters that came to harm: wrong encodings are undone, what nobody sees goes."""

import re
import unicodedata

import ftfy
from ftfy.badness import is_bad

_SUSPECT = re.compile("[^\x00-\x7f]{2}|[\x80-\x9f]|[\u00c2\u00c3\u00d0] ")  # what is looked at
_SURROGATE = re.compile("[\ud800-\udfff]")
_ONLY_ENCODING = ftfy.TextFixerConfig(
    unescape_html=False,
    remove_terminal_escapes=False,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    remove_control_chars=False,
    normalization=None,
    explain=False,
)


def join_surrogates(text: str) -> str:
    """Join halves of characters (JSON writes them) and mark what is half a character only."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def repair_encoding(text: str) -> str:
    """Give text that was read in the wrong encoding once its characters back."""
    if text.isascii() or not _SUSPECT.search(text) or not is_bad(text):
        return text
    return ftfy.fix_encoding(text, _ONLY_ENCODING)


def is_damaged(text: str) -> bool:
    """Whether a text shows damage to its characters."""
    if text.isascii() or not _SUSPECT.search(text):
        return "\ufffd" in text
    return "\ufffd" in text or is_bad(text)


# invisible characters ----------------------------------------------------------------------------

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0e\ufeff\ufff9-\uffff\uf000-\uf0ff\ufdd0-\ufdef\U000e0000-\U000e007f]"
)
_BREAKS = dict.fromkeys(map(ord, "\x0b\x0c\x85\u2028\u2029"), "\n")
_WORD_BULLETS = {0xF0B7: "•", 0xF0A7: "▪", 0xF0D8: "➢", 0xF0FC: "✓", 0xF0E0: "→", 0xF0A8: "•"}
_SHAPED = "[\u0590-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ufb1d-\ufdff\ufe70-\ufeff]"
_JOINED = re.compile(  # joiners that shape a script or an emoji
    f"(?<={_SHAPED})[\u200c\u200d]+|[\u200c\u200d]+(?={_SHAPED})"
    "|(?<=[\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])\u200d(?=[\u2190-\u2bff\U0001f000-\U0001faff])"
)
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007f]{1,8}")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


def tidy_unicode(text: str) -> str:
    """Compose letters, and take off what is invisible and shapes nothing."""
    if text.isascii():
        return text if text.isprintable() else _without_invisible(text)
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    return _without_invisible(text)


def _without_invisible(text: str) -> str:
    if not _INVISIBLE.search(text):
        return text
    text = (
        text.replace("\r\n", "\n").replace("\r", "\n").translate(_BREAKS).translate(_WORD_BULLETS)
    )
    keep = {m for found in _JOINED.finditer(text) for m in range(found.start(), found.end())}
    keep.update(m for found in _FLAG.finditer(text) for m in range(found.start(), found.end()))
    marks = "\u200e\u200f\u061c\u2066\u2067\u2068\u2069" if _RIGHT_TO_LEFT.search(text) else ""

    def replace(found: re.Match[str]) -> str:
        return found[0] if found.start() in keep or found[0] in marks + "\ufffd" else ""

    return _INVISIBLE.sub(replace, text)
