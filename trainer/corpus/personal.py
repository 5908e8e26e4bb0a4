"""Personal data in a text: addresses and numbers that can be told by their form and checksum.

Names of persons are not looked for: a list of names would mark half of all texts, and a model that
tells them does not belong in the light half. Whether an address is the public contact point of a
company or somebody's own cannot be told by its form either; a person has to look.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import phonenumbers
import stdnum.iban
import stdnum.luhn

from trainer.corpus.national_ids import find_ids
from trainer.corpus.telling_words import stands_near

Kind = Literal["e-mail address", "phone number", "payment card", "IBAN", "national id"]
HIDDEN = "•••"


class Found(NamedTuple):
    """Where personal data stands in a text."""

    kind: Kind
    start: int
    end: int


def find_personal(text: str) -> list[Found]:
    """Find e-mail addresses, phone and card numbers, IBANs and national ids, in text order."""
    found: list[Found] = []
    if "@" in text:
        found += _find_addresses(text)
    text = _with_ascii_digits(text)
    if _DENSE.search(text):
        taken = bytearray(len(text))  # 1 where a link or something found stands
        for link in _LINK.finditer(text):
            taken[link.start() : link.end()] = b"\1" * len(link[0])
        for kind, look in _LOOKS:
            for start, end in look(text):
                if 1 not in taken[start:end]:
                    taken[start:end] = b"\1" * (end - start)
                    found.append(Found(kind, start, end))
    return sorted(found, key=lambda each: each.start)


def mask(text: str) -> str:
    """Hide all but the first or last characters of personal data, as receipts do."""
    parts, at = [], 0
    for found in find_personal(text):
        parts += [text[at : found.start], hide(found.kind, text[found.start : found.end])]
        at = found.end
    return "".join([*parts, text[at:]])


def hide(kind: Kind, text: str) -> str:
    """Hide all but the first or last characters of one address or number."""
    if kind == "e-mail address":
        name, _, host = text.partition("@")
        return f"{name[0]}{HIDDEN}@{host}"
    kept = re.sub(r"\W", "", text)
    if kind == "IBAN":
        return f"{kept[:2]}{HIDDEN} {kept[-4:]}"
    if kind == "payment card":
        return f"•••• {kept[-4:]}"
    return f"{HIDDEN} {kept[-2:]}"


_DENSE = re.compile(r"\d(?:[^\d\n]{0,4}\d){5}|\d{4}\W?[A-Z]")  # enough digits for any of them
_LINK = re.compile(r"(?:https?://|www\.)\S+")
_AT = re.compile(r"(?<=[\w%+'-])@(?=[^\W_])")
_LOCAL = re.compile(r"[\w.%+'-]{1,64}\Z")
_HOST = re.compile(r"(?:[^\W_](?:[\w-]{0,62})\.){1,8}[^\W\d_]{2,24}")


def _with_ascii_digits(text: str) -> str:
    """The text with the digits of all scripts as 0 to 9, each in its place."""
    if text.isascii():
        return text
    other = {c for c in set(text) if c > "\x7f" and c.isdecimal()}
    return text.translate({ord(c): str(unicodedata.decimal(c)) for c in other}) if other else text


def _find_addresses(text: str) -> Iterator[Found]:
    for sign in _AT.finditer(text):
        before, after = (
            text[max(0, sign.start() - 64) : sign.start()],
            text[sign.end() : sign.end() + 255],
        )
        local, host = _LOCAL.search(before.lstrip(".")), _HOST.match(after)
        if local and host:
            start = sign.start() - len(local[0].lstrip(".-'"))
            if start < sign.start():
                yield Found("e-mail address", start, sign.end() + host.end())


# cards and accounts -------------------------------------------------------------------------------

_CARD = re.compile(r"(?<![\w.])\d(?:[ -]?\d){11,18}(?!\w|[ -]\d)")
_ISSUER = re.compile(  # prefixes and lengths: ISO/IEC 7812 as the networks publish them
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|2720\d{12}|220[0-4]\d{12}"
    r"|3[47]\d{13}|3(?:0[0-59]|[689]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|(?:6011|65\d\d|64[4-9]\d)\d{12}"
    r"|62\d{14,17}|(?:60|81|82)\d{14}|508\d{13}|9792\d{12}|(?:50|5[6-8]|6[37])\d{14}"
)
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}")


def _find_cards(text: str) -> Iterator[tuple[int, int]]:
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if _ISSUER.fullmatch(digits) and stdnum.luhn.is_valid(digits) and len(set(digits)) > 1:
            yield match.span()


def _find_ibans(text: str) -> Iterator[tuple[int, int]]:
    for match in _IBAN.finditer(text):
        for end in range(match.end(), match.start() + 14, -1):  # words may follow in capitals
            ended = end == len(text) or not text[end].isalnum()
            if ended and stdnum.iban.is_valid(text[match.start() : end]):
                yield match.start(), end
                break


# phone numbers ------------------------------------------------------------------------------------

_NUMBER = re.compile(
    r"(?<![\w.,$€£₹¥#=/:&-])[+(]{0,2}\d++"
    r"(?:(?:[ .\-/\u00a0\u2010-\u2013]|\)[ .\-]?| ?\()\d++)*+(?![\w%]|[.,:]\d)"
)
_DATE = re.compile(
    r"(?<!\d)(?:[0-3]?\d[./ -][01]?\d[./ -](?:19|20)\d\d"
    r"|(?:19|20)\d\d[./ -][01]?\d[./ -][0-3]?\d|[01]?\d/(?:19|20)\d\d"
    r"|(?:19|20)\d\d\D(?:19|20)\d\d|\d{1,2}\.\d\d[-\u2013]\d{1,2}\.\d\d)(?!\d)"
)
_AMOUNT = re.compile(r"[1-9]\d{0,2}(?:[ .\u00a0]\d{3})+")
_MONEY = re.compile(
    r"(?:[$€£₹¥₽₩₺]|\b(?:rs|inr|usd|eur|gbp|chf|sek|pln|zł|kr|rm|idr|rp|aed|sar)\.?)\s*\Z", re.I
)
_MONEY_AFTER = re.compile(
    r"[ \u00a0]?(?:[$€£₹¥₽₩₺%]|"
    r"(?:rs|inr|usd|eur|gbp|chf|sek|pln|zł|kr|[kmg]b|px|m[glw]|k[mgw]|kwh|mah)\b)",
    re.I,
)


def _find_phones(text: str) -> Iterator[tuple[int, int]]:
    for match in _NUMBER.finditer(text):
        if _is_phone(match[0], text, *match.span()):
            start = match.start() + (match[0][0] == "(" and ")" not in match[0])
            yield start, match.end()


def _is_phone(raw: str, text: str, start: int, end: int) -> bool:
    """Tell a phone number from amounts, dates, hours and article numbers.

    In international form it is valid in the plan of its country; else it looks as such numbers
    are written at home (0..., 1800..., 3-3-4) or stands near a word for phones.
    """
    groups = re.findall(r"\d+", raw)
    digits = "".join(groups)
    if not max(7, 2 * len(groups)) <= len(digits) <= 15 or len(set(digits)) < 3:
        return False
    if "+" in raw:
        return _valid(digits) or (len(digits) > 8 and stands_near("phone", text, start, end))
    if _DATE.search(raw) or _AMOUNT.fullmatch(raw) or (raw.count(".") == 3 == len(groups) - 1):
        return False
    if _MONEY.search(text[max(0, start - 6) : start]) or _MONEY_AFTER.match(text, end):
        return False
    lengths = [len(group) for group in groups]
    if digits.startswith("00"):
        return _valid(digits[2:])
    if lengths in ([3, 3, 4], [1, 3, 3, 4]) and (len(groups) == 3 or digits[0] == "1"):
        return _valid("1" + digits[-10:]) or stands_near("phone", text, start, end)
    if len(groups) > 1 and len(digits) >= 9:
        if groups[0] in ("1800", "1860", "0800", "0900", "1300") or digits.startswith("1800"):
            return len(digits) <= 12
        if digits[0] == "0" and lengths[0] > 1 and len(digits) <= 12 and max(lengths) > 1:
            return not (set(lengths) == {2} and len(groups) != 5)
        if len(groups) > 2 and lengths[0] <= 3 and len(digits) >= 11 and _valid(digits):
            return True
    enough = len(digits) >= 8 or len(groups) > 1
    return enough and len(digits) <= 13 and stands_near("phone", text, start, end)


def _valid(digits: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse("+" + digits))
    except phonenumbers.NumberParseException:
        return False


_LOOKS: tuple[tuple[Kind, Callable[[str], Iterator[tuple[int, int]]]], ...] = (
    ("IBAN", _find_ibans),
    ("payment card", _find_cards),
    ("national id", find_ids),
    ("phone number", _find_phones),
)
