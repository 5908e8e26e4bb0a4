"""What the sections of the step share: which scores are shown, and by which measure."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from assistant.ui.bar import Bar
from assistant.ui.wiring import PRIVATE
from trainer.report import Report
from trainer.runs import Evaluation, Run, Runs

# Runs and scores come and go elsewhere: what a browser names is looked for among them, not among
# the choices that one session was sent.
RAW: dict[str, Any] = PRIVATE | {"preprocess": False}
Shown = tuple[str, str, str]  # a run, an evaluation of it, the measure that decides in this view
NOTHING: Shown = ("", "", "")


@dataclass(frozen=True)
class Board:
    """What every section listens to.

    `shown` holds what is shown, a `Shown`; it changes when there is another report to show, or
    another measure to decide by, and whoever shows something of it redraws then. `primary` is the
    measure that a person prefers to the report's own, or "".
    """

    bar: Bar
    runs: Runs
    shown: gr.State
    primary: gr.State

    def find(self, shown: Shown) -> tuple[Evaluation, Report] | None:
        """The scores to show, with their report; None while the run has none."""
        run_id, evaluation_id, primary = shown
        scored = scored_of(self.runs.find(run_id))
        wanted = next((e for e in scored if e.id == evaluation_id), None)
        report = wanted.report() if wanted else None
        if wanted is None or report is None:
            return None
        return wanted, report.model_copy(update={"primary": primary})


def scored_of(run: Run | None) -> list[Evaluation]:
    """The evaluations of a run that have a report, newest first."""
    return [e for e in run.evaluations() if e.report_path.exists()] if run else []


def make_board(bar: Bar, runs: Runs) -> Board:
    """Lay out the choice among several scores of one run, and keep it up to date."""
    chosen = gr.Dropdown(label="Scores to look at", visible=False, interactive=True)
    board, newest = Board(bar, runs, gr.State(NOTHING), gr.State("")), gr.State("")

    def look(
        run_id: str | None, now: str | None, before: str, primary: str
    ) -> tuple[Any, str, Shown]:
        """Show what is new; what a person chose stays as long as nothing is."""
        scored = scored_of(runs.find(run_id))
        latest = scored[0].id if scored else ""
        wanted = next((e for e in scored if e.id == now and latest == before), None)
        wanted = wanted or next(iter(scored), None)
        choices = [(_named(e), e.id) for e in scored]
        value = wanted.id if wanted else None
        dropdown = gr.Dropdown(choices=choices, value=value, visible=len(scored) > 1)
        report = wanted.report() if wanted else None
        if wanted is None or report is None:
            return dropdown, latest, NOTHING
        measure = next((m for m in report.measures if m == primary), report.primary)
        return dropdown, latest, (wanted.run.id, wanted.id, measure)

    triggers = [bar.run.change, bar.results.change, chosen.input, board.primary.change]
    inputs = [bar.run, chosen, newest, board.primary]
    gr.on(triggers, look, inputs, [chosen, newest, board.shown], **RAW)
    return board


def _named(evaluation: Evaluation) -> str:
    day, time = evaluation.id[5:10], f"{evaluation.id[11:13]}:{evaluation.id[13:15]}"
    config = evaluation.config
    return f"{day} {time}, {config.file or 'held-out questions'}, by {config.embedder}"
