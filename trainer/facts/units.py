"""How quantities are marked: units, currencies, months and weekdays, bounds, from the open list."""

import re
from fractions import Fraction
from functools import cache
from typing import Any

from trainer.facts.lexicon import any_of, read_list

_BOUND_FILL = r"(?:\s+(?:the|an?|age|of|about|exactly)|\s*[$€£₹]|\s+rs\.?|\s+inr)*\s*$"
_AHEAD = re.compile(r"\s+(before|ahead|beforehand|in advance|prior|earlier)(?!\w)")
_IN_TIME = frozenset(
    (
        "no later than",
        "not later than",
        "by",
        "until",
        "till",
        "no earlier than",
        "not earlier than",
    )
)


@cache
def lists() -> dict[str, Any]:
    """The open list of how quantities are written."""
    return read_list("quantities")


@cache
def units() -> tuple[dict[str, tuple[str, Fraction]], str]:
    """Each unit's dimension and factor to its base, and a pattern for any."""
    units = {
        name: (dimension, Fraction(factor))
        for dimension, factors in lists()["units"].items()
        for factor, names in factors.items()
        for name in names
    }
    return units, any_of(units)


@cache
def currencies() -> tuple[dict[str, str], dict[str, str]]:
    """The currency of each sign, code and word, and of each hundredth."""
    whole = {name: code for code, names in lists()["currencies"].items() for name in names}
    parts = {name: code for code, names in lists()["hundredths"].items() for name in names}
    return whole, parts


@cache
def currency_before() -> re.Pattern[str]:
    """A pattern for a currency that ends where a number begins."""
    signs = [name for name in currencies()[0] if len(name) < 4]
    return re.compile(rf"(?<![a-z])({any_of(signs)})[\s.]*$")


@cache
def currency_behind() -> re.Pattern[str]:
    """A pattern for a currency behind a number."""
    names = [name for name in (*currencies()[0], *currencies()[1])]
    return re.compile(rf"(?:\s|-)*({any_of(names)})(?!\w)")


@cache
def known_behind() -> frozenset[str]:
    """What may stand right behind digits without making them a code."""
    return frozenset((*units()[0], *lists()["times"], *currencies()[0], *currencies()[1]))


@cache
def calendar() -> tuple[dict[str, int], tuple[dict[str, int], re.Pattern[str]], re.Pattern[str]]:
    """The months, the weekdays with their pattern, and a pattern for dates."""
    listed = lists()["calendar"]
    months = {n: at for at, names in enumerate(listed["months"], 1) for n in names.split("/")}
    days = {n: at for at, names in enumerate(listed["days"]) for n in names.split("/")}
    short = r"(?:st|nd|rd|th|\.|er|º)?"
    month = rf"(?P<month>{any_of(months)})(?!\w)\.?"
    dated = re.compile(
        rf"(?:(?<![\d.,:$€£])(?:the\s+)?(?P<before>\d{{1,2}}){short}[\s-]*(?:of\s+|de\s+|di\s+)?)?"
        rf"(?<![a-zà-ü]){month}"
        rf"(?:[\s-]*(?:the\s+)?(?P<after>(?<!\d)\d{{1,2}})(?![\d:%]|[.,]\d|\s*(?:am|pm|a\.m|p\.m)\b)"
        rf"{short})?(?:[\s,-]*(?:of\s+|de\s+|del\s+)?(?P<year>(?:19|20)\d\d)(?!\d))?"
    )
    return months, (days, re.compile(rf"(?<!\w)({any_of(days)})(?!\w)")), dated


@cache
def _bounds() -> tuple[re.Pattern[str], re.Pattern[str], dict[str, str]]:
    listed = lists()["bounds"]
    found = {p: "up" for p in (*listed["up"], *listed["up_behind"])}
    found |= {p: "down" for p in (*listed["down"], *listed["down_behind"])}
    before = re.compile(rf"(?<!\w)({any_of((*listed['up'], *listed['down']))}){_BOUND_FILL}")
    behind = (*listed["up_behind"], *listed["down_behind"])
    return before, re.compile(rf"[\s(]*({any_of(behind)})\b(?![\s$€£₹]*\d)"), found


def bound_of(lower: str, start: int, end: int) -> str:
    """On which side of a value one must be: "up" for the least, "down" for the most, or ""."""
    before, behind, found = _bounds()
    ahead = _AHEAD.match(lower[end : end + 60])
    if match := before.search(lower[max(0, start - 40) : start].replace("n't ", " not ")):
        if ahead and match[1] == "up to" and ahead[1] == "before":  # said of the least and most
            return ""
        if ahead and match[1] in _IN_TIME:  # the later, the fewer days are left
            return "down" if found[match[1]] == "up" else "up"
        return found[match[1]]
    if ahead and "at the latest" in lower[end : end + 60].split(".")[0]:
        return "up"
    if match := behind.match(lower[end : end + 40]):
        return found[match[1]]
    return ""
