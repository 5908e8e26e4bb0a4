"""The commands about scores: evaluate, report."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.terminal import FAILED, Command, print_json, runs_of, say, worker_of
from trainer.errors import ConfigError, NotFound

if TYPE_CHECKING:
    from trainer.events import Event
    from trainer.runs import Evaluation, Run


def add_score_commands(command: Command, as_json: argparse.ArgumentParser) -> None:
    """Add `evaluate` and `report` to the parser."""
    evaluate = command(
        _evaluate, "evaluate", "score base, tuned, retrieval and lookup again", as_json
    )
    evaluate.add_argument(
        "--on", type=Path, metavar="FILE", help="ask the questions of a file, not those held out"
    )
    evaluate.add_argument("--embedder", help="Hub id or folder of the model that judges similarity")
    evaluate.add_argument(
        "--task",
        choices=("auto", "answers", "labels", "summaries", "translations"),
        default="auto",
        help="what the corpus is for [auto: recognised]",
    )
    evaluate.add_argument(
        "--quick", action="store_true", help="leave out the checks: overfitting, forgetting, bias"
    )
    evaluate.add_argument(
        "--go-on", action="store_true", help="let the newest scoring go on that was cut off"
    )
    report = command(_report, "report", "write the newest report of a run to a file")
    for added in (evaluate, report):
        added.add_argument("run", help="a run's id, or `latest`")
    report.add_argument("file", type=Path, help="NAME.html, NAME.csv or NAME.json")
    report.add_argument("--scoring", metavar="ID", help="which of its scorings [the newest]")


def _evaluate(arguments: argparse.Namespace) -> int:
    from assistant.follow import follow

    run = runs_of(arguments).get(arguments.run)
    evaluation, known = _go_on(arguments, run) if arguments.go_on else (_begin(arguments, run), ())
    follow(evaluation, say, worker=worker_of(arguments), known=known)
    report = evaluation.report()
    if arguments.json:
        print_json(report.summary() if report else {"reworded": None, "unseen": None})
    return 0 if report else FAILED


def _begin(arguments: argparse.Namespace, run: "Run") -> "Evaluation":
    from trainer.launch import launch_evaluation
    from trainer.runs import EvaluationConfig
    from trainer.scoring import find_embedder

    embedder = {}
    if arguments.embedder:
        find_embedder(arguments.embedder)  # a mistake is told before anything begins
        embedder = {"embedder": arguments.embedder}
    config = EvaluationConfig(task=arguments.task, checks=not arguments.quick, **embedder)
    return launch_evaluation(run, config, file=arguments.on, worker=worker_of(arguments))


def _go_on(arguments: argparse.Namespace, run: "Run") -> tuple["Evaluation", Sequence["Event"]]:
    """Resume the newest scoring that was cut off; and what it had said before."""
    from trainer.launch import resume_evaluation

    if arguments.on or arguments.embedder or arguments.quick or arguments.task != "auto":
        raise ConfigError("--go-on keeps the settings it began with; leave the other options out.")
    cut_off = next((e for e in run.evaluations() if e.cut_off), None)
    if cut_off is None:
        raise ConfigError(f"No scoring of run '{run.id}' was cut off, so nothing can go on.")
    known = cut_off.events.read()
    resume_evaluation(cut_off, worker=worker_of(arguments))
    return cut_off, known


def _report(arguments: argparse.Namespace) -> int:
    from assistant.report_file import FORMATS, write_report

    run = runs_of(arguments).get(arguments.run)
    evaluation = run.evaluation()
    if arguments.scoring:
        evaluation = next((e for e in run.evaluations() if e.id == arguments.scoring), None)
    if evaluation is None or not evaluation.report():
        known = ", ".join(e.id for e in run.evaluations() if e.report())
        hint = f"It has {known}." if known else f"Score it: tandem evaluate {run.id}."
        raise NotFound(f"Run '{run.id}' has no such scores. {hint}")
    suffix = arguments.file.suffix.removeprefix(".")
    if suffix not in FORMATS:
        raise ConfigError(f"{arguments.file}: the name has to end in .{' or .'.join(FORMATS)}.")
    try:
        arguments.file.write_text(write_report(evaluation, suffix), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{arguments.file} cannot be written: {error.strerror}.") from None
    say(f"Wrote {arguments.file}, from the scoring {evaluation.id}.")
    return 0
