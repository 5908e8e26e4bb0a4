"""Whoever waits for the one model: first come, first served, and one sees how many are before."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Line:
    """A lock that is handed over in the order in which it was asked for."""

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._standing: deque[object] = deque()

    @contextmanager
    def turn(
        self,
        tell: Callable[[int], None] = lambda before: None,
        left: Callable[[], bool] = lambda: False,
    ) -> Iterator[bool]:
        """Wait for the turn and have it until the end of the block.

        `tell` hears how many are before, each time that changes. Whoever has `left` stops waiting
        and gets False.
        """
        me, told = object(), 0
        with self._moved:
            self._standing.append(me)
        try:
            while (before := self._before(me)) and not left():
                if before != told:
                    tell(before)
                    told = before
            yield not before
        finally:
            with self._moved:
                self._standing.remove(me)
                self._moved.notify_all()

    def _before(self, me: object) -> int:
        """How many are before, after the line moved or a moment passed where there are some."""
        with self._moved:
            if before := self._standing.index(me):
                self._moved.wait(0.1)
                before = self._standing.index(me)
            return before


def waiting(before: int) -> str:
    """What whoever waits is told."""
    if before == 1:
        return "waiting: one question is before this one"
    return f"waiting: {before} questions are before this one"
