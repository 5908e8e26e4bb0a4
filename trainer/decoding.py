"""Continue prompts with a model: base and adapters side by side, and nothing computed twice."""

import queue
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from peft import PeftModel
from transformers import (
    Cache,
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
from trainer.mixing import Rows, adapters_on, can_mix, only_adapter
from trainer.sampling import Sampling

_LIMITS = "sliding_window", "attention_chunk_size"  # how far back a model may look
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

    def decode(self, rows: Sequence[Row]) -> Generator[Step]:
        """Continue rows step by step until each came to its end or to its limit.

        Closing it leaves the model as it was. Raises `ValueError` for an adapter that the model
        does not have, and for rows that cannot be mixed.
        """
        adapters = {row.adapter for row in rows}
        named = {name for name in adapters if name is not None}
        held = set(self.model.peft_config) if isinstance(self.model, PeftModel) else set()
        if named - held:
            raise ValueError(f"asked for adapters that the model does not have: {named - held}")
        if len(rows) > 1 and not self.mixes(adapters):
            raise ValueError("these rows cannot be answered in one batch")
        # Rows of one adapter stand together.
        order = sorted(range(len(rows)), key=lambda i: rows[i].adapter or "")
        ordered = [rows[i] for i in order]
        with ExitStack() as stack:
            stack.enter_context(_in_eval_mode(self.model))
            spans = Rows([row.adapter for row in ordered])
            if named and self.batches and not self.experts and can_mix(self.model, named):
                stack.enter_context(adapters_on(self.model, spans, named))
            else:
                stack.enter_context(only_adapter(self.model, next(iter(adapters), None)))
                spans = Rows([])
            if not self.batches:
                steps = self._by_generate(ordered[0])
            else:
                # The last position is a view into all of them, which a linear layer of a batch
                # answers by copying its weights once for every row.
                head = self.bare.get_output_embeddings()
                hook = head.register_forward_pre_hook(lambda _, given: (given[0].contiguous(),))
                stack.callback(hook.remove)
                steps = self._together(ordered, spans)
            stack.callback(steps.close)
            for step in steps:
                yield {order[place]: token for place, token in step.items()}

    def _together(self, rows: Sequence[Row], spans: Rows) -> Generator[Step]:
        device, prompts = self.bare.device, [row.prompt for row in rows]
        draws = [Draw(row.sampling, row.prompt) for row in rows]
        left = [row.sampling.most_new_tokens for row in rows]
        at = max(map(len, prompts))  # the columns of the cache that are filled after the prompts
        room = at + max(left)
        with torch.inference_mode():
            cache = Cache(layers=[_Room(room) for _ in range(self.layers)])
            shared = self._read_shared(rows, spans, cache, room)
            # Padding stands between the shared beginning and the rest of a prompt.
            padding = [at - len(prompt) for prompt in prompts]
            mask = torch.ones(len(prompts), room, dtype=torch.long)
            for row, width in enumerate(padding):
                mask[row, shared : shared + width] = 0
            mask = mask.to(device)
            told = zip(padding, prompts, strict=True)
            ids = torch.tensor([[0] * width + list(p[shared:]) for width, p in told], device=device)
            before = torch.tensor(padding, device=device)[:, None]
            places = (torch.arange(shared, at, device=device) - before).clamp(min=0)
        live = list(range(len(rows)))
        while live:
            step: Step = {}
            with torch.inference_mode():
                logits = self.bare(
                    input_ids=ids,
                    attention_mask=mask[:, :at],
                    position_ids=places,
                    past_key_values=cache,
                    use_cache=True,
                    logits_to_keep=1,
                ).logits[:, -1]
                drawn = draw_all(logits, [draws[row] for row in live])
                for row, token in zip(live, drawn, strict=True):
                    if left[row]:
                        left[row] = 0 if token in self.stops else left[row] - 1
                        step[row] = None if token in self.stops else token
                ids, places, at = (
                    torch.tensor(drawn, device=device)[:, None],
                    places[:, -1:] + 1,
                    at + 1,
                )
                staying = [k for k, row in enumerate(live) if left[row]]
                if staying and len(live) - len(staying) >= max(1, len(live) / _SPARE):
                    kept = torch.tensor(staying, device=device)
                    ids, places, mask = ids[kept], places[kept], mask[kept]
                    cache.batch_select_indices(kept)
                    live = [live[k] for k in staying]
                    spans.set([rows[row].adapter for row in live] if spans.all else [])
            yield step
            if not staying:
                return

    def _read_shared(self, rows: Sequence[Row], spans: Rows, cache: Cache, room: int) -> int:
        """Read what all prompts begin with once for each kind of row; how many tokens that is."""
        shared = self._shared_beginning([row.prompt for row in rows], room)
        if not shared:
            return 0
        adapters = [row.adapter for row in rows]
        kinds = list(dict.fromkeys(adapters))
        if spans.all:
            spans.set(kinds)
        self.bare(
            input_ids=torch.tensor([rows[0].prompt[:shared]] * len(kinds), device=self.bare.device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        if spans.all:
            spans.set(adapters)
        copied = [kinds.index(adapter) for adapter in adapters]
        cache.batch_select_indices(torch.tensor(copied, device=self.bare.device))
        return shared

    def _shared_beginning(self, prompts: Sequence[Sequence[int]], room: int) -> int:
        """How many tokens all prompts begin with, and are worth being read apart."""
        config = self.bare.config.get_text_config()
        sight = min(filter(None, (getattr(config, name, None) for name in _LIMITS)), default=room)
        if len(prompts) < 3 or sight < room:  # padding in the middle would count as seen
            return 0
        first, last = min(map(list, prompts)), max(map(list, prompts))
        most = min(map(len, prompts)) - 1
        return next((n for n in range(most) if first[n] != last[n]), most)

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


class _Room(DynamicLayer):
    """Keys and values of a layer with room for all to come, so that a step copies only its own."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room, self.filled = room, 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self._held = [_with_room(states, self.room) for states in (key_states, value_states)]
        start, self.filled = self.filled, self.filled + key_states.shape[2]
        for held, states in zip(self._held, (key_states, value_states), strict=True):
            held[:, :, start : self.filled] = states
        self.keys, self.values = (held[:, :, : self.filled] for held in self._held)
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        moved = []
        for held in self._held:
            room = _with_room(held[:1].expand(len(indices), -1, -1, -1), self.room)
            room[:, :, : self.filled] = held[indices, :, : self.filled]
            moved.append(room)
        self._held = moved
        self.keys, self.values = (held[:, :, : self.filled] for held in moved)


def _with_room(states: torch.Tensor, room: int) -> torch.Tensor:
    rows, heads, _, width = states.shape
    return states.new_empty(rows, heads, room, width)


@contextmanager
def _in_eval_mode(model: torch.nn.Module) -> Iterator[None]:
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
