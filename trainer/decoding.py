"""Greedy decoding of a batch: base and adapter side by side, and nothing computed twice."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from peft import PeftModel
from peft.tuners import lora
from peft.tuners.lora.bnb import Linear4bit
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils.other import AuxiliaryTrainingWrapper
from transformers import Cache, DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

_LIMITS = "sliding_window", "attention_chunk_size"  # how far back a model may look
_EXPERTS = "num_experts", "num_local_experts", "n_routed_experts"
_SPARE = 8  # one row in so many has to end before the others move together


class Decoder:
    """A model ready to continue prompts, the first rows of a batch with its active adapter.

    `batches` tells whether it can take several rows at once, and `mixes` whether some of them
    may be with the adapter and some without.
    """

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
        experts = any(getattr(self.bare.config.get_text_config(), name, None) for name in _EXPERTS)
        self.mixes = self.batches and not experts and _is_plain_lora(model)

    def decode(
        self,
        prompts: Sequence[Sequence[int]],
        adapted: int,
        most_new_tokens: int,
        stop: Callable[[], bool],
    ) -> list[tuple[list[int], bool]] | None:
        """Continue token ids greedily, the first `adapted` rows with the adapter, the rest without.

        Return the new tokens of each row and whether an end token came after them; None if
        `stop` turned true before all were there.
        """
        rows = _Rows(adapted, len(prompts))
        with ExitStack() as stack:
            stack.enter_context(torch.inference_mode())
            stack.enter_context(_in_eval_mode(self.model))
            if self.mixes:
                stack.enter_context(_adapter_on(self.model, rows))
            elif not adapted and isinstance(self.model, PeftModel):
                stack.enter_context(self.model.disable_adapter())
            if not self.batches:
                return self._one_by_one(prompts, most_new_tokens, stop)
            # The last position is a view into all of them, which a linear layer of a batch
            # answers by copying its weights once for every row.
            head = self.bare.get_output_embeddings()
            hook = head.register_forward_pre_hook(lambda _, given: (given[0].contiguous(),))
            stack.callback(hook.remove)
            return self._together(prompts, rows, most_new_tokens, stop)

    def _together(
        self,
        prompts: Sequence[Sequence[int]],
        rows: "_Rows",
        most_new_tokens: int,
        stop: Callable[[], bool],
    ) -> list[tuple[list[int], bool]] | None:
        device, adapted = self.bare.device, rows.adapted
        at = max(map(len, prompts))  # the columns of the cache that are filled after the prompts
        cache = Cache(layers=[_Room(at + most_new_tokens) for _ in range(self.layers)])
        shared = self._shared_beginning(prompts, at + most_new_tokens)
        if shared:
            # Each kind of row reads the beginning once: one with the adapter, one without.
            kinds = 1 if adapted in (0, len(prompts)) else 2
            rows.adapted, rows.all = min(adapted, 1), kinds
            self.bare(
                input_ids=torch.tensor([prompts[0][:shared]] * kinds, device=device),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            rows.adapted, rows.all = adapted, len(prompts)
            cache.batch_select_indices(
                torch.tensor([0] * adapted + [kinds - 1] * (len(prompts) - adapted), device=device)
            )
        # Padding stands between the shared beginning and the rest of a prompt.
        padding = [at - len(prompt) for prompt in prompts]
        mask = torch.ones(len(prompts), at + most_new_tokens, dtype=torch.long)
        for row, width in enumerate(padding):
            mask[row, shared : shared + width] = 0
        mask = mask.to(device)
        told = zip(padding, prompts, strict=True)
        ids = torch.tensor([[0] * width + list(p[shared:]) for width, p in told], device=device)
        places = (
            torch.arange(shared, at, device=device) - torch.tensor(padding, device=device)[:, None]
        )
        places = places.clamp(min=0)

        live, ended = list(range(len(prompts))), [False] * len(prompts)
        said: list[list[int]] = [[] for _ in prompts]
        for _ in range(most_new_tokens):
            if stop():
                return None
            logits = self.bare(
                input_ids=ids,
                attention_mask=mask[:, :at],
                position_ids=places,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            ).logits[:, -1]
            best = logits.float().argmax(-1)  # in bfloat16 it takes a CPU four times as long
            for row, token in zip(live, best.tolist(), strict=True):
                if token in self.stops:
                    ended[row] = True
                elif not ended[row]:
                    said[row].append(token)
            ids, places, at = best[:, None], places[:, -1:] + 1, at + 1
            staying = [k for k, row in enumerate(live) if not ended[row]]
            if not staying:
                break
            if len(live) - len(staying) >= max(1, len(live) / _SPARE):
                kept = torch.tensor(staying, device=device)
                ids, places, mask = ids[kept], places[kept], mask[kept]
                cache.batch_select_indices(kept)
                live = [live[k] for k in staying]
                rows.adapted, rows.all = sum(row < adapted for row in live), len(live)
        return list(zip(said, ended, strict=True))

    def _shared_beginning(self, prompts: Sequence[Sequence[int]], room: int) -> int:
        """How many tokens all prompts begin with, and are worth being read apart."""
        config = self.bare.config.get_text_config()
        sight = min(filter(None, (getattr(config, name, None) for name in _LIMITS)), default=room)
        if len(prompts) < 3 or sight < room:  # padding in the middle would count as seen
            return 0
        first, last = min(map(list, prompts)), max(map(list, prompts))
        most = min(map(len, prompts)) - 1
        return next((n for n in range(most) if first[n] != last[n]), most)

    def _one_by_one(
        self, prompts: Sequence[Sequence[int]], most_new_tokens: int, stop: Callable[[], bool]
    ) -> list[tuple[list[int], bool]] | None:
        found = []
        for prompt in prompts:
            if stop():
                return None
            ids = torch.tensor([prompt], device=self.bare.device)
            out: Any = self.model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=most_new_tokens,
                do_sample=False,
            )
            tokens = out[0, len(prompt) :].tolist()
            ended = tokens[-1] in self.stops
            found.append((tokens[:-1] if ended else tokens, ended))
        return found


@dataclass
class _Rows:
    """How many rows of the batch at hand are with the adapter, the first ones, and how many all."""

    adapted: int
    all: int


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


def _is_plain_lora(model: PreTrainedModel | PeftModel) -> bool:
    """Whether all that is adapted are linear layers, each by one low-rank product."""
    if not isinstance(model, PeftModel):
        return False
    adapted = [m for m in model.modules() if isinstance(m, BaseTunerLayer)]
    if any(isinstance(module, AuxiliaryTrainingWrapper) for module in model.modules()):
        return False
    return all(
        isinstance(layer, (lora.Linear, Linear4bit))
        and len(layer.active_adapters) == 1
        and not layer.merged
        and not layer.lora_variant
        and not any(layer.lora_bias.values())
        and not getattr(layer, "fan_in_fan_out", False)
        for layer in adapted
    )


@contextmanager
def _adapter_on(model: Any, rows: _Rows) -> Iterator[None]:
    """Switch the adapter off, and add what it does to the first rows of every layer.

    PEFT would gather the rows by index and compute the adapter in float32.
    """
    hooks = []
    with model.disable_adapter():
        for layer in model.modules():
            if isinstance(layer, BaseTunerLayer) and layer.active_adapters[0] in layer.lora_A:
                hooks.append(layer.base_layer.register_forward_hook(_LowRank(layer, rows)))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


class _LowRank:
    """What LoRA adds to the outcome of a linear layer (Hu et al. 2021, arXiv:2106.09685)."""

    def __init__(self, layer: Any, rows: _Rows) -> None:
        name = layer.active_adapters[0]
        self.down, self.up = layer.lora_A[name].weight, layer.lora_B[name].weight
        self.scale, self.rows = layer.scaling[name], rows

    def __call__(
        self, layer: torch.nn.Module, given: tuple[torch.Tensor, ...], out: torch.Tensor
    ) -> None:
        if not self.rows.adapted:
            return
        if out.dim() != 3 or len(out) != self.rows.all:
            raise RuntimeError("a layer that does not know its rows cannot adapt some of them")
        self.down, self.up = self.down.to(out.dtype), self.up.to(out.dtype)
        taken = given[0][: self.rows.adapted].to(out.dtype)
        low = taken.reshape(-1, taken.shape[-1]) @ self.down.T
        out[: self.rows.adapted].view(-1, out.shape[-1]).addmm_(low, self.up.T, alpha=self.scale)


@contextmanager
def _in_eval_mode(model: torch.nn.Module) -> Iterator[None]:
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
