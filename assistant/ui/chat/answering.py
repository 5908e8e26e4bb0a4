"""A question on its way: how its answers come, what stops them, and what is shown of it."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from assistant.conversation import Answer, ChatSettings, Conversation
from assistant.ui.chat.columns import show_heads, show_messages
from assistant.ui.chat.room import Room, settled
from assistant.ui.chat.shown import Coming, growing
from assistant.ui.errors import shown_to_user
from trainer.errors import ConfigError

OFTEN = 0.05  # seconds between two looks at growing answers: nobody reads faster
Shown = list[Any]


@dataclass(frozen=True)
class Answering:
    """Answers to the questions typed into a box, one at a time for each browser tab."""

    room: Room
    box: gr.Textbox
    _stops: dict[str, threading.Event] = field(default_factory=dict)

    @property
    def outputs(self) -> list[Any]:
        """What changes while a question is answered."""
        columns, room = self.room.columns, self.room
        return [*columns.heads, *columns.chats, self.box, *room.states]

    def change(self, conversation: Conversation, settings: ChatSettings) -> Conversation:
        """The same conversation, held from now on as the settings say."""
        if conversation.settings != settings:
            self.room.store.change(conversation.id, settings=settings)
        return conversation.model_copy(update={"settings": settings})

    def answer(
        self, before: Conversation, question: str, tab: str, place: int | None = None
    ) -> Iterator[Shown]:
        """Show how the answers come; with a `place`, they take that of an exchange and the rest."""
        taken = before.exchanges[place:] if place is not None else ()
        left = before.exchanges[: len(before.exchanges) - len(taken)]
        conversation = before.model_copy(update={"exchanges": left})
        instead = taken[0].id if taken else None
        with shown_to_user(), self._one_at_a_time(tab) as stop:
            if self.room.find(before.id) is None:
                self.room.store.begin(before)
            asking = self.room.talk.ask(conversation, question, stop, instead)
            past = show_messages(self.room, conversation)
            box: Any = gr.Textbox("", submit_btn=False, stop_btn="Stop")
            try:
                for coming in _watch(asking, conversation, question, stop):
                    grown = [lines + growing(coming, n) for n, lines in enumerate(past)]
                    yield [gr.skip(), gr.skip(), *grown, box, *[gr.skip()] * len(self.room.states)]
                    box = gr.skip()  # the next question may be typed meanwhile
            except Exception:
                yield self._end(self._kept(before), None if taken else question)
                raise
        kept = self._kept(before)
        said = kept.exchanges[-1:] != before.exchanges[-1:]
        yield self._end(kept, None if taken or said else question)

    def stop(self, tab: str) -> None:
        """End the answer of a tab after its next word, if there is one."""
        if event := self._stops.get(tab):
            event.set()

    @contextmanager
    def _one_at_a_time(self, tab: str) -> Iterator[threading.Event]:
        stop = threading.Event()
        if self._stops.setdefault(tab, stop) is not stop:
            raise ConfigError("An answer is still being written. Stop it, or wait for its end.")
        try:
            yield stop
        finally:
            del self._stops[tab]

    def _kept(self, conversation: Conversation) -> Conversation:
        """The conversation as it is now; one in which nothing was said is forgotten."""
        kept = self.room.find(conversation.id)
        if kept and not kept.exchanges:
            self.room.store.delete(kept.id)
        return kept or conversation

    def _end(self, conversation: Conversation, unsaid: str | None) -> Shown:
        """What the page shows after an answer; a question that got none stands in the box again."""
        heads = show_heads(self.room, conversation.sides, conversation)
        messages = show_messages(self.room, conversation)
        typed = {} if unsaid is None else {"value": unsaid}
        ready = gr.Textbox(submit_btn="Ask", stop_btn=False, **typed)
        return [*heads, *messages, ready, *settled(conversation)]


def _watch(
    asking: Iterator[tuple[Answer, ...]],
    conversation: Conversation,
    question: str,
    stop: threading.Event,
) -> Iterator[Coming]:
    """Yield what comes, as often as one can read it.

    Whoever closes the tab stops the answer; what was said until then is kept.
    """
    swapped, shown = conversation.swaps_next, 0.0
    yield Coming(question, [Answer()] * len(conversation.sides), swapped)
    try:
        with shown_to_user():
            for answers in asking:
                if time.monotonic() - shown >= OFTEN:
                    yield Coming(question, answers, swapped)
                    shown = time.monotonic()
    except GeneratorExit:
        stop.set()
        threading.Thread(target=deque, args=(asking, 0), daemon=True).start()
        raise
