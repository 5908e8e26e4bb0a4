"""The kinds of export, and what each is for."""

from collections.abc import Mapping
from typing import Literal, get_args

Kind = Literal["adapter", "merged", "gguf", "4bit", "space"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MEANINGS: Mapping[Kind, str] = {
    "adapter": "what was learnt, by itself: small, and needs its base",
    "merged": "a whole model for Transformers, vLLM and others",
    "gguf": "one file for llama.cpp, Ollama and LM Studio",
    "4bit": "the base in 4 bits with the adapter beside it: a quarter of the memory",
    "space": "a Hugging Face Space: the page for visitors, with all it takes to answer",
}
