# ruff: noqa: RUF001 - letters of many scripts that look like others are the point here
"""Bytes to text, in whatever encoding they came.

A file in a code page older than Unicode does not say which. Statistics over long texts know, but
a FAQ is short: here a code page counts as likely as the letters it makes of the bytes are in one
of the languages people write with it.
"""

import codecs
import io
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice, pairwise

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
    if codec.name not in _CODE_PAGES:
        return None
    try:
        return Decoded(data.decode(codec.name), _CODE_PAGES[codec.name].usual)
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
    sample = tuple(_sample_lines(data))
    ranked = sorted(_CODE_PAGES, key=lambda codec: _log_likelihood(sample, codec), reverse=True)
    problem = None
    for codec in ranked[:3]:
        usual = _CODE_PAGES[codec].usual
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


# --- Which code page? -------------------------------------------------------------------------

# The letters beyond ASCII that a language uses, the most frequent first.
_LETTERS = {
    "Western": "",
    "German": "üäößé",
    "French": "éèàêçâîôûùëïœ",
    "Spanish": "óíáéñúü¿¡ºª",
    "Portuguese": "ãçáéõíêóúâàô",
    "Italian": "èàùòìé",
    "Catalan": "àéíòèçóúïü·",
    "Swedish": "äåöé",
    "Danish": "åøæé",
    "Dutch": "ëéïèöü",
    "Icelandic": "íáðþæóéúýö",
    "Polish": "łąęóżśćńź",
    "Czech": "íáěéřčýžšůúťďňó",
    "Slovak": "áíčéýžšťúľňôďóĺŕä",
    "Hungarian": "áéöóőüíúű",
    "Romanian": "ăîâşţșț",
    "Croatian": "čšžćđ",
    "Turkish": "ıişüğöçâî",
    "Lithuanian": "ėšųąįžūčę",
    "Latvian": "āīēšūļņķģžč",
    "Estonian": "äõüöšž",
    "Vietnamese": "đưôêơăâ\u0323\u0301\u0300\u0309\u0303áàéèíóúùý",
    "Russian": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
    "Ukrainian": "оаинівртсекдлмупзяьбгйчхцїжєюшфщґ",
    "Bulgarian": "аиоетнрсвлкдпмзгбъчщцжшухяюйфь",
    "Serbian": "аоиенрстјкувдмпљњчшжђћџфхцгблз",
    "Belarusian": "аніеорсялктвудпмыькзўбгчшжцхёйюэф",
    "Kazakh": "аыенртліоқдсмкбұғйшңуяпзүәжөгіхчив",
    "Greek": "αοιετσνηυρπκμλςωάίόέήύώδγχθφβξζψϊ",
    "Hebrew": "יוהלאשתרבמנדעחפקםכסצגטזןךףץ״׳",
    "Arabic": "الينمورتهبعدفسكقحةأجشصىخطإءئذزضثغ،ؤ؟ظآًچپگژک",
    "Thai": "านรอก่เงมยลวด้ทสตัีิ์ปคหแจะขใบพชไุูซถผโำ็ืธณญศฉฟษภฝึฐฎฏๆ",
    "Simplified Chinese": "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而"
    "子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好"
    "小部其些主样理心本前开但因只从想实请问答您如何什么为怎样吗呢是否可常见题客户服务账号密码登录付"
    "款退订单货",
    "Traditional Chinese": "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能"
    "而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進"
    "好小部其些主樣理心本前開但因只從想實請問答您如何什麼為怎樣嗎呢是否可常見題客戶服務帳號密碼登錄"
    "付款退訂單貨",
    "Japanese": "のにいるたはとしがてをでなかっれらもうすまりこだくきあさんそどよけせえつわみおちめ"
    "ばじげぎごやろぶびほひふへぐむべずゃゅょーンスルトイラリクアドシレジタフロカテマプメサコパバデ"
    "ニチムグオキビミツセポダボエケウガネノハモブピペゲナホソヤユヨワヒベギザズゼゾォィェッャュョ"
    "日本人大年中会国出事一上分生行金間時手見月場合方法入用登録料利",
    "Korean": "이다에의는로하을가고지서한은기으년대사시를리도인스일자어있해나정그수아제부게주라전니"
    "여장있우구원무보상오만성문경안동거신요공조들방관되용할면적질답변까습입세했금통때위회",
}
_SIGNS = {sign: 2.0 for sign in "’“”–€£\xa0。，、？"} | {
    sign: 0.4 for sign in "‘—…«»„‚°§·•®©™´½¼¾²³µ±ºª×¥！：；（）「」《》・～\u3000"
}
_LATIN = ("Western", "German", "French", "Spanish", "Portuguese", "Italian", "Catalan")
_WESTERN = (*_LATIN, "Swedish", "Danish", "Dutch", "Icelandic")
_CENTRAL = ("Polish", "Czech", "Slovak", "Hungarian", "Romanian", "Croatian", "German")
_CYRILLIC = ("Russian", "Ukrainian", "Bulgarian", "Serbian", "Belarusian", "Kazakh")
_CHINESE = ("Simplified Chinese", "Traditional Chinese")


@dataclass(frozen=True)
class _CodePage:
    usual: str
    languages: tuple[str, ...]
    rarity: float = 2.0  # how much less often it is met than Windows-1252, as a logarithm


