"""What tuning makes of each base: similarity on reworded questions of the sample bank, by seed.

    python -m tests.benchmarks.bases BASE OTHER [--seeds 5]

Each base, a folder or any name that Tandem loads, is tuned with the settings of the bundled one,
once for every seed, on one split; each run takes a core. Scored are greedy answers, by MiniLM's
cosine with the approved answer, a mean over questions. Bases are compared seed by seed, for a
seed gives both the same order of examples.
"""

import argparse
import os
import statistics
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import torch
from peft import PeftModel
from transformers.utils import logging

from trainer.bundled import bundled_bases, sample_corpora
from trainer.config import RunConfig, recommended
from trainer.corpus.library import Corpora
from trainer.finetune import finetune
from trainer.generate import Ask, answer_all
from trainer.models import load_base
from trainer.runs import Runs
from trainer.scoring import cosines, load_embedder

ADAPTER = "tuned"


def tune_and_score(folder: Path, base: str, seed: int) -> tuple[float, float]:
    """Mean similarity of the base's answers, and of those after tuning it with a seed."""
    torch.set_num_threads(1)
    logging.disable_progress_bar()
    corpus = Corpora(folder / "corpora").get("banking")
    settings = recommended(next(iter(bundled_bases())))
    settings |= {"base": base, "corpus": corpus.name, "version": corpus.version, "seed": seed}
    run = Runs(folder / "runs").create(RunConfig.parse(settings), corpus.split)
    finetune(run)
    loaded = load_base(base)
    model = PeftModel.from_pretrained(loaded.model, run.adapter, adapter_name=ADAPTER)
    asked = corpus.pile("reworded", run.split)
    asks = [
        Ask([{"role": "user", "content": example.question}], adapter)
        for adapter in (None, ADAPTER)
        for example in asked
    ]
    said: dict[int, str] = {}
    for some in answer_all(replace(loaded, model=model), asks, batch_size=64):
        said |= {place: one.text for place, one in some.items()}
    embedder = load_embedder()
    approved = embedder.encode([example.answer for example in asked])
    texts = [said[place] for place in range(len(asks))]
    bare, tuned = (
        statistics.fmean(cosines(embedder.encode(some), approved))
        for some in (texts[: len(asked)], texts[len(asked) :])
    )
    print(f"{Path(base).name}, seed {seed}: {bare:.3f}, tuned {tuned:.3f}", flush=True)
    return bare, tuned


def spread(numbers: Sequence[float]) -> str:
    """Mean, standard deviation and range."""
    mean, sd = statistics.fmean(numbers), statistics.stdev(numbers)
    return f"{mean:.3f}, sd {sd:.3f}, {min(numbers):.3f} to {max(numbers):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bases", nargs="+", metavar="BASE")
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    if given.seeds < 2:
        parser.error("a spread needs at least two seeds")
    seeds = range(1, given.seeds + 1)
    with tempfile.TemporaryDirectory() as name:
        Corpora(Path(name) / "corpora").add(sample_corpora()["banking"])
        jobs = list(product(seeds, given.bases))
        cores = len(os.sched_getaffinity(0))
        with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
            waited = [pool.submit(tune_and_score, Path(name), base, seed) for seed, base in jobs]
            found = {job: one.result() for job, one in zip(jobs, waited, strict=True)}
    first = [found[seed, given.bases[0]][1] for seed in seeds]
    for base in given.bases:
        tuned = [found[seed, base][1] for seed in seeds]
        print(f"{base}: base {found[seeds[0], base][0]:.3f}; tuned {spread(tuned)}")
        if base != given.bases[0]:
            print(
                f"  beside the first: {spread([b - a for a, b in zip(first, tuned, strict=True)])}"
            )


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
