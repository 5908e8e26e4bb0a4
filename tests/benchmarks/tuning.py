"""How fast Tandem tunes beside TRL and LLaMA-Factory, in turns on the same work.

    python -m tests.benchmarks.tuning [--turns 3] [--steps 20] [--only NAME ...] [--shared FOLDER]

The work: bank FAQ rows on a Llama of 135 million random weights, NF4 with double quantisation,
LoRA on all linear layers, loss on answers only, bf16, a batch of 8 examples (packed: a row of 1,024
tokens, which holds as many). Each contender runs in a process of its own, the peers each in an
environment of its own, made when it is missing. Seconds count from the end of the warm-up steps to
the end of the last step; memory is the peak of the whole process.

The share is of the fastest bf16 matrix product measured here, for work no one gets around: forward
and backward through frozen weights, 4 FLOPs a weight and token; 6 through the adapter; 4 for each
weight of the head, at labelled tokens only. Attention and recomputation are not counted.
"""

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from trainer.chat_format import ChatFormat
from trainer.config import RunConfig
from trainer.corpus.library import Corpora
from trainer.events import Progress
from trainer.runs import Run, Runs

HERE = Path(__file__).parent
BATCH, RANK, RATE, THREADS = 8, 16, 2e-4, 2
TORCH = "torch==2.13.0"
PACKAGES = {
    "trl": ("trl==1.16.0", "transformers==5.24.0", "peft==0.21.2", "bitsandbytes==0.50.2"),
    "llamafactory": ("llamafactory==0.9.5", "transformers==5.6.0", "bitsandbytes==0.50.2"),
}
DRIVERS = {"trl": "trl_sft.py", "llamafactory": "llama_factory.py"}
CONTENDERS = {
    "tandem": ("", False),
    "trl": ("trl", False),
    "trl-packed": ("trl", True),
    "llamafactory": ("llamafactory", False),
    "llamafactory-packed": ("llamafactory", True),
}
PRODUCTS = ((1024, 576, 576), (1024, 576, 1536), (1024, 1536, 576), (640, 576, 49_152))


@dataclass(frozen=True)
class Task:
    """The same work for all: settings of a run, the rows as a file, and what a row costs."""

    workspace: Path
    model: Path
    rows: Path
    config: RunConfig
    examples: int
    tokens: float  # on average
    flops: float  # on average


def prepare(folder: Path, shared: Path, examples: int) -> Task:
    torch.manual_seed(0)
    sizes = dict(vocab_size=49_152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30)
    heads = dict(num_attention_heads=9, num_key_value_heads=3, max_position_embeddings=8192)
    ids = dict(bos_token_id=1, eos_token_id=2, pad_token_id=2)
    model = LlamaForCausalLM(LlamaConfig(**sizes, **heads, **ids, tie_word_embeddings=True))
    model.to(torch.bfloat16).save_pretrained(folder / "model")
    linear = [m for m in model.model.modules() if isinstance(m, torch.nn.Linear)]
    frozen = sum(m.weight.numel() for m in linear)
    adapter = sum(RANK * sum(m.weight.shape) for m in linear)
    head = model.lm_head.weight.numel()

    for file in (shared / "models/tokenizers/smollm2-instruct").iterdir():
        shutil.copyfile(file, folder / "model" / file.name)
    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    chat_format = ChatFormat(tokenizer, name="smollm2")

    corpus = Corpora(folder / "corpora").add(shared / "corpora/banking_mrjay10/BankFAQs.csv")
    config = RunConfig(
        base=str(folder / "model"), corpus=corpus.name, version=corpus.version, epochs=1,
        batch_size=BATCH, lora_rank=RANK, lora_alpha=2 * RANK, learning_rate=RATE, evaluate=False,
    )  # fmt: skip
    told = [(e, *chat_format.example(e.question, e.answer)) for e in corpus.pile("train")]
    told = [row for row in told if len(row[1]) + len(row[2]) <= config.max_length]  # nothing is cut
    if len(told) < examples:
        sys.exit(f"Only {len(told)} rows for {examples} examples: ask for fewer steps.")
    told = random.Random(0).sample(told, examples)
    rows = [{"id": e.id, "question": e.question, "answer": e.answer} for e, _, _ in told]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    labelled = statistics.mean(len(answer) for _, _, answer in told)
    tokens = labelled + statistics.mean(len(prompt) for _, prompt, _ in told)
    flops = tokens * (4 * frozen + 6 * adapter) + labelled * 4 * head
    return Task(folder, folder / "model", folder / "rows.jsonl", config, examples, tokens, flops)


def environment(folder: Path, peer: str) -> Path:
    """The Python of a peer's environment, made when it is missing; torch first, and held there."""
    python = folder / peer / "bin" / "python"
    ready = folder / peer / "ready"
    if not ready.exists():
        print(f"installing {peer} into {folder / peer}", flush=True)
        venv.create(folder / peer, with_pip=True, clear=True)
        held = folder / peer / "constraints.txt"
        held.write_text(TORCH + "\n")
        for packages in ((TORCH,), PACKAGES[peer]):
            subprocess.run(
                [python, "-m", "pip", "install", "-q", "-c", held, *packages], check=True
            )
        # Builds for CUDA, which nothing here needs and transformers fails to import.
        unfit = ("torchvision", "torchaudio")
        subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", *unfit], check=True)
        ready.touch()
    return python


