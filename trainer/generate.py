"""Answers from a model: many at once for scoring, or one as it comes for the chat."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from transformers import StoppingCriteria, StoppingCriteriaList, TextStreamer

from trainer.models import Base


def answer_batch(base: Base, questions: Sequence[str], *, most_new_tokens: int) -> list[str]:
    """Answer questions in one greedy batch with whatever adapter is active."""
    prompts = [base.format.prompt([{"role": "user", "content": q}]) for q in questions]
    longest = max(map(len, prompts))
    pad = base.model.generation_config.pad_token_id
    ids = torch.tensor([[pad] * (longest - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
    with torch.inference_mode():
        out: Any = base.model.generate(
            input_ids=ids.to(base.model.device),
            attention_mask=mask.to(base.model.device),
            max_new_tokens=most_new_tokens,
            do_sample=False,
        )
    return [base.format.text(row[longest:]) for row in out.tolist()]


def write_answer(
    base: Base,
    messages: Sequence[Mapping[str, object]],
    most_new_tokens: int,
    write: Callable[[str], None],
    stop: threading.Event,
) -> None:
    """Write a greedy answer word by word with whatever adapter is active; `stop` ends it early."""
    ids = torch.tensor([base.format.prompt(messages)], device=base.model.device)
    with torch.inference_mode():
        base.model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=most_new_tokens,
            do_sample=False,
            streamer=_Writer(base, write),
            stopping_criteria=StoppingCriteriaList([_StopWhen(stop)]),
        )


class _Writer(TextStreamer):
    def __init__(self, base: Base, write: Callable[[str], None]) -> None:
        super().__init__(base.format.tokenizer, skip_prompt=True, skip_special_tokens=True)
        self.write = write

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        if text:
            self.write(text)


class _StopWhen(StoppingCriteria):
    def __init__(self, event: threading.Event) -> None:
        self.event = event

    def __call__(
        self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **kwargs: Any
    ) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), self.event.is_set(), device=input_ids.device)
