"""The process of a run or an evaluation: `python -m trainer.worker DIRECTORY`.

It reads `config.json`, appends to `events.jsonl`, leaves a result, and talks to nobody. A run
that asks for it is scored in the same process, as an evaluation with a directory of its own.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainer.errors import UserError, disk_full_told
from trainer.events import Failed
from trainer.launch import pass_on
from trainer.runs import Evaluation, Run, Runs
from trainer.work import Work


def main(directory: str) -> int:
    """Do the work to its end and make sure the log has a last word."""
    if "WORLD_SIZE" in os.environ:
        _die_with_the_launcher()
    path = Path(directory)
    (path / "queued").unlink(missing_ok=True)  # where who started it was killed before it could
    if path.parent.name == "evaluations":
        evaluation = Evaluation(path)
        runs = Runs(evaluation.run.path.parent)
    else:
        evaluation, runs = None, Runs(path.parent)
    try:
        if evaluation:
            _evaluate(evaluation)
        else:
            _tune(Run(path))
    finally:
        pass_on(runs)
    return 0


def _tune(run: Run) -> None:
    """Tune, alone or as one of the processes that `accelerate launch` started, then score."""
    with _last_word(run):
        # Seconds of imports, after the try.
        from trainer.finetune import finetune  # noqa: PLC0415
        from trainer.team import Team  # noqa: PLC0415

        team = Team.gather() if "WORLD_SIZE" in os.environ else Team()
        finetune(run, team)
    if team.first and run.config.evaluate and run.has_adapter:
        evaluation = run.create_evaluation()
        with evaluation.lock.claim():
            _evaluate(evaluation)


def _evaluate(evaluation: Evaluation) -> None:
    with _last_word(evaluation):
        from trainer.evaluation import evaluate  # noqa: PLC0415 - as above

        evaluate(evaluation)


def _die_with_the_launcher() -> None:
    """It holds the locks: who lived on without it would work unseen beside the next."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG of Linux
    if os.getppid() == 1:
        sys.exit("The launcher is gone.")


@contextmanager
def _last_word(work: Work) -> Iterator[None]:
    """Say why the work failed, if it does; some room is kept for that on a disk that fills up."""
    first = os.environ.get("RANK", "0") == "0"  # of the processes of a team, the one that writes
    room = work.path / "room"
    try:
        with disk_full_told():
            if first:
                room.write_bytes(bytes(16384))
            yield
    except BaseException as error:
        room.unlink(missing_ok=True)
        if first:
            work.events.append(Failed(reason=_reason(error)))
        raise
    room.unlink(missing_ok=True)


def _reason(error: BaseException) -> str:
    if isinstance(error, UserError):
        return str(error)
    if (
        type(error).__name__ == "OutOfMemoryError"
        or isinstance(error, MemoryError)
        or "can't allocate memory" in str(error)  # as PyTorch says it on a CPU
        or "could not create a primitive" in str(error)  # as oneDNN does
    ):
        return (
            "The device ran out of memory. Halve the batch size, or shorten the maximum length, "
            "and start a new run."
        )
    return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    os.nice(5)  # whoever is at the page goes first
    sys.exit(main(sys.argv[1]))
