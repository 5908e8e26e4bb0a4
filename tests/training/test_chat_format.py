"""The same tokens for tuning, scoring and chatting, in every template there is."""

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from trainer.bundled import bundled_bases
from trainer.chat_format import ChatFormat
from trainer.errors import ModelError

QUESTION = [{"role": "user", "content": "How long?"}]
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
    "{% else %} {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
)


def load(folder: Path) -> ChatFormat:
    return ChatFormat(AutoTokenizer.from_pretrained(folder), name=folder.name)


def said(chat_format: ChatFormat) -> tuple[str, str]:
    tokenizer: Any = chat_format.tokenizer
    return (
        tokenizer.decode(chat_format.prompt(QUESTION)),
        tokenizer.decode(chat_format.answer("Thirty days.")),
    )


def test_the_bundled_base_speaks_chatml_and_ends_its_answers() -> None:
    (folder,) = bundled_bases().values()
    prompt, answer = said(load(folder))
    assert prompt == "<|im_start|>user\nHow long?<|im_end|>\n<|im_start|>assistant\n"
    assert answer == "Thirty days.<|im_end|>"


def test_smollm2_puts_its_own_system_prompt_first(shared: Path) -> None:
    prompt, answer = said(load(shared / "models/tokenizers/smollm2-instruct"))
    assert prompt.startswith("<|im_start|>system\nYou are a helpful AI assistant")
    assert prompt.endswith("<|im_start|>user\nHow long?<|im_end|>\n<|im_start|>assistant\n")
    assert answer == "Thirty days.<|im_end|>"


def test_qwen3_is_asked_without_thinking_and_taught_the_answer_alone(shared: Path) -> None:
    prompt, answer = said(load(shared / "models/tokenizers/qwen3"))
    assert prompt.endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert answer == "Thirty days.<|im_end|>"


def test_phi3_stops_at_the_end_of_its_turn_not_at_the_end_of_text(shared: Path) -> None:
    tokenizer: Any = AutoTokenizer.from_pretrained(shared / "models/tokenizers/phi-3-mini")
    chat_format = ChatFormat(tokenizer, name="phi-3")
    assert tokenizer.convert_ids_to_tokens(chat_format.end) == "<|end|>"
    assert tokenizer.eos_token != "<|end|>"


def test_mistral_gets_one_begin_of_text_and_the_space_belongs_to_the_answer(shared: Path) -> None:
    tokenizer: Any = AutoTokenizer.from_pretrained(shared / "models/tokenizers/mistral-7b-v0.1")
    tokenizer.chat_template = MISTRAL
    chat_format = ChatFormat(tokenizer, name="mistral")
    prompt, answer = chat_format.prompt(QUESTION), chat_format.answer("Thirty days.")
    assert prompt.count(tokenizer.bos_token_id) == 1
    assert tokenizer.convert_ids_to_tokens(answer)[0].startswith("▁")
    assert answer[-1] == tokenizer.eos_token_id


def test_a_model_without_template_is_no_chat_model(shared: Path) -> None:
    tokenizer: Any = AutoTokenizer.from_pretrained(shared / "models/tokenizers/mistral-7b-v0.1")
    tokenizer.chat_template = None
    with pytest.raises(ModelError, match="'mistral' has no chat template"):
        ChatFormat(tokenizer, name="mistral")
