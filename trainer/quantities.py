"""The quantities a text states: numbers, amounts, dates, times, units, phone numbers and codes.

Each is read into one form whatever it was written like: "two weeks" is "14 days", "Rs. 1,000" is
"INR 1000", "3 May" is "May 3rd". How they are written is an open list, words/quantities.toml.
"""

import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from typing import Any, Literal, NamedTuple

from trainer.corpus.word_lists import LANGUAGES
from trainer.lexicon import any_of, read_list

QuantityKind = Literal["number", "amount", "date", "time", "name"]
Value = Fraction | str | tuple[frozenset[tuple[int, int]], int]


class Quantity(NamedTuple):
    """A quantity and where it stands; `raw` is the bare number that was written.

    `value` is in the base unit of its dimension; a date's is its readings as (month, day) and its
    year, 0 standing for what is not said. A weak one ("a week", "one") backs up another, and is no
    statement of its own. `bound` tells whether it is the least ("up") or the most ("down").
    """

    kind: QuantityKind
    dimension: str
    value: Value
    raw: Fraction | None
    start: int
    end: int
    said: str
    weak: bool = False
    bound: str = ""
    noun: str = ""


_FOLD = str.maketrans("\u00a0\u202f\u2009\u2019\u2018\u2013\u2014\u2212\u2011", "   ''----")
_HALVES = {"½": Fraction(1, 2), "¼": Fraction(1, 4), "¾": Fraction(3, 4)}
_CONTACT = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?:https?://|www\.)[^\s<>()\"']+"
    r"|\b(?:[a-z0-9-]+\.)+(?:com|org|net|gov|edu|info|io|in|de|fr|es|it|pt|nl|eu|co\.uk|uk|au)\b"
    r"(?:/[^\s<>()\"']*)?"
)
_ALWAYS = re.compile(
    r"\b24\s*(?:x|/|\*|×|hours?\s+a\s+day,?\s*(?:and\s+)?)\s*(?:7|seven)\b(?:\s+days\s+a\s+week)?"  # noqa: RUF001
    r"|\b(?:a?round[- ]the[- ]clock|24 hours a day|day and night|rund um die uhr)\b"
)
_ISO = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_SLASHED = re.compile(r"(?<!\d)(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_CLOCK = re.compile(
    r"(?<![\d.,:])(\d{1,2})(?:[:.h](\d{2}))?\s*(a\.m\.|p\.m\.|am\b|pm\b|uhr\b|o'clock\b)"
    r"|(?<![\d.,:])([01]?\d|2[0-4])[:h]([0-5]\d)(?![\d:])|\b(noon|midday|midnight)\b"
)
_HEURES = re.compile(r"\b(?:à|de|dès|vers|avant|après)\s+(\d{1,2})(?=\s?h(?:eures?)?\b)")
_PAST = re.compile(r"\b(half|quarter) (past|to) ([a-z]+|\d{1,2})\b")
_PHONE = re.compile(r"(?<![\w.,])\+?\(?\d[\d ()./-]{5,}\d(?![\d])")
_PHONED = re.compile(
    r"(?:phone|call|tel|dial|number|no|helpline|fax|mobile|whatsapp|sms)\W*\w*\W*$"
)
_CODE = re.compile(r"(?<![\w$€£₹])(?:[a-z]+\d\w*|[a-z]{1,6}-\d\w*|\d+[a-z]+\d*)(?![\w])")
_DIGITS = r"\d+(?:[.,]\d+)+|\d{1,3}(?:[ ']\d{3})+(?!\d)|\d*[½¼¾]|\d+/\d+(?![\d/])|\d+"
_ATOM = re.compile(rf"({_DIGITS})|[^\W\d_]+")
_LINKED = re.compile(r"\s*(?:-|,|/|&|to|and|or|bis|und|oder|à|a|et|ou|y|o|e|of|en|tot|through)\s*$")
_LAID_OUT = re.compile(r"(?:^|\n|(?<=[.:;!?])[ \t])[ \t]*\(?\d{1,2}[.)](?=\s)")
_EACH = r"(?:per|every|each|an?|/|pro|par|por|al|je|im|the)\s*"
_OFTEN = {
    "hourly": (0, 3600), "daily": (0, 86400), "nightly": (0, 86400), "weekly": (0, 604800),
    "fortnightly": (0, 1209600), "monthly": (1, 1), "quarterly": (1, 3), "yearly": (1, 12),
    "annually": (1, 12), "annual": (1, 12), "annum": (1, 12), "p.a.": (1, 12),
    "täglich": (0, 86400), "wöchentlich": (0, 604800), "monatlich": (1, 1), "jährlich": (1, 12),
}  # fmt: skip
_ONE = r"(?:an?|one|eine?|einem|einen|einer|une?|una|uno|uma?|een)"
_STATED = re.compile(r"\b(?:in|within|for|after|takes?|than|least|most|about|up to|last|lasts)\s+$")
_WORKING = r"(?:(?:business|working|bank|banking|werk|full|calendar|consecutive|more|clear)[ -]+)"
_BOUND_FILL = r"(?:\s+(?:the|an?|age|of|about|exactly)|\s*[$€£₹]|\s+rs\.?|\s+inr)*\s*$"


