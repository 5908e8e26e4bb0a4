"""What runs and evaluations have said, parsed once for all that show something of it."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from trainer.events import Event, EventLog
from trainer.work import Work


def events_of(work: Work) -> Sequence[Event]:
    """Every event that holds, oldest first; the log is parsed again only when it has grown."""
    path = work.events.path
    try:
        known = path.stat()
    except FileNotFoundError:
        return []
    return _parsed(path, known.st_size, known.st_mtime_ns)


@lru_cache(maxsize=16)
def _parsed(path: Path, size: int, modified_ns: int) -> Sequence[Event]:
    return EventLog(path).read()
