"""What each export weighs, how fast it loads and answers, and how often as the preview does.

    python -m tests.benchmarks.exports [--run FOLDER] [--epochs 4] [--llama-cpp PYTHON]

The bundled base is tuned on the sample bank for about a minute, or a run is given. Each export is
loaded again as its README says and asked the same twenty questions greedily, one after the other.
Marked with a star is what `tandem export` writes; the rest is what was tried beside it. Words of
reading the question count as time, so short answers look slow. GGUF needs a Python that has
llama-cpp-python; the one that the slow tests build is taken if it is there.
"""

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, BitsAndBytesConfig
from transformers.utils import logging

from trainer.bundled import sample_corpora
from trainer.config import RunConfig
from trainer.corpus.library import Corpora
from trainer.export.adapter import write_adapter
from trainer.export.check import check
from trainer.export.four_bit import write_four_bit
from trainer.export.gguf import write_gguf
from trainer.export.kinds import Kind
from trainer.export.merged import write_merged
from trainer.export.preview import ADAPTER, Preview, ask, choose_questions, load_tuned
from trainer.export.space import write_space
from trainer.finetune import finetune
from trainer.models import Base, load_base
from trainer.runs import Run, Runs

LLAMA_CPP = Path.home() / ".cache" / "tandem-peers" / "llama.cpp" / "bin" / "python"
WRITERS: dict[str, tuple[Kind, Callable[[Run, Path], None]]] = {
    "* adapter": ("adapter", write_adapter),
    "* merged, bfloat16": ("merged", write_merged),
    "  merged, float16": ("merged", lambda run, to: write_merged(run, to, torch.float16)),
    "  merged, float32": ("merged", lambda run, to: write_merged(run, to, torch.float32)),
    "* gguf, f16": ("gguf", write_gguf),
    "  gguf, bf16": ("gguf", lambda run, to: write_gguf(run, to, "bf16")),
    "  gguf, f32": ("gguf", lambda run, to: write_gguf(run, to, "f32")),
    "* 4bit and adapter": ("4bit", write_four_bit),
    "* space": ("space", write_space),
}
TOKENS = 160


def tune(workspace: Path, epochs: float) -> Run:
    corpus = Corpora(workspace / "corpora").add(sample_corpora()["banking"])
    given = {"base": "bundled:pocket", "corpus": corpus.name, "version": 1, "epochs": epochs}
    run = Runs(workspace / "runs").create(RunConfig.parse(given), corpus.split)
    finetune(run)
    return run


def row(name: str, size: float | None, load: float | None, rate: float | None, equal: str) -> None:
    told = [
        f"{size / 1e6:8.1f} MB" if size else f"{'':11}",
        f"{load:7.2f} s" if load is not None else f"{'':9}",
        f"{rate:9.0f}" if rate else f"{'':9}",
    ]
    print(f"{name:34}{''.join(told)}   {equal}", flush=True)


def beside(name: str, base: Base, adapter: str | None, said: Preview) -> None:
    """A model in memory that is nobody's export, for contrast."""
    asked = [told.question for told in said.told]
    other = ask(base, asked, adapter=adapter, most_new_tokens=TOKENS)
    pairs = zip(said.told, other.told, strict=True)
    row(name, None, None, None, str(sum(one.tokens == two.tokens for one, two in pairs)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, help="a run to take, in its workspace")
    parser.add_argument("--epochs", type=float, default=4)
    parser.add_argument("--llama-cpp", default=str(LLAMA_CPP) if LLAMA_CPP.is_file() else None)
    given = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = Run(given.run) if given.run else tune(folder, given.epochs)
        began = time.perf_counter()
        tuned = load_tuned(run)
        loaded = time.perf_counter() - began
        began = time.perf_counter()
        said = ask(tuned, choose_questions(run), adapter=ADAPTER, most_new_tokens=TOKENS)
        seconds = time.perf_counter() - began
        words = sum(len(said.format.text(told.tokens).split()) for told in said.told)
        print(f"{run.id}: {words} words to {len(said.told)} questions, "
              f"{torch.get_num_threads()} threads\n")  # fmt: skip
        print(f"{'':34}{'size':>11}{'load':>9}{'words/s':>9}   equal")
        row("  the preview", None, loaded, words / seconds, "")
        del tuned
        for label, (kind, write) in WRITERS.items():
            place = folder / label.strip("* ").replace(", ", "-").replace(" ", "-")
            write(run, place)
            gc.collect()
            found = check(run, kind, place, said, llama_cpp=given.llama_cpp)
            size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
            far = sum(not parting.near for parting in found.partings)
            equal = found.unchecked or f"{found.equal}{f', {far} far off' if far else ''}"
            row(label, size, found.load_seconds, found.words_per_second, equal)

        config = run.config
        original = load_base(config.base, quantization="none")
        on_it = PeftModel.from_pretrained(original.model, run.adapter, adapter_name=ADAPTER)
        beside("  adapter on the original weights", replace(original, model=on_it), ADAPTER, said)
        packed = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
        anew = AutoModelForCausalLM.from_pretrained(
            folder / "merged-float32", dtype=torch.bfloat16, quantization_config=packed
        )
        anew.generation_config.eos_token_id = sorted(said.stops)
        beside("  merged, quantised anew to 4 bits", replace(original, model=anew), None, said)


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
