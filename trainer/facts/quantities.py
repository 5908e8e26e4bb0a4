"""A quantity that a text states, and when two of them say the same."""

from fractions import Fraction
from typing import Literal, NamedTuple

QuantityKind = Literal["number", "amount", "date", "time", "name"]
Value = Fraction | str | tuple[frozenset[tuple[int, int]], int]
DURATIONS = ("duration", "months", "working duration")


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


def family(quantity: Quantity) -> str:
    """The dimension of a quantity, amounts of all currencies being one and durations another."""
    if quantity.kind == "amount":
        return "amount"
    return "duration" if quantity.dimension in DURATIONS else quantity.dimension


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
