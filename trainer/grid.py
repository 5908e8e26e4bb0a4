"""The grid of an ablation: one corpus, settings varied against each other, each combination a run.

ablations/rank/ablation.json    what is varied, what is fixed, and which run is which

What came of it is for `ablation.py` to say.
"""

import itertools
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import prod
from pathlib import Path

import pydantic
from pydantic import Field

from trainer.config import NAME, RunConfig
from trainer.corpus.cleaning import STEPS
from trainer.corpus.examining import Tell
from trainer.corpus.library import Corpora, Corpus
from trainer.errors import ConfigError, CorpusError, NotFound
from trainer.launch import WORKER, cancel, launch
from trainer.runs import Run, Runs
from trainer.work import State

MOST_RUNS = 64
CLEANING = "cleaning"  # is varied like a setting: on, off
NOT_VARIED = ("base", "corpus", "version", "continues", "evaluate")

Value = bool | int | float | str


class Planned(pydantic.BaseModel, frozen=True, extra="forbid"):
    """One run of an ablation: what sets it apart, and its id."""

    settings: Mapping[str, Value]
    seed: int
    run: str


class Plan(pydantic.BaseModel, frozen=True, extra="forbid"):
    """Written to `ablation.json` once every run is in the queue."""

    name: str = Field(pattern=NAME)
    corpus: str
    base: str
    varied: Mapping[str, tuple[Value, ...]]
    seeds: tuple[int, ...]
    fixed: Mapping[str, Value]
    runs: tuple[Planned, ...]
    created: datetime


@dataclass(frozen=True)
class Ablation:
    """A handle on one ablation of a workspace."""

    path: Path

    @property
    def name(self) -> str:
        """What it is called."""
        return self.path.name

    @property
    def plan(self) -> Plan:
        """What is compared with what."""
        return Plan.model_validate_json((self.path / "ablation.json").read_bytes())

    def run(self, planned: Planned) -> Run | None:
        """One of its runs, unless it has been deleted."""
        return Runs(self.path.parent.parent / "runs").find(planned.run)


def ablations(workspace: Path) -> list[Ablation]:
    """The ablations of a workspace, by name."""
    plans = (workspace / "ablations").glob("[!.]*/ablation.json")
    return sorted((Ablation(plan.parent) for plan in plans), key=lambda found: found.name)


def find_ablation(workspace: Path, name: str) -> Ablation:
    """The ablation of that name; raises `NotFound`."""
    known = {found.name: found for found in ablations(workspace)}
    if name not in known:
        there = ", ".join(known) or "none yet"
        raise NotFound(f"There is no ablation called '{name}'. In this workspace: {there}.")
    return known[name]


def create_ablation(
    corpora: Corpora,
    corpus: Corpus,
    name: str,
    *,
    base: str,
    varied: Mapping[str, Sequence[object]],
    fixed: Mapping[str, object] | None = None,
    seeds: int = 1,
    worker: Sequence[str] = WORKER,
    tell: Tell | None = None,
) -> Ablation:
    """Put a run for every combination of the varied values, with every seed, into the queue.

    `cleaning` may be varied as well: `off` learns from the same files, read without any step of
    the cleaning. Seeds come last, so that every combination has a score before any has two.
    Raises `UserError` for what cannot work, before anything is created.
    """
    named = {"base": base, "corpus": corpus.name, "version": corpus.version}
    grid, chosen = _grid(named, varied, fixed or {}, seeds)
    path = corpora.root.parent / "ablations" / _free_name(corpora.root.parent, name)
    runs = Runs(corpora.root.parent / "runs")
    taught = {"on": corpus}
    if any(settings.get(CLEANING) == "off" for settings, _ in grid):
        taught["off"] = uncleaned(corpora, corpus, tell=tell)
    planned: list[Planned] = []
    path.mkdir(parents=True)
    try:
        for settings, config in grid:
            learnt = taught[str(settings.get(CLEANING, "on"))]
            on = {"corpus": learnt.name, "version": learnt.version}
            run = launch(config.model_copy(update=on), runs, worker=worker)
            planned.append(Planned(settings=settings, seed=config.seed, run=run.id))
        varying = {n: tuple(dict.fromkeys(s[n] for s, _ in grid)) for n in grid[0][0]}
        plan = Plan(
            name=name,
            corpus=corpus.label,
            base=base,
            varied=varying,
            seeds=tuple(dict.fromkeys(config.seed for _, config in grid)),
            fixed={n: getattr(grid[0][1], n) for n in chosen},
            runs=tuple(planned),
            created=datetime.now(UTC),
        )
        partial = path / "ablation.partial"
        partial.write_text(plan.model_dump_json(indent=1))
        partial.rename(path / "ablation.json")
    except BaseException:
        for run in filter(None, (runs.find(one.run) for one in planned)):
            cancel(run) if run.state() is State.QUEUED else run.ask_to_stop()
        shutil.rmtree(path)
        raise
    return Ablation(path)


