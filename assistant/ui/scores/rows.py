"""Every answer: filtered, sorted, some at once."""

from typing import Any, get_args

import gradio as gr

from assistant.report_view.naming import KINDS
from assistant.report_view.rows import WHICH, Which, card, is_among, select, topics
from assistant.ui.errors import shown_to_user
from assistant.ui.scores.board import Board
from assistant.ui.wiring import PRIVATE
from trainer.errors import ConfigError
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
                label="Words", placeholder="in question or answers", max_length=200, min_width=160
            )
        listed = gr.HTML(elem_classes="report", apply_default_css=False)
        more = gr.Button("Show more", visible=False, size="sm")
    count, about = gr.State(AT_ONCE), gr.State("")  # about: the report whose choices are offered
    for control in (which, kind, topic):
        # Checked below: what one session was sent to choose from, a newer report has outgrown.
        control.preprocess = lambda payload: payload

    def offer(run_id: str | None, chosen: str | None, primary: str, offered: str) -> list[Any]:
        """The choices that this report has; what was typed stays until it is another one."""
        found = board.find(run_id, chosen, primary)
        if found is None:
            return [gr.Column(visible=False), *[gr.skip()] * 4, ""]
        evaluation, report = found
        now = f"{evaluation.path} {report.primary}"
        if now == offered:
            return [gr.skip()] * 6
        named = [(f"{said} ({_count(name, report)})", name) for name, said in WHICH.items()]
        kinds = [(KINDS[k][0], k) for k in report.kinds]
        named_topics = topics(report)
        return [
            gr.Column(visible=True),
            gr.Radio(named, value="all"),
            gr.Dropdown([("all", ANY), *kinds], value=ANY, visible=len(kinds) > 1),
            gr.Dropdown([("all", ANY), *named_topics], value=ANY, visible=len(named_topics) > 1),
            "",
            now,
        ]

    def list_rows(
        most: int,
        run_id: str | None,
        chosen: str | None,
        primary: str,
        which: str,
        kind: str,
        topic: str,
        text: str,
    ) -> tuple[str, Any, int]:
        found = board.find(run_id, chosen, primary)
        if found is None:
            return "", gr.Button(visible=False), most
        report = found[1]
        rows = select(
            report, which=_which(which), kind=_kind(kind), topic=topic or None, text=text or ""
        )
        told = f"{len(rows):,} of {sum(len(report.of(k)) for k in report.kinds):,} rows"
        if len(rows) > most:
            told += f", the first {most:,} of them"
        said = f'<p class="quiet" aria-live="polite">{told}</p>' if rows else _NOTHING
        cards = "".join(card(row, report) for row in rows[:most])
        return said + cards, gr.Button(visible=len(rows) > most), most

    def find_answers(
        run_id: str | None,
        chosen: str | None,
        primary: str,
        which: str,
        kind: str,
        topic: str,
        text: str,
    ) -> tuple[str, Any, int]:
        """The rows of a report that are asked for, as they are shown; the first of them."""
        with shown_to_user():
            return list_rows(AT_ONCE, run_id, chosen, primary, which, kind, topic, text)

    def show_more(most: int, *asked: Any) -> tuple[str, Any, int]:
        with shown_to_user():
            return list_rows(most + AT_ONCE, *asked)

    asked = [which, kind, topic, text]
    inputs, shown = [*board.inputs, *asked], [listed, more, count]
    gr.on(board.changes, offer, [*board.inputs, about], [section, *asked, about], **PRIVATE).then(
        list_rows, [count, *inputs], shown, **PRIVATE
    )
    gr.on(
        [which.input, kind.input, topic.input, text.submit, text.blur],
        find_answers,
        inputs,
        shown,
        api_name="find_answers",
        show_progress="minimal",
    )
    more.click(show_more, [count, *inputs], shown, **PRIVATE)


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
