"""What a run's events say about how it goes or went, in plain words."""

from collections.abc import Sequence
from statistics import mean, median

from trainer.config import PATIENCE, RunConfig
from trainer.events import Event, Finished, Measured, Progress, Resumed, Started, Validated
from trainer.runs import Run
from trainer.words import duration
from trainer.work import State


def remarks(run: Run) -> list[str]:
    """What a run's events say about how it goes or went, in plain words; empty: nothing odd."""
    events, state, config = run.events.read(), run.state(), run.config
    steps = [e for e in events if isinstance(e, Progress)]
    checks = [e for e in events if isinstance(e, Validated)]
    trusted = run.split.validation_is == "reworded"
    jump = _jumping(steps, config)
    found = [
        _resumed(events),
        _memorising(steps, checks, state, trusted=trusted),
        _ends_soon(checks, state) if trusted and config.early_stopping else "",
        jump,
        _nothing_learnt(steps, state, config) if not jump else "",
        _still_falling(run, events, checks) if state is State.FINISHED else "",
        _against_estimate(events),
    ]
    return [said for said in found if said]


def _resumed(events: Sequence[Event]) -> str:
    last = next((e for e in reversed(events) if isinstance(e, Resumed)), None)
    if last is None:
        return ""
    if not last.step:
        return "It began again from its first step: there was no checkpoint to go on from."
    return f"It was resumed from step {last.step}."


def _memorising(
    steps: Sequence[Progress], checks: Sequence[Validated], state: State, *, trusted: bool
) -> str:
    """Say that the last checks rose, each above the one before, while training loss fell."""
    rises = 0
    while rises + 1 < len(checks) and checks[-1 - rises].loss > checks[-2 - rises].loss:
        rises += 1
    if rises < 2:
        return ""
    turn = checks[-1 - rises].step
    after = [s.loss for s in steps if s.step > turn]
    before = [s.loss for s in steps if s.step <= turn][-len(after) :]
    if not after or not before or mean(after) >= mean(before):
        return ""
    best = min(checks, key=lambda check: check.loss).step
    often = {2: "two", 3: "three", 4: "four"}.get(rises, str(rises))
    said = f"Validation loss has risen for {often} checks while training loss falls: it is starting"
    if state.over:
        said = f"Validation loss rose at the last {often} checks while training loss fell: it began"
    if not trusted:
        return (
            f"{said} to memorise, by questions nobody was taught; loss was lowest at step {best}."
        )
    if state in (State.FINISHED, State.STOPPED):
        return f"{said} to memorise; the best checkpoint, step {best}, was kept."
    kept = " and will be kept" if not state.over else ""
    return f"{said} to memorise; the best checkpoint is step {best}{kept}."


def _ends_soon(checks: Sequence[Validated], state: State) -> str:
    since = next((n for n, check in enumerate(reversed(checks)) if check.best), 0)
    if state.over or since != PATIENCE - 1:
        return ""
    return (
        f"Validation loss has not improved for {since} checks: the run ends at the next check "
        "unless it does."
    )


def _jumping(steps: Sequence[Progress], config: RunConfig) -> str:
    """Say that the loss leapt, more than once, by a nat and to twice what it was before."""
    leaps = []
    for at in range(5, len(steps)):
        usual = median(s.loss for s in steps[max(0, at - 10) : at])
        if steps[at].loss > max(2 * usual, usual + 1):
            leaps.append((steps[at], usual))
    if len(leaps) < 2:
        return ""
    leap, usual = leaps[0]
    return (
        f"The loss jumps, first at step {leap.step} from {usual:.2f} to {leap.loss:.2f}: a "
        f"learning_rate of {config.learning_rate:g} is too high. Try a third of it."
    )


def _nothing_learnt(steps: Sequence[Progress], state: State, config: RunConfig) -> str:
    """Say that a pass over the examples left the loss where it was; not of a continued run."""
    if len(steps) < 10 or steps[-1].epoch < 1 or config.continues:
        return ""
    few = max(3, len(steps) // 10)
    first, last = mean(s.loss for s in steps[:few]), mean(s.loss for s in steps[-few:])
    if last < 0.97 * first:
        return ""
    how = "Nothing was learnt" if state.over else "Nothing has been learnt yet"
    return (
        f"{how}: the loss was {first:.2f} at first and is {last:.2f} at step {steps[-1].step}. "
        f"A learning_rate of {config.learning_rate:g} may be too low; try three times as much."
    )


def _still_falling(run: Run, events: Sequence[Event], checks: Sequence[Validated]) -> str:
    end = next(e for e in reversed(events) if isinstance(e, Finished))
    planned = next((e.steps for e in events if isinstance(e, Started)), None)
    if len(checks) < 2 or end.step != planned or checks[-1].loss > 0.99 * checks[-2].loss:
        return ""
    if checks[-1].loss > min(check.loss for check in checks):
        return ""
    return (
        f"Validation loss was still falling at the end (from {checks[-2].loss:.3f} to "
        f"{checks[-1].loss:.3f}): more epochs may help, or `tandem continue {run.id}`."
    )


def _against_estimate(events: Sequence[Event]) -> str:
    """Compare the time a run took with what was estimated; not where it was cut short."""
    told = next((e for e in reversed(events) if isinstance(e, Measured)), None)
    end = next((e for e in reversed(events) if isinstance(e, Finished)), None)
    planned = next((e.steps for e in events if isinstance(e, Started)), None)
    if told is None or any(isinstance(e, Resumed) for e in events):
        return ""
    estimated = f"Estimated {duration(told.seconds_by_formula)}"
    if end is None:
        return f"{estimated}; by its first steps it takes {duration(told.seconds)} in all."
    if end.step != planned:
        return ""
    more = round(100 * (end.seconds / max(told.seconds_by_formula, 1e-9) - 1))
    how = f"{abs(more)}% {'more' if more > 0 else 'less'}" if more else "as estimated"
    held = max((e.memory for e in events if isinstance(e, Progress)), default=0)
    memory = f" Memory: {told.bytes_by_formula / 1e9:.1f} GB estimated, {held / 1e9:.1f} GB held."
    return f"{estimated}; it took {duration(end.seconds)}, {how}.{memory if held else ''}"
