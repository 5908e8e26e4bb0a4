"""The commands that start runs and steer them: tune, resume, continue, follow, stop, queue."""

import argparse
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from assistant.terminal import (
    BUNDLED,
    FAILED,
    Command,
    add_settings,
    base_of,
    corpus_of,
    print_json,
    runs_of,
    say,
    settings_of,
    worker_of,
)
from trainer.errors import ConfigError

if TYPE_CHECKING:
    from trainer.config import RunConfig
    from trainer.corpus.library import Corpus
    from trainer.events import Event
    from trainer.runs import Run
    from trainer.work import Work


def add_run_commands(command: Command, as_json: argparse.ArgumentParser) -> None:
    """Add `tune`, `resume`, `continue`, `follow`, `stop` and `queue` to the parser."""
    running = argparse.ArgumentParser(add_help=False)
    running.add_argument(
        "--queue", action="store_true", help="let it run or wait, and return at once"
    )
    setting = argparse.ArgumentParser(add_help=False)
    add_settings(setting)
    tune = command(
        _tune, "tune", "tune a base on a corpus and score the result", as_json, running, setting
    )
    tune.add_argument("corpus", help="a file, or name[@version] of a corpus, or a sample")
    tune.add_argument("--base", default=BUNDLED, help=f"bundled, folder or Hub id [{BUNDLED}]")
    tune.add_argument(
        "--preset",
        choices=("quick-look", "balanced", "thorough"),
        help="settings that follow from the size of corpus and base; --set goes before them",
    )
    resume = command(
        _resume, "resume", "let a run go on that was stopped, failed or lost", as_json, running
    )
    more = command(
        _continue, "continue", "tune the adapter of a run further", as_json, running, setting
    )
    more.add_argument("run", help="a run's id, or `latest`")
    more.add_argument(
        "corpus", nargs="?", help="a file, or name[@version] [the newest version of the run's own]"
    )
    follow = command(_follow, "follow", "watch a run from this terminal", as_json)
    stop = command(_stop, "stop", "stop a run and keep what it has learnt", as_json)
    queue = command(_queue, "queue", "list or change what waits for the device", as_json)
    change = queue.add_mutually_exclusive_group()
    change.add_argument("--up", metavar="RUN", help="let a run come one place earlier")
    change.add_argument("--down", metavar="RUN", help="let a run come one place later")
    change.add_argument("--cancel", metavar="RUN", help="take a run out of the queue")
    for added in (resume, follow, stop):
        added.add_argument("run", help="a run's id, or `latest`")


def _tune(arguments: argparse.Namespace) -> int:
    from trainer.config import RunConfig

    settings = settings_of(arguments)
    named: dict[str, object] = {"base": base_of(arguments.base), "corpus": "given", "version": 1}
    if twice := named.keys() & settings.keys():
        raise ConfigError(f"{', '.join(sorted(twice))}: say it with --base or name@version.")
    RunConfig.parse(settings | named)  # a misspelt setting is told before a file is taken in
    corpus = corpus_of(arguments, arguments.corpus)
    named |= {"corpus": corpus.name, "version": corpus.version}
    preset = _preset(arguments.preset, str(named["base"]), corpus) if arguments.preset else {}
    return _launch(arguments, RunConfig.parse({**preset, **settings, **named}), corpus)


def _preset(name: str, base: str, corpus: "Corpus") -> Mapping[str, object]:
    from trainer.presets import presets
    from trainer.workload import count_parameters

    examples = len(corpus.split.train)
    chosen = presets(base, examples, count_parameters(base))[name.replace("-", " ")]
    say(f"{chosen.label}: {chosen.sentence}")
    return chosen.settings


def _continue(arguments: argparse.Namespace) -> int:
    from trainer.config import RunConfig

    parent = runs_of(arguments).get(arguments.run)
    _ = parent.adapter_hash  # there is one
    given = settings_of(arguments)
    taken: dict[str, object] = {"continues": parent.id}
    if twice := {"base", "corpus", "version", "continues"} & given.keys():
        raise ConfigError(f"{', '.join(sorted(twice))}: not a setting of a run that goes on.")
    RunConfig.parse(parent.config.model_dump() | given | taken)
    corpus = corpus_of(arguments, arguments.corpus or parent.config.corpus)
    taken |= {"corpus": corpus.name, "version": corpus.version}
    config = RunConfig.parse(parent.config.model_dump() | given | taken)
    return _launch(arguments, config, corpus)


def _resume(arguments: argparse.Namespace) -> int:
    from trainer.launch import resume

    run = runs_of(arguments).get(arguments.run)
    known = run.events.read()
    found = resume(run, worker=worker_of(arguments))
    where = f"goes on from step {found.step}" if found else "begins again: it has no checkpoint"
    say(f"Run {run.id} {where}.")
    return _watch(arguments, run, known)


