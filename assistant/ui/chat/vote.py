"""Which answer was better: four buttons under the columns, and what the votes come to."""

from html import escape
from typing import Any

import gradio as gr

from assistant.conversation import Conversation, Exchange
from assistant.store import Choice, Vote
from assistant.ui.chat.columns import show_messages
from assistant.ui.chat.files import hand_out
from assistant.ui.chat.room import Room, moved
from assistant.ui.chat.shown import exchange_at, open_to_see
from assistant.ui.errors import shown_to_user
from assistant.ui.wiring import PRIVATE, fill_when_open
from assistant.votes import as_jsonl, count_votes, judged_answers, preference_pairs
from trainer.errors import ConfigError

LEFT, RIGHT = "Left is better", "Right is better"
SAME: dict[str, Choice] = {"Both are good": "both good", "Both are bad": "both bad"}
LABELS = (LEFT, RIGHT, *SAME)


def vote_row(room: Room) -> None:
    """Lay out the buttons and wire them; they are about the last question, or the one clicked."""
    with gr.Column(visible=False) as row:
        told = gr.HTML()
        with gr.Row(elem_classes="votes"):
            buttons = [gr.Button(label, size="sm", min_width=120) for label in LABELS]

    def vote(label: str, conversation: str, about: str) -> list[Any]:
        """Say which answer was better; the last vote on a question counts."""
        with shown_to_user():
            known, exchange = room.exchange(conversation, about)
            if len(known.sides) < 2:
                raise ConfigError("Only one side answered: there is nothing to choose between.")
            hidden = not open_to_see(known, exchange, room.voted(known))
            choice = _choice(label, exchange)
            before = room.store.vote_on(exchange.id)
            blind = before.blind if before else hidden  # who looked cannot unsee
            room.store.vote(
                Vote(conversation=known.id, exchange=exchange.id, choice=choice, blind=blind)
            )
        return [*show_messages(room, known), moved()]

    def point(event: gr.SelectData, conversation: str, column: int) -> str:
        """Which question a click into a column means."""
        known, index = room.find(conversation), event.index
        if known is None or not isinstance(index, int):
            return ""
        return exchange_at(known, column, room.voted(known), index) or ""

    def show(conversation: str, about: str) -> list[Any]:
        known = room.find(conversation)
        if known is None or not known.exchanges or len(known.sides) < 2:
            return [gr.Column(visible=False), *[gr.skip()] * (1 + len(buttons))]
        last = known.exchanges[-1]
        exchange = next((e for e in known.exchanges if e.id == about), last)
        found = room.store.vote_on(exchange.id)
        chosen = _label(found.choice, exchange) if found else None
        looks = [gr.Button(variant="primary" if b == chosen else "secondary") for b in LABELS]
        return [gr.Column(visible=True), _told(known, exchange, chosen), *looks]

    for number, button in enumerate(buttons):
        named = {"api_visibility": "private"} if number else {"api_name": "vote"}
        button.click(
            vote,
            [button, room.conversation, room.about],
            [*room.columns.chats, room.moved],
            show_progress="hidden",
            **named,
        )
    for number, chat in enumerate(room.columns.chats):
        chat.select(point, [room.conversation, gr.State(number)], room.about, **PRIVATE)
    shown = [row, told, *buttons]
    given = [room.conversation, room.about]
    gr.on([room.moved.change, room.about.change], show, given, shown, **PRIVATE)


def votes_section(room: Room) -> None:
    """Lay out what the votes come to, and the files to learn from."""
    with gr.Accordion("Votes", open=False) as section:
        told = gr.HTML()
        with gr.Row():
            pairs = gr.DownloadButton("Preference pairs (DPO)", size="sm", min_width=200)
            judged = gr.DownloadButton("Good and bad answers (KTO)", size="sm", min_width=200)

    def fill() -> list[Any]:
        votes = room.store.votes()
        paired, single = preference_pairs(votes), judged_answers(votes)
        return [
            _tallies(votes),
            gr.DownloadButton(
                value=hand_out("preference-pairs.jsonl", as_jsonl(paired)) if paired else None,
                interactive=bool(paired),
            ),
            gr.DownloadButton(
                value=hand_out("judged-answers.jsonl", as_jsonl(single)) if single else None,
                interactive=bool(single),
            ),
        ]

    fill_when_open(section, fill, [], [told, pairs, judged], also=[room.moved.change])


def _choice(label: str, exchange: Exchange) -> Choice:
    """What a button means: left is the second side where the exchange is shown swapped."""
    if label in SAME:
        return SAME[label]
    if label not in LABELS:
        raise ConfigError(f"'{str(label)[:60]}' is no vote. Choose one of: {', '.join(LABELS)}.")
    return "second" if (label == RIGHT) != exchange.swapped else "first"


def _label(choice: Choice, exchange: Exchange) -> str:
    return next(label for label in LABELS if _choice(label, exchange) == choice)


def _told(conversation: Conversation, exchange: Exchange, chosen: str | None) -> str:
    hint = "" if chosen or not conversation.blind else " Names and proofs are shown after the vote."
    asked = f"“{escape(exchange.question[:120])}”"
    if len(conversation.exchanges) > 1:
        hint += " Click another question to vote on that one."
    said = f"Your vote: <b>{chosen}</b>." if chosen else "Which answer is better?"
    return f'<p class="quiet" aria-live="polite">{asked} {said}{hint}</p>'


def _tallies(votes: Any) -> str:
    tallies = count_votes(votes)
    if not tallies:
        return '<div class="empty">Nobody has voted yet. Ask both, then press a button.</div>'
    rows = "".join(
        f"<li><b>◆ {escape(tally.run)}</b> against {escape(tally.against)}: "
        f"{escape(tally.sentence)}</li>"
        for tally in tallies
    )
    return f'<ul class="findings">{rows}</ul>'