def read_quantities(text: str) -> tuple[Quantity, ...]:
    """Find the quantities of a text, in its order; the numbers of a list are none."""
    folded = text.translate(_FOLD)
    lower = lowered(folded)
    reader = _Reader(folded, lower)
    reader.read_contacts()
    reader.read_dates()
    reader.read_phones()
    reader.read_numbers()
    found = sorted(reader.found, key=lambda q: q.start)
    return tuple(q._replace(said=text[q.start : q.end].strip()) for q in _share(found, lower))


def lowered(text: str) -> str:
    """The text in lower case, every character where it was."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def language_of(lower: str) -> str:
    """The language whose small words are most in a text, English in doubt."""
    hits = Counter(
        language
        for word in re.findall(r"[^\W\d_]+", lower)[:80]
        for language in LANGUAGES.get(word, ())
    )
    return max(hits, key=lambda language: (hits[language], language == "en"), default="en")


class _Reader:
    """A text of which spans are taken out one kind after the other."""

    def __init__(self, folded: str, lower: str) -> None:
        self.folded, self.lower, self.left = folded, lower, lower
        self.language = language_of(lower)
        self.found: list[Quantity] = []

    def take(self, start: int, end: int) -> None:
        self.left = self.left[:start] + "\x00" * (end - start) + self.left[end:]

    def add(
        self,
        kind: QuantityKind,
        dimension: str,
        value: Value,
        span: tuple[int, int],
        raw: Fraction | None = None,
        weak: bool = False,
    ) -> None:
        start, end = span
        bound = _bound(self.lower, start, end) if dimension not in ("contact", "code") else ""
        noun = re.match(r"[\s-]*([^\W\d_]+)", self.lower[end:])
        self.take(start, end)
        self.found.append(
            Quantity(
                kind, dimension, value, raw, start, end, "", weak, bound, noun[1] if noun else ""
            )
        )

    def read_contacts(self) -> None:
        for match in _LAID_OUT.finditer(self.left):
            self.take(*match.span())
        for match in _CONTACT.finditer(self.left):
            told = match[0].rstrip(".,;:!?/")
            value = re.sub(r"^(?:https?://)?(?:www\.)?", "", told)
            self.add("name", "contact", value, (match.start(), match.start() + len(told)))
        for match in _ALWAYS.finditer(self.left):
            self.add("time", "clock", "always", match.span())

    def read_dates(self) -> None:
        for match in _ISO.finditer(self.left):
            self._add_date([(int(match[2]), int(match[3]))], int(match[1]), match.span())
        for match in _SLASHED.finditer(self.left):
            one, other = int(match[1]), int(match[3])
            year = int(match[4]) + (2000 if len(match[4]) == 2 else 0)
            both = [(other, one), (one, other)]
            self._add_date(
                [(m, d) for m, d in both if 0 < m < 13 and 0 < d < 32], year, match.span()
            )
        months, days, dated = _calendar()
        for match in dated.finditer(self.left):
            name = match["month"]
            if not match["before"] and not match["after"] and not match["year"]:
                if not self._capital(match.start("month"), name):
                    continue
            day = int(match["before"] or match["after"] or 0)
            if day < 32:
                self._add_date([(months[name], day)], int(match["year"] or 0), match.span())
        for match in days[1].finditer(self.left):
            if self._capital(match.start(), match[1]):
                self.add("date", "weekday", str(days[0][match[1]]), match.span(1))
        for match in _CLOCK.finditer(self.left):
            self._add_clock(match)
        words = _number_words("en")
        for match in _PAST.finditer(self.left):
            hour = int(match[3]) if match[3].isdecimal() else int(words.get(match[3], 0))
            if 0 < hour < 13:
                minutes = {"half": 30, "quarter": 15}[match[1]] * (1 if match[2] == "past" else -1)
                clock = f"{(hour * 60 + minutes) % 1440}?"
                self.add("time", "clock", clock, match.span(), Fraction(hour))
        for match in _HEURES.finditer(self.left if self.language == "fr" else ""):
            self.add(
                "time", "clock", str(int(match[1]) * 60 % 1440), match.span(1), Fraction(match[1])
            )
        for match in re.finditer(rf"\b(?:{any_of(_lists()['calendar']['weekdays'])})\b", self.left):
            if not re.search(r"\d\s*(?:-\s*\d+\s*)?$", self.left[: match.start()]):
                for day in range(5):
                    self._back_up(str(day), match)
        for match in re.finditer(rf"\b(?:{any_of(_lists()['calendar']['weekend'])})\b", self.left):
            for day in (5, 6):
                self._back_up(str(day), match)

    def _back_up(self, day: str, match: re.Match[str]) -> None:
        at = match.start()
        self.found.append(Quantity("date", "weekday", day, None, at, match.end(), "", True))

    def _capital(self, start: int, name: str) -> bool:
        """Whether a name that is also a word stands for the month or day: not where one begins."""
        if name not in _lists()["calendar"]["also_words"]:
            return True
        begins = not re.search(r"[\w,-]\s+$|/$|-$", self.folded[:start])
        return self.folded[start].isupper() and not (begins and name in ("may", "march", "mai"))

    def _add_date(self, readings: list[tuple[int, int]], year: int, span: tuple[int, int]) -> None:
        if readings:
            day = readings[0][1]
            self.add("date", "date", (frozenset(readings), year), span, Fraction(day or year))

    def _add_clock(self, match: re.Match[str]) -> None:
        if match[6]:
            minutes = 0 if match[6] == "midnight" else 720
        else:
            hour, minute = int(match[1] or match[4]), int(match[2] or match[5] or 0)
            half = (match[3] or "")[:1]
            if hour > 24 or (match[3] is None and ":" not in match[0] and self.language != "fr"):
                return
            late = (half == "p" and hour < 12) - (half == "a" and hour == 12)
            minutes = (hour + 12 * late) * 60 + minute
        value = str(minutes % 1440) + ("?" if match[3] == "o'clock" else "")
        raw = Fraction(int(match[1] or match[4] or 12))
        self.add("time", "clock", value, match.span(), raw)

    def read_phones(self) -> None:
        for match in _PHONE.finditer(self.left):
            written = match[0].strip()
            groups = re.findall(r"\d+", written)
            digits, cued = "".join(groups), _PHONED.search(self.left[: match.start()])
            if not 7 <= len(digits) <= 20 or (" - " in written and not cued) or "/" in written:
                continue
            seps = set(re.findall(r"[^\d]+", written))
            thousands = seps <= {" ", "."} and len(seps) == 1 and len(groups[0]) < 4
            thousands = thousands and all(len(group) == 3 for group in groups[1:])
            ascending = len(groups) == 2 and seps == {"-"} and int(groups[0]) < int(groups[1])
            plain = len(groups) == 1 and (len(digits) < 8 or digits.endswith("0000"))
            if plain and not cued and digits[0] != "0":
                continue
            if not cued and digits[0] != "0" and written[0] not in "+(":
                if thousands or (seps == {"."} and len(groups) == 2):
                    continue
                if ascending and len(groups[0]) == len(groups[1]) and not groups[1].startswith("0"):
                    continue
            span = (match.start(), match.start() + len(written))
            self.add("number", "phone", digits, span)
        for match in _CODE.finditer(self.left):
            parts = re.fullmatch(r"([a-z]*)-?(\d+)([a-z]*)\d*", match[0])
            inside = (parts[1] or parts[3]) if parts and not (parts[1] and parts[3]) else ""
            if inside in ("st", "nd", "rd", "th", "x") or inside in _known_behind():
                if not parts or parts[1] or self._is_unit(match.start() + len(parts[2]), inside):
                    continue
            self.add("name", "code", match[0].replace("-", ""), match.span())

    def read_numbers(self) -> None:
        for start, end, value, weak in list(self._atoms()):
            self._add_number(start, end, value, weak)
        self._read_often()
        singles = re.compile(rf"\b({_ONE})\s+{_WORKING}?({_units()[1]})(?!\w)")
        for match in singles.finditer(self.left):
            dimension, factor = _units()[0][match[2]]
            if dimension in ("duration", "months"):
                stated = _STATED.search(self.left[: match.start()])
                value = Fraction(1) * factor
                self.add("time", dimension, value, match.span(), Fraction(1), weak=not stated)

    def _atoms(self) -> Iterator[tuple[int, int, Fraction, bool]]:
        """The numbers, in digits or words, with whether they say little by themselves."""
        lists = _lists()
        words, times = _number_words(self.language), lists["times"]
        tokens = list(_ATOM.finditer(self.left))
        at = 0
        while at < len(tokens):
            token, total, group = tokens[at], Fraction(0), Fraction(-1)
            spelled, last = False, at
            gap = ""
            while last < len(tokens):
                now = tokens[last]
                if last > at:
                    gap = self.left[tokens[last - 1].end() : now.start()]
                    if gap not in ("", " ", "-") or (gap == "-" and not spelled):
                        break
                word = now[0]
                if now[1]:
                    if last > at:
                        break
                    group = _number(word, self.language)
                elif word in words and (last == at or spelled):
                    value = words[word]
                    if value == 100 or value == 1000 or value == 12:
                        group = max(group, Fraction(1)) * value
                    elif group > 0 and (value >= 10 or group % 10 or value == 0) and group % 100:
                        break
                    else:
                        group = max(group, Fraction(0)) + value
                    spelled = True
                elif word in times and (group >= 0 or word in ("hundred", "thousand", "million")):
                    if word in ("k", "cr", "mn", "bn") and gap:
                        break
                    if times[word] >= 1000:
                        total, group = total + max(group, Fraction(1)) * times[word], Fraction(0)
                    else:
                        group = max(group, Fraction(1)) * times[word]
                    spelled = True
                elif (
                    word in ("and", "a", "an") and group >= 0 and spelled and last + 1 < len(tokens)
                ):
                    after = tokens[last + 1][0]
                    joins = word == "and" and (group >= 100 or total) and after in words
                    if not joins and not (group == Fraction(1, 2) and after == "dozen"):
                        break
                else:
                    break
                last += 1
            if group < 0:
                at += 1
                continue
            rest = self.left[tokens[last - 1].end() :]
            half = re.match(r"\s+and\s+(?:a\s+)?half\b", rest)
            end = tokens[last - 1].end() + (half.end() if half else 0)
            value = total + group + (Fraction(1, 2) if half else 0)
            weak = spelled and value <= 1
            yield token.start(), end, value, weak
            at = last
            while at < len(tokens) and tokens[at].start() < end:
                at += 1
        for at, word in enumerate(lists["ordinals"].get(self.language, ()), start=1):
            for match in re.finditer(rf"\b{word}\b", self.left):
                self.found.append(
                    Quantity(
                        "number", "ordinal", Fraction(at), Fraction(at), *match.span(), "", True
                    )
                )

    def _add_number(self, start: int, end: int, raw: Fraction, weak: bool) -> None:
        after = self.left[end:]
        if ordinal := re.match(r"(?:st|nd|rd|th)\b", after):
            self.add("number", "ordinal", raw, (start, end + ordinal.end()), raw)
            return
        if sign := _currency_before().search(self.left[:start]):
            code = _currencies()[0][sign[1]]
            tail = re.match(r"/-", after)
            span = (sign.start(1), end + (tail.end() if tail else 0))
            self.add("amount", code, raw, span, raw)
            return
        if sign := _currency_behind().match(after):
            code, share = _currencies()[0].get(sign[1]), 1
            if code is None:
                code, share = _currencies()[1][sign[1]], 100
            self.add("amount", code, raw / share, (start, end + sign.end()), raw)
            return
        article = r"(?:\s+an?)?" if raw == Fraction(1, 2) else ""
        unit = re.match(rf"{article}(\s*-?\s*)({_WORKING}?)({_units()[1]})(?!\w)", after)
        if unit and self._is_unit(end + unit.start(3), unit[3]):
            dimension, factor = _units()[0][unit[3]]
            value = raw * factor
            if dimension == "memory" and raw >= 1024 and raw % 1024 == 0:
                value = raw / 1024 * 1000 * factor
            if dimension == "fahrenheit":
                dimension, value = "celsius", (raw - 32) * 5 / 9
            if unit[2].strip(" -") in ("business", "working", "bank", "banking", "werk"):
                dimension = "working " + dimension
            kind: QuantityKind = (
                "time" if "duration" in dimension or dimension == "months" else "number"
            )
            self.add(kind, dimension, value, (start, end + unit.end()), raw)
            return
        layout = _lists()["layout"]
        named = re.search(rf"\b(?:{any_of(layout['numbered'])})\s*$", self.left[:start])
        counted = re.match(rf"[\s-]*(?:{any_of(layout['counted'])})\b", after)
        self.add("number", "count", raw, (start, end), raw, weak=weak or bool(named or counted))

    def _is_unit(self, start: int, name: str) -> bool:
        """Whether a short name is written as its unit is: 15 g, not form 15G; 5 ans in French."""
        if name == "an":
            return self.language == "fr"
        written = self.folded[start : start + len(name)]
        return len(name) > 1 or not written.isupper() or name in ("l", "v", "w")

    def _read_often(self) -> None:
        for match in re.finditer(rf"\b(?:{any_of(_OFTEN)})(?!\w)", self.left):
            self._add_often(*_OFTEN[match[0]], match)
        for match in re.finditer(rf"(?<!\w){_EACH}({_units()[1]})(?!\w)", self.left):
            dimension, factor = _units()[0][match[1]]
            if dimension == "months" or (dimension == "duration" and factor >= 60):
                if match[0].startswith(("a", "the", "im")):
                    counted = self.left[: match.start()].rstrip(" ").endswith("\x00")
                    if not counted:
                        continue
                self._add_often(int(dimension == "months"), int(factor), match)

    def _add_often(self, months: int, factor: int, match: re.Match[str]) -> None:
        value = f"{factor} {'months' if months else 'seconds'}"
        self.add("time", "rate", value, match.span(), Fraction(1))


def _share(found: list[Quantity], lower: str) -> list[Quantity]:
    """Give a bare number in a range or list the unit of the one it stands with: 5 to 7 days."""
    for at in range(len(found) - 2, -1, -1):
        one, other = found[at], found[at + 1]
        if one.dimension != "count" or one.raw is None or other.raw in (None, 0):
            continue
        if not _LINKED.fullmatch(lower[one.end : other.start]):
            continue
        if other.dimension == "clock" and one.raw <= 24:
            value = str(int(one.raw) * 60 % 1440) + "?"
            found[at] = one._replace(kind="time", dimension="clock", value=value)
        elif other.dimension == "date" and isinstance(other.value, tuple) and one.raw <= 31:
            days = frozenset((month, int(one.raw)) for month, _ in other.value[0])
            found[at] = one._replace(kind="date", dimension="date", value=(days, other.value[1]))
        elif isinstance(other.value, Fraction) and other.dimension not in ("count", "ordinal"):
            scale = other.value / (other.raw or 1)
            if other.kind != "amount" or not lower[other.start].isdigit() is False:
                found[at] = one._replace(
                    kind=other.kind, dimension=other.dimension, value=one.raw * scale
                )
    for at in range(1, len(found)):
        one, other = found[at - 1], found[at]
        linked = _LINKED.fullmatch(lower[one.end : other.start])
        if other.dimension == "count" and one.kind == "amount" and linked and other.raw:
            if "," not in linked[0]:
                found[at] = other._replace(kind="amount", dimension=one.dimension)
    return found


def same(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities say the same, as far as they say it: 3 May is 3 May 2024."""
    if one.dimension == other.dimension:
        if one.dimension == "date":
            return _same_date(one.value, other.value)
        if one.dimension == "phone":
            return _same_digits(str(one.value), str(other.value))
        if one.dimension == "clock":
            return _same_clock(str(one.value), str(other.value))
        if one.dimension == "contact":
            a, b = sorted((str(one.value), str(other.value)), key=len)
            return a == b or b.startswith(a + "/")
        return one.value == other.value
    kinds = {one.dimension, other.dimension}
    if kinds == {"duration", "months"}:  # 30 days are a month to most people
        days, months = (one, other) if one.dimension == "duration" else (other, one)
        assert isinstance(days.value, Fraction)
        assert isinstance(months.value, Fraction)
        whole = {months.value * 30, months.value * 365 / 12, months.value / 12 * 364}
        return days.value / 86400 in whole
    if "rate" in kinds:
        rate, every = (one, other) if one.dimension == "rate" else (other, one)
        unit = {"duration": "seconds", "months": "months"}.get(every.dimension)
        return unit is not None and rate.value == f"{every.value} {unit}"
    if kinds == {"phone", "count"}:
        phone, count = (one, other) if one.dimension == "phone" else (other, one)
        return str(phone.value) == str(count.value)
    if kinds == {"date", "count"} or kinds == {"date", "ordinal"}:
        date, count = (one, other) if one.dimension == "date" else (other, one)
        assert isinstance(date.value, tuple)
        return count.value == date.value[1] or count.value in {day for _, day in date.value[0]}
    if kinds & {"count", "ordinal"} and not kinds & {"contact", "code", "weekday"}:
        return one.raw is not None and one.raw == other.raw
    working = {"working duration", "duration"}
    return kinds == working and one.dimension == "duration" and one.value == other.value


