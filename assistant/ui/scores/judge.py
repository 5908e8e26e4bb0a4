"""Your own judgement: twenty answers, one after the other, without knowing who gave them."""

from typing import Any

import gradio as gr

from assistant.report_view.judging import agreement_view, blind_view
from assistant.report_view.naming import MEASURES
from assistant.ui.errors import shown_to_user
from assistant.ui.scores.board import Board
from assistant.ui.wiring import PRIVATE, fill_when_open
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

    def fill(run_id: str | None, chosen: str | None, primary: str) -> list[Any]:
        with shown_to_user():
            found = board.find(run_id, chosen, "")
            if found is None:
                empty = '<div class="empty">There is nothing to rate before there are scores.</div>'
                off = gr.Button(visible=False)
                return [empty, gr.Row(visible=False), "", off, off, "", ""]
            evaluation, report = found
            ratings = read_ratings(evaluation.path)
            drawn = pick(report)
            left = [blind for blind in drawn if ratings.of(blind) is None]
            agreements = agreement(report, ratings) if ratings.ratings else []
            offered = best_measure(agreements)
        now = left[0] if left else None
        other = primary in report.measures and primary != report.primary
        name = MEASURES[offered][0] if offered else ""
        return [
            blind_view(now, len(drawn) - len(left), len(drawn)),
            gr.Row(visible=now is not None),
            agreement_view(agreements, offered, report.primary),
            gr.Button(
                f"Let “{name}” decide in this view",
                visible=bool(offered) and offered != (primary if other else report.primary),
            ),
            gr.Button(visible=other),
            now.id if now else "",
            offered or "",
        ]

    def rate_answer(run_id: str, chosen: str, blind: str, stars: int) -> None:
        """Keep how good a person finds an answer, from 1 to 5."""
        with shown_to_user():
            found = board.find(run_id, chosen, "")
            if found is None:
                raise NotFound("This run has no scores yet. Score it first.")
            rate(found[0].path, found[1], blind, stars)

    outputs = [view, row, agreed, prefer, back, shown, best]
    fill_when_open(section, fill, board.inputs, outputs, also=board.changes)
    gr.api(rate_answer, api_name="rate_answer")
    for stars, button in enumerate(buttons, start=1):
        rated = button.click(
            rate_answer,
            [board.bar.run, board.chosen, shown, gr.State(stars)],
            **PRIVATE,
        )
        rated.success(fill, board.inputs, outputs, **PRIVATE)
    prefer.click(lambda measure: measure, best, board.primary, **PRIVATE)
    back.click(lambda: "", outputs=board.primary, **PRIVATE)
