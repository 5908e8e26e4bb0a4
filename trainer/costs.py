"""What a run costs: every part is counted in what causes it, in bytes and in operations.

Products with frozen weights, the adapter, activations, logits where labels are, unpacking of 4-bit
weights, small operations. The constants were fitted to trials (`trainer.trial`) of two bases of 9M
and 135M parameters on a CPU (`tests.benchmarks.estimate` does it again): on a GPU they are rough.
"""

from dataclasses import dataclass

from trainer.config import RunConfig
from trainer.machine import Machine, room_to_unpack
from trainer.workload import Shape, Workload

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

SCORED_AT_ONCE, LONGEST_ANSWER = 32, 160  # as in `runs.EvaluationConfig`
SHOWN_TOKENS = 48  # of the answers that a run shows after each epoch


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


def count_operations(
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
    rounds = -(-work.answers // SCORED_AT_ONCE) * words
    score = Part(work.answers * words * word + rounds * weights, rounds * layers * SMALL_OF_ANSWER)
    return train, check, score


def teams(config: RunConfig, *, on_gpu: bool) -> int:
    """How many devices work side by side; processes on a CPU share its cores."""
    return config.processes if on_gpu else 1
