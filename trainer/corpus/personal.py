"""Personal data in a text: addresses and numbers that can be told by their form and checksum.

Names of persons are not looked for: a list of names would mark half of all texts, and a model that
tells them does not belong in the light half. Whether an address is the public contact point of a
company or somebody's own cannot be told by its form either; a person has to look.
"""

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import phonenumbers
import stdnum.au.tfn
import stdnum.be.nn
import stdnum.bg.egn
import stdnum.br.cpf
import stdnum.ca.sin
import stdnum.ch.ssn
import stdnum.cl.rut
import stdnum.cn.ric
import stdnum.cz.rc
import stdnum.de.idnr
import stdnum.dk.cpr
import stdnum.es.dni
import stdnum.es.nie
import stdnum.fi.hetu
import stdnum.fr.nir
import stdnum.gb.nhs
import stdnum.hr.oib
import stdnum.iban
import stdnum.id.nik
import stdnum.in_.aadhaar
import stdnum.in_.pan
import stdnum.it.codicefiscale
import stdnum.kr.rrn
import stdnum.luhn
import stdnum.mx.curp
import stdnum.my.nric
import stdnum.nl.bsn
import stdnum.no.fodselsnummer
import stdnum.pk.cnic
import stdnum.pl.pesel
import stdnum.pt.nif
import stdnum.ro.cnp
import stdnum.se.personnummer
import stdnum.th.pin
import stdnum.tr.tckimlik
import stdnum.us.ssn
import stdnum.za.idnr

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


# cards and accounts ------------------------------------------------------------------------------

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


# national ids ------------------------------------------------------------------------------------


class _Id(NamedTuple):
    form: re.Pattern[str]
    valid: Callable[[str], bool]
    words: str = ""  # of words/personal.toml: one of them stands near


def _id(form: str, valid: Callable[[str], bool], words: str = "") -> _Id:
    return _Id(re.compile(rf"(?<![\w.+-])(?:{form})(?![\w]|[-.]\d)"), valid, words)


