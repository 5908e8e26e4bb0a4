"""One base in memory, the adapters of its runs beside it, and proof of which weights answered."""

import gc
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from peft import PeftModel

from assistant.conversation import ChatModel, Message
from trainer.devices import chat_lock
from trainer.drafting import draft_wordings
from trainer.errors import DeviceBusy, ModelError
from trainer.generate import write_answer
from trainer.locks import Lock, LockHeld
from trainer.models import Base, load_base
from trainer.runs import Run, Runs
from trainer.words import at_work

MOST_NEW_TOKENS = 160


class ModelHost:
    """Hold one base at a time and switch adapters on it, under one lock, failing closed.

    The switch is process-wide, so an answer holds the lock from its first word to its last. It
    is written in a thread of its own: a reader who leaves in the middle does not leave the
    lock behind.
    """

    def __init__(
        self,
        *,
        most_new_tokens: int = MOST_NEW_TOKENS,
        device: Lock | None = None,
        who: Callable[[], str] = lambda: "Something else is using the device.",
    ) -> None:
        """Load nothing yet.

        `device` is the lock of a GPU, held while a base is on it, and `who` says who has it; on a
        processor the chat shares with whatever else there is.
        """
        self._most_new_tokens = most_new_tokens
        self._lock = threading.Lock()
        self._device, self._who, self._taken = device, who, ExitStack()
        self._base: Base | None = None
        self._held: tuple[str, str, str] | None = None
        self._untouched: torch.Tensor | None = None
        self._hashes: dict[str, str] = {}

    @classmethod
    def in_workspace(cls, workspace: Path) -> Self:
        """A host that takes turns with the workers of a workspace, where they share a GPU."""
        runs = Runs(workspace / "runs")
        return cls(device=chat_lock(workspace), who=lambda: at_work(runs.active()))

    def sides(self, run: Run) -> tuple[ChatModel, ChatModel]:
        """The base of a run and its tuned model; nothing is loaded before one answers."""
        return _Side(self, run, None), _Side(self, run, run.adapter_hash)

    def stream(self, run: Run, adapter: str | None, messages: Sequence[Message]) -> Iterator[str]:
        """Yield an answer by the run's base (`adapter` None) or by its tuned model.

        Raises `ModelError` rather than answer with weights other than those asked for.
        """
        pieces: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()
        left = threading.Event()

        def work() -> None:
            try:
                with self._lock:
                    if left.is_set():
                        return
                    base = self._ready(run)
                    base.model.set_adapter(run.id)
                    with nullcontext() if adapter else base.model.disable_adapter():
                        self._prove(base, run, adapter)
                        write_answer(base, messages, self._most_new_tokens, pieces.put, left)
            except BaseException as error:
                pieces.put(error)
            finally:
                pieces.put(None)

        threading.Thread(target=work, daemon=True).start()
        try:
            while (piece := pieces.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            left.set()

    def draft(self, base: str, questions: Sequence[str]) -> list[tuple[str, ...]]:
        """Let an untouched base propose other wordings of questions, one list for each."""
        with self._lock:
            if self._base and self._held and self._held[:2] == (base, "nf4"):
                with self._base.model.disable_adapter():
                    return draft_wordings(self._base, questions)
            self._take_device()
            try:
                return draft_wordings(load_base(base), questions)
            finally:
                if self._base is None:
                    self._taken.close()

    def make_room(self) -> None:
        """Forget the base and free its GPU, after the answer in progress; on a CPU all share."""
        if self._device is None:
            return
        with self._lock:
            self._base, self._held, self._untouched, self._hashes = None, None, None, {}
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            self._taken.close()

    def _take_device(self) -> None:
        if self._device is None or self._base is not None:
            return
        try:
            self._taken.enter_context(self._device.claim())
        except LockHeld:
            raise DeviceBusy(f"{self._who()} The chat waits until then.") from None

    def _ready(self, run: Run) -> Base:
        """Have the run's base and adapter in memory; another base makes room."""
        config = run.config
        wanted = (config.base, config.quantization, config.frozen_weights)
        self._take_device()
        if self._base is None or self._held != wanted:
            self._base, self._held, self._hashes = None, None, {}
            base = load_base(
                config.base, quantization=config.quantization, frozen_weights=config.frozen_weights
            )
            self._untouched = _probe(base)
            model: Any = PeftModel.from_pretrained(base.model, run.adapter, adapter_name=run.id)
            self._base, self._held = Base(base.name, model, base.format), wanted
            self._check_switch(run)
        elif run.id not in self._hashes:
            self._base.model.load_adapter(run.adapter, adapter_name=run.id)
            self._check_switch(run)
        return self._base

    def _check_switch(self, run: Run) -> None:
        """Show once that the switch works: off is the base bit for bit, on is something else."""
        assert self._base is not None
        with self._base.model.disable_adapter():
            off = _probe(self._base)
        self._base.model.set_adapter(run.id)
        on = _probe(self._base)
        if not torch.equal(off, self._untouched) or torch.equal(on, off):
            self._base, self._held = None, None
            raise ModelError(
                f"The adapter of '{run.id}' cannot be switched on and off cleanly, so nobody "
                "could tell which weights answer. Tune again."
            )
        self._hashes[run.id] = run.adapter_hash

    def _prove(self, base: Base, run: Run, adapter: str | None) -> None:
        status = base.model.get_model_status()
        active = list(status.active_adapters) if status.enabled is True else []
        right = (
            status.enabled is False
            if adapter is None
            else active == [run.id] and self._hashes[run.id] == adapter == run.adapter_hash
        )
        if not right:
            raise ModelError(
                f"Asked for {adapter or 'the base'} but {active or 'the base'} is active: no "
                "answer is better than one by the wrong weights. Restart the page."
            )


@dataclass(frozen=True)
class _Side:
    host: ModelHost
    run: Run
    adapter: str | None

    @property
    def name(self) -> str:
        return self.run.config.base if self.adapter is None else self.run.id

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        return self.host.stream(self.run, self.adapter, messages)


def _probe(base: Base) -> torch.Tensor:
    ids = torch.tensor([base.format.prompt([{"role": "user", "content": "Who are you?"}])])
    with torch.inference_mode():
        logits: torch.Tensor = base.model(input_ids=ids.to(base.model.device)).logits[0, -1]
    return logits.clone()
