"""A run or an evaluation as a terminal follows it: what it says, until it is over."""

import time
from collections.abc import Callable

from trainer.events import Answering, Progress, Started, Validated
from trainer.runs import Evaluation, Run
from trainer.words import duration, ending, verdict
from trainer.work import Work

QUIET = 10  # seconds between two lines of progress

Say = Callable[[str], None]


def follow_run(run: Run, say: Say) -> None:
    """Say how a run and the evaluation behind it go and end, until the worker is gone."""
    follow(run, say)
    while run.alive:
        if evaluations := run.evaluations():
            follow(evaluations[0], say)
            break
        time.sleep(0.2)
    while run.alive:
        time.sleep(0.1)


def follow(work: Work, say: Say) -> None:
    """Say how it goes, how it ended and what came of it."""
    said, quiet_until = 0, 0.0
    try:
        while True:
            over = work.state().over
            events = work.events.read()
            for event in events[said:]:
                match event:
                    case Started():
                        say(
                            f"{event.examples} examples, {event.steps} steps on {event.device}; "
                            f"{event.trainable_parameters:,} of {event.parameters:,} weights learn."
                        )
                    case Validated():
                        mark = ", the best so far" if event.best else ""
                        say(f"step {event.step}: validation loss {event.loss:.3f}{mark}")
            said = len(events)
            if over:
                break
            if time.monotonic() > quiet_until:
                quiet_until = time.monotonic() + QUIET
                match events[-1] if events else None:
                    case Progress() as last:
                        say(
                            f"step {last.step}: loss {last.loss:.3f}, "
                            f"{last.examples_per_second:.1f} examples/s, "
                            f"{duration(last.seconds_left)} left"
                        )
                    case Answering() as last:
                        left = duration(last.seconds_left)
                        say(f"scoring: {last.done} of {last.total} answers, {left} left")
            time.sleep(0.3)
    except KeyboardInterrupt:
        run = work.run if isinstance(work, Evaluation) else work
        say(f"It goes on without this terminal. Stop it with `tandem stop {run.id}`.")
        raise
    say(ending(work))
    if isinstance(work, Evaluation) and (report := work.report()):
        for sentence in verdict(report):
            say(sentence)
