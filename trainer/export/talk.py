"""How to talk to an export: tokenizer, chat template, and where an answer ends."""

from pathlib import Path

from transformers import GenerationConfig

from trainer.chat_format import ChatFormat
from trainer.models import Base, load_format
from trainer.sampling import GREEDY


def write_talk(base_name: str, folder: Path) -> ChatFormat:
    """Write the tokenizer of a base, with the template as it is used here."""
    chat_format = load_format(base_name)
    chat_format.tokenizer.chat_template = chat_format.template
    chat_format.tokenizer.save_pretrained(folder)
    return chat_format


def greedy(base: Base) -> GenerationConfig:
    """The settings under which other tools answer as the preview does, stop tokens included."""
    known = base.model.generation_config
    return GenerationConfig(
        do_sample=False,
        max_new_tokens=GREEDY.most_new_tokens,
        eos_token_id=known.eos_token_id,
        pad_token_id=known.pad_token_id,
    )
