"""Answers in the making by the lean form of a model, once it is shown to compute the same."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from peft import PeftModel
from peft.tuners.tuners_utils import BaseTunerLayer
from torch.nn import functional

from trainer.lean import Lean, fits
from trainer.mixing import Rows, only_adapter

_NEAR = {torch.float32: 1e-3, torch.bfloat16: 0.15}  # how far logits may be, in their deviations
_FEW = 2  # rows up to which oneDNN does not pay


def find_lean(model: Any, adapters: set[str]) -> "Lean | None":
    """The lean form of a model with plain LoRA, shown to compute the same; None without one.

    It is shown once for the base and once for each adapter, by the logits of a few tokens. The
    model holds it, so that it goes with it.
    """
    bare = model.get_base_model() if isinstance(model, PeftModel) else model
    lean: Lean | None = getattr(bare, "lean", None)
    if not hasattr(bare, "lean") or (lean and not lean.current):
        lean = Lean(bare) if fits(bare) else None
        bare.lean = lean = lean if lean and _same(lean, model, None) else None
    return lean if lean and all(_same(lean, model, name) for name in adapters) else None


def _same(lean: Lean, model: Any, adapter: str | None) -> bool:
    """Whether the logits are the model's but for rounding, with an adapter or with none."""
    layers = [m for m in model.modules() if isinstance(m, BaseTunerLayer)]
    adapted = {m.lora_A[adapter] for m in layers if adapter is not None and adapter in m.lora_A}
    if adapted and all(module in lean.shown for module in adapted):
        return True
    if len(adapted) != (0 if adapter is None else lean.count_adapted(adapter)):
        return False  # it changes more than what is computed here
    tokens = [token % len(lean.words) for token in range(3, 13)]
    with torch.inference_mode():
        with only_adapter(model, adapter):
            wanted = model(input_ids=torch.tensor([tokens])).logits[0, -1].float()
        lines = LeanLines(lean, [tokens[:-1]], [adapter], 1)
        lines.begin()
        off = (lines.step(tokens[-1:])[0].float() - wanted).abs().max()
    same = bool(off <= _NEAR[lean.head.dtype] * wanted.std())
    if same:
        lean.shown.update(adapted)
    return same


class LeanLines:
    """Answers in the making, one a row. The adapters are those of the model when it begins."""

    def __init__(
        self,
        lean: Lean,
        prompts: Sequence[Sequence[int]],
        adapters: Sequence[str | None],
        most: int,
    ) -> None:
        self.lean, self.prompts, self.adapters = lean, prompts, list(adapters)
        self.at = max(map(len, prompts))
        self.padding = torch.tensor([self.at - len(prompt) for prompt in prompts])
        self.room = self.at + most

    def begin(self) -> torch.Tensor:
        """Read the prompts, each by itself, so that no answer hangs on its neighbours' length."""
        lean, half = self.lean, self.lean.width // 2
        names = {name for name in self.adapters if name is not None}
        self.added = [
            [{n: low for n in names if (low := group.low_rank(n))} for group in layer.groups]
            for layer in lean.layers
        ]
        shape = len(self.prompts), lean.kv_heads, self.room, lean.width
        self.caches = [(torch.zeros(shape), torch.zeros(shape)) for _ in lean.layers]
        cos, sin = lean.inner.rotary_emb(torch.empty(0), torch.arange(self.room)[None])
        self.cos, self.sin = cos[0, :, None], sin[0, :, None]
        self.sin[..., :half].neg_()
        last = []
        for row, (prompt, name) in enumerate(zip(self.prompts, self.adapters, strict=True)):
            n, at = len(prompt), self.at - len(prompt)
            caches = [(k[row : row + 1], v[row : row + 1]) for k, v in self.caches]
            caches = [(k[:, :, at:], v[:, :, at:]) for k, v in caches]
            spans = {} if name is None else {name: slice(0, n)}
            ids = torch.tensor([list(prompt)])
            last.append(lean.read(ids, (self.cos[:n], self.sin[:n]), caches, 0, self.added, spans))
        return functional.linear(torch.cat(last), lean.head)

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        """Add a token to each row."""
        places = self.at - self.padding
        turns = self.cos[places][:, None], self.sin[places][:, None]
        mask = None
        if self.padding.any():
            mask = (torch.arange(self.at + 1) >= self.padding[:, None])[:, None, None]
        with _around_onednn(len(tokens) <= _FEW):
            last = self.lean.read(
                torch.tensor(tokens)[:, None], turns, self.caches, self.at, self.added,
                Rows(self.adapters).spans, mask,
            )  # fmt: skip
            self.at += 1
            return functional.linear(last, self.lean.head)

    def keep(self, kept: Sequence[int]) -> None:
        """Go on with these rows only."""
        rows = torch.tensor(kept)
        self.adapters = [self.adapters[row] for row in kept]
        self.padding = self.padding[rows]
        self.caches = [(keys[rows], values[rows]) for keys, values in self.caches]


@contextmanager
def _around_onednn(wanted: bool) -> Iterator[None]:
    """Let the processor's own products be used, which start at once."""
    before: bool = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = before and not wanted
    try:
        yield
    finally:
        torch.backends.mkldnn.enabled = before
