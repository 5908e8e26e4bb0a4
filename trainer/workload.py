"""How much there is to do: the shape of a base, read from its files' headers, and a run's tokens.

Neither loads a framework nor a tokenizer: tokens are guessed from the bytes of the texts, unless
someone has counted them.
"""

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.bases import find_base, shape
from trainer.bundled import PREFIX
from trainer.cache import Cache
from trainer.config import MOST_TAUGHT, RunConfig
from trainer.corpus.examples import Example
from trainer.corpus.library import Corpus
from trainer.corpus.split import Split
from trainer.errors import ModelError

LETTERS = 4.2  # of Latin script in a token
# Tokens for every byte beyond one a letter, by the size of the vocabulary: small ones know no
# words of other scripts.
FURTHER_BYTE, FURTHER_BYTE_OF_MANY = 0.8, 0.25
MANY_WORDS = 100_000
TEMPLATE = 9  # tokens of a chat template around a question
SYSTEM_MESSAGE = 21  # and of the message that some templates begin with
FILLED = 64  # rows and labels are filled up to multiples of this, as in `packing`
CHECKS_PER_EPOCH, STEPS_BETWEEN_CHECKS = 2, 100  # as in `finetune`
BESIDE = 370  # answers to general and swapped questions, of base and tuned

Lengths = tuple[float, float]  # tokens of a prompt, and of an answer with its end


@dataclass(frozen=True)
class Shape:
    """The numbers of a base that decide time and memory; `layers_in_out` are linear layers."""

    layers: int
    hidden: int
    inner: int  # width inside the feed-forward block
    heads: int  # width of all attention heads together
    vocabulary: int
    longest: int | None  # tokens it can hold in view
    linear: int  # weights of linear layers, those that 4 bits hold
    other: int  # weights of embeddings, norms and the output layer
    layers_in_out: Mapping[str, tuple[int, int]]
    system_message: bool

    def adapted(self, config: RunConfig) -> list[tuple[int, int]]:
        """Inputs and outputs of the linear layers that get an adapter."""
        attention = config.lora_targets == "attention"
        named = self.layers_in_out.items()
        return [
            size for name, size in named if not attention or "attn" in name or "attention" in name
        ]

    def adapter(self, config: RunConfig) -> int:
        """Weights of the adapter."""
        return sum(
            config.lora_rank * (inputs + outputs) for inputs, outputs in self.adapted(config)
        )


@dataclass(frozen=True)
class Workload:
    """Examples, batches and tokens of a run; `longest` is its largest batch."""

    examples: int
    steps: int
    batches: int
    tokens: float
    labels: float
    longest: Lengths  # tokens in all, and labels
    checks: int
    checked: Lengths  # of one check: tokens in all, and labels
    epochs_shown: int
    answers: int  # that scoring asks for
    longest_answer: float
    p95: int  # tokens that 95% of the examples do not exceed, before any cut


def local_base(name: str) -> Path:
    """The folder of a base, without fetching anything; raises `ModelError`."""
    if name.startswith(PREFIX) or Path(name).expanduser().is_dir():
        return find_base(name)
    if folder := Cache().folder(name):
        return folder
    raise ModelError(f"'{name}' has not been fetched yet, so its size is not known.")


def count_parameters(name: str) -> int:
    """How many weights a base has; 0 where it has still to be fetched from the Hub."""
    try:
        base = read_shape(local_base(name))
    except ModelError:
        if Path(name).is_dir():
            raise
        return 0
    return base.linear + base.other


def read_shape(folder: Path) -> Shape:
    """Read the shape of a base from config.json and the headers of its safetensors."""
    numbers = shape(folder)
    linear: dict[str, tuple[int, int]] = {}
    weights = 0
    for file in folder.glob("*.safetensors"):
        for name, size in _tensors(file):
            weights += math.prod(size)
            if len(size) == 2 and not any(
                part in name for part in ("embed", "lm_head", "wte", "wpe")
            ):
                linear[name] = (size[1], size[0])
    if not linear:
        raise ModelError(f"{folder} holds no weights in safetensors.")
    products = sum(inputs * outputs for inputs, outputs in linear.values())
    hidden = (
        numbers.get("hidden_size") or numbers.get("n_embd") or max(i for i, _ in linear.values())
    )
    heads = numbers.get("num_attention_heads", 0) * numbers.get("head_dim", 0)
    template = folder / "chat_template.jinja"
    return Shape(
        layers=numbers.get("num_hidden_layers") or numbers.get("n_layer") or 1,
        hidden=hidden,
        inner=numbers.get("intermediate_size") or 4 * hidden,
        heads=heads or hidden,
        vocabulary=numbers.get("vocab_size", 32_000),
        longest=numbers.get("max_position_embeddings") or numbers.get("n_positions"),
        linear=products,
        other=weights - products,
        layers_in_out=linear,
        system_message=template.is_file() and "You are" in template.read_text(encoding="utf-8"),
    )


