"""Continue prompts with a model: base and adapters side by side, and nothing computed twice."""

import queue
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from peft import PeftModel
from transformers import (
    DynamicCache,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedModel,
    StoppingCriteria,
    StoppingCriteriaList,
)
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer
from transformers.generation.streamers import BaseStreamer

from trainer.drawing import Draw, draw_all
from trainer.lean_lines import LeanLines, find_lean
from trainer.lines import Lines, ModelLines
from trainer.mixing import Rows, adapters_on, can_mix, only_adapter
from trainer.sampling import Sampling

_EXPERTS = "num_experts", "num_local_experts", "n_routed_experts"
_SPARE = 8  # one row in so many has to end before the others move together


@dataclass(frozen=True)
class Row:
    """A prompt to continue, the adapter to do it with, and how its tokens are drawn."""

    prompt: Sequence[int]
    adapter: str | None
    sampling: Sampling


Step = dict[int, int | None]
"""What a step brought to rows by their place: a token, or None where an answer came to its end."""


class Decoder:
    """A model ready to continue prompts; `batches` tells whether it can take several at once."""

    def __init__(self, model: PreTrainedModel | PeftModel) -> None:
        ends: Any = model.generation_config.eos_token_id
        self.model, self.stops = model, frozenset(ends if isinstance(ends, list) else [ends])
        self.bare: Any = model.get_base_model() if isinstance(model, PeftModel) else model
        layers = DynamicCache(config=self.bare.config).layers
        self.layers = len(layers)
        # A state that is not keys and values (Mamba's) can be neither padded nor handed round.
        self.batches = (
            self.layers > 0
            and all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers)
            and {"position_ids", "logits_to_keep"} <= set(signature(self.bare.forward).parameters)
        )
        # Experts see tokens without knowing their rows.
        self.experts = any(
            getattr(self.bare.config.get_text_config(), name, None) for name in _EXPERTS
        )

    def mixes(self, adapters: set[str | None]) -> bool:
        """Whether rows with these adapters, or with none, may be in one batch."""
        named = {name for name in adapters if name is not None}
        if not self.batches:
            return False
        return len(adapters) < 2 or (not self.experts and can_mix(self.model, named))

    def decode(self, rows: Sequence[Row], *, lean: bool = False) -> Generator[Step]:
        """Continue rows step by step until each came to its end or to its limit.

        `lean`: in cheaper steps, where the model has them. Closing it leaves the model as it was.
        Raises `ValueError` for an adapter that the model does not have, and for rows that cannot
        be mixed.
        """
        kinds = {row.adapter for row in rows}
        named = {name for name in kinds if name is not None}
        held = set(self.model.peft_config) if isinstance(self.model, PeftModel) else set()
        if named - held:
            raise ValueError(f"asked for adapters that the model does not have: {named - held}")
        plain = self.batches and not self.experts and can_mix(self.model, named)
        if len(rows) > 1 and not plain and (len(kinds) > 1 or not self.batches):
            raise ValueError("these rows cannot be answered in one batch")
        # Rows of one adapter stand together.
        order = sorted(range(len(rows)), key=lambda i: rows[i].adapter or "")
        ordered = [rows[i] for i in order]
        adapters, prompts = [row.adapter for row in ordered], [row.prompt for row in ordered]
        most = max((row.sampling.most_new_tokens for row in rows), default=0)
        if lean and plain and (found := find_lean(self.model, named)):
            yield from _placed(
                self._continue(ordered, LeanLines(found, prompts, adapters, most)), order
            )
            return
        with ExitStack() as stack:
            stack.enter_context(_in_eval_mode(self.model))
            if self.batches:
                rows_known = Rows(adapters) if plain and named else None
                if rows_known:
                    stack.enter_context(adapters_on(self.model, rows_known, named))
                else:
                    stack.enter_context(only_adapter(self.model, adapters[0]))
                # The last position is a view into all of them, which a linear layer of a batch
                # answers by copying its weights once for every row.
                head = self.bare.get_output_embeddings()
                hook = head.register_forward_pre_hook(lambda _, given: (given[0].contiguous(),))
                stack.callback(hook.remove)
                lines = ModelLines(self.bare, self.layers, prompts, adapters, most, rows_known)
                steps = self._continue(ordered, lines)
            else:
                stack.enter_context(only_adapter(self.model, adapters[0]))
                steps = self._by_generate(ordered[0])
            yield from _placed(steps, order)

    def _continue(self, rows: Sequence[Row], lines: Lines) -> Generator[Step]:
        draws = [Draw(row.sampling, row.prompt) for row in rows]
        left = [row.sampling.most_new_tokens for row in rows]
        live, drawn = list(range(len(rows))), list[int]()
        while True:
            step: Step = {}
            with torch.inference_mode():  # but not while others work between the steps
                logits = lines.step(drawn) if drawn else lines.begin()
                drawn = draw_all(logits, [draws[row] for row in live])
                for row, token in zip(live, drawn, strict=True):
                    if left[row]:
                        left[row] = 0 if token in self.stops else left[row] - 1
                        step[row] = None if token in self.stops else token
                staying = [k for k, row in enumerate(live) if left[row]]
                if staying and len(live) - len(staying) >= max(1, len(live) / _SPARE):
                    lines.keep(staying)
                    live, drawn = [live[k] for k in staying], [drawn[k] for k in staying]
            yield step
            if not staying:
                return

    def _by_generate(self, row: Row) -> Generator[Step]:
        """Continue one row by a model that keeps its state in a way of its own."""
        tokens: queue.SimpleQueue[int | BaseException | None] = queue.SimpleQueue()
        left = threading.Event()
        ids = torch.tensor([row.prompt], device=self.bare.device)

        def work() -> None:
            try:
                with torch.inference_mode():
                    self.model.generate(
                        input_ids=ids,
                        attention_mask=torch.ones_like(ids),
                        max_new_tokens=row.sampling.most_new_tokens,
                        do_sample=False,
                        logits_processor=LogitsProcessorList(
                            [_Only(Draw(row.sampling, row.prompt))]
                        ),
                        streamer=_Queue(tokens),
                        stopping_criteria=StoppingCriteriaList([_When(left)]),
                    )
            except BaseException as error:
                tokens.put(error)
            finally:
                tokens.put(None)

        writer = threading.Thread(target=work, daemon=True)
        writer.start()
        try:
            while (token := tokens.get()) is not None:
                if isinstance(token, BaseException):
                    raise token
                yield {0: None if token in self.stops else token}
        finally:
            left.set()
            writer.join()


def _placed(steps: Generator[Step], order: Sequence[int]) -> Generator[Step]:
    """Tell steps of rows by where these stood before they were put in order."""
    with closing(steps):
        for step in steps:
            yield {order[place]: token for place, token in step.items()}


class _Only(LogitsProcessor):
    """Leave `generate` no choice but what was drawn."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        drawn = self.draw(scores[0])
        return torch.full_like(scores, -torch.inf).index_fill_(
            1, torch.tensor([drawn], device=scores.device), 0.0
        )


class _Queue(BaseStreamer):
    def __init__(self, tokens: "queue.SimpleQueue[Any]") -> None:
        self.tokens, self.prompt = tokens, True

    def put(self, value: torch.Tensor) -> None:
        if not self.prompt:
            self.tokens.put(int(value.reshape(-1)[0]))
        self.prompt = False

    def end(self) -> None: ...


class _When(StoppingCriteria):
    def __init__(self, event: threading.Event) -> None:
        self.event = event

    def __call__(
        self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: Any
    ) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), self.event.is_set(), device=input_ids.device)


@contextmanager
def _in_eval_mode(model: torch.nn.Module) -> Iterator[None]:
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
