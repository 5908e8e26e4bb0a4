"""A run after it ended: go on with it, begin from it, delete it; and everything about it."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from assistant.ui.bar import Bar, run_choices
from assistant.ui.errors import shown_to_user
from assistant.ui.plots import rate_plot
from assistant.ui.tune.views import (
    delete_question,
    events_view,
    facts_view,
    lineage_view,
    memory,
    resume_label,
)
from assistant.ui.wiring import PRIVATE, fill_when_open
from trainer.config import RunConfig
from trainer.corpus.library import Corpora
from trainer.errors import CorpusError
from trainer.history import command, facts, lineage
from trainer.launch import launch, resume
from trainer.runs import Run, Runs


def after_section(bar: Bar, corpora: Corpora, runs: Runs, *, worker: Sequence[str]) -> None:
    """Lay out the section and wire it; it is about the run that is chosen in the bar."""
    with gr.Row(elem_classes="act", visible=False) as row:
        go_on = gr.Button("Resume", visible=False, min_width=180)
        more = gr.Number(
            2, label="Passes to add", minimum=0, visible=False, min_width=120, scale=0, step=0.5
        )
        onward = gr.Button("Continue tuning", visible=False, min_width=180)
        delete = gr.Button("Delete this run", visible=False, min_width=150)
    asked = gr.State("")  # the run whose deletion is in question
    with gr.Column(visible=False) as asking:
        question = gr.HTML()
        with gr.Row(elem_classes="choices"):
            sure = gr.Button("Delete for good", variant="stop", min_width=150)
            keep = gr.Button("Keep it", min_width=150)
    history = gr.HTML()
    with gr.Accordion("Everything about this run", open=False) as about:
        told = gr.HTML()
        rate = gr.Plot(show_label=False, visible=False)
        events = gr.HTML()
    with gr.Accordion("The same on the command line", open=False):
        typed = gr.Code(language="shell", interactive=False)

    def show(run_id: str | None) -> list[Any]:
        run = runs.find(run_id)
        label = resume_label(run) if run else ""
        over = run is not None and run.state().over and not run.alive
        ready = over and run is not None and run.has_adapter
        return [
            gr.Row(visible=over),
            gr.Button(label or "Resume", visible=bool(label)),
            gr.Number(visible=ready),
            gr.Button(_continue_label(run) if run else "", visible=ready),
            gr.Button(visible=over),
            lineage_view(lineage(run)) if run else "",
            command(run) if run else "tandem tune CORPUS --base BASE",
        ]

    def _continue_label(run: Run) -> str:
        versions = corpora.versions(run.config.corpus)
        return f"Continue tuning on {versions[-1].label}" if versions else "Continue tuning"

    def resume_run(run_id: str) -> None:
        """Let a run that was stopped, failed or lost go on from its newest checkpoint."""
        with shown_to_user():
            checkpoint = resume(runs.get(run_id), worker=worker)
        where = f"from step {checkpoint.step}" if checkpoint else "from the start"
        gr.Info(f"It goes on {where}, as soon as the device is free.", title="Resumed")

    def continue_run(run_id: str, epochs: float) -> Any:
        """Start a new run from this run's adapter on the newest version of its corpus."""
        with shown_to_user():
            parent = runs.get(run_id)
            versions = corpora.versions(parent.config.corpus)
            if not versions:
                raise CorpusError(f"The corpus '{parent.config.corpus}' is gone. Choose another.")
            changed = {"version": versions[-1].version, "continues": parent.id, "epochs": epochs}
            config = RunConfig.parse(parent.config.model_dump() | changed)
            run = launch(config, runs, worker=worker)
        return gr.Dropdown(choices=run_choices(runs), value=run.id)

    def ask_first(run_id: str) -> tuple[Any, str, str]:
        with shown_to_user():
            return gr.Column(visible=True), delete_question(runs.get(run_id)), run_id

    def put_away(run_id: str | None, about: str) -> Any:
        """Another run is another question; a list that was only refreshed is not."""
        return gr.skip() if run_id == about else gr.Column(visible=False)

    def delete_run(run_id: str) -> tuple[Any, Any]:
        """Delete a run with all it left; it says how much is free now."""
        with shown_to_user():
            free = runs.delete(runs.get(run_id))
        gr.Info(f"The run is deleted; {memory(free)} are free again.", title="Deleted")
        choices = run_choices(runs)
        newest = choices[0][1] if choices else None
        return (
            gr.Dropdown(choices=choices, value=newest, visible=bool(choices)),
            gr.Column(visible=False),
        )

    def fill(run_id: str | None) -> tuple[str, Any, str]:
        run = runs.find(run_id)
        if run is None:
            return '<div class="empty">Start a run first.</div>', gr.Plot(visible=False), ""
        curve = rate_plot(run)
        return facts_view(facts(run)), gr.Plot(curve, visible=curve is not None), events_view(run)

    now: dict[str, Any] = {"preprocess": False}  # as in watch.py
    go_on.click(resume_run, bar.run, api_name="resume_run", **now)
    onward.click(continue_run, [bar.run, more], bar.run, api_name="continue_run", **now)
    delete.click(ask_first, bar.run, [asking, question, asked], **now, **PRIVATE)
    bar.run.change(put_away, [bar.run, asked], asking, **PRIVATE)
    keep.click(lambda: gr.Column(visible=False), outputs=asking, **PRIVATE)
    sure.click(delete_run, bar.run, [bar.run, asking], api_name="delete_run", **now)
    shown = [row, go_on, more, onward, delete, history, typed]
    gr.on([bar.results.change, bar.run.change], show, bar.run, shown, **now, **PRIVATE)
    changes = [bar.run.change, bar.progress.change]
    fill_when_open(about, fill, [bar.run], [told, rate, events], also=changes)