def measure_workload(
    config: RunConfig, corpus: Corpus, base: Shape, counted: Mapping[str, int] | None = None
) -> Workload:
    """Count what a run has to do; `counted` are exact tokens by example id."""
    split = corpus.split
    piles = {name: set(getattr(split, name)) for name in ("train", "validation")}
    sizes = {
        name: _lengths((e for e in corpus.examples if e.id in ids), base, counted or {})
        for name, ids in piles.items()
    }
    train = _cut(sizes["train"], config.max_length)
    totals = sorted(sum(size) for size in sizes["train"])
    validation = _cut(sizes["validation"], config.max_length)
    steps_per_epoch = math.ceil(len(train) / (config.batch_size * config.accumulation))
    steps = max(1, round(config.epochs * steps_per_epoch))
    passes = steps / max(1, steps_per_epoch)
    between = max(1, min(steps_per_epoch // CHECKS_PER_EPOCH, STEPS_BETWEEN_CHECKS))
    batches = max(1, math.ceil(passes * math.ceil(len(train) / config.batch_size)))
    tokens, labels = sum(map(sum, train)), sum(answer for _, answer in train)
    return Workload(
        examples=len(train),
        steps=steps,
        batches=batches,
        tokens=tokens * passes + batches * FILLED / 2,
        labels=labels * passes + batches * FILLED / 2,
        longest=_longest_batch(train, min(config.batch_size, len(train)), batches),
        checks=math.ceil(steps / between) if validation else 0,
        checked=(sum(map(sum, validation)), sum(answer for _, answer in validation)),
        epochs_shown=int(config.epochs),
        answers=_answers(split) if config.evaluate else 0,
        longest_answer=max((answer for _, answer in train), default=0),
        p95=math.ceil(totals[int(0.95 * (len(totals) - 1))]) if totals else 0,
    )


def _answers(split: Split) -> int:
    """How many answers the scoring asks for: of base, tuned and retrieval, and for its checks."""
    held_out = sum(len(getattr(split, kind)) for kind in split.kinds)
    return 3 * held_out + min(MOST_TAUGHT, len(split.train)) + BESIDE


def _lengths(examples: Iterable[Example], base: Shape, counted: Mapping[str, int]) -> list[Lengths]:
    further = FURTHER_BYTE_OF_MANY if base.vocabulary >= MANY_WORDS else FURTHER_BYTE
    around = TEMPLATE + SYSTEM_MESSAGE * base.system_message

    def guess(text: str) -> float:
        return len(text) / LETTERS + (len(text.encode(errors="replace")) - len(text)) * further

    found, seen = [], set()
    for example in examples:
        texts = (example.question.casefold(), example.answer.casefold())
        if texts in seen:  # taught once
            continue
        seen.add(texts)
        prompt, answer = guess(example.question) + around, guess(example.answer) + 1
        exact = counted.get(example.id)
        share = exact / (prompt + answer) if exact else 1.0
        found.append((prompt * share, answer * share))
    return found


def _cut(sizes: Sequence[Lengths], longest: int) -> list[Lengths]:
    return [(prompt, min(answer, longest - prompt)) for prompt, answer in sizes if prompt < longest]


def _longest_batch(sizes: Sequence[Lengths], size: int, batches: int) -> Lengths:
    """The largest of many random batches: so many deviations above the mean, but not above all."""
    if not sizes:
        return 0.0, 0.0
    totals = sorted(map(sum, sizes), reverse=True)
    deviation = statistics.pstdev(totals) * math.sqrt(size * (1 - size / len(totals)))
    usual = size * statistics.fmean(totals)
    tokens = min(usual + math.sqrt(2 * math.log(batches + 1)) * deviation, sum(totals[:size]))
    labels = tokens * sum(answer for _, answer in sizes) / sum(totals)
    return _filled(tokens), _filled(labels)


def _filled(count: float) -> float:
    return math.ceil(count / FILLED) * FILLED


def _tensors(file: Path) -> Iterable[tuple[str, list[int]]]:
    """Names and shapes from the header: its size in 8 bytes, then JSON (safetensors' format)."""
    with file.open("rb") as opened:
        header = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))
    return [(name, told["shape"]) for name, told in header.items() if name != "__metadata__"]
