"""Answers from a model: many at once for scoring, or as they come for the chat."""

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Literal

from peft import PeftModel

from trainer.decoding import Decoder, Row
from trainer.errors import ModelError
from trainer.models import Base
from trainer.sampling import GREEDY, Sampling

_INCOMPLETE = "\ufffd"  # stands for the bytes of a character that has not all come yet
_STEPS = 8  # to measure the pace by

Ended = Literal["by itself", "at the limit", "stopped"]


@dataclass(frozen=True)
class Ask:
    """A conversation to answer, as chat templates take it, and how.

    `adapter` is the name under which the adapter is on the model; None asks the bare base.
    """

    messages: Sequence[Mapping[str, object]]
    adapter: str | None = None
    sampling: Sampling = GREEDY


@dataclass(frozen=True)
class Said:
    """An answer of a model: its words, how many tokens, and whether it came to an end by itself."""

    text: str
    tokens: int  # without the end token
    ended: bool  # False: it ran on to the limit


@dataclass(frozen=True)
class SoFar:
    """How far the answer to the question at `place` has come; `ended` once it is over."""

    place: int
    text: str
    tokens: int
    ended: Ended | None = None


def answer_all(
    base: Base,
    asked: Sequence[Ask],
    *,
    batch_size: int,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[dict[int, Said]]:
    """Yield answers by the place of their question, some at a time, the longest first.

    Where `base.model` carries plain LoRA, a batch holds rows with and without it. When `stop`
    turns true no more come, and those of the batch at hand are lost.
    """
    decoder = Decoder(base.model)
    mixes = decoder.mixes({ask.adapter for ask in asked})
    rows = [Row(base.format.prompt(ask.messages), ask.adapter, ask.sampling) for ask in asked]
    # Prompts of one length share a batch: less padding. Short memory shows at the first batch.
    order = sorted(range(len(asked)), key=lambda i: -len(rows[i].prompt))
    if not mixes:
        order.sort(key=lambda i: rows[i].adapter or "")
    size = batch_size if decoder.batches else 1
    for batch in _batches(order, size, lambda i: None if mixes else rows[i].adapter):
        found: dict[int, Said] = {}
        for answers in _answer(base, decoder, {i: rows[i] for i in batch}, stop):
            for one in answers:
                if one.ended == "stopped":
                    return
                if one.ended:
                    found[one.place] = Said(one.text, one.tokens, one.ended == "by itself")
        yield found


def _batches(order: Sequence[int], size: int, kind: Callable[[int], object]) -> Iterator[list[int]]:
    """Deal out places in batches of at most `size`, those of one kind together."""
    for _, group in groupby(order, kind):
        places = list(group)
        for at in range(0, len(places), size):
            yield places[at : at + size]


def stream_answers(
    base: Base, asked: Sequence[Ask], stop: Callable[[], bool], *, together: bool
) -> Iterator[tuple[SoFar, ...]]:
    """Yield after each step how far the answers have come that have grown or are over.

    `together`: in one batch, where the adapters can be mixed in one; else one after the other.
    When `stop` turns true they end after the next word. Raises `ModelError` for a conversation
    that is too long, and `ValueError` for an adapter that the model does not have.
    """
    decoder = Decoder(base.model)
    rows = {place: _fitting(base, ask) for place, ask in enumerate(asked)}
    one_batch = together and decoder.mixes({ask.adapter for ask in asked})
    for batch in [rows] if one_batch else [{place: row} for place, row in rows.items()]:
        yield from _answer(base, decoder, batch, stop, as_they_come=True)


def faster_together(base: Base, adapters: Sequence[str | None]) -> bool:
    """Measure whether columns with these adapters come faster in one batch than one after another.

    On some machines and weights a batch of two takes longer than two batches of one.
    """
    decoder = Decoder(base.model)
    decoder.stops = frozenset()
    if len(adapters) < 2 or not decoder.mixes(set(adapters)):
        return False
    prompt = base.format.prompt([{"role": "user", "content": "Who are you?"}])
    rows = [Row(prompt, adapter, Sampling(most_new_tokens=_STEPS)) for adapter in adapters]
    kinds = list({row.adapter: row for row in rows}.values())
    pace: dict[str | None, float] = {row.adapter: _pace(decoder, [row]) for row in kinds}
    return _pace(decoder, rows) < sum(pace[adapter] for adapter in adapters)


def _pace(decoder: Decoder, rows: Sequence[Row]) -> float:
    """Seconds of a step, once the prompt is read."""
    moments = [time.perf_counter() for _ in decoder.decode(rows, lean=True)]
    return statistics.median(after - before for before, after in pairwise(moments))


def _fitting(base: Base, ask: Ask) -> Row:
    """The row of a question, its answer no longer than what the base can still see."""
    prompt, sampling = base.format.prompt(ask.messages), ask.sampling
    context = getattr(base.model.config.get_text_config(), "max_position_embeddings", None)
    if context and len(prompt) >= context:
        raise ModelError(
            f"The conversation is {len(prompt):,} tokens long and '{base.name}' reads {context:,} "
            "with the answer: begin a new one, or ask a shorter question."
        )
    most = min(sampling.most_new_tokens, context - len(prompt) if context else sys.maxsize)
    return Row(prompt, ask.adapter, sampling.model_copy(update={"most_new_tokens": most}))


def _answer(
    base: Base,
    decoder: Decoder,
    rows: Mapping[int, Row],
    stop: Callable[[], bool],
    *,
    as_they_come: bool = False,
) -> Iterator[tuple[SoFar, ...]]:
    """Answer one batch; without `as_they_come` only what is over is told."""
    places, said = list(rows), {place: list[int]() for place in rows}
    with closing(decoder.decode(list(rows.values()), lean=as_they_come)) as steps:
        while said and not stop():
            grown = []
            for row, token in next(steps).items():
                place = places[row]
                tokens = said[place]
                ended: Ended | None = "by itself" if token is None else None
                if token is not None:
                    tokens.append(token)
                    if len(tokens) == rows[place].sampling.most_new_tokens:
                        ended = "at the limit"
                if ended or as_they_come:
                    text = base.format.text(tokens)
                    text = text if ended else text.rstrip(_INCOMPLETE)
                    grown.append(SoFar(place, text, len(tokens), ended))
                if ended:
                    del said[place]
            if grown:
                yield tuple(grown)
    if said:
        yield tuple(
            SoFar(place, base.format.text(tokens).rstrip(_INCOMPLETE), len(tokens), "stopped")
            for place, tokens in said.items()
        )


def active_adapter(base: Base) -> str | None:
    """The name of the adapter that is switched on, if one is."""
    if not isinstance(base.model, PeftModel):
        return None
    on = base.model.get_model_status().enabled is True
    return str(base.model.active_adapters[0]) if on else None


def answer_batch(base: Base, questions: Sequence[str], *, most_new_tokens: int) -> list[str]:
    """Answer questions in one greedy batch with whatever adapter is active."""
    sampling, adapter = Sampling(most_new_tokens=most_new_tokens), active_adapter(base)
    asked = [Ask([{"role": "user", "content": q}], adapter, sampling) for q in questions]
    found: dict[int, Said] = {}
    for some in answer_all(base, asked, batch_size=len(asked)):
        found |= some
    return [found[place].text for place in range(len(asked))]
