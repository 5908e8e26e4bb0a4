"""What the preview answers to twenty questions: the words that an export has to give, too."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from peft import PeftModel

from trainer.chat_format import ChatFormat
from trainer.decoding import Decoder, Row
from trainer.models import Base, load_base
from trainer.runs import Run
from trainer.sampling import GREEDY

QUESTIONS = 20
_LIKELIEST = 50  # words whose chances are kept at each place of an answer
ADAPTER = "default"


@dataclass(frozen=True)
class Told:
    """A question, what the preview answered, and how sure it was of each token.

    `chances` are, at each place of the answer and at its end, those of the likeliest tokens.
    """

    question: str
    prompt: tuple[int, ...]
    tokens: tuple[int, ...]
    chances: tuple[Mapping[int, float], ...]


@dataclass(frozen=True)
class Preview:
    """What the preview said, and how it is written and read."""

    told: tuple[Told, ...]
    format: ChatFormat
    stops: frozenset[int]
    most_new_tokens: int


def preview(run: Run, *, most_new_tokens: int = GREEDY.most_new_tokens) -> Preview:
    """Ask the tuned model as the chat does, one question after the other, greedily."""
    return ask(
        load_tuned(run), choose_questions(run), adapter=ADAPTER, most_new_tokens=most_new_tokens
    )


def load_tuned(run: Run) -> Base:
    """The base as the chat holds it, with the adapter of a run on it."""
    base = load_base(run.config.base, quantization=run.config.quantization, frozen_weights="auto")
    tuned = PeftModel.from_pretrained(base.model, run.adapter, adapter_name=ADAPTER)
    return replace(base, model=tuned)


def ask(
    base: Base, questions: Sequence[str], *, adapter: str | None = None, most_new_tokens: int
) -> Preview:
    """Ask a model that is in memory; questions that leave no room for an answer are left out."""
    decoder, told = Decoder(base.model), []
    for question in questions:
        prompt = base.format.prompt([{"role": "user", "content": question}])
        if len(prompt) + most_new_tokens > base.model.config.max_position_embeddings:
            continue
        row = Row(prompt, adapter, GREEDY.model_copy(update={"most_new_tokens": most_new_tokens}))
        steps = [step[0] for step in decoder.decode([row], lean=True)]
        tokens = tuple(token for token in steps if token is not None)
        told.append(Told(question, tuple(prompt), tokens, _chances(base, prompt, tokens)))
    return Preview(tuple(told), base.format, decoder.stops, most_new_tokens)


def choose_questions(run: Run) -> list[str]:
    """Twenty questions, those nobody taught first; the same ones at every call."""
    corpus, split, found = run.corpus, run.split, dict[str, None]()
    draw = random.Random(QUESTIONS)
    for piles in (split.kinds, ("validation",), ("train",)):
        asked = [e.question for pile in piles for e in corpus.pile(pile, split)]
        left = min(QUESTIONS - len(found), len(asked))
        found |= dict.fromkeys(draw.sample(asked, left))
    return list(found)


def _chances(
    base: Base, prompt: Sequence[int], tokens: Sequence[int]
) -> tuple[dict[int, float], ...]:
    """How likely the tokens are that come next, at each place of an answer."""
    ids = torch.tensor([[*prompt, *tokens]], device=base.model.device)
    with torch.inference_mode():
        logits = base.model(input_ids=ids).logits[0, len(prompt) - 1 :].float()
    most = logits.softmax(-1).topk(min(_LIKELIEST, logits.shape[-1]))
    rows = zip(most.indices.tolist(), most.values.tolist(), strict=True)
    return tuple(dict(zip(*row, strict=True)) for row in rows)
