"""Answers from a model: many at once for scoring, or one as it comes for the chat."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from peft import PeftModel
from transformers import StoppingCriteria, StoppingCriteriaList, TextStreamer

from trainer.decoding import Decoder
from trainer.models import Base


@dataclass(frozen=True)
class Said:
    """An answer of a model: its words, how many tokens, and whether it came to an end by itself."""

    text: str
    tokens: int  # without the end token
    ended: bool  # False: it ran on to the limit


@dataclass(frozen=True)
class Ask:
    """A conversation to answer, as chat templates take it, with the adapter or by the bare base."""

    messages: Sequence[Mapping[str, object]]
    adapter: bool


def answer_all(
    base: Base,
    asked: Sequence[Ask],
    *,
    most_new_tokens: int,
    batch_size: int,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[dict[int, Said]]:
    """Yield greedy answers by the place of their question, some at a time, the longest first.

    Where `base.model` carries plain LoRA, a batch holds rows with and without it. When `stop`
    turns true no more come, and those of the batch at hand are lost.
    """
    adapter = isinstance(base.model, PeftModel)
    if not adapter and any(ask.adapter for ask in asked):
        raise ValueError("asked for an adapter that the model does not have")
    decoder = Decoder(base.model)
    prompts = [base.format.prompt(ask.messages) for ask in asked]
    # Prompts of one length share a batch: less padding. Short memory shows at the first batch.
    order = sorted(range(len(asked)), key=lambda i: -len(prompts[i]))
    if not decoder.mixes:
        order.sort(key=lambda i: not asked[i].adapter)
    for batch in _batches(order, batch_size, lambda i: decoder.mixes or asked[i].adapter):
        batch.sort(key=lambda i: not asked[i].adapter)  # the decoder wants the adapter first
        found = decoder.decode(
            [prompts[i] for i in batch],
            sum(asked[i].adapter for i in batch),
            most_new_tokens,
            stop,
        )
        if found is None:
            return
        yield {
            i: Said(base.format.text(tokens), len(tokens), ended)
            for i, (tokens, ended) in zip(batch, found, strict=True)
        }


def _batches(order: Sequence[int], size: int, kind: Callable[[int], bool]) -> Iterator[list[int]]:
    """Deal out places in batches of at most `size`, those of one kind together."""
    for _, group in groupby(order, kind):
        places = list(group)
        for at in range(0, len(places), size):
            yield places[at : at + size]


def answer_batch(base: Base, questions: Sequence[str], *, most_new_tokens: int) -> list[str]:
    """Answer questions in one greedy batch with whatever adapter is active."""
    active = isinstance(base.model, PeftModel) and base.model.get_model_status().enabled is True
    asked = [Ask([{"role": "user", "content": q}], adapter=active) for q in questions]
    (said,) = answer_all(base, asked, most_new_tokens=most_new_tokens, batch_size=len(asked))
    return [said[place].text for place in range(len(asked))]


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
