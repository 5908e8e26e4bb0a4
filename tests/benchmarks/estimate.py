"""Hold the estimate's formula against real steps: `python -m tests.benchmarks.estimate [BASE ...]`.

One line for each base and setting: memory and time by formula, by a trial, and how far they are
apart. Its constants were fitted to this; fit them again where the recipe computes differently. A
machine that does something else shows too much time, so the best of REPEATS counts.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from trainer.config import RunConfig
from trainer.corpus.library import Corpora
from trainer.estimate import estimate
from trainer.machine import Machine
from trainer.trial import measure

REPEATS = 2
SETTINGS: tuple[dict[str, object], ...] = (
    {"batch_size": 4},
    {"batch_size": 8},
    {"batch_size": 32},
    {"batch_size": 8, "max_length": 64},
    {"batch_size": 8, "recompute": True},
    {"batch_size": 8, "method": "lora"},
    {"batch_size": 8, "frozen_weights": "dequantised"},
    {"batch_size": 8, "lora_targets": "attention"},
)


def main(bases: list[str]) -> None:
    os.nice(5)
    workspace = Path(tempfile.mkdtemp())
    corpus, machine = Corpora(workspace / "corpora").get("banking"), Machine.here()
    print(f"{'':60}   GB formula  real     off    s formula  real     off")
    for base in bases or ["bundled:pocket"]:
        for settings in SETTINGS:
            chosen = {"base": base, "corpus": corpus.name, "version": 1, "frozen_weights": "4-bit"}
            config = RunConfig.parse(chosen | settings)
            said = estimate(config, corpus, machine)
            trials = [measure(config, workspace) for _ in range(REPEATS)]
            peak = max(trial.peak_bytes for trial in trials)
            seconds = min(trial.seconds for trial in trials)
            name = f"{base} " + " ".join(f"{key}={value}" for key, value in settings.items())
            print(
                f"{name:60} {said.peak_bytes / 1e9:10.2f} {peak / 1e9:6.2f} "
                f"{said.peak_bytes / peak - 1:+7.0%} {said.seconds:10.0f} {seconds:6.0f} "
                f"{said.seconds / seconds - 1:+7.0%}",
                flush=True,
            )
    shutil.rmtree(workspace)


if __name__ == "__main__":
    main(sys.argv[1:])
