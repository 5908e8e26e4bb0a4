"""The verdict, and the scoring that leads to it: how far it is, stop it."""

from typing import Any

import gradio as gr

from assistant.report_view.checks import sections
from assistant.report_view.verdict import lead_view, panels_view
from assistant.ui.errors import shown_to_user
from assistant.ui.present import scores_state
from assistant.ui.scores.board import RAW, Board, Shown
from trainer.errors import NotFound


def verdict_section(board: Board) -> None:
    """Lay out the section and wire it."""
    with gr.Row(elem_classes="run-head"):
        state = gr.HTML(elem_classes="grow")
        stop = gr.Button("Stop scoring", visible=False, scale=0, min_width=180)
    view = gr.HTML(elem_classes="report", apply_default_css=False)

    def stop_scoring(run_id: str) -> None:
        """Ask the scoring of a run to stop; the answers it has are kept, to go on with."""
        with shown_to_user():
            run = board.runs.get(run_id)
            going = next((e for e in run.evaluations() if not e.state().over), None)
            if going is None:
                raise NotFound(f"Run '{run.id}' is not being scored, so there is nothing to stop.")
            going.ask_to_stop()

    def tell(run_id: str | None) -> tuple[Any, Any]:
        run = board.runs.find(run_id)
        newest = next(iter(run.evaluations()), None) if run else None
        going = newest is not None and not newest.state().over and newest.place is None
        said = scores_state(run)
        return gr.HTML(said, visible=bool(said)), gr.Button(visible=going)

    def show(shown: Shown) -> str:
        found = board.find(shown)
        return lead_view(found[1]) + panels_view(found[1]) if found else ""

    bar = board.bar
    stop.click(stop_scoring, bar.run, api_name="stop_scoring", preprocess=False)
    moved = [bar.run.change, bar.results.change, bar.progress.change]
    gr.on(moved, tell, bar.run, [state, stop], **RAW)
    board.shown.change(show, board.shown, view, **RAW)


def checks_section(board: Board) -> None:
    """Lay out overfitting, forgetting, bias and labels, folded, and wire them."""
    view = gr.HTML(elem_classes="report", apply_default_css=False)

    def show(shown: Shown) -> str:
        found = board.find(shown)
        told = sections(found[1]) if found else []
        return "".join(
            f'<details class="fold"><summary>{title}</summary>{html}</details>'
            for title, html in told
        )

    board.shown.change(show, board.shown, view, **RAW)
