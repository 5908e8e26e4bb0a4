"""Step 2: choose settings, start a run, watch it, stop it."""

from collections.abc import Sequence
from typing import Any

import gradio as gr
import plotly.graph_objects as go

from assistant.ui.bar import Bar, base_from_page, run_choices
from assistant.ui.errors import shown_to_user
from assistant.ui.plots import loss_plot
from assistant.ui.present import run_view, tune_command
from trainer.config import RunConfig
from trainer.corpus.library import Corpora
from trainer.launch import launch
from trainer.runs import Runs

_NOT_ASKED = ("base", "corpus", "version", "evaluate")  # chosen above, or always done


def tune_tab(
    bar: Bar, tabs: gr.Tabs, corpora: Corpora, runs: Runs, *, worker: Sequence[str]
) -> None:
    """Lay out the tab and wire it; call inside the `gr.Tab` it belongs to."""
    models = runs.root.parent / "models"
    gr.Markdown("## Teach it")
    with gr.Row():
        view = gr.HTML(elem_classes="grow")
        stop = gr.Button("Stop and keep", visible=False, scale=0, min_width=140)
    plot = gr.Plot(show_label=False, visible=False)
    onward = gr.Button("Next: ask both  →", visible=False)
    with gr.Accordion("Settings of the next run", open=False):
        gr.Markdown("The defaults suit the chosen base; none has to be touched.")
        with gr.Row():
            form = _settings(bar.base.value)
    with gr.Accordion("The same on the command line", open=False):
        command = gr.Code(language="shell", interactive=False)

    def start_run(corpus: str, base: str, **settings: object) -> tuple[Any, Any]:
        with shown_to_user():
            chosen = corpora.get(corpus)
            named = {"corpus": chosen.name, "version": chosen.version}
            named["base"] = base_from_page(base, models)
            run = launch(RunConfig.parse(settings | named), runs, worker=worker)
        chosen_run = gr.Dropdown(choices=run_choices(runs), value=run.id, visible=True)
        return chosen_run, gr.Tabs(selected="tune")

    def stop_run(run_id: str) -> None:
        with shown_to_user():
            if work := runs.get(run_id).unfinished():
                work.ask_to_stop()

    def show(run_id: str | None) -> tuple[str, Any, Any, Any, str]:
        run = runs.find(run_id)
        running = run is not None and run.unfinished() is not None
        curve = loss_plot(run)
        return (
            run_view(run),
            gr.Plot(curve, visible=isinstance(curve, go.Figure)),
            gr.Button(visible=running),
            gr.Button(visible=run is not None and run.has_adapter),
            tune_command(run),
        )

    def suit(base: str) -> list[Any]:
        defaults = _defaults(base)
        return [getattr(defaults, name) for name in form]

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    bar.start.click(
        start_run,
        inputs_kwargs={"corpus": bar.corpus, "base": bar.base, **form},
        outputs=[bar.run, tabs],
        api_name="start_run",
    )
    stop.click(stop_run, bar.run, api_name="stop_run")
    gr.on(
        [bar.progress.change, bar.results.change, bar.run.change],
        show,
        bar.run,
        [view, plot, stop, onward, command],
        **private,
    )
    onward.click(lambda: gr.Tabs(selected="chat"), outputs=tabs, **private)
    bar.base.change(suit, bar.base, list(form.values()), **private)


def _settings(base: str) -> dict[str, Any]:
    defaults, form = _defaults(base), {}
    for name in RunConfig.model_fields:
        if name in _NOT_ASKED:
            continue
        value = getattr(defaults, name)
        shown: dict[str, Any] = {
            "label": name.replace("_", " ").capitalize(),
            "info": RunConfig.model_fields[name].description,
            "min_width": 260,
        }
        if isinstance(value, bool):
            form[name] = gr.Checkbox(value, **shown)
        elif isinstance(value, str):
            choices = [("4 bits a weight (NF4)", "nf4"), ("as it came", "none")]
            form[name] = gr.Radio(choices, value=value, **shown)
        else:
            precision = 0 if isinstance(value, int) else None
            form[name] = gr.Number(value, precision=precision, **shown)
    return form


def _defaults(base: str) -> RunConfig:
    return RunConfig.parse({"base": base or "none", "corpus": "any", "version": 1})
