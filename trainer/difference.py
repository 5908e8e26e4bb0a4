"""How far two contenders are apart on the same questions, how sure that is, and what to call it."""

from math import ceil
from typing import Literal

import pydantic

Verdict = Literal["better", "worse", "no difference", "too few"]

MATTERS = 0.05  # of a score between 0 and 1; a smaller difference nobody would notice
SURE = 0.025  # chance of calling nothing better or worse; two kinds of question: 0.05 a report
FEWEST = 7  # groups; of fewer no sign-flip test can come below `SURE`
SETTLES = 1.57  # times narrower is an interval that settles it 4 times in 5: (2.24 + 0.84) / 1.96


class Difference(pydantic.BaseModel, frozen=True):
    """The mean of paired differences (one less other), with its 95 % interval and p.

    Groups of questions (what shares an answer) are resampled whole: `low` and `high` are a
    bootstrap interval, `p` comes from a paired permutation test, both two-sided. `wins`, `losses`
    and `ties` count questions.
    """

    mean: float
    low: float
    high: float
    p: float
    wins: int
    losses: int
    ties: int
    n: int
    groups: int

    @property
    def verdict(self) -> Verdict:
        """Better or worse only where interval and test agree; else whether it is small for sure."""
        if self.groups < FEWEST:
            return "too few"
        if self.p < SURE and self.low > 0:
            return "better"
        if self.p < SURE and self.high < 0:
            return "worse"
        if self.low > -MATTERS and self.high < MATTERS:
            return "no difference"
        return "too few"

    @property
    def enough(self) -> int | None:
        """About how many questions would settle it, where these are too few to tell.

        The interval shrinks with the root of their number. Where the mean stays what it is, it
        settles the question as soon as it leaves out 0, or `MATTERS` on both sides; it is to do so
        four times in five. Rounded up to two digits.
        """
        if self.verdict != "too few":
            return None
        least = max(self.n + 1, 20)
        if self.groups < 2:
            return least
        half = (self.high - self.low) / 2
        settles = max(abs(self.mean), MATTERS - abs(self.mean)) / SETTLES
        needed = max(least, ceil(self.n * (half / settles) ** 2))
        step = 10 ** max(0, len(str(needed)) - 2)
        return -(-needed // step) * step
