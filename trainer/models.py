"""Load a base model from what travels with Tandem, from a folder or from the Hub, in 4 bit."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    GenerationConfig,
    PreTrainedModel,
)

from trainer.bundled import PREFIX, bundled_bases
from trainer.chat_format import ChatFormat
from trainer.config import HUB_ID
from trainer.errors import ModelError


@dataclass(frozen=True)
class Base:
    """A base model in memory and how to talk to it. `model` may carry adapters."""

    name: str
    model: PreTrainedModel
    format: ChatFormat


def load_base(name: str, *, quantization: str = "nf4") -> Base:
    """Load a base model and its tokenizer; raises `ModelError`.

    Weights come from safetensors only and no code comes with them. `nf4` is QLoRA's 4-bit
    NormalFloat with double quantisation (Dettmers et al. 2023, arXiv:2305.14314), computing in
    bfloat16.
    """
    folder = find_base(name)
    four_bit = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    device = "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=torch.bfloat16,
            quantization_config=four_bit if quantization == "nf4" else None,
            device_map={"": device},
            use_safetensors=True,
            trust_remote_code=False,
        )
    except (OSError, ValueError) as error:
        raise ModelError(f"'{name}' cannot be loaded: {_first_line(error)}") from error

    chat_format = ChatFormat(tokenizer, name=name)
    keep_trainable(model)
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
        tokenizer = AutoTokenizer.from_pretrained(find_base(name), trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ModelError(f"'{name}' cannot be loaded: {_first_line(error)}") from error
    return ChatFormat(tokenizer, name=name)


def find_base(name: str) -> Path:
    """The folder of a base model, fetched from the Hub if need be; raises `ModelError`."""
    if name.startswith(PREFIX):
        bases = bundled_bases()
        if name not in bases:
            raise ModelError(f"No base is called '{name}'. Bundled: {', '.join(bases)}.")
        return bases[name]
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise ModelError(f"{folder} is not a model: it has no config.json.")
        return folder
    if not re.fullmatch(HUB_ID, name):
        raise ModelError(
            f"There is no base '{name}'. Give {', '.join(bundled_bases())}, the path of a folder, "
            "or a Hub id such as HuggingFaceTB/SmolLM2-135M-Instruct."
        )
    return fetch(name)


def fetch(hub_id: str) -> Path:
    """Download a model from the Hub, or find it in the Hub's cache; raises `ModelError`."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - only where the Hub is meant

    wanted = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt"]
    try:
        return Path(snapshot_download(hub_id, allow_patterns=wanted))
    except Exception as error:  # the Hub's client raises a dozen kinds; all mean the same here
        raise ModelError(
            f"'{hub_id}' could not be fetched from the Hub ({_first_line(error)}). Check the name "
            "and the network; for a private or gated model, log in with `hf auth login`."
        ) from error


def keep_trainable(model: torch.nn.Module) -> None:
    """Keep bitsandbytes from repacking 4-bit weights for CPUs with AVX512-BF16.

    A forward pass in eval mode repacks them in place and for good; later training steps then
    give adapters gradients of exactly zero. The packed kernel also fails on shapes that are
    not multiples of 64 (inputs) or 32 (outputs).
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def _ids(value: Any) -> list[int]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:300]
