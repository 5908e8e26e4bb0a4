"""Who may answer in the two columns, and what a browser says of it. No components."""

from collections.abc import Sequence
from pathlib import Path

from assistant.conversation import Side, tuned
from assistant.ui.bar import base_from_page
from assistant.ui.present import run_label
from trainer.errors import ConfigError, NotFound
from trainer.runs import Run, Runs

NOBODY = ""
QUANTIZATIONS = ("nf4", "none")
Choice = tuple[str, str]  # shown, value


def value_of(side: Side | None) -> str:
    """How a choice names a side: the id of a run, or how a base is held and what it is called."""
    if side is None:
        return NOBODY
    return side.run or f"{side.quantization} {side.base}"


def usual_sides(run: Run | None, base: str) -> tuple[Side, ...]:
    """Base and tuned model of a run; of one without an adapter, or of none, a base alone."""
    if run is None:
        return (Side(base=base),)
    side = tuned(run)
    return (side.bare, side) if run.has_adapter else (side.bare,)


def choices_beside(side: Side, runs: Runs) -> Sequence[Choice]:
    """Whoever shares the weights of a side: its base, and every run with an adapter on it."""
    bare = side.bare
    found = [(f"○ {short(bare.base)}, the base", value_of(bare))]
    for run in runs.list():
        if run.has_adapter and tuned(run).bare == bare:
            found.append((f"◆ {run_label(run)[2:]}", run.id))
    return found


def parse_sides(left: str, right: str, runs: Runs, models: Path) -> tuple[Side, ...]:
    """The sides a browser names; raises `NotFound`, `ConfigError` and `ModelError`."""
    sides = [_parse(value, runs, models) for value in (left, right) if value != NOBODY]
    match sides:
        case [one]:
            return (one,)
        case [one, other] if one == other:
            raise ConfigError("Both columns are the same. Choose two that differ, or one alone.")
        case [one, other] if one.bare != other.bare:
            raise ConfigError(
                f"{one.name} is on {one.base} ({one.quantization}) and {other.name} on "
                f"{other.base} ({other.quantization}). Two columns share one base in memory: "
                "choose two on the same."
            )
        case [one, other]:
            return one, other
    raise ConfigError("Nobody is chosen to answer. Choose a base or a run above the columns.")


def short(base: str) -> str:
    """What to call a base where there is little room."""
    return base.removeprefix("bundled:").rstrip("/").rpartition("/")[2]


def _parse(value: str, runs: Runs, models: Path) -> Side:
    if run := runs.find(value):
        if not run.has_adapter:
            raise NotFound(f"Run '{run.id}' has no adapter: it is {run.state()}. Choose another.")
        return tuned(run)
    quantization, _, base = str(value).partition(" ")
    if quantization not in QUANTIZATIONS:
        raise NotFound(f"There is no run called '{str(value)[:80]}'. Choose another side.")
    tuned_on = {run.config.base for run in runs.list()}
    base = base if base in tuned_on else base_from_page(base, models)
    return Side(base=base, quantization=quantization)
