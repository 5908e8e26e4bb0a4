"""The answer is wrong: write the right one, or mark it for somebody who knows."""

from typing import Any

import gradio as gr

from assistant.conversation import Conversation, Exchange, Reply
from assistant.store import OpenQuestion
from assistant.ui.chat.room import MOST_ANSWER, Room, moved
from assistant.ui.chat.shown import open_to_see
from assistant.ui.errors import shown_to_user
from assistant.ui.wiring import PRIVATE
from trainer.errors import ConfigError


def correct_row(room: Room, button: gr.Button) -> None:
    """Lay out the box and wire it; it is about the last question, or the one clicked."""
    with gr.Column(visible=False, elem_classes="check") as writing:
        told = gr.HTML()
        right = gr.Textbox(label="The right answer", lines=3, max_lines=12, max_length=MOST_ANSWER)
        with gr.Row(elem_classes="act"):
            save = gr.Button("Save the right answer", size="sm", min_width=180)
            flag = gr.Button("Only mark it as wrong", size="sm", min_width=180)
            leave = gr.Button("Leave it", size="sm", min_width=120)

    def write(conversation: str, about: str) -> list[Any]:
        """Begin with what is approved, where there is something near the question."""
        with shown_to_user():
            known, exchange = room.exchange(conversation, about)
            beside = _tuned(room, known, exchange).beside
        text = beside.answer if beside and not beside.far else ""
        asked = gr.HTML(_WHAT, visible=True)
        box = gr.Textbox(text, label=f"The right answer to “{exchange.question[:160]}”")
        return [gr.Column(visible=True), asked, box]

    def correct(answer: str, conversation: str, about: str) -> list[Any]:
        """Keep the right answer to a question, ready to become an example of the corpus."""
        with shown_to_user():
            words = (answer or "").strip()
            if not words or len(words) > MOST_ANSWER:
                raise ConfigError(
                    f"The right answer has between 1 and {MOST_ANSWER:,} characters. Write one, or "
                    "only mark the answer as wrong."
                )
            return _keep(words, conversation, about)

    def flag_answer(conversation: str, about: str) -> list[Any]:
        """Mark an answer as wrong, for somebody to write the right one."""
        with shown_to_user():
            return _keep("", conversation, about)

    def _keep(words: str, conversation: str, about: str) -> list[Any]:
        known, exchange = room.exchange(conversation, about)
        reply = _tuned(room, known, exchange)
        assert known.corpus
        room.store.note(
            OpenQuestion(
                corpus=known.corpus,
                question=exchange.question,
                why="flagged",
                said=reply.text,
                similarity=reply.beside.similarity if reply.beside else None,
                answer=words,
            )
        )
        gr.Info("It stands under Questions to answer, below.", title="Kept")
        return [gr.Column(visible=False), moved()]

    def put_away(conversation: str) -> list[Any]:
        known = room.find(conversation)
        tuned = known is not None and bool(known.exchanges) and known.corpus is not None
        return [gr.Column(visible=False), gr.Button(visible=tuned)]

    given = [room.conversation, room.about]
    button.click(write, given, [writing, told, right], **PRIVATE)
    kept, quiet = [writing, room.moved], {"show_progress": "hidden"}
    save.click(correct, [right, *given], kept, api_name="correct", **quiet)
    flag.click(flag_answer, given, kept, api_name="flag_answer", **quiet)
    leave.click(lambda: gr.Column(visible=False), outputs=writing, **PRIVATE)
    changes = [room.moved.change, room.about.change]
    gr.on(changes, put_away, room.conversation, [writing, button], **PRIVATE)


_WHAT = (
    '<p class="quiet">Saved answers become examples of the corpus when you add them, under '
    "Questions to answer.</p>"
)


def _tuned(room: Room, conversation: Conversation, exchange: Exchange) -> Reply:
    """What the tuned model said; of two, the one on the right. Raises `ConfigError`."""
    if not open_to_see(conversation, exchange, room.voted(conversation)):
        raise ConfigError("Vote first: until then it is hidden which answer is the tuned one.")
    reply = conversation.tuned_reply(exchange)
    if reply and conversation.corpus:
        return reply
    raise ConfigError("Only a tuned model has a corpus that a right answer could go to.")
