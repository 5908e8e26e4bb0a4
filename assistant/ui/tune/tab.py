"""The whole step: what a run would take, start it, watch it, and what can be done with it after."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from assistant.ui.bar import Bar, base_from_page, run_choices
from assistant.ui.errors import shown_to_user
from assistant.ui.tune.ablate import ablation_section
from assistant.ui.tune.after import after_section
from assistant.ui.tune.before import before_section
from assistant.ui.tune.compare import compare_section
from assistant.ui.tune.queue import queue_section
from assistant.ui.tune.settings import parse_form
from assistant.ui.tune.watch import watch_section
from trainer.corpus.library import Corpora
from trainer.launch import launch
from trainer.runs import Runs


def tune_tab(
    bar: Bar, tabs: gr.Tabs, corpora: Corpora, runs: Runs, *, worker: Sequence[str]
) -> None:
    """Lay out the tab and wire it; call inside the `gr.Tab` it belongs to."""
    models = runs.root.parent / "models"
    gr.Markdown("## How thoroughly should it learn?")
    form = before_section(bar, corpora, runs)
    queue_section(bar, runs)
    gr.Markdown("## The run")
    watch_section(bar, tabs, runs)
    after_section(bar, corpora, runs, worker=worker)
    compare_section(bar, runs)
    ablation_section(bar, form, corpora, runs, worker=worker)

    def start_run(corpus: str, base: str, **settings: object) -> tuple[Any, Any]:
        """Start a run, or let it wait where the device is taken; show it."""
        with shown_to_user():
            chosen = corpora.get(corpus)
            named = {"corpus": chosen.name, "version": chosen.version}
            config = parse_form(base_from_page(base, models), settings, **named)
            run = launch(config, runs, worker=worker)
        chosen_run = gr.Dropdown(choices=run_choices(runs), value=run.id, visible=True)
        return chosen_run, gr.Tabs(selected="tune")

    bar.start.click(
        start_run,
        inputs_kwargs={"corpus": bar.corpus, "base": bar.base, **form},
        outputs=[bar.run, tabs],
        api_name="start_run",
    )
