"""The two columns: who answers in each, and what was said."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from assistant.conversation import Conversation, Side
from assistant.ui.chat.room import Columns, Room, settled
from assistant.ui.chat.settings import values_of
from assistant.ui.chat.shown import Line, column
from assistant.ui.chat.sides import NOBODY, Choice, choices_beside, value_of
from assistant.ui.present import side_head
from assistant.ui.wiring import trust_core

_NOBODY: Choice = ("nobody, one column alone", NOBODY)
_LOOKS: dict[str, Any] = {
    "show_label": False,
    "placeholder": "What is asked below is answered here.",
    "height": "clamp(320px, 56vh, 640px)",
    "buttons": ["copy"],
    "editable": "user",
    "group_consecutive_messages": False,
    "latex_delimiters": [],
    "allow_tags": False,
    "feedback_options": None,
    "elem_classes": "talk",
}


def lay_out_columns() -> Columns:
    """Lay out the heads and the columns; on a phone one of them is shown at a time."""
    with gr.Row(elem_classes="who"):
        who = [
            gr.Dropdown([], label=label, min_width=240, interactive=True, scale=3)
            for label in ("Who answers on the left", "and on the right")
        ]
        blind = gr.Checkbox(
            False,
            label="Blind",
            info="Hide who is who until you have voted.",
            min_width=160,
            scale=1,
        )
    trust_core(*who)
    which = gr.Radio(
        [("Left", "left"), ("Right", "right")],
        value="left",
        show_label=False,
        container=False,
        elem_classes="which",
    )
    heads, chats, sides = [], [], []
    with gr.Row(elem_id="columns"):
        for place in ("left", "right"):
            with gr.Column(min_width=300, elem_classes=f"column {place}") as side:
                heads.append(gr.HTML(elem_classes="column-head"))
                chats.append(gr.Chatbot(label=f"The {place} column", **_LOOKS))
                sides.append(side)
    # Which of the two a phone shows is the browser's business alone.
    which.change(None, which, js="(w) => { document.getElementById('columns').dataset.shown = w }")
    return Columns(blind, (who[0], who[1]), (heads[0], heads[1]), (chats[0], chats[1]), sides[1])


def show(
    room: Room, sides: Sequence[Side], conversation: Conversation | None, *, blind: bool = False
) -> list[Any]:
    """What `Room.shown` shows of a conversation, or of sides that were not asked yet."""
    blind = conversation.blind if conversation else blind
    left, right = offered(room, sides)
    form = values_of(conversation.settings) if conversation else [gr.skip()] * len(room.form)
    return [
        blind,
        gr.Dropdown(choices=left, value=value_of(sides[0])),
        gr.Dropdown(choices=right, value=value_of(sides[1] if len(sides) > 1 else None)),
        *show_heads(room, sides, conversation, blind=blind),
        *(show_messages(room, conversation) if conversation else ([], [])),
        gr.Column(visible=len(sides) > 1),
        *form,
        *settled(conversation),
    ]


def offered(room: Room, sides: Sequence[Side]) -> tuple[list[Choice], list[Choice]]:
    """Who may answer left and right beside these sides."""
    known = choices_beside(sides[0], room.runs)
    return _with(sides[0], known), [*_with(sides[-1], known), _NOBODY]


def show_messages(room: Room, conversation: Conversation) -> list[list[Line]]:
    """The messages of the two columns; one that answers alone leaves the other empty."""
    voted, count = room.voted(conversation), len(conversation.sides)
    return [*(column(conversation, place, voted) for place in range(count)), []][:2]


def show_heads(
    room: Room,
    sides: Sequence[Side],
    conversation: Conversation | None,
    *,
    blind: bool = False,
) -> list[str]:
    """Who answers in each column and whether it was proven; in a blind vote, a letter."""
    if len(sides) > 1 and (conversation.blind if conversation else blind):
        return [f'<div class="head"><b>{letter}</b></div>' for letter in "AB"]
    last = conversation.exchanges[-1] if conversation and conversation.exchanges else None
    proofs = [reply.proof for reply in last.replies] if last else [None] * len(sides)
    heads = [
        side_head(side, room.runs.find(side.run), proof)
        for side, proof in zip(sides, proofs, strict=True)
    ]
    return [*heads, ""][:2]


def _with(side: Side, offered: Sequence[Choice]) -> list[Choice]:
    """The choices, and the side itself where its run was deleted since."""
    known = any(value == value_of(side) for _, value in offered)
    return [*offered, *([] if known else [(f"◆ {side.name} (deleted)", value_of(side))])]
