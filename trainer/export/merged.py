"""Base and adapter in one: the adapter is added to the values that the preview computes with."""

from dataclasses import replace
from pathlib import Path

import torch
from peft import PeftModel

from trainer.export.talk import greedy, write_talk
from trainer.models import Base, load_base
from trainer.runs import Run


def merge(run: Run, dtype: torch.dtype | None = None) -> Base:
    """Add the adapter of a run to its base, in another precision if asked to.

    A base that was tuned in 4 bits is unpacked first: the adapter fits those values, not the
    original ones that they were rounded from.
    """
    config = run.config
    base = load_base(config.base, quantization=config.quantization, frozen_weights="dequantised")
    model = base.model if dtype is None else base.model.to(dtype)
    adapted = PeftModel.from_pretrained(model, run.adapter)  # in float32: the sum is rounded once
    return replace(base, model=adapted.merge_and_unload())


def write_merged(run: Run, folder: Path, dtype: torch.dtype | None = None) -> None:
    """Write a checkpoint that Transformers loads by itself, in the preview's precision.

    Rounding the sum to bfloat16 moves logits by a third of what computing in bfloat16 does. In
    float16 it would be a twentieth, but some models overflow when they compute in it.
    """
    base = merge(run, dtype)
    base.model.generation_config = greedy(base)
    base.model.save_pretrained(folder)
    write_talk(run.config.base, folder)
