"""Time and memory of a run, before it starts: a formula over the base's shape and the corpus."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from trainer.config import RunConfig
from trainer.corpus.library import Corpus
from trainer.costs import READ, count_operations, peak_bytes, teams, unpacks
from trainer.errors import UserError
from trainer.events import Finished, Started, Stopped
from trainer.machine import Machine, observed_rate
from trainer.runs import Run, Runs
from trainer.workload import local_base, measure_workload, read_shape

Verdict = Literal["fits", "tight", "won't fit"]
TIGHT = 0.8  # share of the available memory from which it may not fit: so sure is the formula
LOADING = 4.0  # seconds: libraries, tokenizer, the corpus's tokens
READ_A_SECOND, PACKED_A_SECOND = 200e6, 50e6  # weights of a base
LOADING_JUDGE = 4.0  # seconds, to load the embedding model and use it
LOOKED_BACK = 5  # runs that show how fast the machine is


@dataclass(frozen=True)
class Estimate:
    """What a run will take here.

    `seconds` hold all but the scoring afterwards. `peak_bytes` are what the system will show of the
    process; `needed_bytes`, less what it can drop, have to be free.
    """

    steps: int
    tokens: int
    seconds: float
    load_seconds: float
    check_seconds: float
    scoring_seconds: float
    peak_bytes: int
    needed_bytes: int
    available_bytes: int
    verdict: Verdict
    unpacked: bool  # whether 4-bit weights are unpacked once
    sentences: tuple[str, ...]


def estimate(
    config: RunConfig,
    corpus: Corpus,
    machine: Machine,
    *,
    lengths: Mapping[str, int] | None = None,
) -> Estimate:
    """Estimate time and peak memory of a run; `lengths` are tokens by example id, where counted.

    Raises `UserError` where the base is not on this machine or not a model.
    """
    base = read_shape(local_base(config.base))
    work = measure_workload(config, corpus, base, lengths)
    unpacked = unpacks(config, base, machine)
    peak = peak_bytes(config, base, work, on_gpu=bool(machine.gpus), unpacked=unpacked)
    quick = READ_A_SECOND if config.method == "lora" else PACKED_A_SECOND
    load = LOADING + (base.linear + base.other) / quick
    train, check, score = count_operations(config, base, work, unpacked=unpacked)
    train_seconds, check_seconds, score_seconds = (
        part.operations / machine.rate / teams(config, on_gpu=bool(machine.gpus)) + part.small
        for part in (train, check, score)
    )
    seconds = load + train_seconds + check_seconds
    # The checkpoint's pages of what has been packed are dropped where something else needs room.
    needed = peak if machine.gpus or config.method == "lora" else peak - READ * base.linear
    room = machine.available_bytes
    verdict: Verdict = (
        "fits" if needed <= TIGHT * room else "tight" if needed <= room else "won't fit"
    )
    scoring = score_seconds + load + LOADING_JUDGE if work.answers else 0.0
    return Estimate(
        steps=work.steps,
        tokens=round(work.tokens),
        seconds=seconds,
        load_seconds=load,
        check_seconds=check_seconds,
        scoring_seconds=scoring,
        peak_bytes=round(peak),
        needed_bytes=round(needed),
        available_bytes=room,
        verdict=verdict,
        unpacked=unpacked,
        sentences=tuple(_sentences(config, corpus, seconds, scoring, needed, room, verdict)),
    )


def this_machine(runs: Runs) -> Machine:
    """This machine, as fast as the newest runs on it were, or as its cores promise."""
    here = Machine.here()
    rate = observed_rate(observations(runs, on_gpu=bool(here.gpus)))
    return replace(here, rate=rate) if rate else here


def observations(runs: Runs, *, on_gpu: bool = False) -> list[tuple[float, float]]:
    """Operations and seconds of the steps of the newest runs that ended, for `observed_rate`."""
    found: list[tuple[float, float]] = []
    for run in runs.list():
        if run.state().over and (seen := _observe(run, run.events.path.stat().st_size, on_gpu)):
            found.append(seen)
        if len(found) == LOOKED_BACK:
            break
    return found


@lru_cache(maxsize=64)
def _observe(run: Run, said: int, on_gpu: bool) -> tuple[float, float] | None:
    """What one run showed, by a log of so many bytes; looked at once, though asked at every look.

    None where it tells nothing of this kind of device.
    """
    events = run.events.read()
    start = next((e for e in events if isinstance(e, Started)), None)
    end = next((e for e in reversed(events) if isinstance(e, Finished | Stopped)), None)
    if not start or not end or not end.step or not end.examples_per_second:
        return None
    if start.device.startswith("cuda") != on_gpu:
        return None
    try:
        base = read_shape(local_base(run.config.base))
        work = measure_workload(run.config, run.corpus, base)
    except (UserError, OSError):
        return None
    train, _, _ = count_operations(run.config, base, work, unpacked=start.frozen_weights != "4-bit")
    share = end.step / work.steps
    seconds = work.examples * run.config.epochs * share / end.examples_per_second
    # Where small operations would have taken all the time, the machine is faster at them.
    rest = max(seconds / 5, seconds - train.small * share)
    return train.operations * share / teams(run.config, on_gpu=on_gpu), rest


def _sentences(
    config: RunConfig,
    corpus: Corpus,
    seconds: float,
    scoring: float,
    needed: float,
    room: float,
    verdict: Verdict,
) -> list[str]:
    early = config.early_stopping and corpus.split.validation_is == "reworded"
    most = "At most about" if early else "About"
    told = [f"{most} {span(seconds)} and {size(needed)} here; {size(room)} are free."]
    if verdict == "tight":
        told.append("That is tight: it may not fit beside other programs.")
    if verdict == "won't fit":
        told.append("That does not fit.")
    if scoring:
        told.append(f"Scoring afterwards takes about {span(scoring)}.")
    return told


def span(seconds: float) -> str:
    """A time span in the rough, as people say it."""
    if seconds < 90:
        return f"{max(5, round(seconds / 5) * 5)} seconds"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} minutes"
    hours = seconds / 3600
    return f"{hours:.1f} hours" if hours < 10 else f"{round(hours)} hours"


def size(count: float) -> str:
    """Bytes in the rough, as people say it."""
    giga = count / 1e9
    return f"{giga:.1f} GB" if giga < 10 else f"{round(giga)} GB"
