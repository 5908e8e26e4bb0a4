"""Your own judgement: answers to rate without knowing who gave them, and which measure agrees."""

import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydantic
from numpy.typing import NDArray

from trainer.errors import NotFound, UserError
from trainer.report import ASKED, Contender, Measure, Report, Row

FILE = "ratings.json"
ENOUGH = 10  # rated answers before a measure is offered for agreeing with them
RESAMPLES = 5_000

Numbers = NDArray[np.float64]


class Blind(pydantic.BaseModel, frozen=True):
    """An answer to rate; its id does not tell who gave it."""

    id: str
    question: str
    approved: str
    answer: str


class Rating(pydantic.BaseModel, frozen=True):
    """How good a person finds an answer, from 1 (wrong) to 5 (as good as the approved one)."""

    row: str
    contender: Contender
    stars: int = pydantic.Field(ge=1, le=5)
    time: datetime


class Ratings(pydantic.BaseModel, frozen=True):
    """Written to `ratings.json` beside the report; one rating for an answer, the latest."""

    ratings: tuple[Rating, ...] = ()

    def of(self, blind: Blind) -> int | None:
        """The stars an answer has been given."""
        found = (rating for rating in self.ratings if _id(rating.row, rating.contender) == blind.id)
        return next((rating.stars for rating in found), None)


class Agreement(pydantic.BaseModel, frozen=True):
    """How well a measure ranks answers as a person does: Spearman's rho, Kendall's tau-b, from -1
    to 1.

    `low` and `high` are a 95 % bootstrap interval of rho. All are None where there is nothing to
    rank, for all stars or all scores are the same.
    """

    measure: Measure
    rho: float | None
    low: float | None
    high: float | None
    tau: float | None
    n: int


def pick(report: Report, *, count: int = 20, seed: int = 17) -> list[Blind]:
    """Draw held-out answers to rate: as many of each contender, from its worst to its best.

    No question comes twice while there are others.
    """
    draws = random.Random(seed)
    rows = _asked(report)
    contenders = list(report.contenders)
    draws.shuffle(contenders)
    used = Counter[str]()
    drawn: list[tuple[Row, Contender]] = []
    for place, who in enumerate(contenders):
        answered = [row for row in rows if who in row.answers]
        draws.shuffle(answered)
        answered.sort(key=lambda row: row.answers[who].scores.get(report.primary, 0.0))
        share = count // len(contenders) + (place < count % len(contenders))
        for part in _parts(answered, min(share, len(answered))):
            # Of this part of the score's range, else from anywhere; least asked first.
            taken = {row.id for row, other in drawn if other == who}
            fresh = [row for row in part if not used[row.id]]
            free = fresh or [row for row in answered if row.id not in taken]
            least = min(used[row.id] for row in free)
            row = draws.choice([row for row in free if used[row.id] == least])
            used[row.id] += 1
            drawn.append((row, who))
    draws.shuffle(drawn)
    return [
        Blind(
            id=_id(row.id, who),
            question=row.question,
            approved=row.approved,
            answer=row.answers[who].text,
        )
        for row, who in drawn
    ]


def rate(folder: Path, report: Report, blind: str, stars: int) -> Ratings:
    """Keep the stars for an answer in the folder of the evaluation; return all its ratings.

    `blind` is the id that the answer was shown with. Raises `NotFound` where the report has no
    such answer, `UserError` unless stars are 1 to 5.
    """
    if stars not in range(1, 6):
        raise UserError(f"A rating is a whole number from 1 to 5, not {stars}.")
    answers = [(row.id, who) for row in _asked(report) for who in row.answers]
    found = next(((row, who) for row, who in answers if _id(row, who) == blind), None)
    if found is None:
        raise NotFound("This answer is not in the report any more. Draw answers to rate again.")
    row, who = found
    others = [r for r in read_ratings(folder).ratings if (r.row, r.contender) != found]
    rating = Rating(row=row, contender=who, stars=stars, time=datetime.now(UTC))
    ratings = Ratings(ratings=(*others, rating))
    partial = folder / f"{FILE}.partial"
    partial.write_text(ratings.model_dump_json(indent=1), encoding="utf-8")
    partial.rename(folder / FILE)
    return ratings


def read_ratings(folder: Path) -> Ratings:
    """Read the ratings in the folder of an evaluation; there may be none yet."""
    path = folder / FILE
    try:
        return Ratings.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Ratings()
    except pydantic.ValidationError as error:
        raise UserError(
            f"Your ratings cannot be read: {path} is damaged. Move it away to rate anew."
        ) from error


def agreement(report: Report, ratings: Ratings, *, seed: int = 17) -> list[Agreement]:
    """Compare every measure with the ratings, the one that agrees best first."""
    answers = {
        (row.id, who): answer.scores
        for row in _asked(report)
        for who, answer in row.answers.items()
    }
    rated = [
        (answers[rating.row, rating.contender], rating.stars)
        for rating in ratings.ratings
        if (rating.row, rating.contender) in answers
    ]
    found = []
    for measure in report.measures:
        pairs = [(scores[measure], stars) for scores, stars in rated if measure in scores]
        found.append(_agreement(measure, np.array(pairs, np.float64).reshape(-1, 2), seed))
    return sorted(found, key=lambda each: -2.0 if each.rho is None else each.rho, reverse=True)


def best_measure(agreements: Sequence[Agreement]) -> Measure | None:
    """The measure to offer as the primary one: the best, if enough is rated and it is no chance."""
    best = max(
        (each for each in agreements if each.rho is not None and each.n >= ENOUGH),
        key=lambda each: each.rho or 0.0,
        default=None,
    )
    return best.measure if best and best.low is not None and best.low > 0 else None


def _agreement(measure: Measure, pairs: Numbers, seed: int) -> Agreement:
    from scipy.stats import kendalltau  # noqa: PLC0415 - a second

    n = len(pairs)
    if n < 3 or (pairs == pairs[0]).all(axis=0).any():
        return Agreement(measure=measure, rho=None, low=None, high=None, tau=None, n=n)
    drawn = np.random.default_rng(seed).integers(0, n, (RESAMPLES, n))
    rhos = _spearman(pairs[drawn])
    low, high = np.quantile(rhos[np.isfinite(rhos)], [0.025, 0.975])
    return Agreement(
        measure=measure,
        rho=float(_spearman(pairs[None])[0]),
        low=float(low),
        high=float(high),
        tau=float(kendalltau(pairs[:, 0], pairs[:, 1]).statistic),
        n=n,
    )


def _spearman(pairs: Numbers) -> Numbers:
    """Spearman's rho of many samples of shape (samples, n, 2); NaN where one side is constant."""
    from scipy.stats import rankdata  # noqa: PLC0415 - a second

    ranks = rankdata(pairs, axis=1)
    off = ranks - ranks.mean(axis=1, keepdims=True)
    spread = np.sqrt((off**2).sum(axis=1).prod(axis=1))
    return np.divide(
        off.prod(axis=2).sum(axis=1), spread, out=np.full(len(pairs), np.nan), where=spread > 0
    )


def _asked(report: Report) -> list[Row]:
    """The held-out rows; a taught one may have the same id as one of another test file."""
    return [row for row in report.rows if row.kind in ASKED]


def _parts(rows: Sequence[Row], count: int) -> list[Sequence[Row]]:
    """Cut rows into so many parts of nearly one length."""
    return [rows[len(rows) * i // count : len(rows) * (i + 1) // count] for i in range(count)]


def _id(row: str, contender: Contender) -> str:
    return hashlib.sha256(f"{row}\x00{contender}".encode()).hexdigest()[:16]
