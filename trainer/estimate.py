"""Time and memory of a run, before it starts: a formula over the base's shape and the corpus.

Every part is counted in what causes it: products with frozen weights, the adapter, activations,
logits where labels are, unpacking of 4-bit weights, small operations. The constants below turn
counts into bytes and seconds. They were fitted to trials (`trainer.trial`) of two bases of 9M and
135M parameters on a CPU, so on a GPU the first estimate is a rough one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from trainer.config import RunConfig
from trainer.corpus.library import Corpus
from trainer.errors import UserError
from trainer.events import Finished, Stopped
from trainer.machine import Machine
from trainer.runs import Runs
from trainer.workload import Shape, Workload, local_base, measure_workload, read_shape

Verdict = Literal["fits", "tight", "won't fit"]
TIGHT = 0.8  # share of the available memory from which it may not fit: so sure is the formula
ROOM_TO_UNPACK = 0.5  # and up to which `auto` spends memory on speed

# Memory.
PROCESS = 580e6  # bytes: PyTorch, Transformers, PEFT and what they load
NF4 = 0.53  # bytes a weight: 4 bits, and the scale of each block, itself in 8 bits
TRAINED, TRAINED_8BIT = 4 + 4 + 8, 4 + 4 + 2  # a weight, its gradient, two moments of AdamW
LOGIT = 10  # bytes: in bfloat16, in float32, and the gradient of both
SLACK = 1.35  # what the allocator holds for each byte of activations and logits

# Time, in operations of a matrix product: what one of these costs beside them.
ADAPTER = 4.0  # an operation in float32
KEPT = 60.0  # a byte of activations, written, read, and read again for the gradient
ATTENTION = 2.0  # an operation between tokens
VOCABULARY = 60.0  # the loss of one word at one label
UNPACK = 60.0  # one 4-bit weight
UPDATE = 200.0  # a weight of the adapter, once a step
# Seconds of one core for the small operations of a layer.
SMALL, SMALL_OF_ANSWER = 3e-3, 0.6e-3

LOADING = 2.5  # seconds of one core, before anything is read
LOADED = 300e6  # bytes of a base that are read and packed in a second
SCORED_AT_ONCE, LONGEST_ANSWER = 32, 160  # as in `runs.EvaluationConfig`
LOADING_JUDGE = 4.0  # seconds, to load the embedding model and use it
SHOWN_TOKENS = 48  # of the answers that a run shows after each epoch


@dataclass(frozen=True)
class Estimate:
    """What a run will take here. `seconds` hold all but the scoring afterwards."""

    steps: int
    tokens: int
    seconds: float
    load_seconds: float
    check_seconds: float
    scoring_seconds: float
    peak_bytes: int
    available_bytes: int
    verdict: Verdict
    unpacked: bool  # whether 4-bit weights are unpacked once
    sentences: tuple[str, ...]


def estimate(
    config: RunConfig,
    corpus: Corpus,
    machine: Machine,
    *,
    lengths: Mapping[str, int] | None = None,
) -> Estimate:
    """Estimate time and peak memory of a run; `lengths` are tokens by example id, where counted.

    Raises `UserError` where the base is not on this machine or not a model.
    """
    base = read_shape(local_base(config.base))
    work = measure_workload(config, corpus, base, lengths)
    unpacked = unpacks(config, base, work, machine)
    peak = peak_bytes(config, base, work, on_gpu=bool(machine.gpus), unpacked=unpacked)
    load = LOADING + 2 * (base.linear + base.other) / LOADED
    train, check, score = _operations(config, base, work, unpacked=unpacked)
    train_seconds, check_seconds, score_seconds = (
        part.operations / machine.rate / _teams(config, machine) + part.small
        for part in (train, check, score)
    )
    seconds = load + train_seconds + check_seconds
    room = machine.available_bytes
    verdict: Verdict = "fits" if peak <= TIGHT * room else "tight" if peak <= room else "won't fit"
    scoring = score_seconds + load + LOADING_JUDGE if work.asked else 0.0
    return Estimate(
        steps=work.steps,
        tokens=round(work.tokens),
        seconds=seconds,
        load_seconds=load,
        check_seconds=check_seconds,
        scoring_seconds=scoring,
        peak_bytes=round(peak),
        available_bytes=room,
        verdict=verdict,
        unpacked=unpacked,
        sentences=tuple(_sentences(config, corpus, seconds, scoring, peak, room, verdict)),
    )


def unpacks(config: RunConfig, base: Shape, work: Workload, machine: Machine) -> bool:
    """Whether 4-bit weights are unpacked once: `auto` does so where half of the memory does."""
    if config.method != "qlora" or config.frozen_weights == "4-bit":
        return False
    if config.frozen_weights == "dequantised":
        return True
    peak = peak_bytes(config, base, work, on_gpu=bool(machine.gpus), unpacked=True)
    return peak <= ROOM_TO_UNPACK * machine.available_bytes


def peak_bytes(
    config: RunConfig, base: Shape, work: Workload, *, on_gpu: bool, unpacked: bool
) -> float:
    """The most memory a run holds at once: of a GPU, or of all its processes."""
    packed = config.method == "qlora" and not unpacked
    weights = (NF4 if packed else 2) * base.linear + 2 * base.other
    per_weight = TRAINED_8BIT if config.optimizer == "adamw8bit" else TRAINED
    adapter = per_weight * base.adapter(config)
    tokens, labels = work.longest
    block = tokens * kept_bytes(config, base, tokens)
    if config.recompute:
        activations = tokens * 2 * base.hidden * base.layers + block
    else:
        activations = block * base.layers
    logits = labels * base.vocabulary * LOGIT
    held = weights + adapter + SLACK * (activations + logits)
    return held if on_gpu else (PROCESS + held) * config.processes


def kept_bytes(config: RunConfig, base: Shape, row: float) -> float:
    """Bytes that a layer keeps of one token for the gradient, in a row of so many tokens."""
    adapted = base.adapted(config)
    inputs = sum(size for size, _ in adapted) / base.layers
    in_float32 = 4 * inputs * (2 if config.lora_dropout else 1)  # PEFT's own copy of each input
    adapter = 4 * config.lora_rank * len(adapted) / base.layers
    norms, attention, feed_forward = 8 * base.hidden, 8 * base.heads, 6 * base.inner
    mask = 2 * row
    return in_float32 + adapter + norms + attention + feed_forward + mask


@dataclass(frozen=True)
class Part:
    """Operations that the machine's rate divides, and seconds of small ones that it does not."""

    operations: float
    small: float


