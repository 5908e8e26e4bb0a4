"""What runs and reports mean, in sentences; the command line and the page say the same."""

from trainer.events import Answering, Failed, Finished, Progress, Started, Stopped, Validated
from trainer.report import Kind, Report
from trainer.runs import Run
from trainer.work import State, Work


def duration(seconds: float) -> str:
    """A time span as people say it."""
    minutes, whole = divmod(round(seconds), 60)
    if not minutes:
        return f"{whole} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole:02} s"


def ending(work: Work) -> str:
    """One or two sentences on where a run or an evaluation stands."""
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
            return f"{what} was stopped. {_kept(stop, events)}".rstrip()
        case State.FAILED:
            failed = next(e for e in reversed(events) if isinstance(e, Failed))
            return f"{what} failed. {failed.reason}"
        case State.LOST:
            progress = next((e for e in reversed(events) if isinstance(e, Progress)), None)
            when = f" after step {progress.step}" if progress else " before its first step"
            return (
                f"{what} ended without a word{when}: the process was killed or the machine went "
                "down, most often because memory ran out. Nothing else was harmed. Close other "
                "programs or lower batch_size, and start again. The last lines it printed are in "
                f"{work.path / 'output.log'}."
            )


def _kept(end: Finished | Stopped, events: object) -> str:
    if end.step is None or not isinstance(events, list):
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


def verdict(report: Report) -> list[str]:
    """What an evaluation found, reworded before unseen."""
    return [
        _about_test(report) if kind == "test" else _about(report, kind) for kind in report.kinds
    ]


def _about_test(report: Report) -> str:
    n = len(report.of("test"))
    base, tuned, lookup = (report.exact("test", who) or 0.0 for who in ("base", "tuned", "lookup"))
    return (
        f"On {n} held-out texts, {tuned:.0%} of the tuned model's answers are exactly the approved "
        f"ones, {base:.0%} of the base's; the nearest taught text would have given {lookup:.0%}."
    )


def _about(report: Report, kind: Kind) -> str:
    n = len(report.of(kind))
    base, tuned, lookup = (report.similarity(kind, who) for who in ("base", "tuned", "lookup"))
    if base is None or tuned is None or lookup is None:
        if kind == "reworded":
            return (
                "Reworded questions could not be measured: no answer in this corpus has two "
                "wordings. Add other wordings of the questions."
            )
        return (
            "Unseen questions could not be measured: the corpus is too small, or has too few "
            "different answers, to hold any out."
        )
    change = round(tuned, 2) - round(base, 2)
    moved = "raised" if change > 0 else "lowered" if change < 0 else "did not move"
    if kind == "reworded":
        better = " As it stands, a search box would serve better." if lookup > tuned else ""
        return (
            f"On {n} reworded questions, whose answers were taught in other words, tuning {moved} "
            f"similarity to the approved answer (from {base:.2f} to {tuned:.2f}); looking the "
            f"answer up would have reached {lookup:.2f}.{better}"
        )
    return (
        f"On {n} unseen questions, whose answers nobody taught, similarity went from {base:.2f} to "
        f"{tuned:.2f}. A model cannot know these answers: a rise means it learnt the subject and "
        f"the tone, not the facts. Lookup ({lookup:.2f}) is wrong here by construction."
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
