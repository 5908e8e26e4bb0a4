"""What the sections of the step share: which scores are shown, and by which measure."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from assistant.ui.bar import Bar
from assistant.ui.wiring import PRIVATE
from trainer.report import Report
from trainer.runs import Evaluation, Run, Runs


@dataclass(frozen=True)
class Board:
    """What every section listens to.

    `chosen` names the scores of the run in the bar; the newest ones are shown where it names none
    of them. `primary` is the measure that decides in this view, or "" for the report's own.
    """

    bar: Bar
    runs: Runs
    chosen: gr.Dropdown
    primary: gr.State

    @property
    def inputs(self) -> list[Any]:
        """What `find` is told by the page."""
        return [self.bar.run, self.chosen, self.primary]

    @property
    def changes(self) -> list[Any]:
        """The triggers of whoever shows something of the report."""
        return [
            self.bar.run.change,
            self.bar.results.change,
            self.chosen.change,
            self.primary.change,
        ]

    def find(
        self, run_id: str | None, chosen: str | None, primary: str
    ) -> tuple[Evaluation, Report] | None:
        """The scores to show, with their report; None while the run has none."""
        scored = scored_of(self.runs.find(run_id))
        wanted = next((e for e in scored if e.id == chosen), next(iter(scored), None))
        report = wanted.report() if wanted else None
        if wanted is None or report is None:
            return None
        measure = next((m for m in report.measures if m == primary), report.primary)
        return wanted, report.model_copy(update={"primary": measure})


def scored_of(run: Run | None) -> list[Evaluation]:
    """The evaluations of a run that have a report, newest first."""
    return [e for e in run.evaluations() if e.report_path.exists()] if run else []


def make_board(bar: Bar, runs: Runs) -> Board:
    """Lay out the choice among several scores of one run, and keep it up to date."""
    chosen = gr.Dropdown(label="Scores to look at", visible=False, interactive=True)
    # The core checks what a browser names, as in bar.py.
    chosen.preprocess = lambda payload: payload
    board, newest = Board(bar, runs, chosen, gr.State("")), gr.State("")

    def offer(run_id: str | None, now: str | None, before: str) -> tuple[Any, str]:
        """Show what is new; what a person chose stays as long as nothing is."""
        scored = scored_of(runs.find(run_id))
        latest = scored[0].id if scored else ""
        keeps = latest == before and now in [e.id for e in scored]
        choices = [(_named(e), e.id) for e in scored]
        value = now if keeps else latest or None
        return gr.Dropdown(choices=choices, value=value, visible=len(scored) > 1), latest

    triggers = [bar.run.change, bar.results.change]
    gr.on(triggers, offer, [bar.run, chosen, newest], [chosen, newest], **PRIVATE)
    return board


def _named(evaluation: Evaluation) -> str:
    day, time = evaluation.id[5:10], f"{evaluation.id[11:13]}:{evaluation.id[13:15]}"
    config = evaluation.config
    return f"{day} {time}, {config.file or 'held-out questions'}, by {config.embedder}"
