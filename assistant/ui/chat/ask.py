"""The box under the columns: ask, stop, ask again, ask otherwise."""

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from assistant.conversation import MOST_CHARACTERS, ChatSettings, Conversation
from assistant.sharing import example_questions
from assistant.ui.chat.answering import Answering, Shown
from assistant.ui.chat.plain import as_typed
from assistant.ui.chat.room import Room
from assistant.ui.chat.shown import exchange_at
from assistant.ui.chat.sides import parse_sides
from assistant.ui.errors import shown_to_user
from assistant.ui.wiring import PRIVATE
from trainer.errors import ConfigError, UserError

SAMPLES = 3


def lay_out_box() -> tuple[gr.Textbox, list[gr.Button]]:
    """Lay out the one box for both columns, and examples of what to ask."""
    with gr.Row(elem_classes="samples"):
        samples = [gr.Button(size="sm", visible=False, min_width=200) for _ in range(SAMPLES)]
    box = gr.Textbox(
        placeholder="Ask a question and press Enter",
        label="Your question",
        show_label=False,
        lines=1,
        max_lines=8,
        submit_btn="Ask",
        max_length=MOST_CHARACTERS,
        autofocus=True,
        elem_id="ask-box",
    )
    return box, samples


def ask_section(
    room: Room, box: gr.Textbox, samples: Sequence[gr.Button], again: gr.Button
) -> None:
    """Wire the box, the example questions and what asks again."""
    answering, form = Answering(room, box), room.form
    place, reworded = gr.Number(-1, visible=False), gr.Textbox(visible=False)

    def ask(
        request: gr.Request,
        question: str,
        conversation: str,
        left: str,
        right: str,
        blind: bool,
        **settings: object,
    ) -> Iterator[Shown]:
        """Ask both sides, in the conversation so far, or in a new one if it is with others."""
        with shown_to_user():
            sides = parse_sides(left, right, room.runs, room.models)
            hidden = bool(blind) and len(sides) > 1
            chosen = ChatSettings.parse(settings)
            known = room.find(conversation)
            if known and (known.sides, known.blind) == (sides, hidden):
                known = answering.change(known, chosen)
            else:
                known = Conversation.between(
                    sides, room.runs, chosen, question=question, blind=hidden
                )
        yield from answering.answer(known, question, request.session_hash or "")

    def regenerate(request: gr.Request, conversation: str, **settings: object) -> Iterator[Shown]:
        """Answer the last question again, with the next seed where answers are drawn."""
        with shown_to_user():
            known, last = room.exchange(conversation, None)
            chosen = ChatSettings.parse(settings)
            said = (
                "At temperature 0 the same words come again. Raise it in the settings for others."
            )
            if not chosen.greedy:
                seed = (last.replies[0].proof.settings.seed + 1) % 2**32
                chosen = chosen.model_copy(update={"seed": seed})
                said = f"Drawn again, with seed {seed}."
            known = answering.change(known, chosen)
        gr.Info(said, title="Asked again")
        place = len(known.exchanges) - 1
        for shown in answering.answer(known, last.question, request.session_hash or "", place):
            yield [*shown, chosen.seed]

    def edit_question(
        request: gr.Request, question: str, place: float, conversation: str, **settings: object
    ) -> Iterator[Shown]:
        """Ask a question otherwise (0 is the first); what came after it is forgotten."""
        with shown_to_user():
            known, _ = room.exchange(conversation, None)
            if not isinstance(place, int | float) or not 0 <= place < len(known.exchanges):
                raise ConfigError("There is no such question in this conversation. Click it again.")
            known = answering.change(known, ChatSettings.parse(settings))
        yield from answering.answer(known, question, request.session_hash or "", int(place))

    def pick(event: gr.EditData, conversation: str, column: int) -> tuple[str, int]:
        """Which question was changed, and into what."""
        known = room.find(conversation)
        if known is None or not isinstance(event.index, int):
            return "", -1
        found = exchange_at(known, column, room.voted(known), event.index)
        places = [exchange.id for exchange in known.exchanges]
        return as_typed(str(event.value)), places.index(found) if found else -1

    def stop_answer(request: gr.Request) -> None:
        """Stop this tab's answer after its next word; what was said stays."""
        answering.stop(request.session_hash or "")

    def offer(conversation: str, run_id: str | None, label: str) -> list[Any]:
        """Questions worth asking first; and once there is one, to ask it again."""
        known = room.find(conversation)
        asked = known is not None and bool(known.exchanges)
        texts = [] if asked else _questions(room, run_id, label)
        buttons = [gr.Button(text, visible=True) for text in texts]
        buttons += [gr.Button(visible=False)] * (SAMPLES - len(buttons))
        return [*buttons, gr.Button(visible=asked)]

    columns, bar = room.columns, room.bar
    held: dict[str, Any] = {"conversation": room.conversation, **form}
    sides = {"left": columns.who[0], "right": columns.who[1], "blind": columns.blind}
    looks: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None}
    private: dict[str, Any] = {**looks, "api_visibility": "private"}

    asking: dict[str, Any] = {"inputs_kwargs": {"question": box, **sides, **held}}
    asking["outputs"] = answering.outputs
    box.submit(ask, **asking, **looks, api_name="ask")
    for sample in samples:
        typed = sample.click(lambda text: text, sample, box, **PRIVATE)
        typed.then(ask, **asking, **private)

    repeating = {"inputs_kwargs": held, "outputs": [*answering.outputs, form["seed"]]}
    again.click(regenerate, **repeating, **looks, api_name="regenerate")
    editing: dict[str, Any] = {
        "inputs_kwargs": {"question": reworded, "place": place, **held},
        "outputs": answering.outputs,
    }
    for number, chat in enumerate(columns.chats):
        chat.retry(regenerate, **repeating, **private)
        changed = [reworded, place]
        picked = chat.edit(pick, [room.conversation, gr.State(number)], changed, **PRIVATE)
        named = private if number else {**looks, "api_name": "edit_question"}
        picked.then(edit_question, **editing, **named)
    box.stop(stop_answer, api_name="stop_answer", queue=False)
    gr.on(
        [room.moved.change, bar.run.change, bar.label.change],
        offer,
        [room.conversation, bar.run, bar.label],
        [*samples, again],
        **PRIVATE,
    )


def _questions(room: Room, run_id: str | None, label: str) -> list[str]:
    """A few held-out questions: worth asking, because nobody taught these words."""
    run = room.runs.find(run_id)
    try:
        corpus = run.corpus if run else room.corpora.get(label) if label else None
        split = run.split if run else corpus.split if corpus else None
        return example_questions(corpus, split, SAMPLES) if corpus and split else []
    except (UserError, OSError):  # deleted since: there is nothing to offer
        return []
