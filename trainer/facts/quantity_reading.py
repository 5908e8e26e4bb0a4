"""The quantities a text states: numbers, amounts, dates, times, units, phone numbers and codes.

Each is read into one form whatever it was written like: "two weeks" is "14 days", "Rs. 1,000" is
"INR 1000", "3 May" is "May 3rd". How they are written is an open list, words/quantities.toml.
"""

import re
from fractions import Fraction

from trainer.facts.lexicon import any_of
from trainer.facts.numerals import find_numbers, lowered
from trainer.facts.quantities import Quantity, QuantityKind, Value
from trainer.facts.units import (
    bound_of,
    calendar,
    currencies,
    currency_before,
    currency_behind,
    known_behind,
    lists,
    units,
)

_FOLD = str.maketrans("\u00a0\u202f\u2009\u2019\u2018\u2013\u2014\u2212\u2011", "   ''----")
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
_LED_ON = re.compile(r"\s+(?:before|after|prior|ahead|in advance|beforehand|earlier|later)\b")
_WORKING = r"(?:(?:business|working|bank|banking|werk|full|calendar|consecutive|more|clear)[ -]+)"


def read_quantities(text: str, language: str) -> tuple[Quantity, ...]:
    """Find the quantities of a text, in its order; the numbers of a list are none."""
    folded = text.translate(_FOLD)
    lower = lowered(folded)
    reader = _Reader(folded, lower, language)
    reader.read_contacts()
    reader.read_dates()
    reader.read_phones()
    reader.read_numbers()
    found = sorted(reader.found, key=lambda q: q.start)
    return tuple(q._replace(said=text[q.start : q.end].strip()) for q in _share(found, lower))


