"""One file for llama.cpp and what stands on it, such as Ollama and LM Studio.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. What llama.cpp expects of
each kind of model is what its own converter writes.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType
from gguf.constants import MODEL_ARCH
from gguf.quants import quantize
from gguf.tensor_mapping import get_tensor_name_map

from trainer.bases import find_base
from trainer.chat_format import ChatFormat
from trainer.errors import ModelError
from trainer.export.merged import merge
from trainer.export.modelfile import write_modelfile
from trainer.export.vocabulary import add_vocabulary, splitting
from trainer.models import Base, load_format
from trainer.runs import Run

FILE = "model.gguf"
PRECISIONS = {
    "f16": (GGMLQuantizationType.F16, LlamaFileType.MOSTLY_F16),
    "bf16": (GGMLQuantizationType.BF16, LlamaFileType.MOSTLY_BF16),
    "f32": (GGMLQuantizationType.F32, LlamaFileType.ALL_F32),
}


@dataclass(frozen=True)
class _Kind:
    """What llama.cpp calls a kind of model; `turned`: it wants queries and keys in Meta's order."""

    arch: MODEL_ARCH
    turned: bool = False


_KINDS: Mapping[str, _Kind] = {
    "LlamaForCausalLM": _Kind(MODEL_ARCH.LLAMA, turned=True),
    "MistralForCausalLM": _Kind(MODEL_ARCH.LLAMA, turned=True),
    "Qwen2ForCausalLM": _Kind(MODEL_ARCH.QWEN2),
    "Qwen3ForCausalLM": _Kind(MODEL_ARCH.QWEN3),
}


def refuse_gguf(name: str) -> None:
    """Raise `ModelError` for a base that cannot be written as GGUF here, before it is loaded."""
    config = json.loads((find_base(name, chat=True) / "config.json").read_text(encoding="utf-8"))
    kind = " ".join(config.get("architectures") or [])
    why = ""
    if kind not in _KINDS:
        why = f"it is a {kind}, and only {', '.join(_KINDS)} are known here"
    elif config.get("sliding_window") and config.get("use_sliding_window", True):
        why = "its attention looks back a fixed way only, which is not known here"
    elif splitting(load_format(name).tokenizer) is None:
        why = "its tokenizer parts words in a way that is not known here"
    if why:
        raise ModelError(
            f"'{name}' cannot be written as GGUF: {why}. Export it merged, and let llama.cpp's own "
            "convert_hf_to_gguf.py write the file from that folder."
        )


def write_gguf(run: Run, folder: Path, precision: str = "f16") -> None:
    """Write base and adapter in one file, and a Modelfile beside it."""
    refuse_gguf(run.config.base)
    base = merge(run, torch.float32)
    folder.mkdir(parents=True)
    write_weights(base, folder / FILE, precision, name=run.id)
    write_modelfile(base, folder / "Modelfile", FILE)


def write_weights(base: Base, file: Path, precision: str, *, name: str) -> None:
    """Write a model of a known kind with its tokenizer and template."""
    config: Any = base.model.config
    kind = _KINDS[config.architectures[0]]
    stored, file_type = PRECISIONS[precision]
    writer = GGUFWriter(file, arch=kind.arch.name.lower())
    writer.add_name(name)
    writer.add_file_type(file_type)
    _add_shape(writer, config)
    add_vocabulary(writer, base.format.tokenizer, config.vocab_size)
    _add_talk(writer, base.format)
    names = get_tensor_name_map(kind.arch, config.num_hidden_layers)
    for known, weights in base.model.state_dict().items():
        if known == "lm_head.weight" and config.tie_word_embeddings:
            continue
        if kind.turned and (part := re.search(r"\.([qk])_proj\.", known)):
            heads = config.num_attention_heads if part[1] == "q" else config.num_key_value_heads
            weights = _turn(weights, heads)
        called = names.get_name(known, try_suffixes=(".weight", ".bias"))
        if called is None:
            raise ModelError(
                f"'{base.name}' cannot be written as GGUF: {known} has no place in it."
            )
        kept = stored if weights.ndim > 1 else GGMLQuantizationType.F32
        values = quantize(weights.float().contiguous().numpy(), kept)
        writer.add_tensor(called, values, raw_dtype=kept)
    if (factors := _slowed(base)) is not None:
        writer.add_tensor("rope_freqs.weight", factors.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_shape(writer: GGUFWriter, config: Any) -> None:
    heads = config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(width)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])


def _add_talk(writer: GGUFWriter, chat_format: ChatFormat) -> None:
    """The template and the tokens that end an answer; templates write their own beginning."""
    tokenizer: Any = chat_format.tokenizer
    writer.add_chat_template(without_marks(chat_format.template))
    writer.add_eos_token_id(
        chat_format.end if tokenizer.eos_token_id is None else tokenizer.eos_token_id
    )
    writer.add_eot_token_id(chat_format.end)
    if tokenizer.bos_token_id is not None:
        writer.add_bos_token_id(tokenizer.bos_token_id)
    if tokenizer.pad_token_id is not None:
        writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)


def without_marks(template: str) -> str:
    """A template without `{% generation %}`, which only Transformers knows; blanks stay."""
    opened = re.sub(r"\{%(-?)\s*generation\s*(-?)%\}", r"{%\1 if true \2%}", template)
    return re.sub(r"\{%(-?)\s*endgeneration\s*(-?)%\}", r"{%\1 endif \2%}", opened)


def _turn(weights: torch.Tensor, heads: int) -> torch.Tensor:
    """Put the halves of each head beside each other, as llama.cpp turns positions into angles."""
    parted = weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:])
    return parted.swapaxes(1, 2).reshape(weights.shape)


def _slowed(base: Base) -> torch.Tensor | None:
    """By how much each frequency of the positions is slowed down (Llama 3.1), if any is."""
    config, rotary = base.model.config, base.model.model.rotary_emb
    width = 2 * len(rotary.inv_freq)
    powers = torch.arange(0, width, 2, dtype=torch.float32) / width
    plain = 1.0 / config.rope_parameters["rope_theta"] ** powers
    factors = (plain / rotary.inv_freq.float().cpu()).contiguous()
    if torch.allclose(factors, torch.ones_like(factors), rtol=1e-3):
        return None
    if config.rope_parameters["rope_type"] != "llama3":
        raise ModelError(
            f"'{base.name}' cannot be written as GGUF: its positions are stretched in a way that "
            "is not known here. Export it merged, and let llama.cpp's own convert_hf_to_gguf.py "
            "write the file from that folder."
        )
    return factors
