"""Every answer: filtered, sorted, some at once."""

from typing import Any, get_args

import gradio as gr

from assistant.report_view.naming import KINDS
from assistant.report_view.rows import WHICH, Which, card, is_among, select, topics
from assistant.ui.errors import shown_to_user
from assistant.ui.scores.board import RAW, Board, Shown
from trainer.errors import ConfigError, NotFound
from trainer.report import Kind, Report

AT_ONCE = 25
ANY = ""


def rows_section(board: Board) -> None:
    """Lay out the section and wire it."""
    with gr.Column(visible=False) as section:
        gr.Markdown("### Every answer")
        with gr.Row(elem_classes="act"):
            which = gr.Radio(
                [(said, name) for name, said in WHICH.items()],
                value="all",
                label="Show",
                min_width=320,
                scale=3,
            )
            kind = gr.Dropdown([("all", ANY)], value=ANY, label="Kind", min_width=160)
            topic = gr.Dropdown([("all", ANY)], value=ANY, label="Topic", min_width=160)
            text = gr.Textbox(
                label="Words", placeholder="words, then Enter", max_length=200, min_width=160
            )
        listed = gr.HTML(elem_classes="report", apply_default_css=False)
        more = gr.Button("Show more", visible=False, size="sm")
    count = gr.State(AT_ONCE)

    def offer(shown: Shown) -> list[Any]:
        """The choices that this report has, and how many rows each shows."""
        found = board.find(shown)
        if found is None:
            return [gr.Column(visible=False), *[gr.skip()] * 5]
        report = found[1]
        named = [(f"{said} ({_count(name, report)})", name) for name, said in WHICH.items()]
        kinds = [(KINDS[k][0], k) for k in report.kinds]
        about = topics(report)
        return [
            gr.Column(visible=True),
            gr.Radio(named, value="all"),
            gr.Dropdown([("all", ANY), *kinds], value=ANY, visible=len(kinds) > 1),
            gr.Dropdown([("all", ANY), *about], value=ANY, visible=len(about) > 1),
            "",
            AT_ONCE,
        ]

    def show_first(shown: Shown, *asked: str) -> tuple[str, Any, int]:
        return show(AT_ONCE, shown, *asked)

    def show_more(most: int, shown: Shown, *asked: str) -> tuple[str, Any, int]:
        return show(most + AT_ONCE, shown, *asked)

    def show(most: int, shown: Shown, *asked: str) -> tuple[str, Any, int]:
        found = board.find(shown)
        with shown_to_user():
            listed, left = _listed(found[1], most, *asked) if found else ("", False)
        return listed, gr.Button(visible=left), most

    def find_answers(
        run_id: str, which: str = "all", kind: str = ANY, topic: str = ANY, text: str = ""
    ) -> str:
        """The rows of the newest report of a run that are asked for, as they are shown."""
        with shown_to_user():
            evaluation = board.runs.get(run_id).evaluation()
            report = evaluation.report() if evaluation else None
            if report is None:
                raise NotFound(f"Run '{run_id}' has no scores yet: tandem evaluate {run_id}.")
            return _listed(report, AT_ONCE, which, kind, topic, text)[0]

    asked, outputs = [which, kind, topic, text], [listed, more, count]
    inputs = [board.shown, *asked]
    offered = board.shown.change(offer, board.shown, [section, *asked, count], **RAW)
    offered.then(show_first, inputs, outputs, **RAW)
    looks = RAW | {"show_progress": "minimal"}
    gr.on([which.input, kind.input, topic.input, text.submit], show_first, inputs, outputs, **looks)
    more.click(show_more, [count, *inputs], outputs, **looks)
    gr.api(find_answers, api_name="find_answers")


def _listed(
    report: Report, most: int, which: str, kind: str, topic: str, text: str
) -> tuple[str, bool]:
    """The first rows that are asked for, and whether there are more."""
    rows = select(report, which=_which(which), kind=_kind(kind), topic=topic or None, text=text)
    if not rows:
        return _NOTHING, False
    told = f"{len(rows):,} of {sum(len(report.of(k)) for k in report.kinds):,} rows"
    if len(rows) > most:
        told += f", the first {most:,} of them"
    cards = "".join(card(row, report) for row in rows[:most])
    return f'<p class="quiet" aria-live="polite">{told}</p>{cards}', len(rows) > most


def _count(which: Which, report: Report) -> int:
    return sum(is_among(which, row, report) for k in report.kinds for row in report.of(k))


def _which(given: str) -> Which:
    for name in WHICH:
        if given == name:
            return name
    raise ConfigError(f"'{given}' is no choice of rows. Choose one of: {', '.join(WHICH)}.")


def _kind(given: str) -> Kind | None:
    for name in get_args(Kind):
        if given == name:
            return name
    return None


_NOTHING = (
    '<div class="empty">No row is like that. Choose <b>All</b>, or search for other words.</div>'
)
