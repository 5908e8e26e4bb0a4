"""An answer on its way to somebody who may leave at any moment."""

import threading
from collections.abc import Generator, Iterator
from contextlib import suppress

from anyio import CapacityLimiter, to_thread
from fastapi import Request

from assistant.conversation import Answer, Asked, Chat, Proof
from assistant.hosted.words import StopWords


class Growing:
    """An answer on its way, up to the first stop word."""

    def __init__(
        self, chat: Chat, asked: Asked, stops: StopWords, threads: CapacityLimiter
    ) -> None:
        self.text, self.over, self._left = "", False, False
        self.proof: Proof | None = None
        self._stops, self._threads, self._stop = stops, threads, threading.Event()
        self._steps = _each(chat.answer([asked], self._stop))

    async def begin(self, request: Request) -> None:
        """Wait for the first word, so that what is refused can still be said by the status."""
        while not self.text and not self.over:
            await self.step(request)

    async def step(self, request: Request | None = None) -> None:
        """Wait for more; `request` where nobody else notices that the client has left."""
        try:
            step = await to_thread.run_sync(
                self._next, limiter=self._threads, abandon_on_cancel=True
            )
            if request and await request.is_disconnected():
                self.close()
        except BaseException:
            self.close()
            raise
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
        self._left = True
        self._stop.set()
        with suppress(ValueError):  # a thread that is in it closes it when it comes out
            self._steps.close()

    def _next(self) -> tuple[Answer, ...] | None:
        step = next(self._steps, None)
        if self._left:
            self._steps.close()
        return step

    @property
    def why(self) -> str:
        """Why it ended, in OpenAI's words."""
        return "length" if self.proof and self.proof.ended == "at the limit" else "stop"

    @property
    def usage(self) -> dict[str, int]:
        """How many tokens were read and said."""
        read, said = (self.proof.prompt, self.proof.tokens) if self.proof else (0, 0)
        return {"prompt_tokens": read, "completion_tokens": said, "total_tokens": read + said}


def _each(steps: Iterator[tuple[Answer, ...]]) -> Generator[tuple[Answer, ...]]:
    """The same, as something that can be closed."""
    yield from steps
