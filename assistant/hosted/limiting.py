"""How often a visitor, an address and everybody together may do something."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from assistant.hosted.door import Refused
from assistant.link_store import Links
from assistant.links import Link

MOST_AT_ONCE = 256  # questions that are answered or wait in line
_AN_ADDRESS = 5  # visitors' worth: an office behind one address has several
_ENTRIES = 5  # passwords tried a minute, by one address
_ENTRIES_OF_ALL = 60
_VISITS = 60  # pages opened a minute, by one address
_RATINGS = 20


class Limiting:
    """Count what is done, in the memory of this process; what a day allows, in the store.

    Raises `Refused` beyond a limit, with how long to wait.
    """

    def __init__(self, links: Links) -> None:
        self._links = links
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._asking, self._lock = set[str](), threading.Lock()

    def visit(self, address: str) -> None:
        """Somebody opens a page."""
        self._take(_VISITS, "visit", address)

    def enter(self, link: Link, address: str) -> None:
        """Somebody tries a password."""
        self._take(_ENTRIES, "enter", address)
        self._take(_ENTRIES_OF_ALL, "enter", link.id)

    def rate(self, link: Link, visitor: str, address: str) -> None:
        """Somebody rates an answer."""
        self._take(_RATINGS, "rate", link.id, visitor)
        self._take(_RATINGS * _AN_ADDRESS, "rate from", address)

    def ask(self, link: Link, visitor: str, address: str) -> None:
        """Somebody asks a question; it is counted as asked."""
        most = link.limits.per_minute
        with self._counted(link):
            self._take(most, "ask", link.id, visitor)
            self._take(most * _AN_ADDRESS, "ask from", link.id, address)

    def call(self, link: Link, _address: str) -> None:
        """Whoever has a key asks a question: for a visitor of theirs, so that all are one here."""
        with self._counted(link):
            pass

    @contextmanager
    def _counted(self, link: Link) -> Iterator[None]:
        """Count a question where what is in the block, the minute and the day allow it."""
        try:
            yield
            self._take(link.limits.per_minute_of_all, "ask of all", link.id)
            if not self._links.count(link.id, "asked", most=link.limits.per_day):
                raise Refused(
                    429, "This bot has answered enough for today. Come back tomorrow.", wait=3600
                )
        except Refused:
            self._links.count(link.id, "refused")
            raise

    @contextmanager
    def one_at_a_time(self, link: Link, visitor: str) -> Iterator[None]:
        """Let a visitor ask the next question when the one before is answered."""
        me = f"{link.id} {visitor}"
        with self._lock:
            if me in self._asking:
                raise Refused(
                    429, "Your question before is still being answered. Wait for it, or stop it."
                )
            if len(self._asking) >= MOST_AT_ONCE:
                raise Refused(503, "Too many people are asking at this moment. Try again.", wait=5)
            self._asking.add(me)
        try:
            yield
        finally:
            with self._lock:
                self._asking.discard(me)

    def _take(self, most: int, *who: str) -> None:
        limit = RateLimitItemPerMinute(most)
        if not self._window.hit(limit, *who):
            free = self._window.get_window_stats(limit, *who).reset_time
            wait = max(1.0, free - time.time())
            raise Refused(429, f"That was too much at once. Wait {wait:.0f} seconds.", wait=wait)
