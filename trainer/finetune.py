"""The recipe: a base model and a corpus in, an adapter out. Read it from top to bottom."""

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version

import torch
from peft import PeftModel, set_peft_model_state_dict
from safetensors.torch import load_file

from trainer.adapter import add_adapter, save_adapter
from trainer.checkpoints import (
    Checkpoint,
    Origins,
    Point,
    checkpoint_path,
    newest_checkpoint,
)
from trainer.config import PATIENCE, RunConfig
from trainer.errors import ConfigError, CorpusError, ModelError
from trainer.estimate import estimate, this_machine
from trainer.events import Finished, Measured, Progress, Sampled, Started, Stopped, Validated
from trainer.frozen import held_as
from trainer.generate import answer_batch
from trainer.models import Base, load_base
from trainer.packing import Tokens, answer_loss, shuffled_steps, tokenise, validation_loss
from trainer.runs import Run, Runs
from trainer.snapshot import chance, go_back_to, load_weights, save_checkpoint
from trainer.team import Team
from trainer.trackers import Tracker

SAMPLES = 3  # validation questions the model answers after every epoch
LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes")


def finetune(run: Run, team: Team | None = None, tracker: Tracker | None = None) -> None:
    """Fine-tune the run's base model on its corpus and leave the adapter in the run directory.

    A plain loop, because tuning on short answers is all about two things that trainers leave
    out: no padding (a batch is one packed row whose examples do not see each other) and logits
    only where there is a label; and because Transformers' Trainer pickles its optimiser. It goes
    on from the newest whole checkpoint, if there is one. Several processes share each step and
    end with the same weights; the first of them writes. Raises `UserError` for what the user can
    mend.
    """
    began = time.monotonic()
    config, split, team = run.config, run.split, team or Team()
    team.tracker = (tracker or Tracker(run)) if team.first else None
    torch.manual_seed(config.seed)

    # Model. LoRA on the linear layers of the frozen base (Hu et al. 2021, arXiv:2106.09685).
    base = load_base(
        config.base, quantization=config.quantization, frozen_weights=config.frozen_weights
    )
    model = add_adapter(base, config)
    weights = {name: p for name, p in model.named_parameters() if p.requires_grad}
    found = newest_checkpoint(run)
    if config.continues and not found:
        if not run.parent:
            raise ConfigError(
                f"This run continues '{config.continues}', which is no longer there. "
                "Start a new run."
            )
        set_peft_model_state_dict(
            model, load_file(run.parent.adapter / "adapter_model.safetensors")
        )

    # Data. Prompt and answer are kept apart, because only the answer is learnt.
    cache = run.path.parent.parent / "cache"
    corpus = run.corpus
    asked = corpus.pile("validation", split)
    train = tokenise(corpus.pile("train", split), base, config, cache)
    validation, shown = tokenise(asked, base, config, cache), asked[:SAMPLES]
    if not train:
        raise CorpusError(
            "No answer is left to learn: every question alone is longer than the maximum length "
            f"of {config.max_length} tokens. Raise it."
        )

    # Plan. Validation on unseen facts says nothing about learning: then it only advises.
    steps_per_epoch = math.ceil(len(train) / (config.batch_size * config.accumulation))
    steps = max(1, round(config.epochs * steps_per_epoch))
    check_every = max(1, min(steps_per_epoch // 2, 100))
    trusted = split.validation_is == "reworded"
    optimizer = make_optimizer(weights, config)
    origins = Origins.of(run)
    start = Point(
        step=0, seen=0, tokens=0, seconds=0, best_loss=None, best_step=0, checks_since=0, random={}
    )
    if found:
        start = go_back_to(found, weights, optimizer)
    else:
        team.share_start(weights)
        team.say(
            run,
            Started(
                steps=steps,
                examples=len(train),
                trainable_parameters=sum(p.numel() for p in weights.values()),
                parameters=model.num_parameters(),
                device=str(base.model.device),
                cut=sum(len(prompt) + len(answer) >= config.max_length for prompt, answer in train),
                threads=torch.get_num_threads(),
                frozen_weights=held_as(base.model),
                libraries={name: version(name) for name in LIBRARIES},
                base_sha256=origins.base,
                continues_sha256=run.parent.adapter_hash if run.parent else "",
            ),
        )

    # Training.
    step, seen, tokens, trained = start.step, start.seen, start.tokens, start.seconds
    best_loss = math.inf if start.best_loss is None else start.best_loss
    best_step, checks_since = start.best_step, start.checks_since
    if best_step and not Checkpoint(checkpoint_path(run, best_step)).whole:
        best_loss, best_step, checks_since = math.inf, 0, 0
    kept_step = best_step
    checking = checked = here = 0.0  # seconds of checks, their number, seconds of steps by now
    patient = trusted and config.early_stopping
    stopped, early = False, patient and checks_since >= PATIENCE
    groups = shuffled_steps(train, config, skip=step)
    expected = None
    with suppress(ModelError):  # a shape that the formula does not know
        expected = estimate(config, corpus, this_machine(Runs(run.path.parent)))
    ready = time.monotonic() - began
    model.train()
    if team.tracker:
        team.tracker.begin(model)
    while step < steps and not stopped and not early:
        started = time.monotonic()
        group = next(groups)
        loss = learn(model, group, config, team)
        rate = config.learning_rate * slope(step, steps, config)
        for parameters in optimizer.param_groups:
            parameters["lr"] = rate
        stopped = team.agree(weights.values(), run.stop_asked)
        if not math.isfinite(loss):
            raise ConfigError(
                f"The loss is {loss} at step {step + 1}. At the first step that means the "
                "base is damaged or does not survive 4 bits: try method=lora. Later it "
                f"means that a learning_rate of {config.learning_rate:g} is too high: try a third."
            )
        torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        step, seen = step + 1, seen + sum(map(len, group))
        tokens += sum(len(p) + len(a) for batch in group for p, a in batch)
        here += time.monotonic() - started

        due = step % check_every == 0 or step == steps
        kept_step = best_step
        if (due or stopped) and validation:
            started = time.monotonic()
            loss_now = validation_loss(model, validation, config.batch_size)
            checking, checked = checking + time.monotonic() - started, checked + 1
            if better := loss_now < best_loss:
                kept_step = step
            team.say(run, Validated(step=step, loss=loss_now, best=better))
            if due:  # a check because of a stop must not change what a run that goes on does
                checks_since = 0 if better else checks_since + 1
                best_loss, best_step = min(loss_now, best_loss), kept_step
            early = patient and checks_since >= PATIENCE
        if step % steps_per_epoch == 0 and shown and team.first:
            answers = answer_batch(
                Base(base.name, model, base.format),
                [example.question for example in shown],
                most_new_tokens=48,
            )
            model.train()
            told = zip(shown, answers, strict=True)
            team.say(run, Sampled(step=step, answers=[(e.question, e.answer, a) for e, a in told]))
        per_check = checking / checked if checked else 0.0
        per_step = (trained + here) / step
        team.say(
            run,
            Progress(
                step=step,
                epoch=step / steps_per_epoch,
                loss=loss,
                learning_rate=rate,
                examples_per_second=seen / (trained + here),
                tokens_per_second=tokens / (trained + here),
                memory=peak_memory(base.model.device),
                seconds_left=(steps - step) * (per_step + per_check / check_every),
            ),
        )
        if expected and due and step <= check_every:
            team.say(
                run,
                Measured(
                    seconds_by_formula=expected.seconds,
                    seconds=ready + steps * (per_step + per_check / check_every),
                    bytes_by_formula=expected.peak_bytes,
                    bytes=peak_memory(base.model.device),
                ),
            )
        if (due or stopped) and team.first:
            now = Point(
                step=step,
                seen=seen,
                tokens=tokens,
                seconds=trained + here,
                best_loss=best_loss if math.isfinite(best_loss) else None,
                best_step=best_step,
                checks_since=checks_since,
                random=chance(),
            )
            save_checkpoint(run, weights, optimizer, now, origins)

    # Result.
    if not team.first:
        return
    kept_step = kept_step if trusted and kept_step else step
    if kept_step != step:
        load_weights(Checkpoint(checkpoint_path(run, kept_step)), weights)
    save_adapter(model, run)
    if team.tracker:
        team.tracker.end()
    end = Stopped if stopped and step < steps else Finished
    run.events.append(
        end(
            seconds=time.monotonic() - began,
            step=step,
            kept_step=kept_step,
            examples_per_second=seen / (trained + here),
        )
    )


def make_optimizer(
    weights: Mapping[str, torch.nn.Parameter], config: RunConfig
) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101), or the same with 8-bit memory."""
    chosen = {"lr": config.learning_rate, "weight_decay": config.weight_decay}
    if config.optimizer == "adamw8bit":
        import bitsandbytes  # noqa: PLC0415 - only where it is asked for

        eight_bit: torch.optim.Optimizer = bitsandbytes.optim.AdamW8bit(weights.values(), **chosen)
        return eight_bit
    return torch.optim.AdamW(weights.values(), fused=True, **chosen)


def learn(model: PeftModel, group: list[list[Tokens]], config: RunConfig, team: Team) -> float:
    """Add up the gradients of one step over its batches; return its loss, in nats a token.

    The loss is the mean over all the step's answer tokens, however they are dealt to batches
    and processes.
    """
    total = sum(len(answer) for batch in group for _, answer in batch)
    summed = 0.0
    for batch in group:
        mine = team.share(batch)
        if not mine:
            continue
        share = sum(len(answer) for _, answer in mine) / total
        loss = answer_loss(model, mine, label_smoothing=config.label_smoothing)
        (loss * share).backward()
        summed += loss.item() * share
    return team.sum(summed)


def slope(step: int, steps: int, config: RunConfig) -> float:
    """The share of the learning rate at a step: up in a line, then down to a fiftieth, or not."""
    rise = max(1, round(config.warmup * steps))
    if step < rise:
        return (step + 1) / rise
    left = (steps - step) / max(1, steps - rise)
    match config.schedule:
        case "constant":
            return 1.0
        case "cosine":
            return max(0.02, (1 - math.cos(math.pi * left)) / 2)
        case "linear":
            return max(0.02, left)


def peak_memory(device: torch.device) -> int:
    """The most memory held so far, in bytes: of the GPU, or of this process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    import resource  # noqa: PLC0415 - Windows has none

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