def _same_date(one: Value, other: Value) -> bool:
    assert isinstance(one, tuple)
    assert isinstance(other, tuple)
    if one[1] and other[1] and one[1] != other[1]:
        return False
    return any(a == c and (b == d or 0 in (b, d)) for a, b in one[0] for c, d in other[0])


def _same_digits(one: str, other: str) -> bool:
    short, long = sorted((one.lstrip("0"), other.lstrip("0")), key=len)
    return one == other or (len(short) >= 7 and long.endswith(short))


def _same_clock(one: str, other: str) -> bool:
    if "always" in (one, other) or not (one.endswith("?") or other.endswith("?")):
        return one == other
    return int(one.strip("?")) % 720 == int(other.strip("?")) % 720


def _number(written: str, language: str) -> Fraction:
    """The number that digits stand for, with the thousands and decimals of a language."""
    if written[-1] in _HALVES:
        return (Fraction(written[:-1]) if written[:-1] else Fraction(0)) + _HALVES[written[-1]]
    if "/" in written:
        one, other = written.split("/")
        simple = int(one) < int(other) <= 10 if len(other) < 3 else False
        return Fraction(int(one), int(other)) if simple else Fraction(int(one))
    written = re.sub(r"[ ']", "", written)[:400]
    groups = re.split(r"[.,]", written)
    marks = re.findall(r"[.,]", written)
    if not marks:
        return Fraction(written)
    last_three = len(groups[-1]) == 3 and groups[0] not in ("0", "00")
    if len(set(marks)) == 2 and marks[-1] not in marks[:-1]:
        whole = False
    elif len(marks) > 1:
        whole = True
    else:
        whole = last_three and (marks[0] == "," or language in ("de", "es", "it", "pt", "nl"))
    if whole:
        return Fraction("".join(groups))
    return Fraction("".join(groups[:-1]) + "." + groups[-1])


