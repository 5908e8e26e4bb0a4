"""A tokenizer as llama.cpp holds it: tokens, what kind each is, merges, and how words are parted.

llama.cpp has its own code for each way of parting a text before tokens are merged; the name of the
way is all that is written. A tokenizer whose way is not listed here is refused rather than guessed.
"""

import json
from collections.abc import Mapping
from typing import Any

from gguf import GGUFWriter, TokenType
from transformers import PreTrainedTokenizerBase

_LETTERS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_WAYS: Mapping[tuple[str, ...], str] = {
    ("ByteLevel by words",): "gpt-2",
    ("Digits", "ByteLevel by words"): "smollm",
    (_LETTERS + r"\p{N}{1,3}" + _REST, "ByteLevel"): "llama-bpe",
    (_LETTERS + r"\p{N}" + _REST, "ByteLevel"): "qwen2",
}


def splitting(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """What llama.cpp calls the way this tokenizer parts a text; None: it has no name here."""
    described = _described(tokenizer)
    if described["model"]["type"] != "BPE" or described["model"].get("byte_fallback"):
        return None
    before = described["pre_tokenizer"] or {}
    steps = before.get("pretokenizers", [before])
    return _WAYS.get(tuple(_step(step) for step in steps))


def add_vocabulary(writer: GGUFWriter, tokenizer: PreTrainedTokenizerBase, size: int) -> None:
    """Write a byte-level BPE tokenizer; places that the model has beyond its tokens stay unused."""
    named = {number: text for text, number in tokenizer.get_vocab().items()}
    added = tokenizer.added_tokens_decoder
    tokens, kinds = [], []
    for number in range(size):
        if number not in named:
            tokens.append(f"[PAD{number}]")
            kinds.append(TokenType.UNUSED)
        elif number in added:
            tokens.append(added[number].content)
            kinds.append(TokenType.CONTROL if added[number].special else TokenType.USER_DEFINED)
        else:
            tokens.append(named[number])
            kinds.append(TokenType.NORMAL)
    merges = _described(tokenizer)["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(splitting(tokenizer) or "")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in merges])


def _described(tokenizer: Any) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(tokenizer.backend_tokenizer.to_str())
    return described


def _step(step: Mapping[str, Any]) -> str:
    """One step of parting a text, told so that what matters is compared."""
    match step:
        case {"type": "ByteLevel", "add_prefix_space": False, "use_regex": regex}:
            return "ByteLevel by words" if regex else "ByteLevel"
        case {"type": "Digits", "individual_digits": True}:
            return "Digits"
        case {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated"}:
            return str(pattern)
    return "unknown"
