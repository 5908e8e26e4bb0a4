"""Questions to answer: far from all that is approved, or answered wrongly; and what they teach."""

from html import escape
from typing import Any

import gradio as gr

from assistant.lessons import open_questions, teach
from assistant.store import OpenQuestion
from assistant.told import open_because
from assistant.ui.bar import corpus_choices
from assistant.ui.chat.room import MOST_ANSWER, Room, moved
from assistant.ui.errors import shown_to_user
from assistant.ui.wiring import PRIVATE, fill_when_open, trust_core
from trainer.errors import ConfigError, NotFound

MOST_LISTED = 100
PROGRESS = gr.Progress()  # a default of handlers; each call fills it with its own event


def lessons_section(room: Room, tabs: gr.Tabs) -> None:
    """Lay out the section and wire it; it is about the corpus of the conversation shown."""
    with gr.Accordion("Questions to answer", open=False) as section:
        told = gr.HTML()
        listed = gr.Radio([], label="Open questions", show_label=False, elem_classes="items")
        with gr.Column(visible=False) as one:
            about = gr.HTML()
            answer = gr.Textbox(
                label="The right answer", lines=3, max_lines=12, max_length=MOST_ANSWER
            )
            with gr.Row(elem_classes="act"):
                save = gr.Button("Save the answer", size="sm", min_width=160)
                dismiss = gr.Button("Not a question for us", size="sm", min_width=160)
        add = gr.Button("Add the answers to the corpus", visible=False)
        done = gr.HTML(visible=False)
        onward = gr.Button("Continue tuning, in step 2  →", visible=False)
    trust_core(listed)

    def corpus_of(conversation: str, label: str) -> str:
        known = room.find(conversation)
        return (known.corpus if known else None) or (label or "").partition("@")[0]

    def open_ones(conversation: str, label: str) -> list[OpenQuestion]:
        name = corpus_of(conversation, label)
        try:
            return open_questions(room.store, room.corpora, name) if name else []
        except NotFound:  # its corpus was deleted since
            return []

    def find(id_: str, conversation: str, label: str) -> OpenQuestion:
        for question in open_ones(conversation, label):
            if question.id == id_:
                return question
        raise NotFound("This question is not open any more. Choose another one of the list.")

    def fill(conversation: str, label: str) -> list[Any]:
        found = open_ones(conversation, label)
        answered = sum(bool(question.answer) for question in found)
        name = corpus_of(conversation, label)
        count = f"Add {answered} answer{'s' * (answered > 1)} to {name}"
        return [
            _lead(len(found), name),
            gr.Radio(choices=[(_label(q), q.id) for q in found[:MOST_LISTED]], value=None),
            gr.Column(visible=False),
            gr.Button(count, visible=bool(answered), variant="primary"),
        ]

    def choose(id_: str, conversation: str, label: str) -> list[Any]:
        with shown_to_user():
            question = find(id_, conversation, label)
        return [gr.Column(visible=True), _about(question), question.answer]

    def answer_question(id_: str, answer: str, conversation: str, label: str) -> str:
        """Write the right answer to an open question; an empty one takes it back."""
        with shown_to_user():
            if len(answer or "") > MOST_ANSWER:
                raise ConfigError(
                    f"The answer has more than {MOST_ANSWER:,} characters. Shorten it."
                )
            room.store.answer(find(id_, conversation, label).id, answer or "")
        return moved()

    def dismiss_question(id_: str, conversation: str, label: str) -> str:
        """Take a question off the list."""
        with shown_to_user():
            room.store.dismiss(find(id_, conversation, label).id)
        return moved()

    def teach_answers(
        conversation: str, label: str, shown: str, progress: gr.Progress = PROGRESS
    ) -> list[Any]:
        """Make the next version of the corpus, with every open question that has an answer."""
        with shown_to_user():
            corpus = teach(
                room.store,
                room.corpora,
                corpus_of(conversation, label),
                tell=lambda what, share: progress(min(share, 1.0), desc=what),
            )
        same = shown == corpus.name
        said = f'<p class="done"><b>{escape(corpus.label)}</b> has them.</p>'
        return [
            moved(),
            gr.HTML(said, visible=True),
            gr.Button(visible=True),
            gr.Dropdown(choices=corpus_choices(room.corpora)),
            corpus.label if same else gr.skip(),
        ]

    bar = room.bar
    where = [room.conversation, bar.label]
    changes = [room.moved.change, bar.label.change]
    fill_when_open(section, fill, where, [told, listed, one, add], also=changes)
    listed.input(choose, [listed, *where], [one, about, answer], **PRIVATE)
    quiet: dict[str, Any] = {"outputs": room.moved, "show_progress": "hidden"}
    save.click(answer_question, [listed, answer, *where], api_name="answer_question", **quiet)
    dismiss.click(dismiss_question, [listed, *where], api_name="dismiss_question", **quiet)
    add.click(
        teach_answers,
        [*where, bar.corpus],
        [room.moved, done, onward, bar.corpus, bar.label],
        show_progress_on=[add],
        api_name="teach_answers",
    )
    onward.click(lambda: gr.Tabs(selected="tune"), outputs=tabs, **PRIVATE)


def _lead(count: int, name: str) -> str:
    if not count:
        return (
            '<div class="empty">Nothing is open. Questions that are far from every approved answer '
            "come here by themselves, and answers you correct.</div>"
        )
    what = "One question has" if count == 1 else f"{count} questions have"
    return f'<p class="quiet">{what} no approved answer in {escape(name)} yet, or a wrong one.</p>'


def _label(question: OpenQuestion) -> str:
    times = f", asked {question.asked} times" if question.asked > 1 else ""
    mark = "✓" if question.answer else "○"
    return f"{mark} {question.question} · {open_because(question.why)}{times}"


def _about(question: OpenQuestion) -> str:
    said = escape(question.said[:1000]) or "nothing"
    near = (
        f' <span class="quiet">(similarity {question.similarity:.2f})</span>'
        if question.similarity is not None
        else ""
    )
    comment = f"<p>A visitor says: {escape(question.comment)}</p>" if question.comment else ""
    asked = f"<p><b>{escape(question.question)}</b></p>"
    return f'{asked}<p class="quiet">It said: {said}{near}</p>{comment}'
