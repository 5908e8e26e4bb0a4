"""Three sets of settings to choose from, which follow from the size of corpus and base."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainer.config import RunConfig, recommended

FEW, MANY = 300, 5_000  # examples
LARGE = 1_000_000_000  # parameters
PRESETS = ("quick look", "balanced", "thorough")


@dataclass(frozen=True)
class Preset:
    """Settings under a name, and a sentence on what they are for."""

    label: str
    sentence: str
    settings: Mapping[str, Any]


def presets(base: str, examples: int, parameters: int) -> Mapping[str, Preset]:
    """Settings for a quick look, for most cases, and for the best result.

    A quick look is a third of the balanced passes, and fewer where there are many examples: it
    shows whether it learns at all. Thorough is twice the passes over few examples, half more over
    many, with an adapter twice as wide; where a base is large, the largest step is halved as well,
    for it forgets more. Balanced is what is recommended for the base.
    """
    usual = {
        name: recommended(base).get(name, RunConfig.model_fields[name].default)
        for name in ("epochs", "learning_rate", "lora_rank", "lora_alpha")
    }
    epochs = usual["epochs"]
    short = max(1, round(epochs / 3)) if examples <= MANY else 1
    more = 2 if examples < FEW else 1.5 if examples <= MANY else 1
    wide = 2 if usual["lora_rank"] <= 64 else 1
    thorough = {
        "epochs": max(epochs + 1, round(epochs * more)),
        "lora_rank": usual["lora_rank"] * wide,
        "lora_alpha": usual["lora_alpha"] * wide,
    }
    if parameters >= LARGE:
        thorough["learning_rate"] = usual["learning_rate"] / 2
    return {
        "quick look": Preset(
            "Quick look",
            f"{_passes(short)} over {examples:,} examples: whether it learns at all.",
            {**recommended(base), "epochs": short},
        ),
        "balanced": Preset(
            "Balanced",
            f"{_passes(epochs)}: what suits most corpora and this base.",
            recommended(base),
        ),
        "thorough": Preset(
            "Thorough",
            f"{_passes(thorough['epochs'])} and an adapter twice as wide; it ends early when it "
            "stops getting better."
            if wide == 2
            else f"{_passes(thorough['epochs'])}; it ends early when it stops getting better.",
            {**recommended(base), **thorough},
        ),
    }


def _passes(epochs: float) -> str:
    return "One pass" if epochs == 1 else f"{epochs:g} passes"
