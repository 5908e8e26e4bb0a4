"""A fact in which two answers part."""

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
