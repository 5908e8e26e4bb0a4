"""Edit the examples in place: what matches a search, two hundred at a time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from assistant.ui.corpus.desk import PROGRESS, Desk, tell_with
from assistant.ui.errors import shown_to_user
from assistant.ui.wiring import PRIVATE, fill_when_open
from trainer.corpus.audit import name_rows
from trainer.corpus.examples import Example, identify
from trainer.errors import CorpusError

LISTED = 200
COLUMNS = ("no.", "question", "answer", "topic", "from")


def edit_section(desk: Desk) -> None:
    """Lay out the section and wire it."""
    with gr.Accordion("Edit the examples", open=False) as section:
        gr.Markdown(
            "Click into a cell to change it. To take an example out, empty its question and "
            "its answer. Nothing is kept before you press the button.",
            elem_classes="quiet",
        )
        search = gr.Textbox(
            placeholder="Find in questions, answers and topics, and press Enter",
            show_label=False,
            max_length=200,
        )
        told = gr.HTML()
        table = gr.Dataframe(
            headers=list(COLUMNS),
            type="array",
            interactive=True,
            wrap=True,
            max_height=560,
            max_chars=240,
            static_columns=[0, 4],
            column_count=len(COLUMNS),
            column_widths=[64, 340, 470, 130, 130],
            elem_classes="answers",
            buttons=[],
        )
        with gr.Row():
            more = gr.Button("Add a row", scale=0, min_width=160)
            keep = gr.Button("Keep the changes", variant="primary")

    def find_examples(label: str, wanted: str) -> tuple[list[list[Any]], str]:
        """List the examples in which the words occur, the first two hundred of them."""
        corpus = desk.shown(label)
        if corpus is None:
            return [], '<p class="quiet">Drop a file first.</p>'
        found = search_examples(corpus.examples, wanted)
        rows = [[at + 1, e.question, e.answer, e.topic, _place(e)] for at, e in found[:LISTED]]
        more = (
            f"; the first {LISTED} are listed. Search to see others" if len(found) > LISTED else ""
        )
        return rows, f'<p class="quiet">{len(found):,} of {len(corpus.examples):,}{more}.</p>'

    def edit_examples(
        label: str, rows: list[list[Any]], progress: gr.Progress = PROGRESS
    ) -> tuple[Any, ...]:
        with shown_to_user():
            corpus = desk.to_change(label)
            examples = edited(corpus.examples, rows)
            if tuple(examples) == corpus.examples:
                raise CorpusError("Nothing was changed in the table, so there is nothing to keep.")
            revised = desk.corpora.revise(corpus, examples, tell=tell_with(progress))
        gr.Info(f"{revised.origin.change}: version {revised.version}.", title="Kept")
        return desk.select(revised)

    def add_row(rows: list[list[Any]]) -> list[list[Any]]:
        return [[""] * len(COLUMNS), *rows]

    listed = [desk.bar.label, search]
    fill_when_open(section, find_examples, listed, [table, told], also=desk.changes, slow=True)
    search.submit(
        find_examples, listed, [table, told], api_name="find_examples", show_progress="minimal"
    )
    more.click(add_row, table, table, **PRIVATE)
    keep.click(
        edit_examples,
        [desk.bar.label, table],
        [desk.bar.corpus, desk.bar.label],
        api_name="edit_examples",
        show_progress_on=[told],
    )
    desk.bar.corpus.change(lambda: "", outputs=search, **PRIVATE)


def search_examples(examples: Sequence[Example], wanted: str) -> list[tuple[int, Example]]:
    """The examples that hold the words, with their places; all of them when none are given."""
    words = (wanted or "").casefold()[:200].strip()
    return [
        (at, e)
        for at, e in enumerate(examples)
        if not words
        or words in e.question.casefold()
        or words in e.answer.casefold()
        or words in e.topic.casefold()
    ]


def edited(examples: Sequence[Example], rows: Sequence[Sequence[Any]]) -> tuple[Example, ...]:
    """The examples with the rows of a table put in; raises `CorpusError` for a half-empty row.

    A row goes by its number; an example whose row is not there stays as it is, because a table
    that is filtered on the screen comes back without the rest.
    """
    changed: dict[int, Example | None] = {}
    added = []
    for place, row in enumerate(rows, start=1):
        number, question, answer, topic = (_text(cell) for cell in (*row, *[""] * 4)[:4])
        if number and not (number.isdecimal() and 0 < int(number) <= len(examples)):
            raise CorpusError(f"Row {place} of the table: there is no example {number[:20]}.")
        if bool(question) != bool(answer):
            missing = "answer" if question else "question"
            raise CorpusError(
                f"Row {place} of the table has no {missing}. Fill it in, or empty both cells to "
                "take the example out."
            )
        if not number:
            added += [Example("", question, answer, topic)] if question else []
            continue
        at = int(number) - 1
        if at in changed:
            raise CorpusError(f"Row {place} of the table: example {number} stands there twice.")
        before = examples[at]
        now = (question, answer, topic)
        if now == (_text(before.question), _text(before.answer), _text(before.topic)):
            continue
        changed[at] = (
            replace(before, question=now[0], answer=now[1], topic=topic) if question else None
        )
    kept = [changed.get(at, e) for at, e in enumerate(examples)]
    if not changed and not added:
        return tuple(examples)
    return identify([*(e for e in kept if e is not None), *added])


def _text(cell: Any) -> str:
    """A cell as text; an empty one comes as None or as a number that is none."""
    if cell is None or (isinstance(cell, float) and cell != cell):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _place(example: Example) -> str:
    return name_rows([example]) if example.row else "added here"
