"""What runs and reports mean, in sentences; the command line and the page say the same."""

from collections.abc import Sequence
from functools import lru_cache

from trainer.checkpoints import newest_checkpoint
from trainer.events import (
    Answering,
    Event,
    Failed,
    Finished,
    Progress,
    Started,
    Stopped,
    Validated,
)
from trainer.runs import Evaluation, Run, Runs
from trainer.work import State, Work


def duration(seconds: float) -> str:
    """A time span as people say it."""
    minutes, whole = divmod(round(seconds), 60)
    if not minutes:
        return f"{whole} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole:02} s"


def ending(work: Work) -> str:
    """One to three sentences on where a run or an evaluation stands, and what to do next."""
    events = work.events.read()
    what = "Tuning" if isinstance(work, Run) else "Scoring"
    match work.state():
        case State.CREATED:
            return f"{what} has not started."
        case State.QUEUED:
            return f"{what} waits for its turn."
        case State.RUNNING:
            return f"{what} goes on."
        case State.FINISHED:
            end = next(e for e in reversed(events) if isinstance(e, Finished))
            said = f"{what} finished after {duration(end.seconds)}. {_kept(end, events)}"
            return f"{said} {_advice(work) if isinstance(work, Run) else ''}".rstrip()
        case State.STOPPED:
            stop = next(e for e in reversed(events) if isinstance(e, Stopped))
            return f"{what} was stopped. {_kept(stop, events)}".rstrip() + _way_on(work)
        case State.FAILED:
            failed = next(e for e in reversed(events) if isinstance(e, Failed))
            return f"{what} failed. {failed.reason}{_way_on(work)}"
        case State.LOST:
            progress = next((e for e in reversed(events) if isinstance(e, Progress)), None)
            when = f" after step {progress.step}" if progress else " before its first step"
            when = when if isinstance(work, Run) else ""
            cure = "Close other programs."
            if isinstance(work, Run) and resumable_step(work) is None:
                cure = "Close other programs or lower batch_size, and start again."
            return (
                f"{what} ended without a word{when}: the process was killed or the machine went "
                f"down, most often because memory ran out. Nothing else was harmed. {cure}"
                f"{_way_on(work)} The last lines it printed are in {work.path / 'output.log'}."
            )


def resumable_step(work: Work) -> int | None:
    """The step from which a run can go on; None where it has to begin again."""
    if not isinstance(work, Run):
        return None
    files = sorted(work.path.glob("checkpoints/step-*/*"))
    return _newest_step(work, tuple((file.name, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=64)
def _newest_step(run: Run, files: tuple[tuple[str, int], ...]) -> int | None:
    """Checkpoints are read through to see whether they are whole: once, not at every look."""
    found = newest_checkpoint(run)
    return found.step if found else None


def _way_on(work: Work) -> str:
    if isinstance(work, Evaluation):
        kept = " with the answers it has" if (work.path / "answers.jsonl").exists() else ""
        return f" It can go on{kept}: `tandem evaluate {work.run.id} --go-on`."
    step = resumable_step(work)
    if step is None:
        return f" `tandem resume {work.id}` begins it again with the same settings."
    return f" It can go on from step {step}: `tandem resume {work.id}`."


def turn(work: Work, runs: Runs) -> str:
    """One sentence on where waiting work stands in the queue and what it waits for."""
    queue = runs.waiting()
    if work not in queue:
        return ending(work)
    ahead = queue.index(work)
    active = runs.active()
    busy = active.run.id if isinstance(active, Evaluation) else active.id if active else None
    behind = f" '{busy}' is at work" if busy else " The device is in use"
    before = f", {ahead} before it" if ahead else " and it is next"
    return f"It waits for its turn, place {ahead + 1} of {len(queue)}:{behind}{before}."


def _kept(end: Finished | Stopped, events: Sequence[Event]) -> str:
    if end.step is None:  # of a scoring
        return ""
    if not end.step:
        return "It had not learnt anything yet, so there is no adapter."
    total = next(e.steps for e in events if isinstance(e, Started))
    if end.kept_step != end.step:
        early = "early, " if isinstance(end, Finished) and end.step < total else ""
        return (
            f"It ended {early}at step {end.step} of {total}; the adapter of step "
            f"{end.kept_step} was kept, where validation loss was lowest."
        )
    return f"The adapter of step {end.step} of {total} was kept."


def _advice(run: Run) -> str:
    """What validation loss suggests where it may not decide: on questions nobody was taught."""
    checks = [e for e in run.events.read() if isinstance(e, Validated)]
    if run.split.validation_is == "reworded" or not checks:
        return ""
    best = min(checks, key=lambda check: check.loss)
    if best is checks[-1]:
        return ""
    return (
        f"Validation loss was lowest at step {best.step}. It is on untaught questions here, for "
        "no answer has two wordings, so it stops nothing; but fewer epochs may do as well."
    )


def at_work(work: Work | None) -> str:
    """Who has the device, and for how long, as far as it is known."""
    if work is None:
        return "Another program is using the device."
    what = "is tuning" if isinstance(work, Run) and not work.state().over else "is being scored"
    name = work.id if isinstance(work, Run) else work.path.parent.parent.name
    last = next(
        (e for e in reversed(work.events.read()) if isinstance(e, Progress | Answering)), None
    )
    left = f": about {duration(last.seconds_left)} left" if last else ""
    return f"Run '{name}' {what}{left}."
