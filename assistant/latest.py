"""What one thread says and another one reads, who wants only the latest."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """Hand over values; a slow reader misses some, but never the last one."""

    def __init__(self) -> None:
        self._new = threading.Condition()
        self._values: list[T] = []
        self._over = False
        self._error: BaseException | None = None

    def put(self, value: T) -> None:
        """Say something; it takes the place of what was not read yet."""
        with self._new:
            self._values = [value]
            self._new.notify()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Let the reader end when this block does; what goes wrong in it is raised there."""
        try:
            yield
        except BaseException as error:
            self._error = error
        finally:
            with self._new:
                self._over = True
                self._new.notify()

    def __iter__(self) -> Iterator[T]:
        while True:
            with self._new:
                self._new.wait_for(lambda: self._values or self._over)
                values, self._values = self._values, []
            if values:
                yield values[0]
            elif self._error:
                raise self._error
            else:
                return
