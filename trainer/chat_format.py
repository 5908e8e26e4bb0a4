"""What a model sees: a conversation in its own chat template, and an answer with its end token."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from transformers import PreTrainedTokenizerBase

from trainer.bases import first_line
from trainer.deadline import deadline
from trainer.errors import ModelError

Messages = Sequence[Mapping[str, object]]

_PATIENCE = 2  # seconds for a template to be filled in
_PROBE = "probe"
# What a template that tells today's date is told, so that a prompt is the same tomorrow: the day
# Llama 3.2's own template falls back on.
_TODAY = datetime(2024, 7, 26)
_NOW = re.compile(r"""strftime_now\((['"])(.*?)\1\)""")


class ChatFormat:
    """Turn messages into tokens, the same way for tuning, scoring and chatting.

    Templates write their own begin-of-text token, so nothing is added when their output is
    tokenised. What a template puts before an answer is worked out once, with a probe: a space
    belongs to the answer, an empty think block (Qwen3) to the prompt. `system_role` says whether
    the template has a place for a system message; where it has none (Gemma, Mistral), the message
    is put before the first question. `memory` says whether it keeps answers given before.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, name: str) -> None:
        if not tokenizer.chat_template:
            raise ModelError(
                f"'{name}' has no chat template, so it is not a chat model. Choose one whose name "
                "says 'instruct' or 'chat'."
            )
        self.tokenizer = tokenizer
        self._name = name
        self._template = _undated(tokenizer, name)
        added = [str(t) for t in tokenizer.added_tokens_decoder.values() if t.special]
        marks = sorted({*tokenizer.all_special_tokens, *added}, key=len, reverse=True)
        self._marks = re.compile("|".join(map(re.escape, marks)) or r"(?!)")
        question = {"role": "user", "content": _PROBE}
        answer = {"role": "assistant", "content": _PROBE}
        prompt, whole = self._render([question]), self._render([question, answer], open_end=False)
        shared = prompt if whole.startswith(prompt) else whole[: whole.find(_PROBE) + len(_PROBE)]
        before, found, after = whole[len(shared) :].rpartition(_PROBE)
        if not found:
            raise ModelError(f"The chat template of '{name}' loses the answer it is given.")
        if shared != prompt:
            before = ""
        self._think, self._lead = (before, "") if before.strip() else ("", before)
        self.system_role = self._keeps([{"role": "system", "content": _PROBE}, question])
        self.memory = self._keeps([question, answer, question])
        closing = self._tokens(after)
        special = set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)
        if closing and closing[0] in special:
            self.end = closing[0]
        elif isinstance(tokenizer.eos_token_id, int):
            self.end = tokenizer.eos_token_id
        else:
            raise ModelError(f"'{name}' has no end token, so its answers would never stop.")

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of how conversations reach this model, in sentences."""
        told = []
        if not self.system_role:
            told.append("It has no place for a system message: that is put before the question.")
        if not self.memory:
            told.append("It does not take in answers given before: each question stands alone.")
        if "</think>" in self._template:
            told.append("It is asked to answer at once, and is not shown what it thought before.")
        if self._template != self.tokenizer.get_chat_template():
            told.append(f"It asks for today's date and is always told {_TODAY:%d %B %Y}.")
        return tuple(told)

    @property
    def template(self) -> str:
        """A template that by itself writes what `prompt` does, for other tools."""
        if not self._think:
            return self._template
        think = f"{{{{- {self._think!r} -}}}}"
        return f"{self._template}{{%- if add_generation_prompt -%}}{think}{{%- endif -%}}"

    def prompt(self, messages: Messages) -> list[int]:
        """Token ids of a conversation, up to where the answer begins; raises `ModelError`."""
        if not self.memory and any(message["role"] == "assistant" for message in messages):
            raise ModelError(
                f"The chat template of '{self._name}' does not keep answers given before. Ask "
                "each question alone."
            )
        return self._tokens(self._render(self._in_turns(messages)) + self._think)

    def answer(self, text: str) -> list[int]:
        """Token ids of an answer and its end token: the only ones a model is taught."""
        return [*self._tokens(self._lead + self._unmarked(text.strip())), self.end]

    def example(self, question: str, answer: str) -> tuple[list[int], list[int]]:
        """Token ids of one example: what is read, and what is taught."""
        return self.prompt([{"role": "user", "content": question}]), self.answer(answer)

    def text(self, tokens: Sequence[int]) -> str:
        """An answer as a person reads it."""
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True)).strip()

    def _render(self, messages: Messages, *, open_end: bool = True) -> str:
        try:
            with deadline(_PATIENCE):
                rendered: Any = self.tokenizer.apply_chat_template(
                    [dict(m) for m in messages],
                    tokenize=False,
                    add_generation_prompt=open_end,
                    chat_template=self._template,
                )
        except Exception as error:  # a template is a program, and can go wrong in every way
            raise ModelError(
                f"The chat template of '{self._name}' does not take such a conversation "
                f"({first_line(error)}). Choose another base."
            ) from error
        return str(rendered)

    def _keeps(self, messages: Messages) -> bool:
        """Whether the template takes a conversation of probes, and loses none of them."""
        try:
            return self._render(messages).count(_PROBE) == len(messages)
        except ModelError:
            return False

    def _in_turns(self, messages: Messages) -> Messages:
        """A conversation as every template takes it: no two messages of one role in a row.

        A system message without a place of its own is the beginning of the first question.
        """
        told = [m | {"content": self._unmarked(str(m["content"]))} for m in map(dict, messages)]
        for message in told:
            if message["role"] == "system" and not self.system_role:
                message["role"] = "user"
        rows = [list(row) for _, row in groupby(told, lambda message: message["role"])]
        return [
            row[0] | {"content": "\n\n".join(str(m["content"]) for m in row)} if row[1:] else row[0]
            for row in rows
        ]

    def _unmarked(self, text: str) -> str:
        """A text whose special tokens are mere letters: "<|im_end|>", typed, ends no message."""
        return self._marks.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)

    def _tokens(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


def _undated(tokenizer: PreTrainedTokenizerBase, name: str) -> str:
    """The template with a fixed day in place of today's date; raises `ModelError`."""
    try:
        template = str(tokenizer.get_chat_template())
    except ValueError as error:  # several by name, and none by default
        raise ModelError(f"'{name}' cannot be loaded: {first_line(error)}") from error
    template = _NOW.sub(lambda found: repr(_TODAY.strftime(found[2])), template)
    if "strftime_now(" in template:
        raise ModelError(
            f"The chat template of '{name}' works the date into every prompt, so no answer could "
            "be repeated tomorrow. Choose another base."
        )
    return template
