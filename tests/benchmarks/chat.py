"""How fast the chat answers, alone and side by side, beside `generate` and llama.cpp, in turns.

    python -m tests.benchmarks.chat [--model pocket 135m] [--turns 5] [--tokens 64] [--busy 0]
                                    [--peer llama.cpp] [--peers FOLDER] [--shared FOLDER]

The models: the bundled base, and the Llama of 135 million random weights of the tuning benchmark;
NF4, with an adapter of rank 16 whose weights are not zero. Answers never end by themselves. Each
turn asks every contender once; what counts are medians and their ratios. `generate` is called on
the same model, with 4-bit weights as they are loaded by default and with their values in 16 bits;
llama.cpp gets those values with the adapter merged, in bf16 and in f16. `--busy` programs that
take all they get of the processor run beside.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers.generation.streamers import BaseStreamer
from transformers.utils import logging

from tests.benchmarks.answering import adapted, tokenizer_and_corpus
from tests.benchmarks.tuning import prepare
from trainer.export.gguf import write_weights
from trainer.generate import Ask, faster_together, stream_answers
from trainer.mixing import only_adapter
from trainer.models import Base, load_base
from trainer.sampling import Sampling

HERE = Path(__file__).parent
QUESTION = "What documents do I need to open a savings account, and how long does it take?"
LLAMA_CPP = "llama-cpp-python==0.3.36"

Moments = list[float]  # of each step, in seconds since the question


class Times(BaseStreamer):
    def __init__(self) -> None:
        self.moments: Moments = []

    def put(self, value: Any) -> None:
        self.moments.append(time.perf_counter())

    def end(self) -> None: ...


def load(name: str, held: str) -> Base:
    base = adapted(load_base(name, frozen_weights=held))
    base.model.generation_config.eos_token_id = None
    return base


def by_generate(base: Base, adapter: str | None, tokens: int) -> Moments:
    ids = torch.tensor([base.format.prompt([{"role": "user", "content": QUESTION}])])
    times, began = Times(), time.perf_counter()
    with only_adapter(base.model, adapter), torch.inference_mode():
        base.model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens,
            do_sample=False, streamer=times,
        )  # fmt: skip
    return [moment - began for moment in times.moments[1:]]  # the first is the prompt


def by_tandem(base: Base, adapters: Sequence[str | None], tokens: int, together: bool) -> Moments:
    sampling = Sampling(most_new_tokens=tokens)
    asked = [Ask([{"role": "user", "content": QUESTION}], name, sampling) for name in adapters]
    began = time.perf_counter()
    return [
        time.perf_counter() - began
        for _ in stream_answers(base, asked, lambda: False, together=together)
    ]


class LlamaCpp:
    """llama.cpp in a process of its own, the model loaded."""

    def __init__(self, python: Path, file: Path, prompt: Sequence[int]) -> None:
        command = [str(python), str(HERE / "peers" / "llama_cpp_chat.py"), str(file)]
        command.append(str(torch.get_num_threads()))
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip
        self.prompt, self.said = list(prompt), list[int]()
        assert self.process.stdout
        assert self.process.stdin
        self.out, self.into = self.process.stdout, self.process.stdin
        if self.out.readline() != "READY\n":
            sys.exit(f"llama.cpp does not load {file}")

    def __call__(self, tokens: int) -> Moments:
        self.into.write(json.dumps({"prompt": self.prompt, "tokens": tokens}) + "\n")
        self.into.flush()
        found = json.loads(self.out.readline().removeprefix("FOUND "))
        self.said = found["said"]
        return list(found["moments"])


def llama_cpp_python(peers: Path) -> Path:
    """The Python of llama.cpp's environment; it is built from source, which takes a while."""
    folder = peers / "llama.cpp"
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists():
        print(f"building {LLAMA_CPP} into {folder}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        env = os.environ | {
            "CMAKE_ARGS": "-DGGML_NATIVE=ON -DMTMD_BUILD=OFF -DLLAVA_BUILD=OFF",
            "CMAKE_BUILD_PARALLEL_LEVEL": "2",
        }
        install = ["nice", str(python), "-m", "pip", "install", "-q"]
        # pip's cache would hand out the quick build of the slow tests: it does not know of flags.
        packages = [LLAMA_CPP, "--no-binary", "llama-cpp-python", "--no-cache-dir"]
        subprocess.run([*install, *packages], env=env, check=True)
        ready.touch()
    return python


