"""Your own judgement: twenty answers, one after the other, without knowing who gave them."""

from typing import Any

import gradio as gr

from assistant.report_view.judging import agreement_view, blind_view
from assistant.report_view.naming import MEASURES
from assistant.ui.errors import shown_to_user
from assistant.ui.scores.board import RAW, Board, Shown, scored_of
from assistant.ui.wiring import fill_when_open
from trainer.errors import NotFound
from trainer.judgement import agreement, best_measure, pick, rate, read_ratings

STARS = ("1 wrong", "2 poor", "3 so-so", "4 good", "5 as approved")


def judge_section(board: Board) -> None:
    """Lay out the section and wire it."""
    with gr.Accordion("Your own judgement: rate twenty answers", open=False) as section:
        view = gr.HTML(elem_classes="report", apply_default_css=False)
        with gr.Row(visible=False, elem_classes="choices") as row:
            buttons = [gr.Button(said, min_width=100) for said in STARS]
        agreed = gr.HTML(elem_classes="report", apply_default_css=False)
        with gr.Row(elem_classes="choices"):
            prefer = gr.Button("", visible=False, size="sm", min_width=240)
            back = gr.Button("Back to the report's own measure", visible=False, size="sm")
    shown, best = gr.State(""), gr.State("")  # the blind id that is asked about; a measure

    def fill(now: Shown) -> list[Any]:
        with shown_to_user():
            found = board.find(now)
            report = found[0].report() if found else None  # by its own measure, not by this view's
            if found is None or report is None:
                empty = '<div class="empty">No scores yet. Press <b>Score again</b> first.</div>'
                off = gr.Button(visible=False)
                return [empty, gr.Row(visible=False), "", off, off, "", ""]
            evaluation, primary = found[0], found[1].primary
            ratings = read_ratings(evaluation.path)
            drawn = pick(report)
            left = [blind for blind in drawn if ratings.of(blind) is None]
            agreements = agreement(report, ratings) if ratings.ratings else []
            offered = best_measure(agreements)
        asked = left[0] if left else None
        name = MEASURES[offered][0] if offered else ""
        return [
            blind_view(asked, len(drawn) - len(left), len(drawn)),
            gr.Row(visible=asked is not None),
            agreement_view(agreements, offered, primary),
            gr.Button(f"Let “{name}” decide in this view", visible=offered not in (None, primary)),
            gr.Button(visible=primary != report.primary),
            asked.id if asked else "",
            offered or "",
        ]

    def rate_shown(now: Shown, blind: str, stars: int) -> None:
        rate_answer(now[0], blind, stars, now[1])

    def rate_answer(run_id: str, blind: str, stars: int, evaluation: str = "") -> None:
        """Keep how good a person finds an answer of a run's scores (the newest), from 1 to 5."""
        with shown_to_user():
            scored = scored_of(board.runs.get(run_id))
            wanted = next((e for e in scored if evaluation in ("", e.id)), None)
            report = wanted.report() if wanted else None
            if wanted is None or report is None:
                raise NotFound(f"Run '{run_id}' has no scores yet: tandem evaluate {run_id}.")
            rate(wanted.path, report, blind, stars)

    outputs = [view, row, agreed, prefer, back, shown, best]
    fill_when_open(section, fill, [board.shown], outputs, also=[board.shown.change])
    gr.api(rate_answer, api_name="rate_answer")
    for stars, button in enumerate(buttons, start=1):
        rated = button.click(rate_shown, [board.shown, shown, gr.State(stars)], **RAW)
        rated.success(fill, board.shown, outputs, **RAW)
    prefer.click(lambda measure: measure, best, board.primary, **RAW)
    back.click(lambda: "", outputs=board.primary, **RAW)