def _launch(arguments: argparse.Namespace, config: "RunConfig", corpus: "Corpus") -> int:
    from trainer.errors import ModelError
    from trainer.estimate import estimate, this_machine
    from trainer.fitting import refuse
    from trainer.launch import launch

    runs = runs_of(arguments)
    machine = this_machine(runs)
    for sentence in refuse(config, corpus, machine):
        say(sentence)
    run = launch(config, runs, worker=worker_of(arguments))
    since = f" It goes on from the adapter of {config.continues}." if config.continues else ""
    about = f"{config.base} on {corpus.label}, {corpus.origin.examples} examples."
    say(f"Run {run.id}: {about}{since}")
    with suppress(ModelError):  # of a base that is not here yet nothing is known
        say(" ".join(estimate(config, corpus, machine).sentences))
    return _watch(arguments, run)


def _watch(arguments: argparse.Namespace, run: "Run", known: Sequence["Event"] = ()) -> int:
    from assistant.follow import follow_run
    from trainer.words import turn
    from trainer.work import State

    if getattr(arguments, "queue", False):
        runs = runs_of(arguments)
        waiting = runs.waiting()
        place = waiting.index(run) + 1 if run in waiting else None
        if arguments.json:
            print_json({"run": run.id, "state": run.state(), "place": place})
        say(turn(run, runs) if run.state() is State.QUEUED else "It has begun.")
        say(f"Watch it with `tandem follow {run.id}`.")
        return 0
    follow_run(run, say, worker=worker_of(arguments), known=known)
    if arguments.json:
        print_json(_result(run))
    return 0 if run.has_adapter else FAILED


def _result(run: "Run") -> Mapping[str, object]:
    from trainer.events import Finished, Stopped

    if not run.path.exists():
        return {"run": run.id, "state": "cancelled"}
    evaluation = run.evaluation()
    ends = [e for e in run.events.read() if isinstance(e, Finished | Stopped)]
    end = ends[-1] if ends else None
    report = evaluation.report() if evaluation else None
    return {
        "run": run.id,
        "state": run.state(),
        "seconds": end.seconds if end else None,
        "examples_per_second": end.examples_per_second if end else None,
        "adapter": str(run.adapter.resolve()) if run.has_adapter else None,
        "evaluation": report.summary() if report else None,
    }


def _follow(arguments: argparse.Namespace) -> int:
    return _watch(arguments, runs_of(arguments).get(arguments.run))


def _stop(arguments: argparse.Namespace) -> int:
    from trainer.launch import cancel
    from trainer.words import ending
    from trainer.work import State

    run = runs_of(arguments, start=False).get(arguments.run)
    active = run.unfinished()
    if active is None:
        raise ConfigError(f"Run '{run.id}' is {run.state()}; there is nothing to stop.")
    if active.state() is State.QUEUED:
        cancel(active)
        said = f"'{run.id}' waited and is taken out of the queue."
    else:
        active.ask_to_stop()
        while active.alive and not active.state().over:
            time.sleep(0.1)
        said = ending(active)
    if arguments.json:
        print_json({"run": run.id, "state": _state(run)})
    say(said)
    runs_of(arguments)  # the next one may begin
    return 0


def _queue(arguments: argparse.Namespace) -> int:
    from trainer.launch import cancel, move

    changed = arguments.up or arguments.down or arguments.cancel
    runs = runs_of(arguments, start=not changed)
    if changed:
        run = runs.get(changed)
        work = next((w for w in runs.waiting() if w in (run, *run.evaluations())), run)
        if arguments.cancel:
            cancel(work)
        else:
            move(work, runs, by=-1 if arguments.up else 1)
        runs_of(arguments)
    active = [w for r in runs.list() for w in (r, *r.evaluations()) if w.alive]
    at_work = list(dict.fromkeys(_run_of(work).id for work in active))
    waiting = [{"run": _run_of(w).id, "what": _what(w)} for w in runs.waiting()]
    if arguments.json:
        print_json({"at_work": at_work, "waiting": waiting})
        return 0
    for run_id in at_work:
        print(f"now  {run_id}")
    for place, line in enumerate(waiting, start=1):
        print(f"{place:>3}  {line['run']}  {line['what']}")
    if not waiting:
        print("Nothing waits.")
    return 0


def _run_of(work: "Work") -> Any:
    from trainer.runs import Evaluation

    return work.run if isinstance(work, Evaluation) else work


def _what(work: "Work") -> str:
    return "tuning" if _run_of(work) == work else "scoring"


def _state(run: "Run") -> str:
    return run.state() if run.path.exists() else "cancelled"
