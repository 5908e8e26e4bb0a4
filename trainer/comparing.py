"""Is one set of scores higher than another, or is that chance? Resampled by group of questions."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from trainer.difference import FEWEST, Difference
from trainer.report import ASKED, Kind
from trainer.runs import Run

RESAMPLES = 10_000
TIE = 1e-6  # scores no further apart than this are level
LEVEL = 0.95

Numbers = NDArray[np.float64]


def compare(
    one: Sequence[float],
    other: Sequence[float],
    groups: Sequence[str],
    *,
    seed: int = 17,
    tie: float = TIE,
    resamples: int = RESAMPLES,
) -> Difference:
    """Compare two contenders by their scores on the same questions, each in its group.

    The interval is a bootstrap of whole groups, a ratio of sums, for groups differ in size
    (expanded percentiles: Hesterberg 2015, What Teachers Should Know About the Bootstrap). The
    test flips the sign of whole groups: all ways where groups are few, else at random with
    p = (count + 1) / (n + 1) (Phipson & Smyth 2010), so that p is never 0. Of fewer than two
    groups nothing is known: p is 1, and the interval goes from -1 to 1.
    """
    apart = _check(one) - _check(other)  # raises where they differ in length
    names = sorted(set(groups))
    if len(groups) != len(apart):
        raise ValueError(f"{len(apart)} scores, but {len(groups)} groups")
    n = len(apart)
    sums, sizes = _by_group(apart, groups, names)
    mean = float(apart.mean()) if n else 0.0
    low, high, p = min(-1.0, mean), max(1.0, mean), 1.0
    if len(names) > 1:
        low, high = _interval(mean, sums, sizes, _counts(len(names), resamples, seed))
        p = _flip_test(sums, resamples, seed)
    return Difference(
        mean=mean,
        low=low,
        high=high,
        p=p,
        wins=int((apart > tie).sum()),
        losses=int((apart < -tie).sum()),
        ties=int((abs(apart) <= tie).sum()),
        n=n,
        groups=len(names),
    )


def gap(
    one: Sequence[float],
    one_groups: Sequence[str],
    other: Sequence[float],
    other_groups: Sequence[str],
    *,
    seed: int = 17,
    resamples: int = RESAMPLES,
) -> tuple[float, float, float]:
    """The difference of two means over different questions: mean, low and high of its interval.

    Groups are resampled whole, and one that has questions on both sides (taught and reworded
    questions of one answer) goes along with both. Raises `ValueError` where a side is empty.
    """
    if not len(one) or not len(other):
        raise ValueError("a gap needs scores on both sides")
    names = sorted({*one_groups, *other_groups})
    left, left_sizes = _by_group(_check(one), one_groups, names)
    right, right_sizes = _by_group(_check(other), other_groups, names)
    mean = float(left.sum() / left_sizes.sum() - right.sum() / right_sizes.sum())
    fewest = min(len(set(one_groups)), len(set(other_groups)))
    if fewest < 2:
        return mean, min(-1.0, mean), max(1.0, mean)
    counts = _counts(len(names), resamples, seed)
    tops = [_weigh(counts, each) for each in (left, left_sizes, right, right_sizes)]
    drawn = (tops[1] > 0) & (tops[3] > 0)  # with few groups a resample may miss a side
    means = tops[0][drawn] / tops[1][drawn] - tops[2][drawn] / tops[3][drawn]
    low, high = _expanded(means, fewest)
    return mean, low, high


def compare_runs(first: Run, second: Run) -> dict[Kind, Difference]:
    """Compare two tuned models on the held-out questions that both were asked: second less first.

    By their primary measure; empty where one has no scores or they have different measures.
    """
    found: dict[Kind, Difference] = {}
    one, other = (e.report() if (e := run.evaluation()) else None for run in (first, second))
    if not one or not other or one.primary != other.primary:
        return found
    for kind in ASKED:
        there = {row.id: row.answers["tuned"].scores for row in other.of(kind)}
        pairs = [
            (there[row.id][one.primary], row.answers["tuned"].scores[one.primary], row.group)
            for row in one.of(kind)
            if one.primary in there.get(row.id, {}) and one.primary in row.answers["tuned"].scores
        ]
        if pairs:
            after, before, groups = zip(*pairs, strict=True)
            found[kind] = compare(after, before, groups)
    return found


def holm(ps: Sequence[float]) -> list[float]:
    """Adjust p-values for their number, so that one false alarm is as rare as of one test.

    Holm 1979, A Simple Sequentially Rejective Multiple Test Procedure.
    """
    adjusted, highest = [0.0] * len(ps), 0.0
    for place, at in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        highest = max(highest, min(1.0, (len(ps) - place) * ps[at]))
        adjusted[at] = highest
    return adjusted


def _check(scores: Sequence[float]) -> Numbers:
    checked = np.asarray(scores, np.float64)
    if not np.isfinite(checked).all():
        raise ValueError("a score is not a number")
    return checked


def _by_group(
    values: Numbers, groups: Sequence[str], names: Sequence[str]
) -> tuple[Numbers, Numbers]:
    """The sum and the number of values in each group; both of shape (groups,)."""
    places = {name: at for at, name in enumerate(names)}
    at = np.array([places[group] for group in groups], np.intp)
    sums, sizes = (np.bincount(at, each, len(names)) for each in (values, np.ones(len(at))))
    return np.asarray(sums, np.float64), np.asarray(sizes, np.float64)


def _interval(
    mean: float, sums: Numbers, sizes: Numbers, counts: NDArray[np.uint8]
) -> tuple[float, float]:
    if len(sums) >= FEWEST:
        return _expanded(_weigh(counts, sums) / _weigh(counts, sizes), len(sums))
    # So few groups have too few resamples: Student's t of the groups' sums about the mean.
    off = ((sums - mean * sizes) ** 2).sum() * len(sums) / (len(sums) - 1)
    half = float(stdtrit(len(sums) - 1, (1 + LEVEL) / 2) * np.sqrt(off) / sizes.sum())
    return mean - half, mean + half


def _expanded(means: Numbers, groups: int) -> tuple[float, float]:
    """The percentiles of resampled means that hold the true one: further out for few groups."""
    wide = stdtrit(groups - 1, (1 + LEVEL) / 2) * np.sqrt(groups / (groups - 1))
    low, high = np.quantile(means, [ndtr(-wide), ndtr(wide)])
    return float(low), float(high)


def _flip_test(sums: Numbers, resamples: int, seed: int) -> float:
    """How often the groups' sums with other signs come as far from 0 as they do."""
    signs = _signs(len(sums), resamples, seed)
    reached = abs(sums.sum()) - 1e-9 * abs(sums).sum()  # sums in another order differ a little
    count = int((abs(_weigh(signs, sums)) >= reached).sum())
    exact = 2 ** len(sums) == len(signs)
    return count / len(signs) if exact else (count + 1) / (len(signs) + 1)


