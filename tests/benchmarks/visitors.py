"""How long visitors wait who ask the bundled bot at the same time: in a crowd, and one at a time.

    python -m tests.benchmarks.visitors [--run FOLDER] [--visitors 1 8 64] [--turns 3] [--peer]

The bundled base is tuned on the sample bank for about a minute, or a run is given. Every visitor
asks another question of the bank, each in a thread of its own, all at once; what counts is the
median of the turns. `waits` is from asking to the first word. `seconds of processor` are those of
the whole process for one answer: they say more than the clock where others compute beside.
`as alone` counts the answers that are word for word what the host says to that question by itself.
With `--peer` the same questions go to Transformers' continuous batching, which knows one adapter
at a time; its answers are those of the merged model, and its first call sets up a cache.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from transformers.utils import logging

from assistant.conversation import Asked, Chat, ChatSettings, tuned
from assistant.crowd import Crowd
from assistant.host import ModelHost
from tests.benchmarks.exports import tune
from trainer.bundled import sample_corpora
from trainer.corpus.library import Corpora
from trainer.runs import Run, Runs


@dataclass
class Visit:
    """What one visitor saw, in seconds since asking."""

    first: float = 0.0
    last: float = 0.0
    text: str = ""


def visit(chat: Chat, asked: Sequence[Asked]) -> list[Visit]:
    """Let all ask at once."""
    visits = [Visit() for _ in asked]
    gate = threading.Barrier(len(asked) + 1)

    def one(about: Visit, question: Asked) -> None:
        gate.wait()
        began = time.perf_counter()
        for (answer,) in chat.answer([question], threading.Event()):
            if (answer.text or answer.proof) and not about.first:
                about.first = time.perf_counter() - began
            about.text = answer.text
        about.last = time.perf_counter() - began

    pairs = zip(visits, asked, strict=True)
    threads = [threading.Thread(target=one, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    gate.wait()
    for thread in threads:
        thread.join()
    return visits


def measure(
    name: str, chat: Chat, asked: Sequence[Asked], alone: Sequence[str], turns: int
) -> None:
    rates, costs, firsts, lasts, same = [], [], list[float](), list[float](), 0
    for _ in range(turns):
        began, used = time.perf_counter(), time.process_time()
        visits = visit(chat, asked)
        rates.append(len(asked) / (time.perf_counter() - began))
        costs.append((time.process_time() - used) / len(asked))
        firsts += [one.first for one in visits]
        lasts += [one.last for one in visits]
        same = sum(one.text == text for one, text in zip(visits, alone, strict=True))
    told = [
        f"{statistics.median(rates):10.1f}",
        f"{statistics.median(costs):10.3f}",
        *(f"{share(values, part):8.2f}" for values in (firsts, lasts) for part in (0.5, 0.95)),
        f"{same:6} of {len(asked)}",
    ]
    print(f"{len(asked):8}  {name:24}{''.join(told)}", flush=True)


def share(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def peer(run: Run, asked: Sequence[Asked], turns: int) -> None:
    """The same questions by `generate_batch`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    from trainer.export.merged import write_merged

    with tempfile.TemporaryDirectory() as folder:
        write_merged(run, Path(folder) / "merged")
        tokenizer = AutoTokenizer.from_pretrained(Path(folder) / "merged")
        model = AutoModelForCausalLM.from_pretrained(
            Path(folder) / "merged", dtype=torch.bfloat16, attn_implementation="paged|sdpa"
        ).eval()
    known = model.generation_config
    how = GenerationConfig(
        max_new_tokens=asked[0].settings.most_new_tokens,
        do_sample=False,
        eos_token_id=known.eos_token_id,
        pad_token_id=known.pad_token_id,
    )
    prompts = [
        tokenizer.apply_chat_template(list(one.messages), add_generation_prompt=True)["input_ids"]
        for one in asked
    ]
    rates, costs = [], []
    for _ in range(turns):
        began, used = time.perf_counter(), time.process_time()
        found = model.generate_batch(inputs=prompts, generation_config=how, progress_bar=False)
        assert len(found) == len(asked), found
        rates.append(len(asked) / (time.perf_counter() - began))
        costs.append((time.process_time() - used) / len(asked))
    told = f"{statistics.median(rates):10.1f}{statistics.median(costs):10.3f}"
    print(f"{len(asked):8}  {'continuous batching':24}{told}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, help="the folder of a run")
    parser.add_argument("--epochs", type=float, default=4)
    parser.add_argument("--visitors", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument(
        "--peer", action="store_true", help="Transformers' continuous batching, too"
    )
    wanted = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    others = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        run = Run(wanted.run.resolve()) if wanted.run else tune(Path(folder), wanted.epochs)
        host = ModelHost(Runs(run.path.parent))
        examples = Corpora(Path(folder) / "asked").add(sample_corpora()["banking"]).pile("train")
        side = tuned(run)
        questions = list(dict.fromkeys(one.question for one in examples))[: max(wanted.visitors)]
        asked = [
            Asked(side, [{"role": "user", "content": question}], ChatSettings())
            for question in questions
        ]
        alone = [visit(host, [one])[0].text for one in asked]
        visit(Crowd(host), asked)  # measures whether a batch pays, and warms up
        words = statistics.mean(len(text.split()) for text in alone)
        print(
            f"\n{os.cpu_count()} processors, others used {others:.1f} of them before; "
            f"{words:.0f} words an answer, medians of {wanted.turns} turns\n\n"
            f"visitors  {'':24}{'answers/s':>10}{'CPU s':>10}{'waits':>8}{'95%':>8}"
            f"{'done':>8}{'95%':>8}  as alone"
        )
        for many in wanted.visitors:
            measure("one at a time", host, asked[:many], alone[:many], wanted.turns)
            measure("together", Crowd(host), asked[:many], alone[:many], wanted.turns)
            if wanted.peer:
                peer(run, asked[:many], 1)


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