_CODE_PAGES = {
    "cp1252": _CodePage("Windows-1252", _WESTERN, 0),
    "iso8859-15": _CodePage("ISO-8859-15", _WESTERN, 4),
    "mac-roman": _CodePage("Mac Roman", _WESTERN, 4),
    "cp850": _CodePage("DOS code page 850", _WESTERN, 5),
    "cp1250": _CodePage("Windows-1250", _CENTRAL),
    "iso8859-2": _CodePage("ISO-8859-2", _CENTRAL, 3),
    "cp852": _CodePage("DOS code page 852", _CENTRAL, 5),
    "cp1251": _CodePage("Windows-1251", _CYRILLIC),
    "koi8-r": _CodePage("KOI8-R", ("Russian", "Bulgarian"), 3),
    "koi8-u": _CodePage("KOI8-U", ("Ukrainian",), 4),
    "iso8859-5": _CodePage("ISO-8859-5", _CYRILLIC, 4),
    "mac-cyrillic": _CodePage("Mac Cyrillic", _CYRILLIC, 5),
    "cp866": _CodePage("DOS code page 866", ("Russian", "Belarusian"), 5),
    "cp1253": _CodePage("Windows-1253", ("Greek",)),
    "iso8859-7": _CodePage("ISO-8859-7", ("Greek",), 3),
    "cp1254": _CodePage("Windows-1254", ("Turkish",), 3),
    "cp1255": _CodePage("Windows-1255", ("Hebrew",)),
    "cp1256": _CodePage("Windows-1256", ("Arabic",)),
    "iso8859-6": _CodePage("ISO-8859-6", ("Arabic",), 4),
    "cp1257": _CodePage("Windows-1257", ("Lithuanian", "Latvian", "Estonian"), 3),
    "cp1258": _CodePage("Windows-1258", ("Vietnamese",), 3),
    "cp874": _CodePage("Windows-874", ("Thai",)),
    "cp932": _CodePage("Shift_JIS", ("Japanese",)),
    "euc_jp": _CodePage("EUC-JP", ("Japanese",)),
    "cp949": _CodePage("EUC-KR (CP949)", ("Korean",)),
    "big5hkscs": _CodePage("Big5", ("Traditional Chinese",)),
    "gb18030": _CodePage("GB18030", _CHINESE),
}

_RARE = math.log(1e-6)  # a sign no text of that language holds
_RARE_IDEOGRAPH = math.log(3e-5)
_CAPITAL = math.log(0.1)
_ASCII = math.log(0.05)
_MISPLACED = -4.0


@cache
def _log_probabilities(language: str) -> dict[str, float]:
    weights = dict(_SIGNS)
    weights.update({sign: 8 / (rank + 3) for rank, sign in enumerate(_LETTERS[language])})
    whole = sum(weights.values()) * (2 if "Chinese" in language else 1.3)
    known = {sign: math.log(weight / whole) for sign, weight in weights.items()}
    for sign in [sign for sign in known if sign.isalpha()]:
        known.setdefault(sign.upper(), known[sign] + _CAPITAL)
    return known


_SAMPLE_LINES = 300
_SAMPLE_BYTES = 600
_AFTER_SPACE = frozenset("£¥§¿¡«„‚©¤€")
_BEFORE_SPACE = frozenset("…”»®™°£€")


def _sample_lines(data: bytes) -> Iterator[bytes]:
    """Yield a stretch of the lines that hold more than ASCII, which is alike in all code pages."""
    telling = (line for line in io.BytesIO(data) if not line.isascii())
    for line in islice(telling, _SAMPLE_LINES):
        first = _BEYOND_ASCII.search(line)
        start = max(0, first.start() - 1) if first else 0
        yield line[start : start + _SAMPLE_BYTES]


_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")


def _log_likelihood(sample: tuple[bytes, ...], codec: str) -> float:
    """How likely these bytes are, where each line is in one of the languages of the code page."""
    page = _CODE_PAGES[codec]
    total = -page.rarity
    for line in sample:
        text = codecs.getincrementaldecoder(codec)("replace").decode(
            line, len(line) < _SAMPLE_BYTES
        )
        counts = Counter(text)
        plain = sum(counts.pop(sign) for sign in tuple(counts) if sign < "\x80")
        misplaced = sum(_is_misplaced(before, sign) for before, sign in pairwise(text))
        total += plain * _ASCII + misplaced * _MISPLACED
        total += max(_fit(counts, _log_probabilities(language)) for language in page.languages)
    return total


def _fit(counts: Counter[str], known: dict[str, float]) -> float:
    return sum(
        count * (known.get(sign) or (_RARE_IDEOGRAPH if "一" <= sign <= "힣" else _RARE))
        for sign, count in counts.items()
    )


def _is_misplaced(before: str, sign: str) -> bool:
    """A capital or an opening sign in the middle of a word: the mark of a wrong code page."""
    if sign < "\x80" and before < "\x80":
        return False
    if sign.isupper():
        return before.islower() or before.isdigit()
    if sign.isalpha():
        return before in _BEFORE_SPACE
    return (before.isupper() and sign.isdigit()) or (sign in _AFTER_SPACE and before.isalpha())
