"""Bytes to text, in whatever encoding they came."""

import codecs
import re
from dataclasses import dataclass

from trainer.corpus.readers.code_pages import CODE_PAGES, rank_code_pages
from trainer.errors import CorpusError


@dataclass(frozen=True)
class Decoded:
    """The text of a file, its encoding by its usual name, and what a person should know of it."""

    text: str
    encoding: str
    notes: tuple[str, ...] = ()


def decode(data: bytes, name: str) -> Decoded:
    """Decode the bytes of a text file, or raise `CorpusError` where they are none."""
    found = (
        _decode_marked(data, name)
        or _decode_wide(data)
        or _decode_utf8(data, name)
        or _decode_declared(data)
        or _decode_guessed(data, name)
    )
    _refuse_binary(found.text, name)
    if "\x00" in found.text:
        text = found.text.replace("\x00", "")
        many = len(found.text) - len(text)
        note = f"{many} NUL character{'s were' if many > 1 else ' was'} left out."
        found = Decoded(text, found.encoding, (*found.notes, note))
    return found


_MARKS = (  # UTF-32's little-endian mark begins with UTF-16's
    (codecs.BOM_UTF8, "utf-8", "UTF-8 with BOM"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)


def _decode_marked(data: bytes, name: str) -> Decoded | None:
    for mark, codec, usual in _MARKS:
        if data.startswith(mark):
            return _replace_few(data[len(mark) :], codec, usual, name)
    return None


def _decode_wide(data: bytes) -> Decoded | None:
    """UTF-16 or UTF-32 without a mark: every second byte, or three of four, are often NUL."""
    if b"\x00" not in data[:100_000]:
        return None
    readings = []
    for codec, usual in (
        ("utf-32-le", "UTF-32"),
        ("utf-32-be", "UTF-32"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
    ):
        try:
            text = codecs.getincrementaldecoder(codec)().decode(data[:100_000])
        except UnicodeDecodeError:
            continue
        usual_signs = sum(map(text.count, " \n\r\t,;.?\u3000\u3001\u3002"))
        odd = sum(map(text.count, "\x00\u0a00\u0d00\u2000\ufffe"))
        if usual_signs > 10 * odd:
            readings.append((usual_signs, codec, usual))
    for _, codec, usual in sorted(readings, reverse=True):
        try:
            whole = len(data) // 4 * 4 if usual == "UTF-32" else len(data) // 2 * 2
            return Decoded(data[:whole].decode(codec), usual, (_guess(usual),))
        except UnicodeDecodeError:
            continue
    return None


_MOST_LOST = 0.001  # of the characters


def _decode_utf8(data: bytes, name: str) -> Decoded | None:
    try:
        return _in_escapes(data) or Decoded(data.decode("utf-8"), "UTF-8")
    except UnicodeDecodeError:
        text = data.decode("utf-8", errors="replace")
    lost = _count_lost(text, data, "utf-8")
    whole = len(text) - len(text.encode("ascii", errors="ignore")) - lost
    return _replace_few(data, "utf-8", "UTF-8", name) if whole >= 3 * lost else None


def _in_escapes(data: bytes) -> Decoded | None:
    """ISO-2022-JP writes Japanese in ASCII, between escapes."""
    if b"\x1b$" not in data or not data.isascii():
        return None
    try:
        return Decoded(data.decode("iso2022_jp"), "ISO-2022-JP")
    except UnicodeDecodeError:
        return None


_DECLARED = re.compile(rb"""(?:charset|encoding)\s{0,9}=\s{0,9}["']?([\w:.-]{3,40})""", re.I)


def _decode_declared(data: bytes) -> Decoded | None:
    """Believe what a page or an XML file says of itself, where the bytes agree."""
    said = _DECLARED.search(data[:4096])
    if not said:
        return None
    try:
        codec = codecs.lookup(said[1].decode("ascii"))
    except LookupError:
        return None
    codec = codecs.lookup(_WIDER.get(codec.name, codec.name))
    if codec.name not in CODE_PAGES:
        return None
    try:
        return Decoded(data.decode(codec.name), CODE_PAGES[codec.name].usual)
    except UnicodeDecodeError:
        return None


# As browsers do: what calls itself Latin-1 is nearly always its superset, and so on.
_WIDER = {
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-8": "cp1255",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "big5hkscs": "big5hkscs",
    "big5": "big5hkscs",
    "cp950": "big5hkscs",
    "tis-620": "cp874",
}


def _decode_guessed(data: bytes, name: str) -> Decoded:
    _refuse_binary(data[:100_000].decode("latin-1"), name)
    problem = None
    for codec in rank_code_pages(data)[:3]:
        usual = CODE_PAGES[codec].usual
        try:
            found = _replace_few(data, codec, usual, name)
        except CorpusError as error:
            problem = problem or error
            continue
        return Decoded(found.text, usual, (_guess(usual), *found.notes))
    raise problem or AssertionError("at least one code page is tried")


def _guess(usual: str) -> str:
    return (
        f"The file does not say its encoding; read as {usual}. If letters look wrong, save it as "
        "UTF-8 and upload it again."
    )


def _replace_few(data: bytes, codec: str, usual: str, name: str) -> Decoded:
    try:
        return Decoded(data.decode(codec), usual)
    except UnicodeDecodeError:
        text = data.decode(codec, errors="replace")
    lost = max(1, _count_lost(text, data, codec))
    lines = _lines_lost(text)
    if lost > max(1, _MOST_LOST * len(text)):
        raise CorpusError(
            f"{name}, line {lines[0]}: the text is not {usual}, and {lost:,} characters of the "
            "file cannot be read. Save the file as UTF-8 and upload it again."
        )
    where = ", ".join(map(str, lines[:10])) + (" and others" if len(lines) > 10 else "")
    note = (
        f"{lost} character{'s' * (lost > 1)} that {'are' if lost > 1 else 'is'} not {usual} "
        f"cannot be read and became '\ufffd': line{'s' * (len(lines) > 1)} {where}."
    )
    return Decoded(text, usual, (note,))


def _count_lost(text: str, data: bytes, codec: str) -> int:
    """Count what decoding replaced, and not what an earlier program had."""
    before = data.count("\ufffd".encode(codec)) if codec.startswith("utf") else 0
    return text.count("\ufffd") - before


def _lines_lost(text: str) -> list[int]:
    newline = "\n" if "\n" in text else "\r"
    lines: list[int] = []
    number, seen = 1, 0
    for found in re.finditer("\ufffd", text):
        number += text.count(newline, seen, found.start())
        seen = found.start()
        if not lines or lines[-1] != number:
            lines.append(number)
    return lines


_CONTROL = re.compile("[\x00\x02-\x08\x0e-\x19\x7f]")


def _refuse_binary(text: str, name: str) -> None:
    sample = text[:1_000_000]
    if len(_CONTROL.findall(sample)) > 0.01 * len(sample):
        raise CorpusError(
            f"{name} is not a text file: it holds bytes that stand for no letters. Check that its "
            "ending says what it is, or save it from the program that made it."
        )