_IDS = (
    _id(r"\d{3}-\d{2}-\d{4}", stdnum.us.ssn.is_valid),
    _id(r"\d{8}-?[A-HJ-NP-TV-Z]", stdnum.es.dni.is_valid),
    _id(r"[XYZ]-?\d{7}-?[A-Z]", stdnum.es.nie.is_valid),
    _id(r"[12] ?\d\d ?\d\d ?\d[\dAB] ?\d{3} ?\d{3} ?\d\d", stdnum.fr.nir.is_valid),
    _id(r"[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z]", stdnum.it.codicefiscale.is_valid),
    _id(r"756\.\d{4}\.\d{4}\.\d\d", stdnum.ch.ssn.is_valid),
    _id(r"\d{3}\.\d{3}\.\d{3}-\d\d", stdnum.br.cpf.is_valid),
    _id(r"[2-9]\d{3}([ -])\d{4}\1\d{4}", stdnum.in_.aadhaar.is_valid),
    _id(r"[A-Z]{3}P[A-Z]\d{4}[A-Z]", stdnum.in_.pan.is_valid),
    _id(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]", lambda text: True),  # GB
    _id(r"(?:19|20)?\d{6}[-+]\d{4}", stdnum.se.personnummer.is_valid),
    _id(r"\d{6}[-+A]\d{3}[0-9A-FHJ-NPR-Y]", stdnum.fi.hetu.is_valid),
    _id(r"\d{6}-[1-8]\d{6}", stdnum.kr.rrn.is_valid),
    _id(r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d", stdnum.mx.curp.is_valid),
    _id(r"\d{17}[\dX]", stdnum.cn.ric.is_valid),
    _id(r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d", stdnum.be.nn.is_valid),
    _id(r"\d{6}/\d{3,4}", stdnum.cz.rc.is_valid),
    _id(r"\d{1,2}\.\d{3}\.\d{3}-[\dkK]", stdnum.cl.rut.is_valid),
    _id(r"\d{6}-\d\d-\d{4}", stdnum.my.nric.is_valid),
    _id(r"\d{5}-\d{7}-\d", stdnum.pk.cnic.is_valid),
    _id(r"\d-\d{4}-\d{5}-\d\d-\d", stdnum.th.pin.is_valid),
    _id(r"\d{6}-?\d{4}", stdnum.dk.cpr.is_valid, "DK"),
    _id(r"\d\d ?\d{3} ?\d{3} ?\d{3}", stdnum.de.idnr.is_valid, "DE"),
    _id(r"\d{4}[ .]?\d\d[ .]?\d{3}", stdnum.nl.bsn.is_valid, "NL"),
    _id(r"\d{11}", stdnum.pl.pesel.is_valid, "PL"),
    _id(r"\d{11}", stdnum.tr.tckimlik.is_valid, "TR"),
    _id(r"\d{11}", stdnum.hr.oib.is_valid, "HR"),
    _id(r"\d{6} ?\d{5}", stdnum.no.fodselsnummer.is_valid, "NO"),
    _id(r"\d{3}[ -]?\d{3}[ -]?\d{3}", stdnum.ca.sin.is_valid, "CA"),
    _id(r"\d{3} ?\d{3} ?\d{2,3}", stdnum.au.tfn.is_valid, "AU"),
    _id(r"\d{6} ?\d{4} ?\d{2} ?\d", stdnum.za.idnr.is_valid, "ZA"),
    _id(r"\d{13}", stdnum.ro.cnp.is_valid, "RO"),
    _id(r"\d{10}", stdnum.bg.egn.is_valid, "BG"),
    _id(r"\d{3} ?\d{3} ?\d{3}", stdnum.pt.nif.is_valid, "PT"),
    _id(r"\d{16}", stdnum.id.nik.is_valid, "ID"),
    _id(r"\d{3}[ -]?\d{3}[ -]?\d{4}", stdnum.gb.nhs.is_valid, "NHS"),
)


_NUMBERED = re.compile(r"[A-Z]{0,6}[ -]?\d(?:[ ./+-]?[\dA-Z]){4,60}+")


def _find_ids(text: str) -> Iterator[tuple[int, int]]:
    for stretch in _NUMBERED.finditer(text):
        if sum(map(str.isdigit, stretch[0])) < 4:
            continue
        for kind in _IDS:
            for match in kind.form.finditer(text, stretch.start(), stretch.end() + 2):
                near = not kind.words or _near(kind.words, text, *match.span())
                if near and kind.valid(match[0]):
                    yield match.span()


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


def _near(key: str, text: str, start: int, end: int) -> bool:
    """Whether a word of a list stands shortly before or right behind, in the same line."""
    before = text[max(0, start - 45) : start].rpartition("\n")[2]
    after = text[end : end + 18].partition("\n")[0]
    return bool(_words(key).search(before) or _words(key).search(after))


# phone numbers -----------------------------------------------------------------------------------

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
        return _valid(digits) or (len(digits) > 8 and _near("phone", text, start, end))
    if _DATE.search(raw) or _AMOUNT.fullmatch(raw) or (raw.count(".") == 3 == len(groups) - 1):
        return False
    if _MONEY.search(text[max(0, start - 6) : start]) or _MONEY_AFTER.match(text, end):
        return False
    lengths = [len(group) for group in groups]
    if digits.startswith("00"):
        return _valid(digits[2:])
    if lengths in ([3, 3, 4], [1, 3, 3, 4]) and (len(groups) == 3 or digits[0] == "1"):
        return _valid("1" + digits[-10:]) or _near("phone", text, start, end)
    if len(groups) > 1 and len(digits) >= 9:
        if groups[0] in ("1800", "1860", "0800", "0900", "1300") or digits.startswith("1800"):
            return len(digits) <= 12
        if digits[0] == "0" and lengths[0] > 1 and len(digits) <= 12 and max(lengths) > 1:
            return not (set(lengths) == {2} and len(groups) != 5)
        if len(groups) > 2 and lengths[0] <= 3 and len(digits) >= 11 and _valid(digits):
            return True
    enough = len(digits) >= 8 or len(groups) > 1
    return enough and len(digits) <= 13 and _near("phone", text, start, end)


def _valid(digits: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse("+" + digits))
    except phonenumbers.NumberParseException:
        return False


_LOOKS: tuple[tuple[Kind, Callable[[str], Iterator[tuple[int, int]]]], ...] = (
    ("IBAN", _find_ibans),
    ("payment card", _find_cards),
    ("national id", _find_ids),
    ("phone number", _find_phones),
)