def _operations(
    config: RunConfig, base: Shape, work: Workload, *, unpacked: bool
) -> tuple[Part, Part, Part]:
    """What training, the checks and the scoring cost."""
    adapter, layers = base.adapter(config), base.layers
    again = 1 if config.recompute else 0  # passes forward that are made twice
    packed = UNPACK * base.linear if config.method == "qlora" and not unpacked else 0.0
    row = work.tokens / work.batches
    between = 4 * base.heads * layers * row * ATTENTION
    kept = KEPT * layers * kept_bytes(config, base, row)
    answered = 2 * base.hidden * base.vocabulary

    token = 2 * (2 + again) * base.linear + ADAPTER * 2 * (3 + again) * adapter
    token += between * (3.5 + again) + kept * (1 + again / 2)
    label = 2 * answered + VOCABULARY * base.vocabulary
    train = Part(
        work.tokens * token
        + work.labels * label
        + work.batches * (2 + again) * packed
        + work.steps * UPDATE * adapter,
        work.batches * layers * SMALL * (1 + again / 3),
    )

    tokens, labels = work.checked
    passes = tokens / max(1.0, row)
    token = 2 * base.linear + ADAPTER * 2 * adapter + between + kept / 3
    label = answered + VOCABULARY / 2 * base.vocabulary
    word = 2 * base.linear + ADAPTER * 2 * adapter + answered
    shown = work.epochs_shown * SHOWN_TOKENS
    check = Part(
        work.checks * (tokens * token + labels * label + passes * packed)
        + shown * (3 * word + packed),
        work.checks * passes * layers * SMALL / 3 + shown * layers * SMALL_OF_ANSWER,
    )

    words = (LONGEST_ANSWER + min(LONGEST_ANSWER, work.longest_answer)) / 2
    groups = -(-work.asked // SCORED_AT_ONCE)
    rounds = 2 * groups * words  # of base and tuned
    score = Part(2 * work.asked * words * word + rounds * packed, rounds * layers * SMALL_OF_ANSWER)
    return train, check, score


def _teams(config: RunConfig, machine: Machine) -> int:
    return config.processes if machine.gpus else 1


def observations(runs: Runs) -> list[tuple[float, float]]:
    """Operations and seconds of the steps of every run that ended, for `observed_rate`."""
    found = []
    for run in runs.list():
        end = next(
            (e for e in reversed(run.events.read()) if isinstance(e, Finished | Stopped)), None
        )
        if not end or not end.step or not end.examples_per_second:
            continue
        try:
            base = read_shape(local_base(run.config.base))
            work = measure_workload(run.config, run.corpus, base)
        except (UserError, OSError):
            continue
        train, _, _ = _operations(run.config, base, work, unpacked=False)
        examples = work.examples * run.config.epochs * end.step / work.steps
        share = end.step / work.steps
        seconds = examples / end.examples_per_second
        small = train.small * share
        found.append((train.operations * share, max(seconds / 5, seconds - small)))
    return found


def _sentences(
    config: RunConfig,
    corpus: Corpus,
    seconds: float,
    scoring: float,
    peak: float,
    room: float,
    verdict: Verdict,
) -> list[str]:
    early = config.early_stopping and corpus.split.validation_is == "reworded"
    most = "At most about" if early else "About"
    told = [f"{most} {span(seconds)} and {size(peak)} here; {size(room)} are free."]
    if verdict == "tight":
        told.append("That is tight: it may not fit beside other programs.")
    if verdict == "won't fit":
        told.append("That does not fit.")
    if scoring:
        told.append(f"Scoring afterwards takes about {span(scoring)}.")
    return told


def span(seconds: float) -> str:
    """A time span in the rough, as people say it."""
    if seconds < 90:
        return f"{max(5, round(seconds / 5) * 5)} seconds"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} minutes"
    hours = seconds / 3600
    return f"{hours:.1f} hours" if hours < 10 else f"{round(hours)} hours"


def size(count: float) -> str:
    """Bytes in the rough, as people say it."""
    giga = count / 1e9
    return f"{giga:.1f} GB" if giga < 10 else f"{round(giga)} GB"
