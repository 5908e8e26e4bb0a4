"""The recipe: a base model and a corpus in, an adapter out. Read it from top to bottom."""

import math
import shutil
import time

import torch
from peft import LoraConfig, get_peft_model

from trainer.errors import ConfigError, CorpusError
from trainer.events import Finished, Progress, Started, Stopped, Validated
from trainer.models import load_base
from trainer.packing import answer_loss, shuffled_batches, tokenise, validation_loss
from trainer.runs import Run

PATIENCE = 4  # checks without a better validation loss before early stopping ends the run


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
                "base is damaged or does not survive 4 bits: try method=lora. Later it "
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


def slope(step: int, steps: int, *, warmup: float) -> float:
    """The share of the learning rate at a step: up in a line, down in a line to a fiftieth."""
    rise = max(1, round(warmup * steps))
    return min((step + 1) / rise, max(0.02, (steps - step) / max(1, steps - rise)))
