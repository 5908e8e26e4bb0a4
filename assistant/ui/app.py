"""The whole page, as a function of what it stands on."""

import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.access import Login, slowed
from assistant.conversation import Chat, FindBeside
from assistant.engine import Engine
from assistant.hosted.serving import Hosting
from assistant.link_store import Links
from assistant.store import Store
from assistant.talk import Talk
from assistant.terminal import open_judge
from assistant.ui.bar import corpus_choices, last_used, make_bar, run_choices
from assistant.ui.bases import base_section
from assistant.ui.chat.style import CHAT_CSS, ESCAPE
from assistant.ui.chat.tab import chat_tab
from assistant.ui.corpus.desk import Draft
from assistant.ui.corpus.tab import corpus_tab
from assistant.ui.present import strip
from assistant.ui.scores.tab import scores_tab
from assistant.ui.share.tab import share_tab
from assistant.ui.theme import CSS, theme
from assistant.ui.tune.tab import tune_tab
from assistant.ui.wiring import PRIVATE
from trainer.corpus.library import Corpora
from trainer.corpus.near import Judge
from trainer.corpus.readers.limits import MOST_BYTES
from trainer.errors import AccessError
from trainer.launch import WORKER, start_waiting
from trainer.runs import Run, Runs
from trainer.work import Work


def build_app(
    workspace: Path,
    chat: Chat,
    *,
    beside: FindBeside | None = None,
    unload: Callable[[], None] = lambda: None,
    judge: Callable[[], Judge] | None = None,
    draft: Draft | None = None,
    make_room: Callable[[], None] = lambda: None,
    store: Store | None = None,
    hosting: Hosting | None = None,
    worker: Sequence[str] = WORKER,
) -> gr.Blocks:
    """Compose the steps. Importing this module starts nothing; calling this serves nothing.

    `judge` opens what compares questions by meaning (without it, by their words alone), `draft`
    lets a base propose other wordings. `make_room` takes the chat's base off a GPU that a worker
    waits for. `hosting` serves shared links; `store` is the workspace's unless given.
    """
    corpora, runs = Corpora(workspace / "corpora", judge), Runs(workspace / "runs")
    store = store or Store.in_workspace(workspace)
    talk = Talk(chat, store, runs, beside)
    with gr.Blocks(title="Tandem", analytics_enabled=False) as app:
        gr.HTML(
            "<h1>Tandem</h1><p>Tune a chat model on your FAQ, and know whether it helped.</p>",
            elem_classes="brand",
        )
        bar = make_bar(corpora, runs, workspace / "models")
        base_section(bar, workspace / "models")
        now = gr.HTML(visible=False)

        def find_run() -> tuple[Any, Any]:
            """Find the run in progress, or else the newest, and the corpus, after a reload."""
            active = runs.active()
            found = active if isinstance(active, Run) else next(iter(runs.list()), None)
            chosen = found.id if found else None
            return (
                gr.Dropdown(choices=corpus_choices(corpora), value=last_used(corpora, found)),
                gr.Dropdown(choices=run_choices(runs), value=chosen, visible=found is not None),
            )

        app.load(None, js=ESCAPE)
        found = app.load(find_run, outputs=[bar.corpus, bar.run], **PRIVATE)
        with gr.Tabs(selected="corpus") as tabs:
            with gr.Tab("1  Corpus", id="corpus"):
                corpus_tab(found, bar, corpora, runs, draft=draft)
            with gr.Tab("2  Tune", id="tune"):
                tune_tab(bar, tabs, corpora, runs, worker=worker)
            with gr.Tab("3  Chat", id="chat"):
                chat_tab(found, bar, tabs, corpora, runs, talk, unload=unload)
            with gr.Tab("4  Scores", id="scores"):
                scores_tab(bar, runs, worker=worker)
            with gr.Tab("5  Share", id="share"):
                share_tab(bar, runs, Links(store), hosting, make_room=make_room)

        def look(run_id: str | None, said: int, results: str) -> tuple[Any, ...]:
            """Compare what is on disk with what was last shown; skip whatever has not moved.

            It also starts what waits: after a restart of the machine, nobody else would.
            """
            active, waiting = runs.active(), runs.waiting()
            if waiting and active is None:
                make_room()
                start_waiting(runs, worker=worker)
                active, waiting = runs.active(), runs.waiting()
            run, choices = runs.find(run_id), run_choices(runs)
            evaluations = [(e.id, e.state()) for e in run.evaluations()] if run else []
            now_said = sum(_size(work) for work in (run, active) if work)
            places = [work.id for work in waiting]
            now_results = repr((choices, evaluations, active and active.id, places))
            same = now_results == results
            line, busy = strip(active, len(waiting)), active is not None or bool(waiting)
            start = gr.Button("Add to the queue" if busy else "Start tuning")
            return (
                gr.skip() if same and now_said == said else gr.HTML(line, visible=bool(line)),
                gr.skip() if same else start,
                gr.skip() if same else gr.Dropdown(choices=choices, visible=bool(choices)),
                gr.skip() if now_said == said else now_said,
                gr.skip() if same else now_results,
            )

        gr.on(
            [app.load, gr.Timer(1).tick, bar.run.change],
            look,
            [bar.run, bar.progress, bar.results],
            [now, bar.start, bar.run, bar.progress, bar.results],
            **PRIVATE | {"trigger_mode": "once"},
        )
    return app


def serve(
    workspace: Path,
    engine: Engine,
    *,
    store: Store,
    hosting: Hosting,
    host: str,
    port: int | None,
    root_path: str,
    login: Login | None,
    announce: Callable[[str], None],
) -> None:
    """Serve the page until it is interrupted, and say at which URL. Raises `AccessError`."""

    @cache
    def judge() -> Judge:
        return open_judge(workspace)  # one for all, so that its model is loaded once

    app = build_app(
        workspace,
        engine,
        beside=engine.beside,
        unload=engine.unload,
        judge=judge,
        draft=engine.draft,
        make_room=engine.make_room,
        store=store,
        hosting=hosting,
    )
    app.queue(default_concurrency_limit=8)
    try:
        app.launch(
            server_name=host,
            server_port=port,
            root_path=root_path,
            auth=slowed(login) if login else None,
            theme=theme(),
            css=CSS + CHAT_CSS,
            max_file_size=MOST_BYTES,
            share=False,
            run_history=False,  # it would use this machine's own token for the Hub
            enable_monitoring=False,
            show_error=True,
            footer_links=[],
            quiet=True,
            inbrowser=sys.stdout.isatty(),
            prevent_thread_lock=True,
            _frontend=False,  # or it asks itself, and gives up after 3 seconds on a busy machine
        )
    except OSError as error:
        raise AccessError(f"The page cannot be served on {host}: {error}. Try --port.") from error
    announce(app.local_url)
    app.block_thread()


def _size(work: Work) -> int:
    """How much a run or an evaluation, and what it started, has said so far, in bytes."""
    return sum(log.stat().st_size for log in work.path.rglob("events.jsonl"))
