"""What runs and evaluations have said, parsed once for all that show something of it."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from trainer.events import Event, EventLog
from trainer.work import State, Work


def events_of(work: Work) -> Sequence[Event]:
    """Every event that holds, oldest first; the log is parsed again only when it has grown."""
    known = _grown(work)
    return _parsed(work.events.path, known) if known else []


def state_of(work: Work) -> State:
    """Where work is in its life; worked out again only when something has moved.

    A page asks for all runs every second, and each answer would parse a whole log.
    """
    begun = work.lock.path.exists()
    return _state(work, _grown(work), work.alive, begun, work.place)


def _grown(work: Work) -> tuple[int, int] | None:
    try:
        known = work.events.path.stat()
    except FileNotFoundError:
        return None
    return known.st_size, known.st_mtime_ns


@lru_cache(maxsize=16)
def _parsed(path: Path, grown: tuple[int, int]) -> Sequence[Event]:
    return EventLog(path).read()


@lru_cache(maxsize=512)
def _state(
    work: Work, grown: tuple[int, int] | None, alive: bool, begun: bool, place: float | None
) -> State:
    return work.state()
