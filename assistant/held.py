"""A base in memory with its adapters, each proven to be what it says and to be switched."""

from dataclasses import dataclass, field, replace
from typing import Any, Self

import torch
from peft import PeftModel, get_peft_model_state_dict
from safetensors import safe_open

from assistant.conversation import Side
from trainer.bases import first_line
from trainer.errors import ModelError
from trainer.models import Base, load_base
from trainer.runs import Run


@dataclass
class Held:
    """A base in memory, and what was found out about it."""

    name: str
    quantization: str
    base: Base
    untouched: torch.Tensor  # its logits for a probe question, before any adapter came
    adapters: dict[str, str] = field(default_factory=dict)  # run to the sha256 that was loaded
    together: dict[int, bool] = field(default_factory=dict)  # rows to whether a batch pays

    @classmethod
    def open(cls, side: Side) -> Self:
        """Load the base of a side; raises `ModelError`."""
        base = load_base(side.base, quantization=side.quantization, frozen_weights="auto")
        untouched = _probe(base)
        if not torch.isfinite(untouched).all():
            raise ModelError(
                f"'{side.base}' cannot be used: its weights give no numbers. Fetch or copy it "
                "again."
            )
        return cls(side.base, side.quantization, base, untouched)

    def take(self, run: Run) -> None:
        """Have the adapter of a run on the base as it is on the disk now.

        Raises `ModelError`; what is in memory is then not to be used any more.
        """
        sha256, model = run.adapter_hash, self._load(run)
        if missing := _missing(model, run):
            raise ModelError(
                f"The adapter of '{run.id}' cannot be used: {len(missing)} of its weights are "
                f"missing from its file, such as {min(missing)}. Tune again."
            )
        if run.adapter_hash != sha256:
            raise ModelError(f"The adapter of '{run.id}' changed while it was loaded. Ask again.")
        self._check_switch(model, run.id)
        self.adapters[run.id] = sha256

    def check_apart(self) -> None:
        """Raise `ModelError` where an adapter is no longer apart from the base."""
        model: Any = self.base.model
        if self.adapters and model.get_model_status().merged_adapters:
            raise ModelError(
                "An adapter has become part of the base in memory, so nobody could tell which "
                "weights answer. Ask again: the base is loaded anew."
            )

    def _load(self, run: Run) -> Any:
        model: Any = self.base.model
        try:
            if not isinstance(model, PeftModel):
                model = PeftModel.from_pretrained(model, run.adapter, adapter_name=run.id)
                self.base = replace(self.base, model=model)
            else:
                if self.adapters.pop(run.id, None):
                    model.delete_adapter(run.id)
                model.load_adapter(run.adapter, adapter_name=run.id)
        except Exception as error:  # PEFT lets through whatever its files bring about
            raise ModelError(
                f"The adapter of '{run.id}' cannot be loaded: {first_line(error)}"
            ) from error
        return model

    def _check_switch(self, model: Any, name: str) -> None:
        """Show once that the switch works: off is the base bit for bit, on is something else."""
        model.set_adapter(name)
        with model.disable_adapter():
            off = _probe(self.base)
        on = _probe(self.base)
        usable = torch.isfinite(on).all() and not torch.equal(on, off)
        if not torch.equal(off, self.untouched) or not usable:
            raise ModelError(
                f"The adapter of '{name}' cannot be switched on and off cleanly, so nobody could "
                "tell which weights answer. Tune again."
            )


def _missing(model: Any, run: Run) -> set[str]:
    """Weights that an adapter should have and its file has not: PEFT draws them at random."""
    with safe_open(run.adapter / "adapter_model.safetensors", framework="pt") as file:
        return set(get_peft_model_state_dict(model, adapter_name=run.id)) - set(file.keys())


def _probe(base: Base) -> torch.Tensor:
    ids = torch.tensor([base.format.prompt([{"role": "user", "content": "Who are you?"}])])
    with torch.inference_mode():
        logits: torch.Tensor = base.model(input_ids=ids.to(base.model.device)).logits[0, -1]
    return logits.clone()
