"""What a run or an evaluation says about itself, one JSON object a line.

The log is append-only. The worker is its only writer; the page, the command line and the
tests are readers, and none of them keeps a second copy of the truth.
"""

import errno
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from trainer.errors import warn_once


class _Event(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True)

    at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class Started(_Event):
    """A run: the model is loaded and the first step is about to run."""

    event: Literal["started"] = "started"
    steps: int
    examples: int
    trainable_parameters: int
    parameters: int
    device: str
    cut: int = 0
    threads: int = 1
    frozen_weights: str = ""  # as they are in memory: "4-bit", "bfloat16", ...
    libraries: Mapping[str, str] = Field(default_factory=dict)
    base_sha256: str = ""
    continues_sha256: str = ""


class Resumed(_Event):
    """A run: it goes on from a checkpoint; what it said of later steps no longer holds.

    An evaluation: it goes on with the answers it has, and `step` is 0.
    """

    event: Literal["resumed"] = "resumed"
    step: int


class Measured(_Event):
    """A run: time and memory for all of it, as the formula said and as its first steps show."""

    event: Literal["measured"] = "measured"
    seconds_by_formula: float
    seconds: float
    bytes_by_formula: int
    bytes: int


class Progress(_Event):
    """A run: one optimiser step. `loss` is the mean over the answers' tokens, in nats.

    `memory` is the most the process has held so far, in bytes: on a GPU, of the GPU's memory.
    """

    event: Literal["progress"] = "progress"
    step: int
    epoch: float
    loss: float
    learning_rate: float
    examples_per_second: float
    tokens_per_second: float = 0
    memory: int = 0
    seconds_left: float


class Validated(_Event):
    """A run: loss on the validation examples after a step; `best` if no check was lower."""

    event: Literal["validated"] = "validated"
    step: int
    loss: float
    best: bool


class Sampled(_Event):
    """A run: what the model answers to a few validation questions so far."""

    event: Literal["sampled"] = "sampled"
    step: int
    answers: tuple[tuple[str, str, str], ...]  # question, approved answer, the model's


class Answering(_Event):
    """An evaluation: how many answers there are so far."""

    event: Literal["answering"] = "answering"
    done: int
    total: int
    seconds_left: float


class Comparing(_Event):
    """An evaluation: how many different texts the embedding model has read, of how many."""

    event: Literal["comparing"] = "comparing"
    done: int
    total: int


class Finished(_Event):
    """A run: the adapter is saved and complete. An evaluation: the report is."""

    event: Literal["finished"] = "finished"
    seconds: float
    step: int | None = None
    kept_step: int | None = None
    examples_per_second: float | None = None


class Stopped(_Event):
    """Someone asked for a stop. A run keeps its adapter as far as it got, if it got anywhere."""

    event: Literal["stopped"] = "stopped"
    seconds: float
    step: int | None = None
    kept_step: int | None = None
    examples_per_second: float | None = None


class Failed(_Event):
    """The worker gave up, and why."""

    event: Literal["failed"] = "failed"
    reason: str


Event = Annotated[
    Started
    | Resumed
    | Measured
    | Progress
    | Validated
    | Sampled
    | Answering
    | Comparing
    | Finished
    | Stopped
    | Failed,
    Field(discriminator="event"),
]
_parse = pydantic.TypeAdapter[Event](Event).validate_json


class EventLog:
    """An append-only file of events with one writer and any number of readers."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, event: Event) -> None:
        """Add one event; it is visible to readers when this returns.

        Where it cannot be written whole (a full disk), nothing of it stays.
        """
        line = event.model_dump_json().encode() + b"\n"
        with self.path.open("ab", buffering=0) as file:
            before = file.tell()
            if (written := file.write(line)) != len(line):
                file.truncate(before)
                raise OSError(errno.ENOSPC, f"wrote {written} of {len(line)} bytes", str(self.path))

    def mend(self) -> None:
        """Cut off what a power cut left of a line: the next would be joined to it, and lost.

        Only where nobody else writes.
        """
        with self.path.open("r+b") as file:
            file.truncate(file.read().rfind(b"\n") + 1)

    def read(self) -> Sequence[Event]:
        """Every complete event that holds, oldest first; parsed anew only when there are more.

        A last line without its newline is still being written; it is left for the next read. A
        damaged line is left out, with a warning. What a run said of steps behind the checkpoint
        it went on from, and that it had ended, holds no longer.
        """
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return ()
        return _read(self.path, found.st_size, found.st_mtime_ns)

    def last(self) -> Event | None:
        """The last complete event, without reading what came before, unless that is damaged."""
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - _TAIL))
                *_, line, _ = [b"", *file.read().split(b"\n")]
        except FileNotFoundError:
            return None
        try:
            return _parse(line)
        except pydantic.ValidationError:
            return next(reversed(self.read()), None)


_TAIL = 2**14  # bytes; events are shorter


@lru_cache(maxsize=32)
def _read(path: Path, size: int, modified_ns: int) -> Sequence[Event]:
    complete, _, _ = path.read_bytes()[:size].rpartition(b"\n")
    events: list[Event] = []
    for number, line in enumerate(complete.split(b"\n"), start=1):
        try:
            if not line:
                continue
            event = _parse(line)
            if isinstance(event, Resumed):
                events = [e for e in events if _holds(e, event.step)]
            events.append(event)
        except pydantic.ValidationError:
            warn_once(f"{path}, line {number} is not an event and is left out.")
    return tuple(events)


def _holds(event: Event, step: int) -> bool:
    """Whether what was said still holds for a run that goes on from a step."""
    match event:
        case Progress() | Validated() | Sampled():
            return event.step <= step
        case Started() | Measured():
            return step > 0
        case Finished() | Stopped() | Failed():
            return False
    return True