def merged(name: str) -> Base:
    """The tuned model in one: the values of the 4-bit weights, the adapter merged."""
    base = load(name, "dequantised")
    return replace(base, model=base.model.merge_and_unload())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--model", nargs="+", choices=("pocket", "135m"), default=["pocket", "135m"]
    )
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=64, help="of every answer")
    parser.add_argument("--busy", type=int, default=0, help="programs that compute beside")
    parser.add_argument("--peer", choices=("llama.cpp",))
    parser.add_argument("--peers", type=Path, default=Path.home() / ".cache" / "tandem-peers")
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared")
    asked = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    for model in asked.model:
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            for _ in range(asked.busy):
                busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
                stack.callback(busy.kill)
            measure(model, Path(folder), asked, stack)


def measure(model: str, folder: Path, asked: Any, stack: ExitStack) -> None:
    name = "bundled:pocket"
    if model == "135m":
        name = str(prepare(folder, tokenizer_and_corpus(folder, asked.shared), 8).model)
    four, wide, tokens = load(name, "4-bit"), load(name, "dequantised"), asked.tokens
    run: dict[str, Callable[[], Moments]] = {
        "generate, base, 4-bit": lambda: by_generate(four, None, tokens),
        "generate, tuned, 4-bit": lambda: by_generate(four, "default", tokens),
        "generate, base": lambda: by_generate(wide, None, tokens),
        "generate, tuned": lambda: by_generate(wide, "default", tokens),
        "Tandem, base": lambda: by_tandem(wide, [None], tokens, False),
        "Tandem, tuned": lambda: by_tandem(wide, ["default"], tokens, False),
        "Tandem, both together": lambda: by_tandem(wide, [None, "default"], tokens, True),
        "Tandem, one after the other": lambda: by_tandem(wide, [None, "default"], tokens, False),
        "Tandem, both, 4-bit": lambda: by_tandem(four, [None, "default"], tokens, True),
    }
    peers: dict[str, LlamaCpp] = {}
    if asked.peer:
        python, one = llama_cpp_python(asked.peers), merged(name)
        prompt = wide.format.prompt([{"role": "user", "content": QUESTION}])
        for kind in ("bf16", "f16"):
            file = folder / f"{kind}.gguf"
            write_weights(one, file, kind, name=name)
            peer = LlamaCpp(python, file, prompt)
            stack.callback(peer.process.kill)
            peers[f"llama.cpp, tuned, {kind}"] = peer
        run |= {who: lambda peer=peer: peer(tokens) for who, peer in peers.items()}
    found: dict[str, list[Moments]] = {who: [] for who in run}
    for turn in range(asked.turns + 1):
        for who, answer in run.items():
            moments = answer()
            if turn:  # the first warms up
                found[who].append(moments)
    report(model, found, wide, asked)
    if peers:
        ours = said(wide, "default", tokens)
        for who, peer in peers.items():
            same = next((n for n in range(tokens) if peer.said[n] != ours[n]), tokens)
            print(f"{who} says the first {same} of {tokens} tokens as Tandem does")


def said(base: Base, adapter: str | None, tokens: int) -> list[int]:
    from trainer.decoding import Decoder, Row

    prompt = base.format.prompt([{"role": "user", "content": QUESTION}])
    row = Row(prompt, adapter, Sampling(most_new_tokens=tokens))
    steps = Decoder(base.model).decode([row], lean=True)
    return [token for step in steps for token in step.values() if token is not None]


def report(model: str, found: dict[str, list[Moments]], base: Base, asked: Any) -> None:
    whole = {who: statistics.median(turn[-1] for turn in turns) for who, turns in found.items()}
    alone = {who: seconds for who, seconds in whole.items() if "tuned" in who}
    fastest = min((who for who in alone if "Tandem" in who), key=lambda who: alone[who])
    peer = min(alone, key=lambda who: alone[who])
    print(
        f"\n{model}: answers of {asked.tokens} tokens, {torch.get_num_threads()} threads, "
        f"{asked.busy} busy programs beside, medians of {asked.turns} turns\n\n"
        f"{'':30}{'first, ms':>10}{'tokens/s':>10}{'all, ms':>9}{'of ' + fastest:>18}"
        f"{'of ' + peer:>28}"
    )
    for who, turns in found.items():
        first = statistics.median(turn[0] for turn in turns) * 1000
        # What comes after the first word of an answer, however many columns there are.
        answers = 2 if "both" in who or "other" in who else 1
        pace = statistics.median(
            answers * (asked.tokens - 1) / (turn[-1] - turn[0]) for turn in turns
        )
        print(
            f"{who:30}{first:10.0f}{pace:10.0f}{whole[who] * 1000:9.0f}"
            f"{whole[who] / whole[fastest]:18.2f}{whole[who] / whole[peer]:28.2f}",
            flush=True,
        )
    chosen = "together" if faster_together(base, [None, "default"]) else "one after the other"
    print(f"measured at load, two columns are faster {chosen}")


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
