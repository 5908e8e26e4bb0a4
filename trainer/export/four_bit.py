"""The base in 4 bits as it was tuned on, and the adapter beside it."""

from pathlib import Path

from trainer.errors import ConfigError
from trainer.export.adapter import write_adapter
from trainer.export.talk import greedy, write_talk
from trainer.models import load_base
from trainer.runs import Run

ADAPTER = "adapter"


def refuse_four_bit(run: Run) -> None:
    """Raise `ConfigError` for a run whose adapter fits no base in 4 bits."""
    if run.config.quantization != "nf4":
        raise ConfigError(
            f"Run '{run.id}' was tuned on its base as it came, so its adapter fits no base in 4 "
            "bits. Export it merged instead."
        )


def write_four_bit(run: Run, folder: Path) -> None:
    """Write the base as bitsandbytes holds it, and the adapter; neither is rounded again.

    The sum of both, packed anew, drifts as far as the original weights do.
    """
    refuse_four_bit(run)
    base = load_base(run.config.base, quantization="nf4", frozen_weights="4-bit")
    base.model.generation_config = greedy(base)
    base.model.save_pretrained(folder)
    write_talk(run.config.base, folder)
    write_adapter(run, folder / ADAPTER)
