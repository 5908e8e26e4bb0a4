"""The commands about scores: evaluate, report."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.terminal import FAILED, Command, print_json, runs_of, say, worker_of
from trainer.errors import ConfigError, NotFound

if TYPE_CHECKING:
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


def _evaluate(arguments: argparse.Namespace) -> int:
    from assistant.follow import follow

    evaluation = _begin(arguments, runs_of(arguments).get(arguments.run))
    follow(evaluation, say, worker=worker_of(arguments))
    report = evaluation.report()
    if arguments.json:
        print_json(report.summary() if report else {"reworded": None, "unseen": None})
    return 0 if report else FAILED


def _begin(arguments: argparse.Namespace, run: "Run") -> "Evaluation":
    from trainer.launch import launch_evaluation, resume_evaluation
    from trainer.runs import EvaluationConfig

    worker = worker_of(arguments)
    if arguments.go_on:
        newest = next(iter(run.evaluations()), None)
        if newest is None:
            raise ConfigError(f"Run '{run.id}' was never scored, so nothing can go on.")
        resume_evaluation(newest, worker=worker)
        return newest
    embedder = {"embedder": arguments.embedder} if arguments.embedder else {}
    config = EvaluationConfig(task=arguments.task, checks=not arguments.quick, **embedder)
    return launch_evaluation(run, config, file=arguments.on, worker=worker)


def _report(arguments: argparse.Namespace) -> int:
    from assistant.report_file import FORMATS, write_report

    run = runs_of(arguments).get(arguments.run)
    evaluation = run.evaluation()
    if evaluation is None:
        raise NotFound(f"Run '{run.id}' has no scores yet: tandem evaluate {run.id}.")
    suffix = arguments.file.suffix.removeprefix(".")
    if suffix not in FORMATS:
        raise ConfigError(f"{arguments.file}: the name has to end in .{', .'.join(FORMATS)}.")
    arguments.file.write_text(write_report(evaluation, suffix), encoding="utf-8")
    say(f"Wrote {arguments.file}.")
    return 0
