# ruff: noqa: RUF001 - letters of many scripts that look like others are the point here
"""Code pages older than Unicode, and which of them a file was written in.

A file does not say which. Statistics over long texts know, but a FAQ is short: here a code page
counts as likely as the letters it makes of the bytes are in one of the languages people write
with it.
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
class CodePage:
    """A code page by its usual name, with the languages people write in it."""

    usual: str
    languages: tuple[str, ...]
    rarity: float = 2.0  # how much less often it is met than Windows-1252, as a logarithm


CODE_PAGES = {
    "cp1252": CodePage("Windows-1252", _WESTERN, 0),
    "iso8859-15": CodePage("ISO-8859-15", _WESTERN, 4),
    "mac-roman": CodePage("Mac Roman", _WESTERN, 4),
    "cp850": CodePage("DOS code page 850", _WESTERN, 5),
    "cp1250": CodePage("Windows-1250", _CENTRAL),
    "iso8859-2": CodePage("ISO-8859-2", _CENTRAL, 3),
    "cp852": CodePage("DOS code page 852", _CENTRAL, 5),
    "cp1251": CodePage("Windows-1251", _CYRILLIC),
    "koi8-r": CodePage("KOI8-R", ("Russian", "Bulgarian"), 3),
    "koi8-u": CodePage("KOI8-U", ("Ukrainian",), 4),
    "iso8859-5": CodePage("ISO-8859-5", _CYRILLIC, 4),
    "mac-cyrillic": CodePage("Mac Cyrillic", _CYRILLIC, 5),
    "cp866": CodePage("DOS code page 866", ("Russian", "Belarusian"), 5),
    "cp1253": CodePage("Windows-1253", ("Greek",)),
    "iso8859-7": CodePage("ISO-8859-7", ("Greek",), 3),
    "cp1254": CodePage("Windows-1254", ("Turkish",), 3),
    "cp1255": CodePage("Windows-1255", ("Hebrew",)),
    "cp1256": CodePage("Windows-1256", ("Arabic",)),
    "iso8859-6": CodePage("ISO-8859-6", ("Arabic",), 4),
    "cp1257": CodePage("Windows-1257", ("Lithuanian", "Latvian", "Estonian"), 3),
    "cp1258": CodePage("Windows-1258", ("Vietnamese",), 3),
    "cp874": CodePage("Windows-874", ("Thai",)),
    "cp932": CodePage("Shift_JIS", ("Japanese",)),
    "euc_jp": CodePage("EUC-JP", ("Japanese",)),
    "cp949": CodePage("EUC-KR (CP949)", ("Korean",)),
    "big5hkscs": CodePage("Big5", ("Traditional Chinese",)),
    "gb18030": CodePage("GB18030", _CHINESE),
}


def rank_code_pages(data: bytes) -> list[str]:
    """List the code pages by their codecs, the most likely one for these bytes first."""
    sample = tuple(_sample_lines(data))
    return sorted(CODE_PAGES, key=lambda codec: _log_likelihood(sample, codec), reverse=True)


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
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")


def _sample_lines(data: bytes) -> Iterator[bytes]:
    """Yield a stretch of the lines that hold more than ASCII, which is alike in all code pages."""
    telling = (line for line in io.BytesIO(data) if not line.isascii())
    for line in islice(telling, _SAMPLE_LINES):
        first = _BEYOND_ASCII.search(line)
        start = max(0, first.start() - 1) if first else 0
        yield line[start : start + _SAMPLE_BYTES]


def _log_likelihood(sample: tuple[bytes, ...], codec: str) -> float:
    """How likely these bytes are, where each line is in one of the languages of the code page."""
    page = CODE_PAGES[codec]
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
