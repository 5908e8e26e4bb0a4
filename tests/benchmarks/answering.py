"""How fast an evaluation answers, beside one `generate` call a question on the same model.

    python -m tests.benchmarks.answering [--questions 200] [--tokens 48] [--batch 64] [--peer 20]
                                         [--checked 6] [--shared FOLDER]

The work: bank FAQ questions, each answered by base and tuned, on the Llama of 135 million random
weights of the tuning benchmark, NF4 as an evaluation loads it, with an adapter of rank 16 whose
weights are not zero. Random weights never stop, so every answer is as long as it may be. The peer
answers a sample, half of it before and half of it after Tandem answers all, and its time is scaled
up; the base is the same model with the adapter switched off. It does so twice: with the weights as
Tandem holds them, and in 4 bits with the packed kernel that bitsandbytes has for one row on CPUs
with AVX512-BF16. The faster one counts.

Answers are compared as texts, those of the timed sample in bfloat16 and those of a smaller one in
float32. Scores of random weights lie so close together that rounding decides between them, so in
bfloat16 the answers of the bundled model, which has learnt something, are compared too.
"""

import argparse
import os
import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers.utils import logging

from tests.benchmarks.tuning import RANK, Task, prepare
from trainer.corpus.library import Corpora
from trainer.frozen import held_as
from trainer.generate import Ask, Said, answer_all
from trainer.models import Base, load_base
from trainer.sampling import Sampling

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "data"


@dataclass
class Clock:
    """Seconds by the wall and seconds of this process's processors, added up."""

    wall: float = 0
    cpu: float = 0
    began: tuple[float, float] = field(default=(0, 0), repr=False)

    def __enter__(self) -> None:
        self.began = time.perf_counter(), time.process_time()

    def __exit__(self, *error: object) -> None:
        self.wall += time.perf_counter() - self.began[0]
        self.cpu += time.process_time() - self.began[1]


def tokenizer_and_corpus(folder: Path, shared: Path) -> Path:
    """Where the tuning benchmark finds SmolLM2's tokenizer and the bank FAQ, or ours in place."""
    if shared.is_dir():
        return shared
    print(f"{shared} is not there: with the tokenizer and the bank FAQ that come with Tandem")
    shutil.copytree(DATA / "models/pocket", folder / "shared/models/tokenizers/smollm2-instruct",
                    ignore=shutil.ignore_patterns("*.safetensors", "config.json"))  # fmt: skip
    bank = folder / "shared/corpora/banking_mrjay10/BankFAQs.csv"
    bank.parent.mkdir(parents=True)
    shutil.copyfile(DATA / "corpora/banking.csv", bank)
    return folder / "shared"


def load(task: Task, *, dtype: torch.dtype | None = None, packed: bool = False) -> Base:
    """Load the model as an evaluation does, its values in another precision, or packed."""
    held = "4-bit" if packed else "dequantised" if dtype else "auto"
    base = load_base(str(task.model), frozen_weights=held)
    for module in base.model.modules():
        if packed and hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = True
    if dtype:
        base.model.to(dtype)
    base.model.generation_config.eos_token_id = None  # answers of one length
    with torch.no_grad():
        for name, weights in base.model.named_parameters():
            if "layernorm" in name:  # else every question gets one word over and over
                weights.fill_(2.0)
    return adapted(base)


