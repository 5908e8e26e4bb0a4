"""The recipe: a base model and a corpus in, an adapter out. Read it from top to bottom."""

import hashlib
import math
import random
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from torch.nn.functional import cross_entropy

from trainer.chat_format import ChatFormat
from trainer.config import RunConfig
from trainer.corpus.examples import Example
from trainer.errors import ConfigError, CorpusError
from trainer.events import Finished, Progress, Started, Stopped, Validated
from trainer.models import Base, load_base
from trainer.runs import Run

PATIENCE = 4  # checks without a better validation loss before early stopping ends the run

LENGTHS = 64  # packed rows and labels are filled up to multiples of this

Tokens = tuple[list[int], list[int]]  # a prompt, and the answer with its end token


def finetune(run: Run) -> None:
    """Fine-tune the run's base model on its corpus and leave the adapter in the run directory.

    A plain loop, because tuning on short answers is all about two things that trainers leave
    out: no padding (a batch is one packed row whose examples do not see each other) and logits
    only where there is a label. Stopping between steps and keeping the best adapter are a line
    each. Raises `UserError` for what the user can mend.
    """
    began = time.monotonic()
    config, split = run.config, run.split
    torch.manual_seed(config.seed)

    # Model. LoRA on every linear layer of the frozen base (Hu et al. 2021, arXiv:2106.09685).
    base = load_base(config.base, quantization=config.quantization)
    model = get_peft_model(
        base.model,
        LoraConfig(
            r=config.lora_rank,
            lora_alpha=config.lora_alpha,
            lora_dropout=config.lora_dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
    )
    weights = {name: p for name, p in model.named_parameters() if p.requires_grad}

    # Data. Prompt and answer are kept apart, because only the answer is learnt.
    cache = run.path.parent.parent / "cache"
    train = tokenise(run.corpus.pile("train", split), base, config, cache)
    validation = tokenise(run.corpus.pile("validation", split), base, config, cache)
    if not train:
        raise CorpusError(
            "No answer is left to learn: every question alone is longer than the maximum length "
            f"of {config.max_length} tokens. Raise it."
        )

    # Plan. Validation on unseen facts says nothing about learning: then it only advises.
    steps_per_epoch = math.ceil(len(train) / config.batch_size)
    steps = max(1, round(config.epochs * steps_per_epoch))
    check_every = max(1, min(steps_per_epoch // 2, 100))
    trusted = split.validation_is == "reworded"
    optimizer = torch.optim.AdamW(
        weights.values(),
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: slope(step, steps, warmup=config.warmup)
    )
    run.events.append(
        Started(
            steps=steps,
            examples=len(train),
            trainable_parameters=sum(p.numel() for p in weights.values()),
            parameters=model.num_parameters(),
            device=str(base.model.device),
            cut=sum(len(prompt) + len(answer) >= config.max_length for prompt, answer in train),
        )
    )

    # Training.
    best_loss, best_step, checks_since = math.inf, 0, 0
    best: dict[str, torch.Tensor] = {}
    trained = checking = 0.0  # seconds
    step = seen = checked = 0
    stopped = early = False
    batches = shuffled_batches(train, config)
    model.train()
    while step < steps and not stopped and not early:
        started = time.monotonic()
        batch = next(batches)
        loss = answer_loss(model, batch)
        if not math.isfinite(loss.item()):
            raise ConfigError(
                f"The loss is {loss.item()} at step {step + 1}. At the first step that means the "
                "base is damaged or does not survive 4 bits: try quantization=none. Later it "
                f"means that a learning_rate of {config.learning_rate:g} is too high: try a third."
            )
        learning_rate = schedule.get_last_lr()[0]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        step, seen = step + 1, seen + len(batch)
        trained += time.monotonic() - started

        stopped = run.stop_asked
        if validation and (stopped or step % check_every == 0 or step == steps):
            started = time.monotonic()
            found = validation_loss(model, validation, config.batch_size)
            checking, checked = checking + time.monotonic() - started, checked + 1
            checks_since += 1
            if better := found < best_loss:
                best_loss, best_step, checks_since = found, step, 0
                best = {name: p.detach().clone() for name, p in weights.items()}
            run.events.append(Validated(step=step, loss=found, best=better))
            early = trusted and config.early_stopping and checks_since >= PATIENCE
        per_check = checking / checked if checked else 0.0
        left = (steps - step) * (trained / step + per_check / check_every)
        run.events.append(
            Progress(
                step=step,
                epoch=step / steps_per_epoch,
                loss=loss.item(),
                learning_rate=learning_rate,
                examples_per_second=seen / trained,
                seconds_left=left,
            )
        )

    # Result. Renamed into place last, so an adapter directory is always a whole adapter.
    if trusted and best:
        with torch.no_grad():
            for name, parameter in weights.items():
                parameter.copy_(best[name])
    partial = run.path / "adapter.partial"
    try:
        model.save_pretrained(partial)
        partial.rename(run.adapter)
    except Exception:
        shutil.rmtree(partial, ignore_errors=True)  # room to say what went wrong
        raise
    end = Stopped if stopped and step < steps else Finished
    run.events.append(
        end(
            seconds=time.monotonic() - began,
            step=step,
            kept_step=best_step if trusted and best else step,
            examples_per_second=seen / trained,
        )
    )


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


def shuffled_batches(train: Sequence[Tokens], config: RunConfig) -> Iterator[list[Tokens]]:
    """Yield batches without end, each epoch in an order of its own, fixed by the seed."""
    epoch = 0
    while True:
        order = random.Random(f"{config.seed}/{epoch}").sample(range(len(train)), len(train))
        for at in range(0, len(order), config.batch_size):
            yield [train[i] for i in order[at : at + config.batch_size]]
        epoch += 1


def slope(step: int, steps: int, *, warmup: float) -> float:
    """The share of the learning rate at a step: up in a line, down in a line to a fiftieth."""
    rise = max(1, round(warmup * steps))
    return min((step + 1) / rise, max(0.02, (steps - step) / max(1, steps - rise)))


def answer_loss(model: PeftModel, batch: Sequence[Tokens]) -> torch.Tensor:
    """Mean cross-entropy over the answers' tokens and end tokens, in nats a token.

    The batch is one row. Positions that start again at 0 tell Transformers where an example
    begins, and it masks the others; `logits_to_keep` computes logits only where labels are.
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
    filling = range(-len(labels) % LENGTHS)
    labelled += [0] * len(filling)
    labels += [-100] * len(filling)
    device = model.device
    out = model(
        input_ids=torch.tensor([tokens], device=device),
        position_ids=torch.tensor([positions], device=device),
        logits_to_keep=torch.tensor(labelled, device=device),
        use_cache=False,
    )
    targets = torch.tensor(labels, device=device)
    return cross_entropy(out.logits[0].float(), targets, ignore_index=-100)


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
