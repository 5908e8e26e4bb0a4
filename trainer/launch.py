"""Start runs and evaluations in processes of their own, one a device; the others wait their turn.

Work that waits is a directory with the file `queued` in it. Whoever frees a device, or looks,
starts what is next: the worker as its last act, the process that started a worker when that is
gone, the page at every look, a command line that follows. All of them hold the device's lock
while they choose and hand it on to the worker, so no two can start two on one device.
"""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from trainer.checkpoints import Checkpoint, changed_since, newest_checkpoint
from trainer.config import RunConfig
from trainer.corpus.audit import FEWEST_EXAMPLES
from trainer.corpus.examples import Example, distinct
from trainer.corpus.library import Corpora
from trainer.corpus.reading import read_corpus
from trainer.devices import CPU, device_lock, devices, environment
from trainer.errors import ConfigError, CorpusError, NotFound
from trainer.events import Event, Resumed
from trainer.fitting import refuse
from trainer.locks import LockHeld
from trainer.machine import Machine
from trainer.runs import Evaluation, EvaluationConfig, Run, Runs
from trainer.work import State, Work, told_place, write_place

WORKER = ("-m", "trainer.worker")


def launch(config: RunConfig, runs: Runs, *, worker: Sequence[str] = WORKER) -> Run:
    """Create a run and start it, or let it wait where every device is taken; return at once.

    Raises `UserError` for what cannot work, before anything is created.
    """
    corpus = Corpora(runs.root.parent / "corpora").get(f"{config.corpus}@{config.version}")
    if (count := len(distinct(corpus.examples))) < FEWEST_EXAMPLES:
        raise CorpusError(
            f"'{corpus.label}' has {count} examples, repeats not counted; tuning needs at least "
            f"{FEWEST_EXAMPLES}. Add questions, or other wordings of those you have."
        )
    if config.continues:
        _check_parent(runs.get(config.continues), config)
    refuse(config, corpus, Machine.here())
    run = runs.create(config, corpus.split, place=_next_place(runs))
    start_waiting(runs, worker=worker)
    return run


def launch_evaluation(
    run: Run,
    config: EvaluationConfig | None = None,
    *,
    file: Path | None = None,
    worker: Sequence[str] = WORKER,
) -> Evaluation:
    """Create an evaluation of a run and start it, or let it wait; return at once.

    With a `file` its questions are asked, not those of the split.
    """
    if not run.has_adapter:
        raise NotFound(f"Run '{run.id}' has no adapter to score: it is {run.state()}.")
    runs, config = Runs(run.path.parent), config or EvaluationConfig()
    examples: Sequence[Example] = ()
    if file:
        examples = distinct(read_corpus(file).examples)
        config = config.model_copy(update={"file": file.name})
    evaluation = run.create_evaluation(config, place=_next_place(runs), examples=examples)
    start_waiting(runs, worker=worker)
    return evaluation


def resume(run: Run, *, worker: Sequence[str] = WORKER) -> Checkpoint | None:
    """Let a run that was stopped, failed or lost go on from its newest whole checkpoint.

    Without one it begins again. Raises `ConfigError` where there is nothing to resume, or where
    corpus, base or settings are no longer those it began with, naming them.
    """
    state, runs = run.state(), Runs(run.path.parent)
    if state.over and run.alive:
        raise ConfigError(f"Run '{run.id}' is being scored. Wait for that, or stop it first.")
    if state not in (State.STOPPED, State.FAILED, State.LOST):
        hint = f" For more of it: tandem continue {run.id}." if state is State.FINISHED else ""
        raise ConfigError(f"Run '{run.id}' is {state}; there is nothing to resume.{hint}")
    said = run.events.read()
    checkpoint = newest_checkpoint(run)
    if not checkpoint and run.config.continues and not run.parent:
        raise ConfigError(
            f"Run '{run.id}' cannot begin again: it continues '{run.config.continues}', which is "
            "no longer there. Start a new run."
        )
    if checkpoint and (changed := changed_since(checkpoint, run)):
        raise ConfigError(
            f"Run '{run.id}' cannot go on from step {checkpoint.step}: since then "
            f"{' and '.join(changed)} changed. Put it back, or start a new run."
        )
    _wait_again(run, said, runs)
    start_waiting(runs, worker=worker)
    return checkpoint


def resume_evaluation(evaluation: Evaluation, *, worker: Sequence[str] = WORKER) -> None:
    """Let an evaluation that was stopped, failed or lost go on with the answers it has."""
    said = evaluation.events.read()
    if not evaluation.cut_off:
        state = evaluation.state()
        raise ConfigError(f"The scoring of '{evaluation.run.id}' is {state}; it cannot go on.")
    if evaluation.alive:
        raise ConfigError("The worker of that scoring is just ending. Try again in a moment.")
    runs = Runs(evaluation.run.path.parent)
    _wait_again(evaluation, said, runs)
    start_waiting(runs, worker=worker)