def measure(name: str, task: Task, peers: Path, warmup: int) -> dict[str, Any]:
    """Let one contender do the work in a process of its own; what its driver found."""
    peer, packed = CONTENDERS[name]
    if peer:
        job = {
            "model": str(task.model), "rows": str(task.rows), "batch": BATCH, "packed": packed,
            "warmup": warmup, "rank": RANK, "learning_rate": RATE,
            "out": tempfile.mkdtemp(dir=task.workspace) + "/out",
        }  # fmt: skip
        driver = str(HERE / "peers" / DRIVERS[peer])
        command = [str(environment(peers, peer)), driver, json.dumps(job)]
    else:
        corpus = Corpora(task.workspace / "corpora").get(task.config.corpus)
        ids = tuple(json.loads(line)["id"] for line in task.rows.read_text().splitlines())
        nothing = dict.fromkeys(("validation", "reworded", "unseen", "test", "aside"), ())
        split = corpus.split.model_copy(update={"train": ids, **nothing})
        run = Runs(task.workspace / "runs").create(task.config, split)
        command = [sys.executable, "-m", "tests.benchmarks.tuning", "--tandem", str(run.path)]
        command += ["--warmup", str(warmup)]
    env = os.environ | {
        "OMP_NUM_THREADS": str(THREADS), "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(task.workspace / "hf"), "TOKENIZERS_PARALLELISM": "false",
        "GOMP_SPINCOUNT": "1000",  # as Tandem starts its worker; the same for all
    }  # fmt: skip
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}")
    said = next(line for line in done.stdout.splitlines() if line.startswith("FOUND "))
    found: dict[str, Any] = json.loads(said.removeprefix("FOUND "))
    return {"tokens": found["examples"] * task.tokens} | found


def tune(path: Path, warmup: int) -> None:
    """Tandem's driver: the recipe from start to end, timed by the events it leaves."""
    from trainer.finetune import finetune

    run = Run(path)
    finetune(run)
    steps = [event for event in run.events.read() if isinstance(event, Progress)]
    timed = [event for event in steps if event.step >= warmup]
    print("FOUND", json.dumps({
        "examples": (timed[-1].step - timed[0].step) * run.config.batch_size,
        "seconds": (timed[-1].at - timed[0].at).total_seconds(),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "loss": statistics.mean(event.loss for event in steps),
    }))  # fmt: skip


def matrix_products() -> float:
    """GFLOP/s of the fastest of the products that tuning consists of, each the best of 5 tries."""
    torch.set_num_threads(THREADS)
    rates = []
    for rows, inner, columns in PRODUCTS:
        left = torch.randn(rows, inner, dtype=torch.bfloat16)
        right = torch.randn(columns, inner, dtype=torch.bfloat16).T  # as a linear layer has it
        times = max(1, int(2e10 / (2 * rows * inner * columns)))
        best = float("inf")
        for _ in range(5):
            began = time.perf_counter()
            for _ in range(times):
                left @ right
            best = min(best, (time.perf_counter() - began) / times)
        rates.append(2e-9 * rows * inner * columns / best)
        print(f"bf16 {rows} x {inner} x {columns}: {rates[-1]:.0f} GFLOP/s", flush=True)
    return max(rates)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20, help="timed steps of 8 examples")
    parser.add_argument("--warmup", type=int, default=3, help="steps before them")
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--peers", type=Path, default=Path.home() / ".cache" / "tandem-peers")
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared")
    parser.add_argument("--tandem", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.tandem:
        return tune(asked.tandem, asked.warmup)

    for peer in {CONTENDERS[name][0] for name in asked.only} - {""}:
        environment(asked.peers, peer)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in asked.only}
    limits = []
    with tempfile.TemporaryDirectory() as folder:
        task = prepare(Path(folder), asked.shared, BATCH * (asked.warmup + asked.steps))
        for turn in range(asked.turns):
            limits.append(matrix_products())
            for name in asked.only:
                found[name].append(measure(name, task, asked.peers, asked.warmup))
                print(f"turn {turn + 1}: {name} {json.dumps(found[name][-1])}", flush=True)
    report(task, found, max(limits))


def report(task: Task, found: dict[str, list[dict[str, Any]]], limit: float) -> None:
    speeds = {
        name: statistics.median(turn["examples"] / turn["seconds"] for turn in turns)
        for name, turns in found.items()
    }
    fastest = max((s for name, s in speeds.items() if name != "tandem"), default=float("nan"))
    print(
        f"\n{task.examples} rows of {task.tokens:.0f} tokens, {task.flops * 1e-9:.1f} GFLOP each; "
        f"{limit:.0f} GFLOP/s of bf16 products; {THREADS} threads; medians\n\n"
        f"{'':20}{'examples/s':>12}{'tokens/s':>10}{'peak MB':>9}{'loss':>7}{'share':>7}"
        f"{'of the fastest peer':>21}"
    )
    for name, turns in found.items():
        tokens = statistics.median(turn["tokens"] / turn["seconds"] for turn in turns)
        print(
            f"{name:20}{speeds[name]:12.2f}{tokens:10.0f}{max(t['peak_mb'] for t in turns):9.0f}"
            f"{turns[-1]['loss']:7.2f}{speeds[name] * task.flops * 1e-9 / limit:7.2f}"
            f"{speeds[name] / fastest:21.2f}"
        )


if __name__ == "__main__":
    main()
