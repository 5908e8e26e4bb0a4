"""The process of a run or an evaluation: `python -m trainer.worker DIRECTORY`.

It reads `config.json`, appends to `events.jsonl`, leaves a result, and talks to nobody. A run
that asks for it is scored in the same process, as an evaluation with a directory of its own. Where
several processes share a run, this one starts them and sees them off.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainer.errors import UserError, disk_full_told
from trainer.events import Failed
from trainer.launch import WORKER, pass_on
from trainer.runs import Evaluation, Run, Runs
from trainer.work import Work


def main(directory: str) -> int:
    """Do the work to its end and make sure the log has a last word."""
    path = Path(directory)
    if "WORLD_SIZE" in os.environ:
        _die_with_the_parent()
        _tune(Run(path))  # whoever started the launcher passes the devices on
        return 0
    (path / "queued").unlink(missing_ok=True)  # where who started it was killed before it could
    if path.parent.name == "evaluations":
        evaluation = Evaluation(path)
        runs = Runs(evaluation.run.path.parent)
    else:
        evaluation, runs = None, Runs(path.parent)
    try:
        if evaluation:
            _evaluate(evaluation)
        elif Run(path).config.processes > 1:
            return _start_team(Run(path))
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


def _start_team(run: Run) -> int:
    """Start the processes of a run, which inherit its locks, and wait for them.

    With --multi_gpu also on CPUs: with --cpu, accelerate starts one process however many.
    """
    command = [sys.executable, "-u", "-m", "accelerate.commands.launch", "--num_machines", "1"]
    command += ["--num_processes", str(run.config.processes), "--mixed_precision", "no"]
    command += ["--dynamo_backend", "no", "--main_process_port", "0", "--multi_gpu"]
    command += [*WORKER, str(run.path)]
    ended = subprocess.run(command, close_fds=False, preexec_fn=_die_with_the_parent, check=False)
    return ended.returncode


def _evaluate(evaluation: Evaluation) -> None:
    with _last_word(evaluation):
        from trainer.evaluation import evaluate  # noqa: PLC0415 - as above

        evaluate(evaluation)


def _die_with_the_parent() -> None:
    """Who lived on without it would work unseen beside the next."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG of Linux
    if os.getppid() == 1:
        sys.exit("Who started this process is gone.")


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
