"""Where a run can go on: its checkpoints, which of them are whole, and whether they still fit.

checkpoints/step-000140/
    adapter.safetensors      the adapter's weights
    optimizer.safetensors    what the optimiser remembers of each
    state.json               how far training was, what it began with, checksums of the two

A checkpoint is renamed into place when it is complete. Nothing in it is pickled.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pydantic

from trainer.bases import find_base, fingerprint
from trainer.errors import UserError, warn_once
from trainer.runs import Run


class Origins(pydantic.BaseModel, frozen=True):
    """What decides a run: its settings, and checksums of its split, corpus and base."""

    settings: Mapping[str, object]
    split: str
    corpus: str
    base: str

    @classmethod
    def of(cls, run: Run) -> "Origins":
        """Look at what the run's settings name, as it is now; raises `UserError`."""
        return cls(
            settings=run.config.model_dump(),
            split=hashlib.sha256((run.path / "split.json").read_bytes()).hexdigest(),
            corpus=run.corpus.origin.examples_sha256,
            base=fingerprint(find_base(run.config.base)),
        )


class Point(pydantic.BaseModel, frozen=True):
    """How far training was. `random` is the state of PyTorch's generators, in hexadecimal."""

    step: int
    seen: int
    tokens: int
    seconds: float
    best_loss: float | None
    best_step: int
    checks_since: int
    random: Mapping[str, str]


class CheckpointState(pydantic.BaseModel, frozen=True):
    """Written to `state.json`."""

    point: Point
    origins: Origins
    scalars: Mapping[str, int | float]  # of the optimiser, beside its tensors
    sha256: Mapping[str, str]

    @property
    def checksum(self) -> str:
        """The sha256 of all that is in it but checksums."""
        told = self.model_dump(mode="json", exclude={"sha256"})
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


TENSORS = ("adapter.safetensors", "optimizer.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """A handle on one checkpoint."""

    path: Path

    @property
    def step(self) -> int:
        """The step after which it was written."""
        return int(self.path.name.removeprefix("step-"))

    @property
    def state(self) -> CheckpointState:
        """Everything in it but the tensors."""
        return CheckpointState.model_validate_json((self.path / "state.json").read_bytes())

    @property
    def best_step(self) -> int | None:
        """The step that was best when it was written, if that can be read."""
        try:
            return self.state.point.best_step
        except (OSError, pydantic.ValidationError):
            return None

    @property
    def whole(self) -> bool:
        """Whether every file is, byte for byte, what was written."""
        try:
            state = self.state
            known = {file: _sha256(self.path / file) for file in TENSORS}
            return state.sha256 == known | {"state.json": state.checksum}
        except (OSError, pydantic.ValidationError):
            return False


def checkpoint_path(run: Run, step: int) -> Path:
    """Where the checkpoint of a step is kept."""
    return run.path / "checkpoints" / f"step-{step:06}"


def newest_checkpoint(run: Run) -> Checkpoint | None:
    """The newest whole checkpoint of a run; a damaged one is passed over, with a warning."""
    for checkpoint in reversed(_by_step(run)):
        if checkpoint.whole:
            return checkpoint
        warn_once(f"{checkpoint.path} is damaged and is passed over.")
    return None


def _by_step(run: Run) -> list[Checkpoint]:
    found = (run.path / "checkpoints").glob("step-*")
    named = [Checkpoint(path) for path in found if path.name.removeprefix("step-").isdigit()]
    return sorted(named, key=lambda checkpoint: checkpoint.step)


def changed_since(checkpoint: Checkpoint, run: Run) -> list[str]:
    """What is no longer as it was when the checkpoint was written, in words."""
    before = checkpoint.state.origins
    try:
        now = Origins.of(run)
    except (UserError, OSError) as error:
        return [f"what it stands on ({error})"]
    settings = {*before.settings, *now.settings}
    changed = [n for n in sorted(settings) if before.settings.get(n) != now.settings.get(n)]
    named = [f"the setting {name}" for name in changed]
    named += ["the corpus"] if before.corpus != now.corpus else []
    named += ["the split"] if before.split != now.split else []
    return named + ([f"the base {run.config.base}"] if before.base != now.base else [])


def finish_checkpoint(partial: Path, run: Run, state: CheckpointState) -> None:
    """Put a checkpoint whose tensors are in `partial` into its place, whole or not at all.

    The last two and the best are kept; the best also as it was at the last but one, in case the
    last is damaged.
    """
    sums = {file: _sha256(partial / file) for file in TENSORS} | {"state.json": state.checksum}
    whole = state.model_copy(update={"sha256": sums})
    (partial / "state.json").write_text(whole.model_dump_json(indent=1))
    for file in partial.iterdir():
        flush(file)
    place = checkpoint_path(run, state.point.step)
    if place.exists():
        shutil.rmtree(place)
    partial.rename(place)
    flush(place.parent)
    *older, before, _ = [None, *_by_step(run)]
    needed = {state.point.best_step, before.best_step if before else None}
    for other in older:
        if other and other.step not in needed:
            shutil.rmtree(other.path)


def flush(path: Path) -> None:
    """Have the system write a file, or a folder's list of names, to the disk itself."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