def uncleaned(corpora: Corpora, corpus: Corpus, *, tell: Tell | None = None) -> Corpus:
    """The files of a corpus read without any step of the cleaning, as `<name>-uncleaned`.

    A question that the cleaning did not change is on the same side of the split in both, so that
    both can be asked it: the new corpus begins as a copy, which hands on its split and goes.
    Raises `CorpusError` where the corpus is no longer what its files say.
    """
    files = [corpus.path / "uploads" / upload.file for upload in corpus.origin.uploads]
    if not files or not all(file.is_file() for file in files):
        read = [c for c in corpora.versions(corpus.name) if any((c.path / "uploads").iterdir())]
        hint = f" Vary it on {read[-1].label}." if read else ""
        raise CorpusError(
            f"'{corpus.label}' was edited after its files were read, so what it is without the "
            f"cleaning cannot be told.{hint}"
        )
    steps = tuple(step.name for step in STEPS)
    if set(corpus.origin.choices.off) == set(steps):
        raise CorpusError(f"'{corpus.label}' was read without any cleaning. Vary something else.")
    choices = corpus.origin.choices.model_copy(update={"off": steps})
    name = f"{corpus.name[:52].rstrip('-')}-uncleaned"
    first = corpora.root / name / "1"
    if corpora.versions(name):
        return corpora.add(*files, name=name, choices=choices, tell=tell)
    shutil.copytree(corpus.path, first)
    try:
        return corpora.add(*files, name=name, choices=choices, tell=tell)
    finally:
        shutil.rmtree(first)


def check_grid(
    base: str, varied: Mapping[str, Sequence[object]], fixed: Mapping[str, object], seeds: int
) -> None:
    """Raise `ConfigError` for a grid that cannot work on any corpus, before one is taken in."""
    _grid({"base": base, "corpus": "any", "version": 1}, varied, fixed, seeds)


def _grid(
    given: Mapping[str, object],
    varied: Mapping[str, Sequence[object]],
    fixed: Mapping[str, object],
    seeds: int,
) -> tuple[list[tuple[Mapping[str, Value], RunConfig]], list[str]]:
    """Every combination with its config, and the names of what is fixed; raises `ConfigError`."""
    varied = dict(varied)
    for name in NOT_VARIED:
        if name in varied:
            raise ConfigError(f"{name} cannot be varied; an ablation has one, and scores each run.")
    if twice := sorted(varied.keys() & fixed.keys()):
        raise ConfigError(f"{', '.join(twice)}: varied or fixed, not both.")
    if "seed" in varied and seeds > 1:
        raise ConfigError("Say either how many seeds, or which ones, not both.")
    plain = RunConfig.parse({**fixed, **given})
    if not plain.evaluate:
        raise ConfigError("evaluate: an ablation needs the scores; leave it on.")
    sown = varied.pop("seed", None) or range(plain.seed, plain.seed + seeds)
    if not any(len(values) > 1 for values in (*varied.values(), sown)):
        raise ConfigError("Nothing is varied. Name a setting and at least two values of it.")
    if (count := prod(map(len, (*varied.values(), sown)))) > MOST_RUNS:
        raise ConfigError(
            f"That makes {count} runs; an ablation has at most {MOST_RUNS}. Vary fewer settings, "
            "or give fewer values or seeds."
        )
    if wrong := [v for v in map(str, varied.get(CLEANING, ())) if v not in ("on", "off")]:
        raise ConfigError(f"{CLEANING} is on or off, not '{wrong[0]}'.")
    grid: list[tuple[Mapping[str, Value], RunConfig]] = []
    for seed in sown:
        for values in itertools.product(*varied.values()):
            combination = dict(zip(varied, values, strict=True))
            cleaning = {n: str(v) for n, v in combination.items() if n == CLEANING}
            settings = {n: v for n, v in combination.items() if n != CLEANING}
            config = RunConfig.parse({**fixed, **settings, **given, "seed": seed})
            read = {n: cleaning.get(n) or getattr(config, n) for n in combination}
            if any(other == read and one.seed == config.seed for other, one in grid):
                raise ConfigError(f"{_said(read)} is given twice.")
            grid.append((read, config))
    return grid, [name for name in fixed if name != "seed"]


def _free_name(workspace: Path, name: str) -> str:
    if not re.match(NAME, name):
        raise ConfigError(f"'{name}' cannot be a name: use a-z, 0-9 and hyphens.")
    if (workspace / "ablations" / name / "ablation.json").exists():
        raise ConfigError(f"There is an ablation called '{name}' already. Choose another name.")
    return name


def _said(settings: Mapping[str, Value]) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items())
