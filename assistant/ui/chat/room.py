"""What every section of the chat stands on: who answers, the talk, and what is shown of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import gradio as gr

from assistant.conversation import Conversation, Exchange
from assistant.store import Store
from assistant.talk import Talk
from assistant.ui.bar import Bar
from assistant.ui.chat.settings import Form
from trainer.corpus.library import Corpora
from trainer.errors import NotFound
from trainer.runs import Runs

MOST_ANSWER = 20_000  # characters that a person writes as the right answer


def moved() -> str:
    """A mark unlike all before: something of the conversation is not as it was shown."""
    return uuid4().hex


def settled(conversation: Conversation | None) -> list[Any]:
    """What `Room.states` hold once a conversation is shown, or none is."""
    id_ = conversation.id if conversation else ""
    return [id_, id_, "", moved()]


@dataclass(frozen=True)
class Columns:
    """The two columns, and whose they are."""

    blind: gr.Checkbox
    who: tuple[gr.Dropdown, gr.Dropdown]
    heads: tuple[gr.HTML, gr.HTML]
    chats: tuple[gr.Chatbot, gr.Chatbot]
    right: gr.Column

    @property
    def all(self) -> Sequence[Any]:
        """Whatever changes with the conversation shown."""
        return [self.blind, *self.who, *self.heads, *self.chats, self.right]


@dataclass(frozen=True)
class Room:
    """The core below the chat, and the controls that its sections share.

    `form` are the fields of `ChatSettings`. `conversation` holds the id of the conversation shown,
    "" before the first question, and `last` what this browser shows after a reload. `about` holds
    the id of the exchange that a vote or a correction is about, "" for the last one. `moved`
    changes when something was asked, voted on, kept or opened; whoever shows it redraws then.
    """

    bar: Bar
    corpora: Corpora
    runs: Runs
    talk: Talk
    columns: Columns
    form: Form
    conversation: gr.State
    last: gr.BrowserState
    about: gr.State
    moved: gr.State

    @property
    def store(self) -> Store:
        """What is kept."""
        return self.talk.store

    @property
    def states(self) -> list[Any]:
        """Which conversation is shown; see `settled`."""
        return [self.conversation, self.last, self.about, self.moved]

    @property
    def shown(self) -> list[Any]:
        """Whatever changes when another conversation is shown; see `columns.show`."""
        return [*self.columns.all, *self.form.values(), *self.states]

    @property
    def models(self) -> Path:
        """Where the workspace keeps bases."""
        return self.runs.root.parent / "models"

    def find(self, id_: str | None) -> Conversation | None:
        """The conversation of that id, or None: it may have been deleted in another tab."""
        try:
            return self.store.conversation(id_) if id_ else None
        except NotFound:
            return None

    def exchange(self, id_: str | None, about: str | None) -> tuple[Conversation, Exchange]:
        """The exchange in question; raises `NotFound`."""
        conversation = self.find(id_)
        if conversation is None or not conversation.exchanges:
            raise NotFound("Nothing was asked yet. Type a question first.")
        if not about:
            return conversation, conversation.exchanges[-1]
        found = next((e for e in conversation.exchanges if e.id == about), None)
        if found is None:
            raise NotFound("That question was asked again since. Click the one you mean.")
        return conversation, found

    def voted(self, conversation: Conversation) -> frozenset[str]:
        """Which exchanges of a blind vote were voted on."""
        if not conversation.blind:
            return frozenset()
        return frozenset(e.id for e in conversation.exchanges if self.store.vote_on(e.id))
