"""What a model sees: a conversation in its own chat template, and an answer with its end token."""

from collections.abc import Mapping, Sequence
from typing import Any

from transformers import PreTrainedTokenizerBase

from trainer.errors import ModelError

_PROBE = "probe"


class ChatFormat:
    """Turn messages into tokens, the same way for tuning, scoring and chatting.

    Templates write their own begin-of-text token, so nothing is added when their output is
    tokenised. What a template puts before an answer is worked out once, with a probe: a space
    belongs to the answer, an empty think block (Qwen3) to the prompt.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, name: str) -> None:
        if not tokenizer.chat_template:
            raise ModelError(
                f"'{name}' has no chat template, so it is not a chat model. Choose one whose name "
                "says 'instruct' or 'chat'."
            )
        self.tokenizer = tokenizer
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
        closing = self._tokens(after)
        special = set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)
        if closing and closing[0] in special:
            self.end = closing[0]
        elif isinstance(tokenizer.eos_token_id, int):
            self.end = tokenizer.eos_token_id
        else:
            raise ModelError(f"'{name}' has no end token, so its answers would never stop.")

    def prompt(self, messages: Sequence[Mapping[str, object]]) -> list[int]:
        """Token ids of a conversation, up to where the answer begins."""
        return self._tokens(self._render(messages) + self._think)

    def answer(self, text: str) -> list[int]:
        """Token ids of an answer and its end token: the only ones a model is taught."""
        return [*self._tokens(self._lead + text.strip()), self.end]

    def example(self, question: str, answer: str) -> tuple[list[int], list[int]]:
        """Token ids of one example: what is read, and what is taught."""
        return self.prompt([{"role": "user", "content": question}]), self.answer(answer)

    def text(self, tokens: Sequence[int]) -> str:
        """An answer as a person reads it."""
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True)).strip()

    def _render(self, messages: Sequence[Mapping[str, object]], *, open_end: bool = True) -> str:
        rendered: Any = self.tokenizer.apply_chat_template(
            [dict(m) for m in messages], tokenize=False, add_generation_prompt=open_end
        )
        return str(rendered)

    def _tokens(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])
