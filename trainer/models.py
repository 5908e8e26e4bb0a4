"""Load a base model from what travels with Tandem, from a folder or from the Hub, in 4 bit."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    GenerationConfig,
    PreTrainedModel,
)

from trainer.bases import find_base, first_line
from trainer.chat_format import ChatFormat
from trainer.errors import ModelError
from trainer.frozen import unpack_weights


@dataclass(frozen=True)
class Base:
    """A base model in memory and how to talk to it. `model` may carry adapters."""

    name: str
    model: PreTrainedModel
    format: ChatFormat


def load_base(name: str, *, quantization: str = "nf4", frozen_weights: str = "4-bit") -> Base:
    """Load a base model and its tokenizer; raises `ModelError`.

    Weights come from safetensors only and no code comes with them. `nf4` is QLoRA's 4-bit
    NormalFloat with double quantisation (Dettmers et al. 2023, arXiv:2305.14314), computing in
    bfloat16 where the processor does. `frozen_weights` is what `unpack_weights` takes.
    """
    folder = find_base(name, chat=True)
    place = os.environ.get("LOCAL_RANK", "0")  # among the processes that tune together
    device = f"cuda:{place}" if torch.cuda.is_available() else "cpu"
    dtype = arithmetic(device)
    four_bit = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        model, told = AutoModelForCausalLM.from_pretrained(
            folder,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # refused below, in words
            dtype=dtype,
            quantization_config=four_bit if quantization == "nf4" else None,
            device_map={"": device},
            use_safetensors=True,
            trust_remote_code=False,
        )
    except Exception as error:  # whatever the files of a base bring about in Transformers
        raise ModelError(
            f"'{name}' cannot be loaded: {_why(folder) or first_line(error)}"
        ) from error
    _refuse_invented(name, [*told["missing_keys"], *(key for key, *_ in told["mismatched_keys"])])

    chat_format = ChatFormat(tokenizer, name=name)
    keep_trainable(model)
    unpack_weights(model, frozen_weights)
    stops = {chat_format.end, tokenizer.eos_token_id, *_ids(model.generation_config.eos_token_id)}
    stops.discard(None)
    pad = tokenizer.pad_token_id
    # A checkpoint brings sampling settings of its own; here the caller decides.
    model.generation_config = GenerationConfig(
        eos_token_id=sorted(stops), pad_token_id=chat_format.end if pad is None else pad
    )
    model.eval()
    return Base(name, model, chat_format)


def load_format(name: str) -> ChatFormat:
    """Load only the tokenizer and template of a base; raises `ModelError`."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            find_base(name, chat=True), trust_remote_code=False
        )
    except Exception as error:  # as above
        raise ModelError(f"'{name}' cannot be loaded: {first_line(error)}") from error
    return ChatFormat(tokenizer, name=name)


def arithmetic(device: str) -> torch.dtype:
    """Return bfloat16 where the processor multiplies it by itself, and float32 elsewhere.

    A processor without instructions for bfloat16 is slower in it than in float32.
    """
    if device == "cpu":
        found = torch.cpu.get_capabilities()
        fast = any(has for name, has in found.items() if "bf16" in name)
    else:
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if fast else torch.float32


def keep_trainable(model: torch.nn.Module) -> None:
    """Keep bitsandbytes from repacking 4-bit weights for CPUs with AVX512-BF16.

    A forward pass in eval mode repacks them in place and for good; later training steps then
    give adapters gradients of exactly zero. The packed kernel also fails on shapes that are
    not multiples of 64 (inputs) or 32 (outputs).
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def _refuse_invented(name: str, weights: Sequence[str]) -> None:
    """Refuse weights that the files lack: Transformers draws them at random and goes on."""
    if weights:
        raise ModelError(
            f"'{name}' cannot be loaded: {len(weights)} of its weights are missing from its files "
            f"or of another size than config.json says, such as {min(weights)}. Fetch or copy it "
            "again."
        )


def _why(folder: Path) -> str:
    """Which file of weights is damaged, if one is."""
    for file in sorted(folder.glob("*.safetensors")):
        try:
            safe_open(file, framework="pt")
        except SafetensorError as error:
            return f"{file.name} is damaged ({first_line(error)}). Fetch or copy it again."
    return ""


def _ids(value: Any) -> list[int]:
    return value if isinstance(value, list) else [] if value is None else [value]
