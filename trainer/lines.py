"""Answers in the making, one a row of a batch, as Transformers computes them."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from transformers import Cache
from transformers.cache_utils import DynamicLayer

from trainer.mixing import Rows

_LIMITS = "sliding_window", "attention_chunk_size"  # how far back a model may look


class Lines(Protocol):
    """Rows that a model continues, in inference mode.

    `begin` and `step` return the logits after the last token of each row.
    """

    def begin(self) -> torch.Tensor:
        """Read the prompts."""

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        """Add a token to each row."""

    def keep(self, kept: Sequence[int]) -> None:
        """Go on with these rows only, in this order."""


class ModelLines:
    """Rows of any model whose memory are keys and values; `rows` knows their adapters."""

    def __init__(
        self,
        model: Any,
        layers: int,
        prompts: Sequence[Sequence[int]],
        adapters: Sequence[str | None],
        most: int,
        rows: Rows | None,
    ) -> None:
        self.model, self.adapters, self.rows = model, list(adapters), rows
        self.prompts, self.at = prompts, max(map(len, prompts))
        self.room = self.at + most
        self.cache = Cache(layers=[_Room(self.room) for _ in range(layers)])

    def begin(self) -> torch.Tensor:
        """Read the prompts: what they begin with once for each adapter, the rest filled up."""
        device, shared = self.model.device, self._read_shared()
        # Padding stands between the shared beginning and the rest of a prompt.
        padding = [self.at - len(prompt) for prompt in self.prompts]
        mask = torch.ones(len(padding), self.room, dtype=torch.long)
        for row, width in enumerate(padding):
            mask[row, shared : shared + width] = 0
        self.mask = mask.to(device)
        told = zip(padding, self.prompts, strict=True)
        ids = torch.tensor([[0] * width + list(p[shared:]) for width, p in told], device=device)
        before = torch.tensor(padding, device=device)[:, None]
        self.places = (torch.arange(shared, self.at, device=device) - before).clamp(min=0)
        return self._read(ids)

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        """Add a token to each row."""
        self.places, self.at = self.places[:, -1:] + 1, self.at + 1
        return self._read(torch.tensor(tokens, device=self.model.device)[:, None])

    def keep(self, kept: Sequence[int]) -> None:
        """Go on with these rows only, in this order."""
        rows = torch.tensor(kept, device=self.model.device)
        self.places, self.mask = self.places[rows], self.mask[rows]
        self.cache.batch_select_indices(rows)
        self.adapters = [self.adapters[row] for row in kept]
        if self.rows:
            self.rows.set(self.adapters)

    def _read(self, ids: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.model(
            input_ids=ids,
            attention_mask=self.mask[:, : self.at],
            position_ids=self.places,
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
        return out

    def _read_shared(self) -> int:
        """Read what all prompts begin with once for each kind of row; how many tokens that is."""
        shared = self._shared_beginning()
        if not shared:
            return 0
        kinds = list(dict.fromkeys(self.adapters))
        if self.rows:
            self.rows.set(kinds)
        self.model(
            input_ids=torch.tensor(
                [self.prompts[0][:shared]] * len(kinds), device=self.model.device
            ),
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        if self.rows:
            self.rows.set(self.adapters)
        copied = [kinds.index(adapter) for adapter in self.adapters]
        self.cache.batch_select_indices(torch.tensor(copied, device=self.model.device))
        return shared

    def _shared_beginning(self) -> int:
        """How many tokens all prompts begin with, and are worth being read apart."""
        config, room = self.model.config.get_text_config(), self.room
        sight = min(filter(None, (getattr(config, name, None) for name in _LIMITS)), default=room)
        if len(self.prompts) < 3 or sight < room:  # padding in the middle would count as seen
            return 0
        first, last = min(map(list, self.prompts)), max(map(list, self.prompts))
        most = min(map(len, self.prompts)) - 1
        return next((n for n in range(most) if first[n] != last[n]), most)


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