def _bound(lower: str, start: int, end: int) -> str:
    before, behind, found = _bounds()
    if match := before.search(lower[max(0, start - 40) : start]):
        return found[match[1]]
    if match := behind.match(lower[end : end + 40]):
        return found[match[1]]
    return ""


# the open lists ----------------------------------------------------------------------------------


@cache
def _lists() -> dict[str, Any]:
    return read_list("quantities")


@cache
def _number_words(language: str) -> dict[str, Fraction]:
    pairs = (pair.split("=") for pair in _lists()["numbers"].get(language, "").split())
    return {word: Fraction(number) for word, number in pairs}


@cache
def _units() -> tuple[dict[str, tuple[str, Fraction]], str]:
    units = {
        name: (dimension, Fraction(factor))
        for dimension, factors in _lists()["units"].items()
        for factor, names in factors.items()
        for name in names
    }
    return units, any_of(units)


@cache
def _currencies() -> tuple[dict[str, str], dict[str, str]]:
    whole = {name: code for code, names in _lists()["currencies"].items() for name in names}
    parts = {name: code for code, names in _lists()["hundredths"].items() for name in names}
    return whole, parts


@cache
def _currency_before() -> re.Pattern[str]:
    signs = [name for name in _currencies()[0] if len(name) < 4]
    return re.compile(rf"(?<![a-z])({any_of(signs)})[\s.]*$")