@lru_cache(maxsize=2)  # the same for all measures of one kind of question
def _counts(groups: int, resamples: int, seed: int) -> NDArray[np.uint8]:
    """How often each group is drawn in each resample; shape (resamples, groups)."""
    draws = np.random.default_rng(seed)
    counts = np.empty((resamples, groups), np.uint8)  # nobody is drawn more than 255 times
    for at in range(0, resamples, 500):
        part = counts[at : at + 500]
        drawn = draws.integers(0, groups, part.shape) + groups * np.arange(len(part))[:, None]
        part[:] = np.bincount(drawn.ravel(), minlength=part.size).reshape(part.shape)
    return counts


@lru_cache(maxsize=2)
def _signs(groups: int, resamples: int, seed: int) -> NDArray[np.int8]:
    """Signs of 1 and -1 for each group: all ways, or that many; shape (ways, groups)."""
    if 2**groups <= resamples:
        ways = np.arange(2**groups)[:, None] >> np.arange(groups)
        return (1 - 2 * (ways & 1)).astype(np.int8)
    ways = np.random.default_rng(seed).integers(0, 2, (resamples, groups), np.int8)
    return np.asarray(1 - 2 * ways, np.int8)


def _weigh(weights: NDArray[np.int8] | NDArray[np.uint8], values: Numbers) -> Numbers:
    """The sum of values under each row of weights; shape (rows,)."""
    parts = [
        weights[at : at + 500].astype(np.float64) @ values for at in range(0, len(weights), 500)
    ]
    return np.concatenate(parts)
