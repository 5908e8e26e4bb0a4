"""Rows of one batch with different adapters, and with none."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import torch
from peft import PeftModel
from peft.tuners import lora
from peft.tuners.lora.bnb import Linear4bit
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils.other import AuxiliaryTrainingWrapper
from transformers import PreTrainedModel


class Rows:
    """Which adapter each row of the batch at hand has; those of one stand together."""

    def __init__(self, adapters: Sequence[str | None]) -> None:
        self.set(adapters)

    def set(self, adapters: Sequence[str | None]) -> None:
        """Say which rows there are from now on."""
        self.all, self.spans, at = len(adapters), dict[str, slice](), 0
        for name, group in groupby(adapters):
            start, at = at, at + len(list(group))
            if name is None:
                continue
            if name in self.spans:
                raise ValueError(f"rows with '{name}' do not stand together")
            self.spans[name] = slice(start, at)


def can_mix(model: PreTrainedModel | PeftModel, adapters: set[str]) -> bool:
    """Whether all that these adapters change are linear layers, each by one low-rank product."""
    if not isinstance(model, PeftModel):
        return not adapters
    for module in model.modules():
        if isinstance(module, AuxiliaryTrainingWrapper):
            return False
        if isinstance(module, BaseTunerLayer) and not (
            isinstance(module, (lora.Linear, Linear4bit))
            and not module.merged
            and not adapters & module.lora_variant.keys()
            and not any(module.lora_bias.get(name) for name in adapters)
            and not getattr(module, "fan_in_fan_out", False)
        ):
            return False
    return True


@contextmanager
def adapters_on(model: PeftModel, rows: Rows, adapters: set[str]) -> Iterator[None]:
    """Switch adapters off, and add what they do to their rows of every layer.

    PEFT would gather the rows by index and compute the adapter in float32.
    """
    hooks = []
    with model.disable_adapter():
        for layer in model.modules():
            if isinstance(layer, BaseTunerLayer):
                found = {name: layer for name in adapters if name in layer.lora_A}
                if found:
                    added = _LowRank(layer, sorted(found), rows)
                    hooks.append(layer.base_layer.register_forward_hook(added))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


@contextmanager
def only_adapter(model: PreTrainedModel | PeftModel, adapter: str | None) -> Iterator[None]:
    """Let the whole model be with one adapter, or with none, and check that it is."""
    if not isinstance(model, PeftModel):
        yield
    elif adapter is None:
        with model.disable_adapter():
            _check(model, [])
            yield
    else:
        before = model.active_adapter
        learning = [p for p in model.parameters() if p.requires_grad]
        try:
            if before != adapter:
                model.set_adapter(adapter, inference_mode=True)
            _check(model, [adapter])
            yield
        finally:
            if before != adapter:
                model.set_adapter(before)
                model.requires_grad_(False)
                for weights in learning:
                    weights.requires_grad_(True)


def _check(model: PeftModel, wanted: list[str]) -> None:
    status = model.get_model_status()
    active = status.active_adapters if status.enabled is True else []
    if status.enabled not in (True, False) or list(active) != wanted:
        raise RuntimeError(f"asked for the adapters {wanted}, but {active} are active")


class _LowRank:
    """What LoRA adds to the outcome of a linear layer (Hu et al. 2021, arXiv:2106.09685)."""

    def __init__(self, layer: Any, adapters: Sequence[str], rows: Rows) -> None:
        self.rows = rows
        self.products = {
            name: (layer.lora_A[name].weight, layer.lora_B[name].weight, layer.scaling[name])
            for name in adapters
        }

    def __call__(
        self, layer: torch.nn.Module, given: tuple[torch.Tensor, ...], out: torch.Tensor
    ) -> None:
        if self.rows.spans and (out.dim() != 3 or len(out) != self.rows.all):
            raise RuntimeError("a layer that does not know its rows cannot adapt some of them")
        for name, span in self.rows.spans.items():
            if name not in self.products:
                continue
            down, up, scale = self.products[name]
            if down.dtype != out.dtype:
                down, up = down.to(out.dtype), up.to(out.dtype)
                self.products[name] = down, up, scale
            low = given[0][span].to(out.dtype).reshape(-1, given[0].shape[-1]) @ down.T
            out[span].view(-1, out.shape[-1]).addmm_(low, up.T, alpha=scale)
