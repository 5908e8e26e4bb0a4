"""Step 4: did tuning help? Base, tuned and lookup on held-out questions."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from assistant.ui.bar import Bar
from assistant.ui.errors import shown_to_user
from assistant.ui.plots import scores_plot
from assistant.ui.present import TABLE_COLUMNS, scores_table, scores_view
from assistant.ui.wiring import PRIVATE
from trainer.launch import launch_evaluation
from trainer.report import KINDS, Kind
from trainer.runs import Runs


def scores_tab(bar: Bar, runs: Runs, *, worker: Sequence[str]) -> None:
    """Lay out the tab and wire it; call inside the `gr.Tab` it belongs to."""
    gr.Markdown("## Did it help?")
    view = gr.HTML()
    with gr.Row():
        plots = [gr.Plot(show_label=False, visible=False, min_width=320) for _ in KINDS]
    score = gr.Button("Score again", visible=False, size="sm")
    with gr.Column(visible=False) as details:
        kind = gr.Radio(list(KINDS), value=KINDS[0], label="The answers, most improved first")
        table = gr.Dataframe(
            headers=list(TABLE_COLUMNS),
            interactive=False,
            wrap=True,
            elem_classes="answers",
            max_height=480,
            column_widths=[190, 230, 200, 230, 70, 70, 75, 80, 230],
        )
    with gr.Accordion("The same on the command line", open=False):
        command = gr.Code(language="shell", interactive=False)

    def score_run(run_id: str) -> None:
        with shown_to_user():
            launch_evaluation(runs.get(run_id), worker=worker)

    def show(run_id: str | None, chosen: Kind) -> list[Any]:
        run = runs.find(run_id)
        evaluation = run.evaluation() if run else None
        report = evaluation.report() if evaluation else None
        kinds = report.kinds if report else KINDS
        figures = [scores_plot(report, kind) for kind in kinds] + [None] * (len(KINDS) - len(kinds))
        shown: Kind = chosen if chosen in kinds else kinds[0]
        return [
            scores_view(run, report),
            gr.Button(visible=run is not None and run.has_adapter),
            *(gr.Plot(figure, visible=figure is not None) for figure in figures),
            gr.Column(visible=report is not None),
            gr.Radio(list(kinds), value=shown),
            scores_table(report, shown),
            f"tandem evaluate {run.id if run else 'RUN'}",
        ]

    score.click(score_run, bar.run, api_name="score_run")
    gr.on(
        [bar.run.change, bar.results.change, kind.change],
        show,
        [bar.run, kind],
        [view, score, *plots, details, kind, table, command],
        **PRIVATE,
    )
