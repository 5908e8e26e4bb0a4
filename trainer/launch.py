"""Start a run or an evaluation in a process of its own, so that it outlives tab, page and server.

One device, one worker: whoever starts one holds the workspace's `device.lock` first and hands it
on, so that of two launches at one moment one is refused.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from trainer.config import RunConfig
from trainer.corpus.audit import FEWEST_EXAMPLES
from trainer.corpus.examples import distinct
from trainer.corpus.library import Corpora
from trainer.errors import CorpusError, DeviceBusy, NotFound
from trainer.locks import Lock, LockHeld
from trainer.runs import Evaluation, EvaluationConfig, Run, Runs, Work

WORKER = ("-m", "trainer.worker")

# How often a thread of OpenMP looks for its next piece of work before it sleeps. GNU's default
# keeps a core busy waiting for another program to leave the other one: 7 examples a second
# instead of 13 beside one busy process on two cores, and no more than these when it is quiet.
PATIENCE_OF_THREADS = {"GOMP_SPINCOUNT": "1000"}


def launch(config: RunConfig, runs: Runs, *, worker: Sequence[str] = WORKER) -> Run:
    """Create a run, start its worker, and return at once; raises `DeviceBusy`."""
    corpus = Corpora(runs.root.parent / "corpora").get(f"{config.corpus}@{config.version}")
    if (count := len(distinct(corpus.examples))) < FEWEST_EXAMPLES:
        raise CorpusError(
            f"'{corpus.label}' has {count} examples, repeats not counted; tuning needs at least "
            f"{FEWEST_EXAMPLES}. Add questions, or other wordings of those you have."
        )
    with _device(runs) as device:
        run = runs.create(config, corpus.split)
        _start(run, device, worker)
    return run


def launch_evaluation(
    run: Run, config: EvaluationConfig | None = None, *, worker: Sequence[str] = WORKER
) -> Evaluation:
    """Create an evaluation of a run, start its worker, and return at once; raises `DeviceBusy`."""
    if not run.has_adapter:
        raise NotFound(f"Run '{run.id}' has no adapter to score: it is {run.state()}.")
    with _device(Runs(run.path.parent)) as device:
        evaluation = run.create_evaluation(config)
        _start(evaluation, device, worker)
    return evaluation


@contextmanager
def _device(runs: Runs) -> Iterator[int]:
    runs.root.mkdir(parents=True, exist_ok=True)
    try:
        with Lock(runs.root.parent / "device.lock").claim() as descriptor:
            yield descriptor
    except LockHeld:
        active = runs.active()
        run = active.run if isinstance(active, Evaluation) else active
        who = f"Run '{run.id}'" if run else "Another run"
        raise DeviceBusy(
            f"{who} is using the device. Wait until it has finished, or stop it first."
        ) from None


def _start(work: Work, device: int, worker: Sequence[str]) -> None:
    """Start the worker; it inherits the locks, so the work is alive until the kernel buried it.

    Its output goes to a file: a pipe nobody drains fills up and stops the training.
    """
    with work.lock.claim() as lock, (work.path / "output.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-u", *worker, str(work.path)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[lock, device],
            env=PATIENCE_OF_THREADS | os.environ,
            start_new_session=True,
        )
    threading.Thread(target=process.wait, daemon=True).start()  # reap it; nobody waits for it
