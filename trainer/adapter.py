"""An adapter: put on a frozen base before tuning, left in the run directory after it."""

import shutil

import torch
from peft import LoraConfig, PeftModel, get_peft_model

from trainer.checkpoints import flush
from trainer.config import RunConfig
from trainer.errors import ConfigError
from trainer.frozen import quicken
from trainer.models import Base
from trainer.runs import Run


def add_adapter(base: Base, config: RunConfig) -> PeftModel:
    """Put a new adapter, the only weights that learn, on a frozen base."""
    targets: str | list[str] = "all-linear"
    if config.lora_targets == "attention":
        targets = attention_layers(base)
    model = get_peft_model(
        base.model,
        LoraConfig(
            r=config.lora_rank,
            lora_alpha=config.lora_alpha,
            lora_dropout=config.lora_dropout,
            target_modules=targets,
            task_type="CAUSAL_LM",
        ),
    )
    quicken(model)
    if config.recompute:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
    return model


def attention_layers(base: Base) -> list[str]:
    """The names of the linear layers inside attention blocks, whatever a model calls them."""
    named = base.model.named_modules()
    linear = [name for name, module in named if isinstance(module, torch.nn.Linear)]
    found = {name.split(".")[-1] for name in linear if "attn" in name or "attention" in name}
    if not found:
        raise ConfigError(f"'{base.name}' has no attention layers by name: use all-linear.")
    return sorted(found)


def save_adapter(model: PeftModel, run: Run) -> None:
    """Leave a whole adapter: it is renamed into place last, and one that was there goes then."""
    partial, before = run.path / "adapter.partial", run.path / "adapter.before"
    place = run.path / "adapter"
    try:
        model.save_pretrained(partial)
        for file in partial.iterdir():
            flush(file)
        if place.exists():
            shutil.rmtree(before, ignore_errors=True)
            place.rename(before)
        partial.rename(place)
        flush(run.path)
        shutil.rmtree(before, ignore_errors=True)
    except Exception:
        shutil.rmtree(partial, ignore_errors=True)  # room to say what went wrong
        raise