def _wait_again(work: Work, said: Sequence[Event], runs: Runs) -> None:
    """Put work that is over back into the queue, unless it has said more since: it was then."""
    try:
        with work.lock.claim():
            if work.place is None and work.events.read() == said:  # nobody was faster
                (work.path / "stop").unlink(missing_ok=True)
                write_place(work.path, _next_place(runs))
    except LockHeld:
        pass  # somebody else has just resumed it


def cancel(work: Work) -> None:
    """Take work out of the queue; what had not begun leaves nothing behind."""
    if work.state() is not State.QUEUED:
        raise ConfigError(f"'{work.id}' does not wait: it is {work.state()}.")
    try:
        with work.lock.claim():
            (work.path / "queued").unlink(missing_ok=True)
            if not work.events.read():
                shutil.rmtree(work.path.rename(work.path.with_name(f".deleted-{work.id}")))
    except LockHeld:
        raise ConfigError(f"'{work.id}' has just begun. Stop it instead.") from None


def move(work: Work, runs: Runs, *, by: int) -> None:
    """Move waiting work towards the front (`by` below 0) or the back of the queue."""
    queue = list(runs.waiting())
    if work not in queue:
        raise ConfigError(f"'{work.id}' does not wait: it is {work.state()}.")
    at = queue.index(work)
    queue.insert(max(0, min(len(queue) - 1, at + by)), queue.pop(at))
    for place, other in enumerate(queue, start=1):
        # Written over, never made: what has begun since has no such file, and gets none.
        with suppress(FileNotFoundError), (other.path / "queued").open("r+b", buffering=0) as file:
            file.write(told_place(place))


def start_waiting(runs: Runs, *, worker: Sequence[str] = WORKER) -> None:
    """Start what waits on every device that is free."""
    while queue := runs.waiting():
        work = queue[0]
        with ExitStack() as held, _unless_cancelled(work):
            wanted = work.config.processes if isinstance(work, Run) else 1
            chosen: dict[str, int] = {}
            for device in devices():
                if len(chosen) < (1 if device == CPU else wanted):
                    lock = device_lock(runs.root.parent, device)
                    try:
                        chosen[device] = held.enter_context(lock.claim())
                    except LockHeld:
                        continue
            if not chosen or (len(chosen) < wanted and CPU not in chosen):
                return
            if next(iter(runs.waiting()), None) == work:  # nobody was faster
                try:
                    _start(work, runs, chosen, worker)
                except LockHeld:
                    return


@contextmanager
def _unless_cancelled(work: Work) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        if work.path.exists():
            raise


def _start(work: Work, runs: Runs, chosen: dict[str, int], worker: Sequence[str]) -> None:
    """Start the worker; it inherits the locks, so the work is alive until the kernel buried it.

    Its output goes to a file: a pipe nobody drains fills up and stops the training.
    """
    command = [sys.executable, "-u", *worker, str(work.path)]
    with work.lock.claim() as lock, (work.path / "output.log").open("ab") as output:
        if work.place is None:
            return  # cancelled since
        if work.events.read():
            work.events.mend()
            found = newest_checkpoint(work) if isinstance(work, Run) else None
            work.events.append(Resumed(step=found.step if found else 0))
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[lock, *chosen.values()],
            env=environment(tuple(chosen)) | {HELD: ",".join(map(str, chosen.values()))},
            start_new_session=True,
        )
        # Last: were this process killed before, the work would still wait. The worker does it too.
        (work.path / "queued").unlink(missing_ok=True)

    def see_off() -> None:
        process.wait()
        start_waiting(runs, worker=worker)

    threading.Thread(target=see_off, daemon=True).start()


HELD = "TANDEM_DEVICE_LOCKS"


def pass_on(runs: Runs, *, worker: Sequence[str] = WORKER) -> None:
    """Free the devices this worker was given and start what waits; a worker's last act."""
    held = [int(descriptor) for descriptor in os.environ.pop(HELD, "").split(",") if descriptor]
    if not held:
        return
    for descriptor in held:
        os.close(descriptor)
    start_waiting(runs, worker=worker)


def _next_place(runs: Runs) -> float:
    return 1 + max((other.place or 0.0 for other in runs.waiting()), default=0.0)


def _check_parent(parent: Run, config: RunConfig) -> None:
    """Raise `ConfigError` unless an adapter fits where it is to be continued."""
    _ = parent.adapter_hash  # there is one
    for name in ("base", "lora_rank", "lora_alpha", "lora_targets"):
        before, now = getattr(parent.config, name), getattr(config, name)
        if before != now:
            raise ConfigError(
                f"{name}: '{parent.id}' has {before}, so a run that continues it cannot have {now}."
            )
