"""What came of an ablation: each configuration's scores, what each value is worth, the cheapest.

Every configuration is measured on the same questions: those that all scored runs were asked.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import mean, stdev

from trainer.events import Finished
from trainer.grid import Ablation, Planned, Value
from trainer.report import Kind, Report
from trainer.runs import Run
from trainer.words import duration
from trainer.work import State

RESAMPLES = 2000

Scores = Mapping[str, float]  # by question


@dataclass(frozen=True)
class Row:
    """One configuration: its scores over seeds and questions, 1 best; None: not scored yet.

    `spread` (a standard deviation), `low` and `high` are over the seeds' means; `error` is the
    standard error over questions, each of which counts with its mean over the seeds. `seconds`
    is the mean time of tuning.
    """

    settings: Mapping[str, Value]
    planned: int
    done: int
    score: float | None = None
    spread: float | None = None
    low: float | None = None
    high: float | None = None
    error: float | None = None
    unseen: float | None = None
    seconds: float | None = None
    rank: int = 0

    @property
    def name(self) -> str:
        """Its settings in one line."""
        return ", ".join(f"{name}={value}" for name, value in self.settings.items()) or "all seeds"


@dataclass(frozen=True)
class Marginal:
    """The scored runs that share one value of one setting; spread and range are over these."""

    setting: str
    value: Value
    runs: int
    score: float
    spread: float | None
    low: float
    high: float


@dataclass(frozen=True)
class Cheapest:
    """The cheapest good configuration, the best, and their difference: mean and 95% interval."""

    row: Row
    best: Row
    difference: float
    low: float
    high: float
    sentence: str


def table(ablation: Ablation) -> list[Row]:
    """A row for every configuration, in the order of the grid."""
    return [row for row, _ in _measure(_Results(ablation))]


def summary(ablation: Ablation) -> list[Marginal]:
    """What each value of each varied setting comes to, over all scored runs that have it."""
    results, found = _Results(ablation), []
    for setting, values in results.plan.varied.items():
        for value in values:
            sharing = [one for one in results.plan.runs if one.settings[setting] == value]
            if means := [mean(s.values()) for s in map(results.scores, sharing) if s]:
                spread = stdev(means) if len(means) > 1 else None
                about = (mean(means), spread, min(means), max(means))
                found.append(Marginal(setting, value, len(means), *about))
    return found


def points(ablation: Ablation, setting: str) -> list[tuple[Value, float, float, float]]:
    """For a plot: each value of a setting with the mean, lowest and highest score of its runs."""
    return [(m.value, m.score, m.low, m.high) for m in summary(ablation) if m.setting == setting]


def cheapest(ablation: Ablation) -> Cheapest | None:
    """The configuration that tunes in the least time and is not significantly worse than the best.

    The best has the highest mean score. Another is significantly worse where the bootstrap
    interval of its mean difference to the best lies below 0 altogether: an interval of 95% for all
    configurations together (Bonferroni), for of many one looks worse by chance. The difference is
    taken question by question, each with its mean over the seeds, and the questions are drawn again
    2,000 times (Efron 1979), always in the same way. Where no question was asked in both, each
    side's are drawn by themselves. Few questions make wide intervals, and then "not significantly
    worse" says little: the sentence gives their number and the interval. Equal times are told
    apart by rank. None where nothing is scored.
    """
    results = _Results(ablation)
    scored = [(row, scores) for row, scores in _measure(results) if row.score is not None]
    if not scored:
        return None
    best, at_best = max(scored, key=lambda one: one[0].score or 0.0)
    others = max(1, len(scored) - 1)
    for row, scores in sorted(scored, key=lambda one: (one[0].seconds or 0.0, one[0].rank)):
        difference, low, high = _compare(scores, at_best, others)
        if row == best or high >= 0:
            break
    so_far = f"Of {len(results.reports)} runs out of {len(results.plan.runs)}, t"
    so_far = "T" if len(results.reports) == len(results.plan.runs) else so_far
    cost = f"{row.name} ({row.score:.2f} in {duration(row.seconds or 0)} of tuning)"
    if row == best:
        sentence = f"{so_far}he best is also the cheapest that is as good: {cost}."
    else:
        sentence = (
            f"{so_far}he cheapest that is not significantly worse than the best is {cost}; the "
            f"best, {best.name}, has {best.score:.2f} in {duration(best.seconds or 0)}: a "
            f"difference of {difference:+.3f}, 95% interval {low:+.3f} to {high:+.3f} over "
            f"{len(scores)} questions."
        )
    return Cheapest(row, best, difference, low, high, sentence)


def measured(ablation: Ablation) -> str:
    """What the score is, in words."""
    results = _Results(ablation)
    what = {
        "test": "share of held-out texts answered exactly",
        "reworded": "similarity to the approved answer, reworded questions",
        "unseen": "similarity to the approved answer, unseen questions, for none are reworded",
    }[results.kind]
    asked = len(results.asked[results.kind])
    return f"Score: {what}" + (f" ({asked} of them)." if asked else ".")


def notes(ablation: Ablation) -> list[str]:
    """What to know before the table is believed: what is missing, and what is not comparable."""
    results = _Results(ablation)
    plan, scored = results.plan, [results.reports[run] for run in results.reports]
    lacking = {one.run: _lack(results.runs[one.run]) for one in plan.runs}
    said = []
    for lack, number in Counter(filter(None, lacking.values())).items():
        ids = [run for run, what in lacking.items() if what == lack]
        more = f" and {number - 3} more" if number > 3 else ""
        named = f": {', '.join(ids[:3])}{more}" if lack in _ODD else ""
        said.append(f"{number} of {len(plan.runs)} runs {_verb(lack, number)}{named}.")
    if scored and len(scored) < len(plan.runs):
        said.append("Until all are scored, a value may look good for the company it is in.")
    asked = results.asked[results.kind]
    if any(set(report.get(results.kind, {})) != asked for report in scored):
        said.append(
            "The runs were not all asked the same; scores are over what they share, "
            f"{len(asked)} question{'s' if len(asked) > 1 else ''}."
            if asked
            else "The runs share no question; each is scored on its own: compare with care."
        )
    if len(plan.seeds) == 1:
        said.append("With one seed, chance is not told from the settings; three would tell it.")
    return said


_ODD = ("failed", "were lost", "were stopped", "were deleted", "have no scores")


def _lack(run: Run | None) -> str:
    """What a run lacks, as the end of '3 of 12 runs ...'; empty where it is scored."""
    if run is None:
        return "were deleted"
    match run.state():
        case State.FINISHED if run.evaluation():
            return ""
        case State.FINISHED:
            return "are being scored" if run.alive else "have no scores"
        case State.FAILED:
            return "failed"
        case State.LOST:
            return "were lost"
        case State.STOPPED:
            return "were stopped"
        case State.RUNNING:
            return "are at work"
    return "wait for their turn"


def _verb(many: str, number: int) -> str:
    """The verb of 'n runs ...' as it is for one, where n is one."""
    first, _, rest = many.partition(" ")
    one = {"were": "was", "are": "is", "have": "has", "wait": "waits"}.get(first, first)
    return f"{one} {rest.replace('their', 'its')}".strip() if number == 1 else many


class _Results:
    """What is there of an ablation at this moment: its runs, and the scores of those done.

    `kind` is the kind of question that decides: what was taught in other words, if there is any.
    `asked` holds the questions that every scored run was asked; where there is none, each run is
    scored on its own.
    """

    def __init__(self, ablation: Ablation) -> None:
        self.plan = ablation.plan
        self.runs = {one.run: ablation.run(one) for one in self.plan.runs}
        self.reports: dict[str, Mapping[Kind, Scores]] = {}
        for id_, run in self.runs.items():
            evaluation = run.evaluation() if run and run.state() is State.FINISHED else None
            if evaluation:
                path = evaluation.report_path
                self.reports[id_] = _read_scores(path, path.stat().st_mtime_ns)
        kinds: tuple[Kind, ...] = ("test", "reworded", "unseen")
        any_of = (k for k in kinds if any(report.get(k) for report in self.reports.values()))
        self.kind: Kind = next(any_of, "reworded")
        self.asked = {
            kind: set.intersection(*(set(r.get(kind, {})) for r in self.reports.values()))
            if self.reports
            else set()
            for kind in kinds
        }

    def scores(self, one: Planned, kind: Kind | None = None) -> Scores:
        """The score of one run on each question of a kind; empty where it is not done."""
        kind = kind or self.kind
        asked, scores = self.asked[kind], self.reports.get(one.run, {}).get(kind, {})
        return {id_: score for id_, score in scores.items() if not asked or id_ in asked}


def _measure(results: _Results) -> list[tuple[Row, Scores]]:
    """A row for every configuration, with its score on each question: the mean over its seeds."""
    groups: dict[tuple[tuple[str, Value], ...], list[Planned]] = {}
    for one in results.plan.runs:
        groups.setdefault(tuple(one.settings.items()), []).append(one)
    found: list[tuple[Row, Scores]] = []
    for settings, members in groups.items():
        by_seed = {one.run: s for one in members if (s := results.scores(one))}
        row = Row(dict(settings), len(members), len(by_seed))
        if not by_seed:
            found.append((row, {}))
            continue
        asked = list(dict.fromkeys(id_ for scores in by_seed.values() for id_ in scores))
        scores = {i: mean(s[i] for s in by_seed.values() if i in s) for i in asked}
        means = [mean(s.values()) for s in by_seed.values()]
        unseen = [mean(s.values()) for one in members if (s := results.scores(one, "unseen"))]
        done = [run for id_ in by_seed if (run := results.runs[id_])]
        row = Row(
            dict(settings),
            len(members),
            len(by_seed),
            score=mean(means),
            spread=stdev(means) if len(means) > 1 else None,
            low=min(means),
            high=max(means),
            error=stdev(scores.values()) / len(scores) ** 0.5 if len(scores) > 1 else None,
            unseen=mean(unseen) if unseen and results.kind == "reworded" else None,
            seconds=mean(map(_seconds, done)),
            rank=done[0].config.lora_rank,
        )
        found.append((row, scores))
    return found


def _compare(scores: Scores, best: Scores, others: int) -> tuple[float, float, float]:
    """The mean difference of two configurations and its bootstrap interval, one of so many."""
    rng = random.Random(17)
    here, there = [s for i, s in scores.items() if i not in best], list(best.values())
    if shared := [scores[i] - best[i] for i in scores if i in best]:
        here, there = shared, [0.0]
    drawn = sorted(_draw(here, rng) - _draw(there, rng) for _ in range(RESAMPLES))
    cut = RESAMPLES // (40 * others)  # of 2.5% on each side, its share
    return mean(here) - mean(there), drawn[cut], drawn[-cut - 1]


def _draw(values: Sequence[float], rng: random.Random) -> float:
    return sum(rng.choices(values, k=len(values))) / len(values)


@lru_cache(maxsize=256)
def _read_scores(path: Path, modified_ns: int) -> Mapping[Kind, Scores]:
    report = Report.model_validate_json(path.read_bytes())
    return {kind: dict(_score(report, kind)) for kind in report.kinds}


def _score(report: Report, kind: Kind) -> Iterable[tuple[str, float]]:
    for row in report.of(kind):
        if (score := row.answers["tuned"].scores.get(report.primary)) is not None:
            yield row.id, score


def _seconds(run: Run) -> float:
    return next(e.seconds for e in reversed(run.events.read()) if isinstance(e, Finished))
