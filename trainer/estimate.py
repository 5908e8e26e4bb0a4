"""Time and memory of a run, before it starts: a formula over the base's shape and the corpus.

Every part is counted in what causes it: products with frozen weights, the adapter, activations,
logits where labels are, unpacking of 4-bit weights, small operations. The constants below turn
counts into bytes and seconds. They were fitted to trials (`trainer.trial`) of two bases of 9M and
135M parameters on a CPU (`tests.benchmarks.estimate` does it again), so on a GPU the first estimate
is a rough one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from trainer.config import RunConfig
from trainer.corpus.library import Corpus
from trainer.errors import UserError
from trainer.events import Finished, Started, Stopped
from trainer.machine import Machine, observed_rate, room_to_unpack
from trainer.runs import Runs
from trainer.workload import Shape, Workload, local_base, measure_workload, read_shape

Verdict = Literal["fits", "tight", "won't fit"]
TIGHT = 0.8  # share of the available memory from which it may not fit: so sure is the formula

# Memory.
PROCESS = 690e6  # bytes: PyTorch, Transformers, PEFT and what they load
READ = 2  # bytes a weight: the checkpoint, mapped into memory for as long as the process lives
NF4 = 0.53  # bytes a weight: 4 bits, and the scale of each block, itself in 8 bits
TRAINED, TRAINED_8BIT = 4 + 4 + 8, 4 + 4 + 2  # a weight, its gradient, two moments of AdamW
# Of one token, for the gradient: a number of a linear layer's input, for its adapter; a number of
# norms, of attention and of the feed-forward block; a token of the same row, in the mask.
COPIED, NORM, ATTENDED, FED, MASKED = 4, 8, 8, 6, 2
LOGIT = 10  # bytes: in bfloat16, in float32, and the gradient of both
# Packing leaves free memory behind that the allocator keeps, and uses for activations again.
LEFT_BY_PACKING, MOST_LEFT = 4, 500e6  # bytes a weight, and in all
LEFT_BY_RECOMPUTING = 0.25  # share of all activations: freed in pieces too small for the next
SLACK, SLACK_ON_GPU = 1.45, 1.1  # what the allocator holds for each byte of activations and logits

# Time, in operations of a matrix product: what one of these costs beside them.
ADAPTER = 4.0  # an operation on thin matrices
KEPT = 117.0  # a byte of activations: computed in small steps, written, read for the gradient
ATTENTION = 0.8  # an operation between tokens
VOCABULARY = 9.0  # the loss of one word at one label
UNPACK, LAY_OUT = 400.0, 350.0  # one weight, once a batch: of 4 bits, of 16
UPDATE = 200.0  # a weight of the adapter, once a step
SMALL = 5e-3  # seconds: the small operations of a layer, forward and back, whatever the batch
SMALL_OF_ANSWER = 1e-3  # and those of a layer for the next token of an answer

LOADING = 4.0  # seconds: libraries, tokenizer, the corpus's tokens
READ_A_SECOND, PACKED_A_SECOND = 200e6, 50e6  # weights of a base
SCORED_AT_ONCE, LONGEST_ANSWER = 32, 160  # as in `runs.EvaluationConfig`
LOADING_JUDGE = 4.0  # seconds, to load the embedding model and use it
LOOKED_BACK = 5  # runs that show how fast the machine is
SHOWN_TOKENS = 48  # of the answers that a run shows after each epoch


@dataclass(frozen=True)
class Estimate:
    """What a run will take here.

    `seconds` hold all but the scoring afterwards. `peak_bytes` are what the system will show of the
    process; `needed_bytes`, less what it can drop, have to be free.
    """

    steps: int
    tokens: int
    seconds: float
    load_seconds: float
    check_seconds: float
    scoring_seconds: float
    peak_bytes: int
    needed_bytes: int
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
    unpacked = unpacks(config, base, machine)
    peak = peak_bytes(config, base, work, on_gpu=bool(machine.gpus), unpacked=unpacked)
    quick = READ_A_SECOND if config.method == "lora" else PACKED_A_SECOND
    load = LOADING + (base.linear + base.other) / quick
    train, check, score = _operations(config, base, work, unpacked=unpacked)
    train_seconds, check_seconds, score_seconds = (
        part.operations / machine.rate / _teams(config, on_gpu=bool(machine.gpus)) + part.small
        for part in (train, check, score)
    )
    seconds = load + train_seconds + check_seconds
    # The checkpoint's pages of what has been packed are dropped where something else needs room.
    needed = peak if machine.gpus or config.method == "lora" else peak - READ * base.linear
    room = machine.available_bytes
    verdict: Verdict = (
        "fits" if needed <= TIGHT * room else "tight" if needed <= room else "won't fit"
    )
    scoring = score_seconds + load + LOADING_JUDGE if work.asked else 0.0
    return Estimate(
        steps=work.steps,
        tokens=round(work.tokens),
        seconds=seconds,
        load_seconds=load,
        check_seconds=check_seconds,
        scoring_seconds=scoring,
        peak_bytes=round(peak),
        needed_bytes=round(needed),
        available_bytes=room,
        verdict=verdict,
        unpacked=unpacked,
        sentences=tuple(_sentences(config, corpus, seconds, scoring, needed, room, verdict)),
    )


def unpacks(config: RunConfig, base: Shape, machine: Machine) -> bool:
    """Whether 4-bit weights are unpacked once: `auto` does so where memory allows it."""
    if config.method != "qlora" or config.frozen_weights == "4-bit":
        return False
    if config.frozen_weights == "dequantised":
        return True
    return room_to_unpack(2 * base.linear, machine.available_bytes)


def peak_bytes(
    config: RunConfig, base: Shape, work: Workload, *, on_gpu: bool, unpacked: bool
) -> float:
    """The most memory a run holds at once: of a GPU, or of all its processes."""
    packed = config.method == "qlora" and not unpacked
    per_weight = TRAINED_8BIT if config.optimizer == "adamw8bit" else TRAINED
    adapter = per_weight * base.adapter(config)
    tokens, labels = (part / config.processes for part in work.longest)
    block = tokens * kept_bytes(config, base, tokens)
    activations = block * base.layers
    if config.recompute:
        share = 0 if on_gpu else LEFT_BY_RECOMPUTING
        activations = share * activations + block + tokens * 2 * base.hidden * base.layers
    logits = labels * base.vocabulary * LOGIT
    if on_gpu:
        weights = (NF4 if packed else 2) * base.linear + 2 * base.other
        return weights + adapter + SLACK_ON_GPU * (activations + logits)
    left = min(LEFT_BY_PACKING * base.linear, MOST_LEFT) if config.method == "qlora" else 0.0
    # What is not packed or unpacked is used where it was read.
    copied = (NF4 if packed else 2) * base.linear if config.method == "qlora" else 0.0
    held = copied + adapter + max(left, SLACK * activations) + SLACK * logits
    around = PROCESS + READ * (base.linear + base.other)
    return (around + held) * config.processes


def kept_bytes(config: RunConfig, base: Shape, row: float) -> float:
    """Bytes that a layer keeps of one token for the gradient, in a row of so many tokens."""
    adapted = base.adapted(config)
    inputs = sum(size for size, _ in adapted) / base.layers
    adapter = COPIED * inputs * (2 if config.lora_dropout else 1)
    adapter += 4 * config.lora_rank * len(adapted) / base.layers
    blocks = NORM * base.hidden + ATTENDED * base.heads + FED * base.inner
    return adapter + blocks + MASKED * row


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
    packed = config.method == "qlora" and not unpacked
    weights = (UNPACK if packed else LAY_OUT) * base.linear
    row = work.tokens / work.batches
    between = 4 * base.heads * layers * row * ATTENTION
    kept = KEPT * layers * kept_bytes(config, base, 0)
    answered = 2 * base.hidden * base.vocabulary

    token = 2 * (2 + again) * base.linear + ADAPTER * 2 * (3 + again) * adapter
    token += between * (3.5 + again) + kept * (1 + again / 2)
    label = 2 * answered + VOCABULARY * base.vocabulary
    train = Part(
        work.tokens * token
        + work.labels * label
        + work.batches * (2 + again) * weights
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
        work.checks * (tokens * token + labels * label + passes * weights)
        + shown * (3 * word + weights),
        work.checks * passes * layers * SMALL / 3 + shown * layers * SMALL_OF_ANSWER,
    )

    words = (LONGEST_ANSWER + min(LONGEST_ANSWER, work.longest_answer)) / 2
    groups = -(-work.asked // SCORED_AT_ONCE)
    rounds = 2 * groups * words  # of base and tuned
    score = Part(
        2 * work.asked * words * word + rounds * weights, rounds * layers * SMALL_OF_ANSWER
    )
    return train, check, score


def _teams(config: RunConfig, *, on_gpu: bool) -> int:
    """How many devices work side by side; processes on a CPU share its cores."""
    return config.processes if on_gpu else 1


def this_machine(runs: Runs) -> Machine:
    """This machine, as fast as the newest runs on it were, or as its cores promise."""
    here = Machine.here()
    rate = observed_rate(observations(runs, on_gpu=bool(here.gpus)))
    return replace(here, rate=rate) if rate else here


def observations(runs: Runs, *, on_gpu: bool = False) -> list[tuple[float, float]]:
    """Operations and seconds of the steps of the newest runs that ended, for `observed_rate`."""
    found: list[tuple[float, float]] = []
    for run in runs.list():
        events = run.events.read()
        start = next((e for e in events if isinstance(e, Started)), None)
        end = next((e for e in reversed(events) if isinstance(e, Finished | Stopped)), None)
        if not start or not end or not end.step or not end.examples_per_second:
            continue
        if start.device.startswith("cuda") != on_gpu:
            continue
        try:
            base = read_shape(local_base(run.config.base))
            work = measure_workload(run.config, run.corpus, base)
        except (UserError, OSError):
            continue
        train, _, _ = _operations(
            run.config, base, work, unpacked=start.frozen_weights == "dequantised"
        )
        share = end.step / work.steps
        seconds = work.examples * run.config.epochs * share / end.examples_per_second
        # Where small operations would have taken all the time, the machine is faster at them.
        rest = max(seconds / 5, seconds - train.small * share)
        found.append((train.operations * share / _teams(run.config, on_gpu=on_gpu), rest))
        if len(found) == LOOKED_BACK:
            break
    return found


def _sentences(
    config: RunConfig,
    corpus: Corpus,
    seconds: float,
    scoring: float,
    needed: float,
    room: float,
    verdict: Verdict,
) -> list[str]:
    early = config.early_stopping and corpus.split.validation_is == "reworded"
    most = "At most about" if early else "About"
    told = [f"{most} {span(seconds)} and {size(needed)} here; {size(room)} are free."]
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
