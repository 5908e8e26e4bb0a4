"""A run or an evaluation as a terminal follows it: its place, what it says, until it is over."""

import time
from collections.abc import Callable, Sequence

from trainer.events import (
    Answering,
    Comparing,
    Event,
    Measured,
    Progress,
    Resumed,
    Started,
    Validated,
)
from trainer.launch import WORKER, start_waiting
from trainer.remarks import remarks
from trainer.runs import Evaluation, Run, Runs
from trainer.verdict import verdict
from trainer.words import duration, ending, turn
from trainer.work import State, Work

QUIET = 10  # seconds between two lines of progress

Say = Callable[[str], None]


def follow_run(
    run: Run, say: Say, *, worker: Sequence[str] = WORKER, known: Sequence[Event] = ()
) -> None:
    """Say how a run and the evaluation behind it go and end, until the worker is gone.

    What is `known` was said before, and so were evaluations that are over.
    """
    before = {evaluation.id for evaluation in run.evaluations() if not evaluation.alive}
    if not follow(run, say, worker=worker, known=known):
        return
    while True:
        alive = run.alive
        fresh = next((e for e in run.evaluations() if e.id not in before), None)
        if fresh and fresh.state() is not State.QUEUED:
            follow(fresh, say, worker=worker)
            break
        if not alive:
            break
        time.sleep(0.2)
    while run.alive:
        time.sleep(0.1)


def follow(
    work: Work, say: Say, *, worker: Sequence[str] = WORKER, known: Sequence[Event] = ()
) -> bool:
    """Say how it goes, how it ended and what came of it; False if it was taken away meanwhile.

    While it waits, it keeps looking whether something can start.
    """
    run = work.run if isinstance(work, Evaluation) else work
    runs = Runs(run.path.parent)
    said, quiet_until = {event.at for event in known}, 0.0
    place = ""
    shown: Sequence[Event] = ()
    try:
        while True:
            state = work.state()
            if not (work.path / "config.json").exists():
                say(f"'{work.id}' was taken out of the queue.")
                return False
            if state is State.QUEUED:
                start_waiting(runs, worker=worker)
                if (now := turn(work, runs)) != place and work.state() is State.QUEUED:
                    place = now
                    say(now)
                time.sleep(0.3)
                continue
            events = work.events.read()
            _say_news(work, [event for event in events if event.at not in said], say)
            said |= {event.at for event in events}
            if state.over and not (isinstance(work, Evaluation) and work.alive):
                break
            if time.monotonic() > quiet_until and events[-1:] != shown:
                quiet_until = time.monotonic() + QUIET
                shown = events[-1:]
                _say_progress(shown, say)
            time.sleep(0.3)
    except KeyboardInterrupt:
        waits = work.state() is State.QUEUED
        say(
            f"It {'keeps its place' if waits else 'goes on'} without this terminal. Come back to "
            f"it with `tandem follow {run.id}`, stop it with `tandem stop {run.id}`."
        )
        raise
    say(ending(work))
    if isinstance(work, Run):
        for sentence in remarks(work):
            say(sentence)
    elif isinstance(work, Evaluation) and (report := work.report()):
        for sentence in (*verdict(report), *report.notes):
            say(sentence)
    return True


def _say_news(work: Work, fresh: Sequence[Event], say: Say) -> None:
    for event in fresh:
        match event:
            case Started():
                say(
                    f"{event.examples} examples, {event.steps} steps on {event.device}; "
                    f"{event.trainable_parameters:,} of {event.parameters:,} weights learn."
                )
            case Resumed():
                if isinstance(work, Evaluation):
                    say("It goes on with the answers it has.")
                else:
                    say(f"It goes on from step {event.step}." if event.step else "It begins again.")
            case Measured():
                say(
                    f"By its first steps it takes {duration(event.seconds)} in all; "
                    f"{duration(event.seconds_by_formula)} were estimated."
                )
            case Validated():
                mark = ", the best so far" if event.best else ""
                say(f"step {event.step}: validation loss {event.loss:.3f}{mark}")


def _say_progress(last: Sequence[Event], say: Say) -> None:
    match last:
        case [Progress() as step]:
            say(
                f"step {step.step}: loss {step.loss:.3f}, {step.examples_per_second:.1f} "
                f"examples/s, {duration(step.seconds_left)} left"
            )
        case [Answering() as scoring]:
            left = duration(scoring.seconds_left)
            say(f"scoring: {scoring.done} of {scoring.total} answers, {left} left")
        case [Comparing() as scoring]:
            say(f"scoring: comparing meanings, {scoring.done} of {scoring.total} texts")
