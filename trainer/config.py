"""The settings of a run: the one place where a setting has a name, a range and a default."""

from collections.abc import Mapping
from typing import Any, Literal, Self

import pydantic
from pydantic import Field

from trainer.bundled import PREFIX
from trainer.errors import ConfigError

NAME = r"^[a-z0-9][a-z0-9-]{0,62}$"
RUN_ID = r"^[A-Za-z0-9][A-Za-z0-9.-]*$"
HUB_ID = r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*"
MOST_TAUGHT = 100  # taught questions that scoring asks again, to see overfitting
PATIENCE = 4  # checks without a better validation loss before early stopping ends the run


class RunConfig(pydantic.BaseModel, frozen=True, extra="forbid"):
    """Everything that decides the outcome of a run, fixed when the run is created.

    It is written to `config.json` in the run directory. The worker reads it there and takes
    nothing from its command line or environment, so a run can be repeated from its directory.
    """

    base: str = Field(min_length=1, description="Bundled model, Hub id or folder of a chat model.")
    corpus: str = Field(pattern=NAME, description="Name of a corpus in the workspace.")
    version: int = Field(ge=1, description="Version of the corpus.")
    continues: str | None = Field(
        None,
        pattern=RUN_ID,
        description="Id of a run whose adapter is where this one begins; none: a new adapter.",
    )
    method: Literal["qlora", "lora"] = Field(
        "qlora",
        description="An adapter on a base held in 4 bits a weight (qlora), or on the base as it "
        "came (lora): up to four times the memory, and a little closer to the original.",
    )
    epochs: float = Field(
        3,
        gt=0,
        le=100,
        description="Passes over the training examples. Too few: the answers are not learnt. "
        "Too many: slower, and the model starts to recite. Usual: 2 to 15.",
    )
    learning_rate: float = Field(
        2e-4,
        gt=0,
        lt=1e-1,
        description="Size of the largest step. Too low: nothing changes. Too high: the loss jumps "
        "and answers turn to gibberish. Usual: 0.0001 to 0.005, more for smaller bases.",
    )
    batch_size: int = Field(
        8,
        ge=1,
        le=256,
        description="Examples held in memory at once. More is faster and needs more memory. "
        "Usual: 4 to 32.",
    )
    accumulation: int = Field(
        1,
        ge=1,
        le=64,
        description="Batches a step of learning is made from. A batch of 4 taken twice teaches "
        "what a batch of 8 does, in half of the memory. Usual: 1 to 8.",
    )
    max_length: int = Field(
        512,
        ge=32,
        le=8192,
        description="Tokens of question and answer together; what is longer is cut.",
    )
    optimizer: Literal["adamw", "adamw8bit"] = Field(
        "adamw",
        description="What turns gradients into steps. adamw8bit keeps its memory of them in 8 "
        "bits; that pays on large adapters.",
    )
    schedule: Literal["linear", "cosine", "constant"] = Field(
        "linear",
        description="How the learning rate falls after the warm-up: in a line, in a curve that "
        "stays high for longer, or not at all.",
    )
    warmup: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="Share of the steps in which the learning rate grows. Too little: the first "
        "steps may throw the model off. Usual: 0 to 0.1.",
    )
    weight_decay: float = Field(
        0.0, ge=0, le=1, description="Pull of the adapter towards zero. Usual: 0 to 0.1."
    )
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of certainty given to all other words: less reciting, and a higher "
        "loss by nature. Usual: 0 to 0.1.",
    )
    lora_rank: int = Field(
        16,
        ge=1,
        le=256,
        description="Width of the adapter. Wider learns more and is slower. Usual: 8 to 64.",
    )
    lora_alpha: int = Field(
        32, ge=1, le=1024, description="Weight of the adapter; usually twice the rank."
    )
    lora_dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the adapter switched off at each step. Usual: 0 to 0.1.",
    )
    lora_targets: Literal["all-linear", "attention"] = Field(
        "all-linear",
        description="Which layers get an adapter: all, or those of attention alone, which is "
        "faster and learns less.",
    )
    early_stopping: bool = Field(
        True,
        description="End when validation loss has not improved for four checks. Where no answer "
        "has two wordings, validation only advises.",
    )
    recompute: bool = Field(
        False,
        description="Compute activations twice instead of keeping them: about a third slower, "
        "and much less memory for long texts.",
    )
    frozen_weights: Literal["auto", "4-bit", "dequantised"] = Field(
        "auto",
        description="Unpack the base's 4-bit weights at every use, or once: the same values, "
        "faster, four times their memory. auto: once where memory allows it.",
    )
    processes: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes that share each step's work, one a GPU; 1 on a CPU.",
    )
    report_to: Literal["none", "trackio", "tensorboard", "wandb"] = Field(
        "none",
        description="Another program that shall show the run, too; it has to be installed.",
    )
    evaluate: bool = Field(True, description="Score base and tuned when tuning is done.")
    seed: int = Field(17, ge=0, lt=2**32, description="Fixes the shuffle and the adapter's start.")

    @property
    def quantization(self) -> Literal["nf4", "none"]:
        """How the base is held: `load_base` takes it."""
        return "nf4" if self.method == "qlora" else "none"

    @classmethod
    def parse(cls, settings: Mapping[str, object]) -> Self:
        """Build a config from a form, a command line or a file, or say which setting is wrong.

        What is not set takes the default for that base. Raises `ConfigError`.
        """
        try:
            return cls.model_validate({**recommended(str(settings.get("base"))), **settings})
        except pydantic.ValidationError as error:
            raise ConfigError(explain(error, cls)) from None


def recommended(base: str) -> dict[str, Any]:
    """Settings that suit a base better than the defaults, which suit one of a billion parameters.

    The bundled bases are a hundred times smaller: they need more passes and larger steps, and
    can afford both.
    """
    if base.startswith(PREFIX):
        return {"epochs": 8, "learning_rate": 3e-3, "lora_rank": 32, "lora_alpha": 64}
    return {}


def explain(error: pydantic.ValidationError, settings: type[pydantic.BaseModel]) -> str:
    """Say in words which settings are wrong, a line for each."""
    lines = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            known = ", ".join(settings.model_fields)
            lines.append(f"{name}: no such setting. There are: {known}.")
        elif problem["type"] == "missing":
            lines.append(f"{name}: not set.")
        else:
            what = problem["msg"].removeprefix("Input ")
            lines.append(f"{name}: {what} (got {problem['input']!r}).")
    return "\n".join(lines)
