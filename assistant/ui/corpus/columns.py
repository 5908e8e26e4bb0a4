"""Read it differently: which column is what, which parts count, and what is cleaned."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.ui.corpus.desk import PROGRESS, Desk, tell_with
from assistant.ui.corpus.sheets import Sheet, find_sheets, uploads_of
from assistant.ui.corpus_view import cleaning_view, preview_view
from assistant.ui.errors import shown_to_user
from assistant.ui.wiring import PRIVATE, fill_when_open
from trainer.corpus.cleaning import STEPS
from trainer.corpus.mapping import Mapping
from trainer.corpus.reading import Choices
from trainer.errors import CorpusError

_NONE = ("none", "")
_TASKS = [("A bot that answers", "answers"), ("Labels: which of a few fits a text", "labels")]


def columns_section(
    desk: Desk, pending: gr.State, trouble: gr.HTML, lead: gr.HTML, taken: Any
) -> None:
    """Lay out the section and wire it; `taken` is the upload, after whose failure it opens."""
    # By part: {"use", "header", "question", "answer", "topic", "context", "wordings"}
    chosen, before = gr.State({}), gr.State("")
    with gr.Accordion("Read it differently", open=False) as section:
        part = gr.Dropdown(label="Part", visible=False)
        use = gr.Checkbox(True, label="Read this part", visible=False)
        preview = gr.HTML()
        header = gr.Checkbox(True, label="The first row names the columns")
        with gr.Row():
            question = gr.Dropdown(label="Question (or text)", min_width=200)
            answer = gr.Dropdown(label="Answer (or label)", min_width=200)
            topic = gr.Dropdown(label="Topic", min_width=200)
            context = gr.Dropdown(label="Put before the question", min_width=200)
        wordings = gr.Dropdown(
            label="Other wordings of the question",
            info="Columns whose texts ask the same; each becomes an example of its own.",
            multiselect=True,
        )
        task = gr.Radio(_TASKS, label="What it is for")
        steps = gr.CheckboxGroup(
            [(step.title, step.name) for step in STEPS],
            label="Cleaning",
            info="Your file is kept as it is; these change only what is read from it.",
            elem_classes="steps",
        )
        with gr.Accordion("What each step does, and did here", open=False):
            gr.HTML("".join(f"<p><b>{s.title}</b>: {escape(s.meaning)}</p>" for s in STEPS))
            cleaned = gr.HTML()
        again = gr.Button("Read again", variant="primary")
    mapped = [use, header, question, answer, topic, context, wordings]
    shown = [part, preview, *mapped]

    def files_of(label: str, given: Sequence[str]) -> tuple[Path, ...]:
        if given:
            files = tuple(map(Path, given))
            if not all(file.is_file() for file in files):
                raise CorpusError("The files are no longer here. Drop them again.")
            return files
        corpus = desk.shown(label)
        return uploads_of(desk.corpora, corpus) if corpus else ()

    def fill(label: str, given: Sequence[str]) -> list[Any]:
        """Show the first part that is worth it, as it was read or would be."""
        with shown_to_user():
            files = files_of(label, given)
            if not files:
                raise CorpusError("There is nothing to read yet. Drop a file above.")
            sheets = find_sheets(files)
            corpus = None if given else desk.shown(label)
            choices = corpus.origin.choices if corpus else Choices()
            first = next((s for s in sheets if s.guess and not s.refused), None)
            first = first or max(sheets, key=lambda s: len(s.columns[True]))
            held = _held(sheets, choices)
            guessed = next((s.guess.task for s in sheets if s.guess), "answers")
            return [
                *_show(sheets, first, held),
                corpus.origin.task if corpus else guessed,
                [step.name for step in STEPS if step.name not in choices.off],
                cleaning_view(corpus.origin.cleaning) if corpus else "",
                held,
                first.name,
            ]

    def switch(
        label: str, given: Sequence[str], name: str, was: str, held: dict[str, Any], *now: Any
    ) -> list[Any]:
        """Hold what was chosen for one part, and show another."""
        with shown_to_user():
            held = held | {was: _as_held(now)}
            sheets = find_sheets(files_of(label, given))
            sheet = next((s for s in sheets if s.name == name), sheets[0])
            return [*_show(sheets, sheet, held), held, sheet.name]

    def rename(
        label: str, given: Sequence[str], name: str, held: dict[str, Any], *now: Any
    ) -> list[Any]:
        """Call the columns by the first row, or by their places; the same ones stay chosen."""
        with shown_to_user():
            sheets = find_sheets(files_of(label, given))
            sheet = next((s for s in sheets if s.name == name), sheets[0])
            kept = _as_held(now)
            old, new = sheet.columns[not kept["header"]], sheet.columns[kept["header"]]
            at = {column: new[i] for i, column in enumerate(old) if i < len(new)}
            for role in ("question", "answer", "topic", "context"):
                kept[role] = at.get(kept[role], "")
            kept["wordings"] = [at[column] for column in kept["wordings"] if column in at]
            return _show(sheets, sheet, held | {sheet.name: kept})

    def read_again(
        label: str,
        given: Sequence[str],
        held: dict[str, Any],
        part: str,
        use: bool,
        header: bool,
        question: str,
        answer: str,
        topic: str,
        context: str,
        wordings: list[str],
        task: str,
        steps: list[str],
        progress: gr.Progress = PROGRESS,
    ) -> tuple[Any, ...]:
        with shown_to_user():
            files = files_of(label, given)
            if not files:
                raise CorpusError("There is nothing to read yet. Drop a file above.")
            now = _as_held((use, header, question, answer, topic, context, wordings))
            choices = _choices(held | {part or "": now}, task, steps)
            corpus = None if given else desk.to_change(label)
            name = corpus.name if corpus else None
            if corpus:
                leak_check = corpus.origin.choices.leak_check
                choices = choices.model_copy(update={"leak_check": leak_check})
            read = desk.corpora.add(*files, name=name, choices=choices, tell=tell_with(progress))
            if corpus and read.label == corpus.label:
                gr.Info("Read in this way already; nothing changed.", title="As it was")
        return *desk.select(read), (), gr.HTML(visible=False), gr.Accordion(open=False)

    # The core checks the columns; Gradio would check them against what one session was sent.
    raw = PRIVATE | {"preprocess": False}
    source = [desk.bar.label, pending]
    outputs = [*shown, task, steps, cleaned, chosen, before]
    fill_when_open(section, fill, source, outputs, also=[*desk.changes, pending.change], slow=True)
    taken.failure(lambda given: gr.Accordion(open=bool(given)), pending, section, **PRIVATE).then(
        lambda label, given: fill(label, given) if given else [gr.skip()] * len(outputs),
        source,
        outputs,
        **PRIVATE,
    )
    part.input(
        switch, [*source, part, before, chosen, *mapped], [*shown, chosen, before], **PRIVATE
    )
    header.input(rename, [*source, part, chosen, *mapped], shown, **raw)
    again.click(
        read_again,
        [*source, chosen, part, *mapped, task, steps],
        [desk.bar.corpus, desk.bar.label, pending, trouble, section],
        api_name="read_again",
        preprocess=False,
        show_progress_on=[lead],
    )


def _held(sheets: Sequence[Sheet], choices: Choices) -> dict[str, Any]:
    """What is chosen for each part at first: what was chosen before, or else the guess."""
    held = {}
    for sheet in sheets:
        mapping = choices.mapping.get(sheet.name) or sheet.guess
        use = sheet.name not in choices.leave_out
        if mapping is None:
            held[sheet.name] = _as_held((use, True, "", "", "", "", []))
        else:
            m = mapping
            held[sheet.name] = _as_held(
                (use, m.header, m.question, m.answer, m.topic, m.context, m.wordings)
            )
    return held


def _as_held(now: Sequence[Any]) -> dict[str, Any]:
    use, header, question, answer, topic, context, wordings = now
    return {
        "use": bool(use),
        "header": bool(header),
        "question": str(question or ""),
        "answer": str(answer or ""),
        "topic": str(topic or ""),
        "context": str(context or ""),
        "wordings": [str(column) for column in wordings or ()],
    }


def _show(sheets: Sequence[Sheet], sheet: Sheet, held: dict[str, Any]) -> list[Any]:
    """Updates for the controls of one part."""
    now = held[sheet.name]
    columns = sheet.columns[now["header"]]
    several = len(sheets) > 1
    names = [(column, column) for column in columns]
    optional = [_NONE, *names]
    return [
        gr.Dropdown(choices=[(s.title, s.name) for s in sheets], value=sheet.name, visible=several),
        preview_view(sheet.title, columns, sheet.rows[now["header"]]),
        gr.Checkbox(now["use"], visible=several),
        gr.Checkbox(now["header"], visible=sheet.columns[True] != sheet.columns[False]),
        gr.Dropdown(choices=names, value=now["question"] or None),
        gr.Dropdown(choices=names, value=now["answer"] or None),
        gr.Dropdown(choices=optional, value=now["topic"]),
        gr.Dropdown(choices=optional, value=now["context"]),
        gr.Dropdown(choices=names, value=now["wordings"]),
    ]


def _choices(held: dict[str, Any], task: str, steps: Sequence[str]) -> Choices:
    """What a person decided, for the core; a part without a pair of columns is guessed."""
    kind = "labels" if task == "labels" else "answers"
    mapping = {
        name: Mapping(
            question=now["question"],
            answer=now["answer"],
            topic=now["topic"] or None,
            context=now["context"] or None,
            wordings=tuple(now["wordings"]),
            header=now["header"],
            task=kind,
        )
        for name, now in held.items()
        if now["use"] and now["question"] and now["answer"]
    }
    return Choices(
        mapping=mapping,
        leave_out=tuple(name for name, now in held.items() if not now["use"]),
        off=tuple(step.name for step in STEPS if step.name not in steps),
        task=kind,
    )
