"""The whole page, as a function of what it stands on."""

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.access import Login
from assistant.conversation import ChatModel
from assistant.ui.bar import corpus_choices, make_bar, run_choices
from assistant.ui.chat import Sides, chat_tab
from assistant.ui.corpus import corpus_tab
from assistant.ui.present import strip
from assistant.ui.scores import scores_tab
from assistant.ui.theme import CSS, theme
from assistant.ui.tune import tune_tab
from trainer.corpus.library import Corpora
from trainer.corpus.readers import MOST_BYTES
from trainer.launch import WORKER
from trainer.runs import Run, Runs


def build_app(workspace: Path, sides: Sides, *, worker: Sequence[str] = WORKER) -> gr.Blocks:
    """Compose the steps. Importing this module starts nothing; calling this serves nothing."""
    corpora, runs = Corpora(workspace / "corpora"), Runs(workspace / "runs")
    with gr.Blocks(title="Tandem", analytics_enabled=False) as app:
        gr.HTML(
            "<h1>Tandem</h1><p>Tune a chat model on your FAQ, and know whether it helped.</p>",
            elem_classes="brand",
        )
        bar = make_bar(corpora, runs, workspace / "models")
        now = gr.HTML(visible=False)
        with gr.Tabs(selected="corpus") as tabs:
            with gr.Tab("1  Corpus", id="corpus"):
                corpus_tab(app, bar, corpora)
            with gr.Tab("2  Tune", id="tune"):
                tune_tab(bar, tabs, corpora, runs, worker=worker)
            with gr.Tab("3  Chat", id="chat"):
                chat_tab(bar, tabs, runs, sides)
            with gr.Tab("4  Scores", id="scores"):
                scores_tab(bar, runs, worker=worker)

        def find_run() -> tuple[Any, Any]:
            """Find the run in progress, or else the newest, after a load or a reload."""
            active = runs.active()
            found = active if isinstance(active, Run) else next(iter(runs.list()), None)
            chosen = found.id if found else None
            return (
                gr.Dropdown(choices=corpus_choices(corpora)),
                gr.Dropdown(choices=run_choices(runs), value=chosen, visible=found is not None),
            )

        def look(run_id: str | None, before: str) -> tuple[Any, Any, Any, Any]:
            """Compare what is on disk with what was last shown; cheap when nothing moved."""
            active = runs.active()
            line, choices = strip(active), run_choices(runs)
            report = runs.get(run_id).evaluation() if run_id else None
            pulse = repr((line, choices, report, _heard(runs, run_id)))
            if pulse == before:
                return gr.skip(), gr.skip(), gr.skip(), gr.skip()
            return (
                gr.HTML(line, visible=bool(line)),
                gr.Button(interactive=active is None),
                gr.Dropdown(choices=choices, visible=bool(choices)),
                pulse,
            )

        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        app.load(find_run, outputs=[bar.corpus, bar.run], **private)
        gr.on(
            [app.load, gr.Timer(1).tick, bar.run.change],
            look,
            [bar.run, bar.pulse],
            [now, bar.start, bar.run, bar.pulse],
            **private,
        )
    return app


def serve(workspace: Path, *, host: str, port: int | None, login: Login | None) -> None:
    """Serve the page until it is interrupted; the chat's models load with the first question."""

    @cache
    def host_of_models() -> Any:
        from assistant.host import ModelHost  # noqa: PLC0415 - torch: the page comes up before it

        return ModelHost()

    def sides(run: Run) -> tuple[ChatModel, ChatModel]:
        return host_of_models().sides(run)

    app = build_app(workspace, sides)
    app.queue(default_concurrency_limit=8)
    app.launch(
        server_name=host,
        server_port=port,
        auth=login,
        theme=theme(),
        css=CSS,
        max_file_size=MOST_BYTES,
        share=False,
        show_error=True,
        footer_links=[],
        quiet=True,
        inbrowser=sys.stdout.isatty(),
        prevent_thread_lock=True,
    )
    print(f"Tandem is at {app.local_url} (Ctrl-C ends the page; runs go on)", flush=True)  # noqa: T201
    app.block_thread()


def _heard(runs: Runs, run_id: str | None) -> int:
    """How much a run has said so far, in bytes."""
    if not run_id:
        return 0
    log = runs.get(run_id).events.path
    return log.stat().st_size if log.exists() else 0