def adapted(base: Base) -> Base:
    """A base with an adapter that changes its answers."""
    torch.manual_seed(1)
    settings = LoraConfig(
        r=RANK, lora_alpha=2 * RANK, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    model = get_peft_model(base.model, settings)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "lora_B" in name:
                weights.normal_(std=0.02)
    return Base(base.name, model.eval(), base.format)


def one_by_one(base: Base, asked: Sequence[Ask]) -> list[Said]:
    """The peer: one call a question."""
    answers = []
    for ask in asked:
        ids = torch.tensor([base.format.prompt(ask.messages)], device=base.model.device)
        given: Any = dict(input_ids=ids, attention_mask=torch.ones_like(ids),
                          max_new_tokens=ask.sampling.most_new_tokens)  # fmt: skip
        with torch.inference_mode():
            if ask.adapter:
                out = base.model.generate(**given, do_sample=False)
            else:
                with base.model.disable_adapter():
                    out = base.model.generate(**given, do_sample=False)
        said = out[0, ids.shape[1] :].tolist()
        answers.append(Said(base.format.text(said), len(said), False))
    return answers


def together(base: Base, asked: Sequence[Ask], batch: int) -> list[Said]:
    answers: dict[int, Said] = {}
    for some in answer_all(base, asked, batch_size=batch):
        answers |= some
    return [answers[place] for place in range(len(asked))]


def both(questions: Sequence[str], tokens: int) -> list[Ask]:
    """Every question for base and for tuned, next to each other."""
    said = [[{"role": "user", "content": question}] for question in questions]
    sampling = Sampling(most_new_tokens=tokens)
    return [Ask(messages, name, sampling) for messages in said for name in (None, "default")]


def same(some: Sequence[Said], others: Sequence[Said]) -> str:
    equal = sum(a.text == b.text for a, b in zip(some, others, strict=True))
    return f"{equal} of {len(some)} answers equal ({equal / len(some):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--tokens", type=int, default=48, help="of every answer")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--peer", type=int, default=20, help="questions the peer answers")
    parser.add_argument("--checked", type=int, default=6, help="questions compared in float32")
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared")
    asked = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        task = prepare(folder, tokenizer_and_corpus(folder, asked.shared), asked.questions)
        corpus = Corpora(folder / "corpora").get(task.config.corpus)
        told = sorted({example.question for example in corpus.pile("train")})
        questions = random.Random(0).sample(told, asked.questions)
        sample = sorted(random.Random(1).sample(range(asked.questions), asked.peer))
        print(
            f"{len(questions)} questions for base and tuned, {asked.tokens} new tokens each, "
            f"batches of {asked.batch}, {torch.get_num_threads()} threads; generate answers "
            f"{asked.peer} of them, drawn at random, and its time is scaled up"
        )

        base = load(task)
        print(f"weights: NF4, held as {held_as(base.model.get_base_model())}", flush=True)
        in_4_bit = load(task, packed=True)
        for model in (base, in_4_bit):
            one_by_one(model, both(questions[:1], 4))  # warm
        together(base, both(questions[:2], 4), asked.batch)
        theirs, packed, ours, apart = Clock(), Clock(), Clock(), []
        halves = [sample[: asked.peer // 2], sample[asked.peer // 2 :]]
        for half in halves:
            with theirs:
                apart += one_by_one(base, both([questions[i] for i in half], asked.tokens))
            with packed:
                one_by_one(in_4_bit, both([questions[i] for i in half], asked.tokens))
            if half is halves[0]:
                with ours:
                    answers = together(base, both(questions, asked.tokens), asked.batch)
        scale = asked.questions / asked.peer
        clocks = {"generate": (theirs, scale), "generate, 4-bit": (packed, scale)}
        for who, (clock, times) in (clocks | {"Tandem": (ours, 1.0)}).items():
            wall, cpu = clock.wall * times, clock.cpu * times
            rate = 2 * asked.questions * asked.tokens / wall
            print(f"{who:16}{wall:8.1f} s{cpu:9.1f} s of CPU{rate:9.0f} tokens/s", flush=True)
        faster = min(theirs, packed, key=lambda clock: clock.wall)
        print(
            f"ratio           {faster.wall * scale / ours.wall:8.1f}"
            f"{faster.cpu * scale / ours.cpu:11.1f} by CPU"
        )
        del in_4_bit
        found = [answers[2 * i + k] for i in sample for k in (0, 1)]
        print(f"{str(base.model.dtype).removeprefix('torch.')}: {same(found, apart)}", flush=True)

        del base
        exact = load(task, dtype=torch.float32)
        checked = both([questions[i] for i in sample[: asked.checked]], asked.tokens)
        apart = one_by_one(exact, checked)
        found = together(exact, checked, asked.batch)
        print(f"float32: {same(found, apart)}", flush=True)

        pocket = adapted(load_base("bundled:pocket", frozen_weights="auto"))
        picked = both([questions[i] for i in sample], asked.tokens)
        apart = one_by_one(pocket, picked)
        found = together(pocket, picked, asked.batch)
        precision = str(pocket.model.dtype).removeprefix("torch.")
        print(f"bundled:pocket in {precision}: {same(found, apart)}")


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
