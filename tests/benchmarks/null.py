"""Nothing against itself: how often the base is called better or worse than the base.

    python -m tests.benchmarks.null [REPORT.json REPORT.json ...]

The reports are of one corpus and base, with answers of different sampling seeds; without any,
scores are made up: cosines of a base that is right, near or astray, in groups of 1 to 9 questions.
Answers are generated once. Each of 200 comparisons draws groups of questions with replacement, and
for every question two of its answers, each of another seed. At most 15 may be called better or
worse.
"""

import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.comparing import RESAMPLES, compare
from trainer.report import ASKED, Report

COMPARISONS, MOST = 200, 15

Scores = NDArray[np.float64]


def count_false_verdicts(
    scores_by_seed: Scores,
    groups: Sequence[str],
    comparisons: int = COMPARISONS,
    seed: int = 1,
    *,
    whole: bool = False,
    resamples: int = RESAMPLES,
) -> int:
    """Count how often answers of one model are called better or worse than others of its own.

    `scores_by_seed` is of shape (sampling seeds, questions), at least two seeds. `whole` sets two
    seeds against each other on half of the groups instead, and not two answers a question.
    """
    draws = np.random.default_rng(seed)
    seeds = len(scores_by_seed)
    if seeds < 2:
        raise ValueError("to compare a model with itself, its answers of two seeds are needed")
    members = defaultdict(list)
    for at, group in enumerate(groups):
        members[group].append(at)
    names = list(members)
    found = 0
    for _ in range(comparisons):
        drawn = draws.choice(names, -(-len(names) // 2) if whole else len(names), not whole)
        at = np.array([question for name in drawn for question in members[name]])
        # A group drawn twice has other answers each time, so each is a group of its own.
        copies = [str(copy) for copy, name in enumerate(drawn) for _ in members[name]]
        if whole:
            one, other = draws.choice(seeds, 2, replace=False)
        else:
            one = draws.integers(0, seeds, len(at))
            other = (one + draws.integers(1, seeds, len(at))) % seeds
        difference = compare(
            scores_by_seed[one, at].tolist(),
            scores_by_seed[other, at].tolist(),
            copies,
            resamples=resamples,
        )
        found += difference.verdict in ("better", "worse")
    return found


def make_scores(seeds: int, groups: int, seed: int = 0) -> tuple[Scores, list[str]]:
    """Make up cosines of a base's answers: shape (seeds, questions), and the questions' groups."""
    draws = np.random.default_rng(seed)
    names = [str(group) for group in range(groups) for _ in range(draws.integers(1, 10))]
    easy = draws.beta(2, 3, groups)[[int(name) for name in names]]  # answers of one group go alike
    right = draws.random((seeds, len(names))) < 0.15 * easy  # now and then it says what is approved
    scores = np.where(
        right,
        draws.beta(30, 2, right.shape),
        0.15 + 0.5 * easy + 0.08 * draws.standard_t(3, right.shape),
    )
    return scores.clip(-0.1, 1.0), names


def read_scores(paths: Sequence[Path]) -> dict[str, tuple[Scores, list[str]]]:
    """Read the base's scores from reports, by kind of question, of the questions all have."""
    reports = [Report.model_validate_json(path.read_bytes()) for path in paths]
    read = {}
    for kind in ASKED:
        scored = [
            {row.id: row.answers["base"].scores[report.primary] for row in report.of(kind)}
            for report in reports
        ]
        rows = [row for row in reports[0].of(kind) if all(row.id in each for each in scored)]
        if rows:
            scores = np.array([[each[row.id] for row in rows] for each in scored])
            read[kind] = (scores, [row.group for row in rows])
    return read


def main() -> None:
    paths = [Path(name) for name in sys.argv[1:]]
    if len(paths) == 1:
        sys.exit("Name two reports or more, with answers of different sampling seeds.")
    sets = (
        read_scores(paths)
        if paths
        else {f"made up, {groups} groups": make_scores(6, groups) for groups in (6, 10, 20, 60)}
    )
    most = 0
    for name, (scores, groups) in sets.items():
        found = count_false_verdicts(scores, groups)
        whole = count_false_verdicts(scores, groups, whole=True)
        most = max(most, found)
        print(
            f"{name}: {scores.shape[1]} questions, {len(set(groups))} groups, {len(scores)} seeds: "
            f"{found} of {COMPARISONS} comparisons of the base with itself called better or worse "
            f"(at most {MOST} may be); {whole} with two whole seeds against each other on half of "
            "the groups",
            flush=True,
        )
    sys.exit(most > MOST)


if __name__ == "__main__":
    main()
