"""Examples as a model is taught them: tokens, batches, packed rows, and the loss on answers."""

import hashlib
import math
import random
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import torch
from datasets import Dataset
from peft import PeftModel

from trainer.chat_format import ChatFormat
from trainer.config import RunConfig
from trainer.corpus.examples import Example
from trainer.frozen import PACKED, answers_entropy
from trainer.models import Base

LENGTHS = 64  # packed rows and labels are filled up to multiples of this

Tokens = tuple[list[int], list[int]]  # a prompt, and the answer with its end token


def tokenise(
    examples: Sequence[Example], base: Base, config: RunConfig, cache: Path
) -> list[Tokens]:
    """Turn examples into tokens, cut to the maximum length; what has no answer left is dropped.

    The rows are kept in `cache`, under what decides them.
    """
    if not examples:
        return []

    def encode(row: dict[str, str]) -> dict[str, list[int]]:
        prompt, answer = base.format.example(row["question"], row["answer"])
        return {"prompt": prompt, "answer": answer[: max(0, config.max_length - len(prompt))]}

    key = _fingerprint(base.format, config.max_length, *(example.id for example in examples))
    cache.mkdir(parents=True, exist_ok=True)
    rows = Dataset.from_list([{"question": e.question, "answer": e.answer} for e in examples])
    tokens = rows.map(
        encode,
        remove_columns=rows.column_names,
        cache_file_name=str(cache / f"{key}.arrow"),
        new_fingerprint=key,
    )
    return [(row["prompt"], row["answer"]) for row in tokens.to_list() if row["answer"]]


def _fingerprint(chat_format: ChatFormat, *parts: object) -> str:
    tokenizer = chat_format.tokenizer
    vocabulary = sorted(tokenizer.get_vocab().items())
    told = repr((vocabulary, tokenizer.chat_template, chat_format.end, *parts))
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def shuffled_steps(
    train: Sequence[Tokens], config: RunConfig, *, skip: int = 0
) -> Iterator[list[list[Tokens]]]:
    """Yield the batches of each step without end, from step `skip` on.

    Each epoch has an order of its own, fixed by the seed; a step stays within its epoch.
    """
    size = config.batch_size * config.accumulation
    order: list[int] = []
    for step in count(skip):
        epoch, within = divmod(step, math.ceil(len(train) / size))
        if within == 0 or not order:
            order = random.Random(f"{config.seed}/{epoch}").sample(range(len(train)), len(train))
        chosen = order[within * size : (within + 1) * size]
        yield [
            [train[i] for i in chosen[at : at + config.batch_size]]
            for at in range(0, len(chosen), config.batch_size)
        ]


def answer_loss(
    model: PeftModel, batch: Sequence[Tokens], *, label_smoothing: float = 0.0
) -> torch.Tensor:
    """Mean cross-entropy over the answers' tokens and end tokens, in nats a token.

    The batch is one row. Positions that start again at 0 tell Transformers where an example
    begins, and it masks the others; a quickened model is told `lengths` and needs no mask.
    `logits_to_keep` computes logits only where labels are.
    """
    tokens: list[int] = []
    positions: list[int] = []
    labelled: list[int] = []
    labels: list[int] = []
    for prompt, answer in batch:
        before = len(tokens) + len(prompt) - 1  # the position that predicts the first answer token
        labelled += range(before, before + len(answer))
        labels += answer
        positions += range(len(prompt) + len(answer))
        tokens += prompt + answer
    # Few lengths instead of as many as there are batches: for each, CPU kernels are compiled and
    # kept. What fills up is an example of its own that nobody sees and nobody is taught.
    filling = range(-len(tokens) % LENGTHS)
    tokens += [0] * len(filling)
    positions += filling
    lengths = [len(prompt) + len(answer) for prompt, answer in batch]
    lengths += [len(filling)] * bool(filling)
    filling = range(-len(labels) % LENGTHS)
    labelled += [0] * len(filling)
    labels += [-100] * len(filling)
    device = model.device
    packed = {"lengths": lengths} if model.config._attn_implementation == PACKED else {}
    out = model(
        input_ids=torch.tensor([tokens], device=device),
        position_ids=torch.tensor([positions], device=device),
        logits_to_keep=torch.tensor(labelled, device=device),
        use_cache=False,
        **packed,
    )
    targets = torch.tensor(labels, device=device)
    return answers_entropy(out.logits.squeeze(0), targets, label_smoothing)


def validation_loss(model: PeftModel, examples: Sequence[Tokens], batch_size: int) -> float:
    """Mean cross-entropy over all answer tokens of the validation examples, in nats a token."""
    model.eval()
    total = tokens = 0.0
    with torch.no_grad():
        for at in range(0, len(examples), batch_size):
            batch = examples[at : at + batch_size]
            labels = sum(len(answer) for _, answer in batch)
            total += answer_loss(model, batch).item() * labels
            tokens += labels
    model.train()
    return total / tokens
