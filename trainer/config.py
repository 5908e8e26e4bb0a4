"""The settings of a run: the one place where a setting has a name, a range and a default."""

from collections.abc import Mapping
from typing import Any, Literal, Self

import pydantic
from pydantic import Field

from trainer.bundled import PREFIX
from trainer.errors import ConfigError

NAME = r"^[a-z0-9][a-z0-9-]{0,62}$"
HUB_ID = r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*"


class RunConfig(pydantic.BaseModel, frozen=True, extra="forbid"):
    """Everything that decides the outcome of a run, fixed when the run is created.

    It is written to `config.json` in the run directory. The worker reads it there and takes
    nothing from its command line or environment, so a run can be repeated from its directory.
    """

    base: str = Field(min_length=1, description="Bundled model, Hub id or folder of a chat model.")
    corpus: str = Field(pattern=NAME, description="Name of a corpus in the workspace.")
    version: int = Field(ge=1, description="Version of the corpus.")
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
        description="Examples a step. More is steadier and needs more memory. Usual: 4 to 32.",
    )
    max_length: int = Field(
        512,
        ge=32,
        le=8192,
        description="Tokens of question and answer together; what is longer is cut.",
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
        0.0, ge=0, lt=1, description="Share of the adapter switched off at each step. Usual: 0."
    )
    weight_decay: float = Field(
        0.0, ge=0, le=1, description="Pull of the adapter towards zero. Usual: 0 to 0.1."
    )
    warmup: float = Field(
        0.05, ge=0, lt=1, description="Share of the steps in which the learning rate grows."
    )
    early_stopping: bool = Field(
        True,
        description="End when validation loss has not improved for four checks. Where no answer "
        "has two wordings, validation only advises.",
    )
    quantization: Literal["nf4", "none"] = Field(
        "nf4", description="How the base is held in memory: 4 bits a weight, or as it came."
    )
    evaluate: bool = Field(True, description="Score base and tuned when tuning is done.")
    seed: int = Field(17, ge=0, lt=2**32, description="Fixes the shuffle and the adapter's start.")

    @classmethod
    def parse(cls, settings: Mapping[str, object]) -> Self:
        """Build a config from a form, a command line or a file, or say which setting is wrong.

        What is not set takes the default for that base. Raises `ConfigError`.
        """
        try:
            return cls.model_validate({**recommended(str(settings.get("base"))), **settings})
        except pydantic.ValidationError as error:
            raise ConfigError(_explain(error)) from None


def recommended(base: str) -> dict[str, Any]:
    """Settings that suit a base better than the defaults, which suit one of a billion parameters.

    The bundled bases are a hundred times smaller: they need more passes and larger steps, and
    can afford both.
    """
    if base.startswith(PREFIX):
        return {"epochs": 8, "learning_rate": 3e-3, "lora_rank": 32, "lora_alpha": 64}
    return {}


def _explain(error: pydantic.ValidationError) -> str:
    lines = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            known = ", ".join(RunConfig.model_fields)
            lines.append(f"{name}: no such setting. There are: {known}.")
        elif problem["type"] == "missing":
            lines.append(f"{name}: not set.")
        else:
            what = problem["msg"].removeprefix("Input ")
            lines.append(f"{name}: {what} (got {problem['input']!r}).")
    return "\n".join(lines)
