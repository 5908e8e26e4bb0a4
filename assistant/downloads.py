"""Downloads that go on whoever looks: a tab that closes ends none, and two tabs share one."""

import threading
from collections.abc import Iterator

from trainer.bases import refuse
from trainer.errors import disk_full_told
from trainer.hub import Fetched, Hub


class Download:
    """One base on its way from the Hub, in a thread of its own."""

    def __init__(self, hub: Hub, hub_id: str) -> None:
        self.hub_id = hub_id
        self.said: Fetched | None = None
        self._hub = hub
        self._error: Exception | None = None
        self._stop, self._over = threading.Event(), threading.Event()
        threading.Thread(target=self._work, daemon=True).start()

    @property
    def going_on(self) -> bool:
        """Whether there is more to come."""
        return not self._over.is_set()

    def stop(self) -> None:
        """End it; what has come stays, and the next download goes on from there."""
        self._stop.set()

    def watch(self, every: float = 0.3) -> Iterator[Fetched | None]:
        """Yield how far it is, until it is over; raises `UserError` where it failed."""
        while not self._over.wait(every):
            yield self.said
        if self._error:
            raise self._error

    def _work(self) -> None:
        try:
            with disk_full_told():
                offer = self._hub.look_up(self.hub_id, refuse)
                for said in self._hub.fetch(offer, self._stop.is_set):
                    self.said = said
        except Exception as error:
            self._error = error
        finally:
            self._over.set()


class Downloads:
    """The downloads of a page, at most one of each base."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._lock = threading.Lock()
        self._known: dict[str, Download] = {}

    def begin(self, hub_id: str) -> Download:
        """Begin a download, or join the one that is under way."""
        with self._lock:
            found = self.find(hub_id)
            if found is None:
                found = self._known[hub_id] = Download(self.hub, hub_id)
            return found

    def find(self, hub_id: str) -> Download | None:
        """The download of a base that is under way."""
        found = self._known.get(hub_id)
        return found if found and found.going_on else None
