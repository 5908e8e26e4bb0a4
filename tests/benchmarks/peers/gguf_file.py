"""Write a Llama checkpoint with byte-level BPE tokens as GGUF: `gguf_file.py FOLDER FILE TYPE`.

TYPE is bf16 or f16. Norms stay in float32, as llama.cpp wants them.
"""

import json
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors import safe_open

NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
OUTSIDE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
TYPES = {"bf16": gguf.GGMLQuantizationType.BF16, "f16": gguf.GGMLQuantizationType.F16}
FILE_TYPES = {"bf16": gguf.LlamaFileType.MOSTLY_BF16, "f16": gguf.LlamaFileType.MOSTLY_F16}


def write_gguf(folder: Path, file: Path, kind: str) -> None:
    """Write the weights, the shape and the tokenizer of a checkpoint folder into one file."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    writer = gguf.GGUFWriter(file, "llama")
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    width = config.get("head_dim") or config["hidden_size"] // heads
    writer.add_file_type(FILE_TYPES[kind])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_rope_dimension_count(width)
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    add_tokenizer(writer, folder, config)
    with safe_open(folder / "model.safetensors", framework="pt") as tensors:
        for name in tensors.keys():  # noqa: SIM118 - it is not a mapping
            values = tensors.get_tensor(name).float().numpy()
            if "q_proj" in name:
                values = interleaved(values, heads)
            elif "k_proj" in name:
                values = interleaved(values, kv_heads)
            if values.ndim == 1:
                writer.add_tensor(translated(name), values)
            else:
                packed = gguf.quants.quantize(values, TYPES[kind])
                writer.add_tensor(translated(name), packed, raw_dtype=TYPES[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def translated(name: str) -> str:
    stem, _, ending = name.rpartition(".")
    if stem in OUTSIDE:
        return f"{OUTSIDE[stem]}.{ending}"
    _, _, layer, part = stem.split(".", 3)
    return f"blk.{layer}.{NAMES[part]}.{ending}"


def interleaved(values: np.ndarray, heads: int) -> np.ndarray:
    """Order the rows of queries or keys as GGUF's rotary embedding has them: pairs side by side."""
    halves = values.reshape(heads, 2, len(values) // heads // 2, *values.shape[1:])
    return np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(values.shape)


def add_tokenizer(writer: gguf.GGUFWriter, folder: Path, config: dict[str, Any]) -> None:
    told = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    tokens = {number: token for token, number in told["model"]["vocab"].items()}
    added = {one["id"]: one for one in told["added_tokens"]}
    tokens |= {number: one["content"] for number, one in added.items()}
    every = range(config["vocab_size"])
    kinds = [
        gguf.TokenType.UNUSED if number not in tokens
        else gguf.TokenType.CONTROL if added.get(number, {}).get("special")
        else gguf.TokenType.NORMAL
        for number in every
    ]  # fmt: skip
    merges = [m if isinstance(m, str) else " ".join(m) for m in told["model"]["merges"]]
    digits = "Digits" in json.dumps(told["pre_tokenizer"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm" if digits else "gpt-2")
    writer.add_token_list([tokens.get(number, f"[PAD{number}]") for number in every])
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_eos_token_id(config["eos_token_id"])


if __name__ == "__main__":
    write_gguf(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