class _Reader:
    """A text of which spans are taken out one kind after the other."""

    def __init__(self, folded: str, lower: str, language: str) -> None:
        self.folded, self.lower, self.left = folded, lower, lower
        self.language = language
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
        bound = bound_of(self.lower, start, end) if dimension not in ("contact", "code") else ""
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
        months, days, dated = calendar()
        for match in dated.finditer(self.left):
            name = match["month"]
            alone = not (match["before"] or match["after"] or match["year"])
            if alone and not self._capital(match.start("month"), name):
                continue
            day = int(match["before"] or match["after"] or 0)
            if day < 32:
                self._add_date([(months[name], day)], int(match["year"] or 0), match.span())
        for match in days[1].finditer(self.left):
            if self._capital(match.start(), match[1]):
                self.add("date", "weekday", str(days[0][match[1]]), match.span(1))
        for match in _CLOCK.finditer(self.left):
            self._add_clock(match)
        for match in _PAST.finditer(self.left):
            hour = int(next((n.value for n in find_numbers(match[3], "en")), 0))
            if 0 < hour < 13:
                minutes = {"half": 30, "quarter": 15}[match[1]] * (1 if match[2] == "past" else -1)
                clock = f"{(hour * 60 + minutes) % 1440}?"
                self.add("time", "clock", clock, match.span(), Fraction(hour))
        for match in _HEURES.finditer(self.left if self.language == "fr" else ""):
            self.add(
                "time", "clock", str(int(match[1]) * 60 % 1440), match.span(1), Fraction(match[1])
            )
        for match in re.finditer(rf"\b(?:{any_of(lists()['calendar']['weekdays'])})\b", self.left):
            if not re.search(r"\d\s*(?:-\s*\d+\s*)?$", self.left[: match.start()]):
                for day in range(5):
                    self._back_up(str(day), match)
        for match in re.finditer(rf"\b(?:{any_of(lists()['calendar']['weekend'])})\b", self.left):
            for day in (5, 6):
                self._back_up(str(day), match)

    def _back_up(self, day: str, match: re.Match[str]) -> None:
        at = match.start()
        self.found.append(Quantity("date", "weekday", day, None, at, match.end(), "", True))

    def _capital(self, start: int, name: str) -> bool:
        """Whether a name that is also a word stands for the month or day: not where one begins."""
        if name not in lists()["calendar"]["also_words"]:
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
            if self._is_marked(match):
                continue
            self.add("name", "code", match[0].replace("-", ""), match.span())

    def _is_marked(self, match: re.Match[str]) -> bool:
        """Whether digits and letters are a number with its unit or currency, and no code."""
        if behind := re.fullmatch(r"(\d+)([a-z]+)", match[0]):
            if behind[2] in ("st", "nd", "rd", "th", "x"):
                return True
            return behind[2] in known_behind() and self._is_unit(
                match.start() + len(behind[1]), behind[2]
            )
        before = re.fullmatch(r"([a-z]+)(-?)\d+", match[0])
        if before and before[2]:
            return any(find_numbers(before[1], self.language))
        return before is not None and before[1] in currencies()[0]

    def read_numbers(self) -> None:
        self._read_parts()
        for number in list(find_numbers(self.left, self.language)):
            self._add_number(number.start, number.end, number.value, number.small)
        for at, word in enumerate(lists()["ordinals"].get(self.language, ()), start=1):
            for match in re.finditer(rf"\b{word}\b", self.left):
                span, value = match.span(), Fraction(at)
                self.found.append(Quantity("number", "ordinal", value, value, *span, "", True))
        self._read_often()
        singles = re.compile(rf"\b({_ONE})\s+{_WORKING}?({units()[1]})(?!\w)")
        for match in singles.finditer(self.left):
            dimension, factor = units()[0][match[2]]
            if dimension in ("duration", "months"):
                stated = _STATED.search(self.left[: match.start()])
                stated = stated or _LED_ON.match(self.left[match.end() :])
                value = Fraction(1) * factor
                self.add("time", dimension, value, match.span(), Fraction(1), weak=not stated)

    def _read_parts(self) -> None:
        """Read a quarter of an hour, three quarters of an hour, an hour and a half."""
        for share, pattern in lists()["parts"].items():
            for match in re.finditer(rf"\b(?:{pattern})\b", self.left):
                name = next(group for group in match.groups() if group)
                dimension, factor = units()[0][name]
                raw = Fraction(share)
                self.add("time", dimension, raw * factor, match.span(), raw)

    def _add_number(self, start: int, end: int, raw: Fraction, weak: bool) -> None:
        after = self.left[end:]
        if ordinal := re.match(r"(?:st|nd|rd|th)\b", after):
            self.add("number", "ordinal", raw, (start, end + ordinal.end()), raw)
            return
        if sign := currency_before().search(self.left[:start]):
            code = currencies()[0][sign[1]]
            tail = re.match(r"/-", after)
            span = (sign.start(1), end + (tail.end() if tail else 0))
            self.add("amount", code, raw, span, raw)
            return
        if sign := currency_behind().match(after):
            whole, parts = currencies()
            share = 1 if sign[1] in whole else 100
            code = whole.get(sign[1]) or parts[sign[1]]
            self.add("amount", code, raw / share, (start, end + sign.end()), raw)
            return
        article = r"(?:\s+an?)?" if raw == Fraction(1, 2) else ""
        unit = re.match(rf"{article}(\s*-?\s*)({_WORKING}?)({units()[1]})(?!\w)", after)
        if unit and self._is_unit(end + unit.start(3), unit[3]):
            dimension, factor = units()[0][unit[3]]
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
        layout = lists()["layout"]
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
        for match in re.finditer(rf"(?<!\w){_EACH}({units()[1]})(?!\w)", self.left):
            dimension, factor = units()[0][match[1]]
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
            if other.kind != "amount" or lower[other.start].isdigit():
                found[at] = one._replace(
                    kind=other.kind, dimension=other.dimension, value=one.raw * scale
                )
    for at in range(1, len(found)):
        one, other = found[at - 1], found[at]
        linked = _LINKED.fullmatch(lower[one.end : other.start])
        counted = other.dimension == "count" and other.raw and one.kind == "amount"
        if counted and linked and "," not in linked[0]:
            found[at] = other._replace(kind="amount", dimension=one.dimension)
    return found
