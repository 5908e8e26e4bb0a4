"""An answer on its way to somebody who may leave at any moment."""

import threading
from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import Generic, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Request

from assistant.conversation import Asked, Chat, Proof
from assistant.hosted.words import StopWords

_T = TypeVar("_T")


class Steps(Generic[_T]):
    """What threads bring step by step, until it is over or its reader has left."""

    def __init__(
        self, steps: Iterator[_T], stop: threading.Event, threads: CapacityLimiter
    ) -> None:
        self._steps, self._stop, self._threads = _each(steps), stop, threads
        self._left = False

    async def next(self) -> _T | None:
        """The next step, or None after the last."""
        try:
            return await to_thread.run_sync(
                self._next, limiter=self._threads, abandon_on_cancel=True
            )
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let it end at the next step, for nobody."""
        self._left = True
        self._stop.set()
        with suppress(ValueError):  # a thread that is in it closes it when it comes out
            self._steps.close()

    def _next(self) -> _T | None:
        step = next(self._steps, None)
        if self._left:
            self._steps.close()
        return step


class Growing:
    """An answer on its way, up to the first stop word."""

    def __init__(
        self, chat: Chat, asked: Asked, stops: StopWords, threads: CapacityLimiter
    ) -> None:
        self.text, self.over = "", False
        self.proof: Proof | None = None
        self._stops, self._stop = stops, threading.Event()
        self._steps = Steps(chat.answer([asked], self._stop), self._stop, threads)

    async def begin(self, request: Request) -> None:
        """Wait for the first word, so that what is refused can still be said by the status."""
        while not self.text and not self.over:
            await self.step(request)

    async def step(self, request: Request | None = None) -> None:
        """Wait for more; `request` where nobody else notices that the client has left."""
        step = await self._steps.next()
        if request and await request.is_disconnected():
            self.close()
        if step is None:
            self.over = True
            return
        (answer,) = step
        self.proof = answer.proof
        self.over = answer.proof is not None
        self.text, found = self._stops.cut(answer.text, whole=self.over)
        if found:
            self._stop.set()

    def close(self) -> None:
        """Let the answer end after the next word, for nobody."""
        self._steps.close()

    @property
    def why(self) -> str:
        """Why it ended, in OpenAI's words."""
        return "length" if self.proof and self.proof.ended == "at the limit" else "stop"

    @property
    def usage(self) -> dict[str, int]:
        """How many tokens were read and said."""
        read, said = (self.proof.prompt, self.proof.tokens) if self.proof else (0, 0)
        return {"prompt_tokens": read, "completion_tokens": said, "total_tokens": read + said}


def _each(steps: Iterator[_T]) -> Generator[_T]:
    """The same, as something that can be closed."""
    yield from steps
