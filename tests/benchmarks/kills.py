"""Kill workers at random instants, resume them, and compare what they leave.

    python -m tests.benchmarks.kills [--kills 50] [--seed 1]

Each run of a tiny model is killed once, at an instant drawn over the time that one which nobody
kills takes, and resumed; one that was faster than its killer is not counted. All have to finish
with the adapter of the one nobody killed.
"""

import argparse
import os
import random
import shutil
import signal
import tempfile
import time
from pathlib import Path

from tests.conftest import returns_csv, tiny_model, wait_until
from tests.process.scripted_worker import worker_of
from trainer.config import RunConfig
from trainer.corpus.library import Corpora
from trainer.events import Progress
from trainer.launch import launch, resume
from trainer.runs import Run, Runs
from trainer.work import State

SECONDS = 300.0


class Folders:
    """Where the tests' tiny model is made, outside of pytest."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def mktemp(self, name: str) -> Path:
        (self.root / name).mkdir()
        return self.root / name


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill workers at random instants and resume them.")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "workspace"
        base = tiny_model.__wrapped__(Folders(Path(folder)))
        faq = Path(folder) / "returns.csv"
        faq.write_text(returns_csv())
        Corpora(workspace / "corpora").add(faq)
        config = RunConfig.parse(
            {"base": str(base), "corpus": "returns", "version": 1, "epochs": 8, "batch_size": 4}
            | {"learning_rate": 1e-2, "lora_dropout": 0.1, "evaluate": False}
        )
        runs = Runs(workspace / "runs")
        began = time.monotonic()
        reference = launch(config, runs)
        wait_until(lambda: not reference.alive, SECONDS)
        assert reference.state() is State.FINISHED, reference.last_output()
        whole = time.monotonic() - began
        print(f"one that nobody kills takes {whole:.1f} s: {reference.adapter_hash[:12]}")

        same = finished = killed = 0
        while killed < asked.kills:
            run = launch(config, runs)
            if kill(run, chance.uniform(0.01, 1) * whole):
                killed += 1
                at = step_of(run)
                if run.state() is State.LOST:  # else it was killed after its last word
                    resume(run)
                wait_until(lambda run=run: not run.alive, SECONDS)  # type: ignore[misc]
                finished += run.state() is State.FINISHED
                equal = run.has_adapter and run.adapter_hash == reference.adapter_hash
                same += equal
                said = "the same adapter" if equal else "ANOTHER ADAPTER"
                print(f"kill {killed}: after step {at}, then {run.state()}, {said}", flush=True)
            shutil.rmtree(run.path)
        print(f"{killed} kills: {finished} finished, {same} with the same adapter")


def kill(run: Run, after: float) -> bool:
    """Kill the worker after so many seconds, unless it was faster; whether it was killed."""
    deadline = time.monotonic() + after
    while run.alive and time.monotonic() < deadline:
        time.sleep(0.005)
    if not run.alive:
        return False
    os.kill(worker_of(run), signal.SIGKILL)
    wait_until(lambda: not run.alive)
    return True


def step_of(run: Run) -> int:
    return max((e.step for e in run.events.read() if isinstance(e, Progress)), default=0)


if __name__ == "__main__":
    main()
