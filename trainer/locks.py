"""A file lock that a child process inherits; the kernel drops it however the child ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PATIENCE = 0.5  # seconds; a look at the lock lasts microseconds, a holder stays


class LockHeld(Exception):
    """Somebody else holds the lock."""


class Lock:
    """One `flock` on one file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def held(self) -> bool:
        """Whether any process holds it. The look takes it, shared, for an instant."""
        try:
            descriptor = os.open(self.path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    @contextmanager
    def claim(self) -> Iterator[int]:
        """Hold it, as a descriptor a child process can inherit, or raise `LockHeld`.

        It outwaits whoever only looks. The descriptor is closed, never unlocked: a child that
        inherited it keeps the lock.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            deadline = time.monotonic() + _PATIENCE
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise LockHeld(self.path) from None
                    time.sleep(0.005)
            yield descriptor
        finally:
            os.close(descriptor)
