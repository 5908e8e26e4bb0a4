"""Work is a directory in which one process works: a run, or an evaluation of one."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from trainer.events import EventLog, Failed, Finished, Stopped
from trainer.locks import Lock


class State(StrEnum):
    """Where a run or an evaluation is in its life; derived from its directory, never stored."""

    CREATED = "created"
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    LOST = "lost"

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self not in (State.CREATED, State.QUEUED, State.RUNNING)


@dataclass(frozen=True)
class Work:
    """A handle on a directory in which one process works; cheap to make, safe to make twice."""

    path: Path

    @property
    def id(self) -> str:
        """The directory's name, which sorts by the time of creation."""
        return self.path.name

    @property
    def events(self) -> EventLog:
        """What the worker has said so far."""
        return EventLog(self.path / "events.jsonl")

    @property
    def lock(self) -> Lock:
        """Held for as long as the worker lives."""
        return Lock(self.path / "lock")

    @property
    def alive(self) -> bool:
        """Whether a worker holds the lock, which stays true to life across crashes."""
        return self.lock.held

    def state(self) -> State:
        """Derive the state from the last word in the log and from whether the worker lives."""
        # In this order: whoever starts work lets it leave the queue after its lock is taken, and
        # a worker that ends before the log is read has had its last word.
        waits = self.place is not None
        alive = self.alive
        if waits and not alive:
            return State.QUEUED
        match self.events.last():
            case Finished():
                return State.FINISHED
            case Stopped():
                return State.STOPPED
            case Failed():
                return State.FAILED
            case _ if alive:
                return State.RUNNING
            case None if not self.lock.path.exists():
                return State.CREATED
            case _:
                return State.LOST

    @property
    def place(self) -> float | None:
        """Where it stands among those that wait for a device, the lowest first; None: nowhere.

        It is kept in the file `queued`, which is there for as long as the work waits.
        """
        try:
            return float((self.path / "queued").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def ask_to_stop(self) -> None:
        """Ask the worker to stop at the next safe point and keep what it has."""
        (self.path / "stop").touch()

    @property
    def stop_asked(self) -> bool:
        """Whether someone has asked for a stop."""
        return (self.path / "stop").exists()

    def last_output(self, lines: int = 12) -> str:
        """The tail of what the worker printed."""
        try:
            with (self.path / "output.log").open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - 8_000))
                text = file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.rstrip().splitlines()[-lines:])


def write_place(folder: Path, place: float) -> None:
    """Let the work in a folder wait, at a place in the queue."""
    partial = folder / "queued.partial"
    partial.write_bytes(told_place(place))
    partial.rename(folder / "queued")


def told_place(place: float) -> bytes:
    """A place as the file `queued` holds it: of one length, so that it can be written over."""
    return f"{place:020.6f}".encode()
