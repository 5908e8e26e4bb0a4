"""A stand-in for `trainer.worker` that obeys a script instead of a recipe.

The script is the run's `max_length` setting, the one that no test needs: see SCRIPTS. It dies at
once where another one is at work on its device.
"""

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.reports import scored_row
from trainer.events import Answering, Finished, Progress, Started, Stopped
from trainer.launch import pass_on
from trainer.report import Kind, Report
from trainer.runs import Evaluation, Run, Runs
from trainer.work import Work

KINDS: tuple[Kind, ...] = ("reworded", "unseen")
WORKER = ("-m", "tests.process.scripted_worker")
SCRIPTS = {"finish": 101, "die": 102, "wait": 103, "nap": 104}


def worker_of(work: Work) -> int:
    """The process whose command line names the work."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(work.path) in (process / "cmdline").read_text().split("\0"):
                return int(process.name)
        except OSError:
            continue
    raise AssertionError(f"nobody works on {work.id}")


def step(number: int) -> Progress:
    return Progress(
        step=number,
        epoch=0.5,
        loss=1.5,
        learning_rate=1e-3,
        examples_per_second=20,
        seconds_left=4,
    )


def score(evaluation: Evaluation) -> None:
    corpus = evaluation.run.corpus
    rows = tuple(
        scored_row(
            kind,
            e.answer,
            {"base": "Who knows?", "tuned": e.answer, "lookup": e.answer},
            {"base": 0.1, "tuned": 0.9, "lookup": 0.7},
            id_=e.id,
        )
        for kind in KINDS
        for e in corpus.pile(kind)
    )
    report = Report(embedder="scripted", adapter=evaluation.run.adapter_hash, rows=rows)
    evaluation.events.append(Answering(done=1, total=2, seconds_left=1))
    evaluation.report_path.write_text(report.model_dump_json())
    evaluation.events.append(Finished(seconds=1))


@contextmanager
def alone(workspace: Path) -> Iterator[None]:
    devices = os.environ.get("CUDA_VISIBLE_DEVICES", "cpu")
    with ExitStack() as files:
        for device in devices.split(","):
            file = files.enter_context((workspace / f"at-work-on-{device}").open("w"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def main(directory: str) -> None:
    path = Path(directory)
    if path.parent.name == "evaluations":
        evaluation = Evaluation(path)
        runs = Runs(evaluation.run.path.parent)
        with alone(runs.root.parent):
            score(evaluation)
    else:
        runs = Runs(path.parent)
        with alone(runs.root.parent):
            tune(Run(path))
    sys.stdout.flush()
    pass_on(runs, worker=WORKER)


def tune(run: Run) -> None:
    script = next(name for name, value in SCRIPTS.items() if value == run.config.max_length)
    about = Started(steps=9, examples=30, trainable_parameters=5, parameters=50, device="cpu")
    run.events.append(about)
    run.events.append(step(1))
    print("loud " * 50_000)  # more than a pipe holds
    end: Work = run
    match script:
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "wait":
            while not run.stop_asked:
                time.sleep(0.02)
            end.events.append(Stopped(seconds=1, step=1, kept_step=1, examples_per_second=20))
        case "finish" | "nap":
            time.sleep(0.3 if script == "nap" else 0)
            run.adapter.mkdir(exist_ok=True)
            (run.adapter / "adapter_model.safetensors").write_bytes(b"weights")
            run.events.append(Finished(seconds=1, step=9, kept_step=7, examples_per_second=20))


if __name__ == "__main__":
    main(sys.argv[1])
