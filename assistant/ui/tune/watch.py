"""A run while it learns: time left, numbers, one plot, what it answers so far, stop."""

from typing import Any

import gradio as gr

from assistant.ui.bar import Bar
from assistant.ui.errors import shown_to_user
from assistant.ui.plots import loss_plot
from assistant.ui.tune.views import remarks_view, run_view, samples_view
from assistant.ui.wiring import PRIVATE
from trainer.remarks import remarks
from trainer.runs import Runs
from trainer.work import State


def watch_section(bar: Bar, tabs: gr.Tabs, runs: Runs) -> None:
    """Lay out the section and wire it; it shows the run that is chosen in the bar."""
    with gr.Row(elem_classes="run-head"):
        view = gr.HTML(elem_classes="grow")
        stop = gr.Button("Stop and keep", visible=False, scale=0, min_width=180)
    noted = gr.HTML()
    plot = gr.Plot(show_label=False, visible=False)
    samples = gr.HTML()
    onward = gr.Button("Next: ask both  →", visible=False)

    def stop_run(run_id: str) -> None:
        """Ask the run, or the scoring behind it, to stop and keep what it has."""
        with shown_to_user():
            if work := runs.get(run_id).unfinished():
                work.ask_to_stop()

    def show(run_id: str | None) -> list[Any]:
        run = runs.find(run_id)
        work = run.unfinished() if run else None
        going = work is not None and work.state() is not State.QUEUED
        curve = loss_plot(run)
        return [
            run_view(run),
            gr.Button(visible=going),
            remarks_view(remarks(run)) if run else "",
            gr.Plot(curve, visible=curve is not None),
            samples_view(run),
            gr.Button(visible=run is not None and run.has_adapter),
        ]

    # Runs come and go elsewhere: what is named is looked for among them, not among the choices
    # that one session was sent.
    stop.click(stop_run, bar.run, api_name="stop_run", preprocess=False)
    gr.on(
        [bar.progress.change, bar.results.change, bar.run.change],
        show,
        bar.run,
        [view, stop, noted, plot, samples, onward],
        preprocess=False,
        **PRIVATE,
    )
    onward.click(lambda: gr.Tabs(selected="chat"), outputs=tabs, **PRIVATE)
