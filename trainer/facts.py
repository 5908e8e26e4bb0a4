"""Where an answer states another fact than the approved one, and what nobody approved."""

from collections.abc import Iterable
from typing import Literal

import pydantic

FactKind = Literal["number", "amount", "date", "time", "unit", "name", "negation", "term"]


class Flag(pydantic.BaseModel, frozen=True):
    """A fact in which an answer parts from the approved one, as each of them words it.

    One of the two is empty where only the other states such a fact.
    """

    kind: FactKind
    said: str
    approved: str


def differing(answer: str, approved: str) -> tuple[Flag, ...]:
    """The facts in which an answer contradicts the approved one; wording and order do not count."""
    raise NotImplementedError


def unsupported(answer: str, known: Iterable[str]) -> tuple[str, ...]:
    """The numbers, amounts, dates and names of an answer that none of the known texts states."""
    raise NotImplementedError
