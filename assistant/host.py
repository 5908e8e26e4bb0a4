"""One base in memory, the adapters of its runs beside it, and proof of which weights answered."""

import ctypes
import gc
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import torch

from assistant.conversation import Answer, Asked, Proof, Side
from assistant.held import Held
from assistant.latest import Latest
from assistant.line import Line, waiting
from trainer.devices import chat_lock
from trainer.drafting import draft_wordings
from trainer.errors import DeviceBusy, ModelError
from trainer.frozen import held_as
from trainer.generate import Ask, SoFar, faster_together, stream_answers
from trainer.locks import Lock, LockHeld
from trainer.runs import Run, Runs
from trainer.words import at_work

_MANY = 8  # rows


class ModelHost:
    """Hold one base at a time and its adapters, one answer after the other, failing closed.

    An answer has the model from its first word to its last, and is written in a thread of its own:
    a reader who leaves in the middle does not leave anybody waiting. Implements `Chat`.
    """

    def __init__(
        self,
        runs: Runs,
        *,
        device: Lock | None = None,
        who: Callable[[], str] = lambda: "Something else is using the device.",
    ) -> None:
        """Load nothing yet.

        `device` is the lock of a GPU, held while a base is on it, and `who` says who has it; on a
        processor the chat shares with whatever else there is.
        """
        self._runs, self._line = runs, Line()
        self._device, self._who, self._taken = device, who, ExitStack()
        self._held: Held | None = None

    @classmethod
    def in_workspace(cls, workspace: Path) -> Self:
        """A host that takes turns with the workers of a workspace, where they share a GPU."""
        runs = Runs(workspace / "runs")
        return cls(runs, device=chat_lock(workspace), who=lambda: at_work(runs.active()))

    def answer(self, asked: Sequence[Asked], stop: threading.Event) -> Iterator[tuple[Answer, ...]]:
        """Yield how far the answers are, each time one has grown; at last all have their proof.

        Stopped before its turn came, it ends without. Raises `ModelError` rather than answer with
        weights other than those asked for.
        """
        news, left = Latest[tuple[Answer, ...]](), threading.Event()

        def work() -> None:
            with news.writing():
                self._answer(asked, lambda: stop.is_set() or left.is_set(), news.put)

        threading.Thread(target=work, daemon=True).start()
        try:
            yield from news
        finally:
            left.set()

    def draft(self, base: str, questions: Sequence[str]) -> list[tuple[str, ...]]:
        """Let an untouched base propose other wordings of questions, one list for each."""
        with self._line.turn():
            held = self._hold(Side(base=base), lambda doing: None)
            model: Any = held.base.model
            if not held.adapters:
                return draft_wordings(held.base, questions)
            with model.disable_adapter():
                return draft_wordings(held.base, questions)

    def unload(self) -> None:
        """Forget the base and its adapters and give their memory back, after the answer at hand."""
        with self._line.turn():
            self._forget()

    def make_room(self) -> None:
        """Leave a GPU to the worker that waits for it; on a processor all share."""
        if self._device is not None:
            self.unload()

    def _answer(
        self,
        asked: Sequence[Asked],
        over: Callable[[], bool],
        tell: Callable[[tuple[Answer, ...]], None],
    ) -> None:
        came = time.monotonic()

        def doing(what: str) -> None:
            tell(tuple(Answer(doing=what) for _ in asked))

        with self._line.turn(lambda before: doing(waiting(before)), over) as mine:
            if not mine:
                return
            held = self._ready([one.side for one in asked], doing)
            doing("reading the question")
            together = len(asked) > 1 and self._pays_together(held, asked)
            asks = [Ask(one.messages, one.side.run, one.settings) for one in asked]
            answers, clocks = [Answer() for _ in asked], [_Clock(came) for _ in asked]
            began = time.monotonic()
            for step in stream_answers(held.base, asks, over, together=together):
                now = time.monotonic()
                for grown in step:
                    one, clock = asked[grown.place], clocks[grown.place]
                    if answers[grown.place].proof:
                        continue
                    if one.stop and one.stop.is_set() and not grown.ended:
                        grown = replace(grown, ended="stopped")
                    clock.look(now, began, grown)
                    proof = None
                    if grown.ended:
                        proof = self._proof(held, one, grown, clock, together)
                        began = began if together else now
                    answers[grown.place] = Answer(grown.text, proof)
                tell(tuple(answers))

    def _pays_together(self, held: Held, asked: Sequence[Asked]) -> bool:
        """Whether these are faster in one batch than one after another, measured once a size.

        What does not pay for two may pay for eight; what pays for eight pays for more.
        """
        some = asked[:_MANY]
        if len(some) not in held.together:
            adapters = [one.side.run for one in some]
            held.together[len(some)] = faster_together(held.base, adapters)
        return held.together[len(some)]

    # what is in memory --------------------------------------------------------------------------

    def _ready(self, sides: Sequence[Side], doing: Callable[[str], None]) -> Held:
        """Have the base of all sides and their adapters in memory, checked."""
        if len({side.bare for side in sides}) > 1:
            raise ModelError(
                "All columns answer from one copy of the weights, so they need the same base, "
                "held the same way. Choose two runs of one base."
            )
        held = self._hold(sides[0], doing)
        for side in dict.fromkeys(sides):
            if side.run:
                self._take_adapter(held, self._runs.get(side.run), doing)
        with self._forgetting():
            held.check_apart()
        return held

    def _hold(self, side: Side, doing: Callable[[str], None]) -> Held:
        """Have the base of a side in memory; another one makes room."""
        held = self._held
        if held and (held.name, held.quantization) == (side.base, side.quantization):
            return held
        self._forget()
        if self._device is not None:
            try:
                self._taken.enter_context(self._device.claim())
            except LockHeld:
                raise DeviceBusy(f"{self._who()} The chat waits until then.") from None
        doing("loading the base model")
        try:
            self._held = Held.open(side)
        finally:
            if self._held is None:
                self._taken.close()
        return self._held

    def _take_adapter(self, held: Held, run: Run, doing: Callable[[str], None]) -> None:
        """Have the adapter of a run on the base as it is on the disk now."""
        if held.adapters.get(run.id) == run.adapter_hash:
            return
        if (run.config.base, run.config.quantization) != (held.name, held.quantization):
            raise ModelError(f"'{run.id}' was tuned on another base than '{held.name}'.")
        doing("loading the adapter")
        with self._forgetting():
            held.take(run)

    @contextmanager
    def _forgetting(self) -> Iterator[None]:
        """Forget the base where something goes wrong: half of an adapter may be on it."""
        try:
            yield
        except BaseException:
            self._forget()
            raise

    def _proof(
        self, held: Held, asked: Asked, grown: SoFar, clock: "_Clock", together: bool
    ) -> Proof:
        return Proof(
            base=held.name,
            quantization=held.quantization,
            held=held_as(held.base.model),
            run=asked.side.run,
            adapter=held.adapters[asked.side.run] if asked.side.run else None,
            settings=asked.settings,
            proven=True,
            together=together,
            ended=grown.ended or "stopped",
            tokens=grown.tokens,
            prompt=len(held.base.format.prompt(asked.messages)),
            waited=clock.waited,
            first_word=clock.first_word,
            seconds=clock.seconds,
        )

    def _forget(self) -> None:
        self._held = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        elif trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
            trim(0)  # glibc would keep the pages for whatever comes next
        self._taken.close()


@dataclass
class _Clock:
    """When an answer was asked for, when its turn came, and its first and last word; seconds."""

    came: float
    waited: float = 0.0
    first_word: float = 0.0
    seconds: float = 0.0

    def look(self, now: float, began: float, grown: SoFar) -> None:
        self.waited, self.seconds = began - self.came, now - began
        if not self.first_word and (grown.text or grown.ended):
            self.first_word = self.seconds