@cache
def _currency_behind() -> re.Pattern[str]:
    names = [name for name in (*_currencies()[0], *_currencies()[1])]
    return re.compile(rf"(?:\s|-)*({any_of(names)})(?!\w)")


@cache
def _known_behind() -> frozenset[str]:
    return frozenset((*_units()[0], *_lists()["times"], *_currencies()[0], *_currencies()[1]))


@cache
def _bounds() -> tuple[re.Pattern[str], re.Pattern[str], dict[str, str]]:
    lists = _lists()["bounds"]
    found = {p: "up" for p in (*lists["up"], *lists["up_behind"])}
    found |= {p: "down" for p in (*lists["down"], *lists["down_behind"])}
    before = re.compile(rf"(?<!\w)({any_of((*lists['up'], *lists['down']))}){_BOUND_FILL}")
    behind = (*lists["up_behind"], *lists["down_behind"])
    return before, re.compile(rf"[\s(]*({any_of(behind)})\b(?![\s$€£₹]*\d)"), found


@cache
def _calendar() -> tuple[dict[str, int], tuple[dict[str, int], re.Pattern[str]], re.Pattern[str]]:
    lists = _lists()["calendar"]
    months = {n: at for at, names in enumerate(lists["months"], 1) for n in names.split("/")}
    days = {n: at for at, names in enumerate(lists["days"]) for n in names.split("/")}
    short = r"(?:st|nd|rd|th|\.|er|º)?"
    month = rf"(?P<month>{any_of(months)})(?!\w)\.?"
    dated = re.compile(
        rf"(?:(?<![\d.,:$€£])(?:the\s+)?(?P<before>\d{{1,2}}){short}[\s-]*(?:of\s+|de\s+|di\s+)?)?"
        rf"(?<![a-zà-ü]){month}"
        rf"(?:[\s-]*(?:the\s+)?(?P<after>(?<!\d)\d{{1,2}})(?![\d:%]|[.,]\d|\s*(?:am|pm|a\.m|p\.m)\b)"
        rf"{short})?(?:[\s,-]*(?:of\s+|de\s+|del\s+)?(?P<year>(?:19|20)\d\d)(?!\d))?"
    )
    return months, (days, re.compile(rf"(?<!\w)({any_of(days)})(?!\w)")), dated
