"""What the chat keeps: conversations, votes and open questions, in one database of the workspace."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self
from uuid import uuid4

from pydantic import Field

from assistant.conversation import ChatSettings, Conversation, Exchange, Kept, Side

Choice = Literal["first", "second", "both good", "both bad"]


class Vote(Kept):
    """Which of two replies a person found better: `first` is the conversation's first side."""

    conversation: str
    exchange: str
    choice: Choice
    blind: bool
    cast: datetime = Field(default_factory=lambda: datetime.now(UTC))


class OpenQuestion(Kept):
    """A question that somebody has to answer: nothing approved is near it, or a reply was wrong.

    `answer` is what a person wrote; `taught` names the corpus version that has it since.
    """

    id: str = Field(default_factory=lambda: uuid4().hex)
    corpus: str
    question: str
    why: Literal["far", "flagged"]
    said: str  # by the tuned model
    similarity: float | None = None  # of the nearest approved question or answer
    asked: int = 1  # how often
    answer: str = ""
    taught: str | None = None
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class Summary:
    """A conversation in a list."""

    id: str
    name: str
    updated: datetime
    questions: int
    sides: tuple[Side, ...]


class Store:
    """One database for all that visitors leave; SQLite in the workspace unless told otherwise.

    Several processes and threads may use one. Raises `NotFound` for what is not there (any more),
    and `StoreError` in words where the database cannot be used.
    """

    def __init__(self, url: str) -> None:
        raise NotImplementedError

    @classmethod
    def in_workspace(cls, workspace: Path) -> Self:
        """The store of a workspace: `tandem.db`."""
        raise NotImplementedError

    # conversations

    def begin(self, conversation: Conversation) -> None:
        """Keep a new conversation with its exchanges."""
        raise NotImplementedError

    def conversation(self, id_: str) -> Conversation:
        """A conversation with all its exchanges, in order."""
        raise NotImplementedError

    def conversations(self, search: str = "", most: int = 100) -> Sequence[Summary]:
        """Those whose name, questions or answers contain all words searched for, newest first."""
        raise NotImplementedError

    def change(
        self,
        id_: str,
        *,
        name: str | None = None,
        sides: Sequence[Side] | None = None,
        settings: ChatSettings | None = None,
        blind: bool | None = None,
    ) -> None:
        """Change what is given. Other sides can only be chosen while nothing was asked."""
        raise NotImplementedError

    def append(self, id_: str, exchange: Exchange) -> None:
        """Keep an exchange as the last one."""
        raise NotImplementedError

    def cut(self, id_: str, exchange: str) -> None:
        """Forget an exchange and all after it, with their votes: it is asked again."""
        raise NotImplementedError

    def delete(self, id_: str) -> None:
        """Forget a conversation with its votes."""
        raise NotImplementedError

    # votes

    def vote(self, vote: Vote) -> None:
        """Keep a vote; the last one on an exchange counts."""
        raise NotImplementedError

    def votes(self, run: str | None = None) -> Sequence[tuple[Vote, Conversation, Exchange]]:
        """Votes and what they were on, oldest first; of one run, where either side is its."""
        raise NotImplementedError

    def vote_on(self, exchange: str) -> Vote | None:
        """The vote on an exchange, if there is one."""
        raise NotImplementedError

    # open questions

    def note(self, question: OpenQuestion) -> OpenQuestion:
        """Keep an open question, or count one that says the same (case and spaces apart) again."""
        raise NotImplementedError

    def open_questions(self, corpus: str) -> Sequence[OpenQuestion]:
        """Those of a corpus that are not taught yet, the most asked first, then the newest."""
        raise NotImplementedError

    def answer(self, id_: str, answer: str) -> OpenQuestion:
        """Keep what a person wrote as the right answer; an empty one takes it back."""
        raise NotImplementedError

    def taught(self, ids: Sequence[str], label: str) -> None:
        """Say which corpus version has the answers of these questions."""
        raise NotImplementedError

    def dismiss(self, id_: str) -> None:
        """Forget an open question."""
        raise NotImplementedError
