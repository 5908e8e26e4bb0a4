"""What the chat keeps: conversations, votes, open questions, in one database of the workspace."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self
from uuid import uuid4

from pydantic import Field
from sqlalchemy import URL, Connection, delete, exists, func, insert, or_, select, update

from assistant import database as db
from assistant import rows
from assistant.conversation import ChatSettings, Conversation, Exchange, Kept, Side, Why
from trainer.corpus.examples import normalise
from trainer.errors import ConfigError, NotFound

Choice = Literal["first", "second", "both good", "both bad"]
MOST_SEARCHED = 200  # characters


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
    why: Why
    said: str  # by the tuned model
    comment: str = ""  # of the visitor who rated it down
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

    def __init__(self, url: str | URL) -> None:
        """Open the database of a SQLAlchemy URL, made if it is not there."""
        self._engine = db.open_database(url)
        self._reading = self._engine.execution_options(reads=True)

    @classmethod
    def in_workspace(cls, workspace: Path) -> Self:
        """The store of a workspace: `tandem.db`."""
        return cls(URL.create("sqlite", database=str(workspace / "tandem.db")))

    # conversations

    def begin(self, conversation: Conversation) -> None:
        """Keep a new conversation with its exchanges."""
        with self.writes() as connection:
            connection.execute(
                insert(db.conversations).values(
                    id=conversation.id,
                    updated=rows.moment(conversation.updated),
                    **rows.conversation_row(conversation),
                )
            )
            for exchange in conversation.exchanges:
                rows.add_exchange(connection, conversation.id, exchange)

    def conversation(self, id_: str) -> Conversation:
        """A conversation with all its exchanges, in order."""
        wanted = select(db.conversations).where(db.conversations.c.id == id_)
        with self.reads() as connection:
            found = rows.read_conversations(connection, wanted)
        if id_ not in found:
            raise NotFound(rows.GONE)
        return found[id_]

    def conversations(self, search: str = "", most: int = 100) -> Sequence[Summary]:
        """Those whose name, questions or answers contain all words searched for, newest first."""
        talks, said = db.conversations.c, db.exchanges.c
        count = select(func.count()).where(said.conversation == talks.id).scalar_subquery()
        wanted = select(db.conversations, count.label("questions"))
        for word in rows.fold(search[:MOST_SEARCHED]).split():
            in_exchange = exists().where(
                said.conversation == talks.id, said.words.contains(word, autoescape=True)
            )
            wanted = wanted.where(or_(talks.words.contains(word, autoescape=True), in_exchange))
        wanted = wanted.order_by(talks.updated.desc(), talks.id).limit(most)
        with self.reads() as connection:
            found = connection.execute(wanted).all()
        return [
            Summary(row.id, kept.name, kept.updated, row.questions, kept.sides)
            for row in found
            for kept in rows.read(Conversation, [row], "updated")
        ]

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
        given = dict(name=name, sides=sides and tuple(sides), settings=settings, blind=blind)
        given = {key: value for key, value in given.items() if value is not None}
        wanted = select(db.conversations).where(db.conversations.c.id == id_).with_for_update()
        with self.writes() as connection:
            before = rows.read_conversations(connection, wanted).get(id_)
            if before is None:
                raise NotFound(rows.GONE)
            if sides is not None and before.exchanges and tuple(sides) != before.sides:
                raise ConfigError(
                    "Others cannot take over what was answered already. Begin a new conversation."
                )
            after = before.model_copy(update=given)
            mine = update(db.conversations).where(db.conversations.c.id == id_)
            connection.execute(mine.values(**rows.conversation_row(after)))

    def append(self, id_: str, exchange: Exchange, instead: str | None = None) -> None:
        """Keep an exchange as the last one; it takes the place of another one and all after it.

        What it replaces goes with its votes.
        """
        said = db.exchanges.c
        with self.writes() as connection:
            rows.touch(connection, id_)
            if instead:
                mine = said.conversation == id_
                place = connection.scalar(select(said.place).where(mine, said.id == instead))
                if place is None:
                    raise NotFound(rows.GONE)
                connection.execute(delete(db.exchanges).where(mine, said.place >= place))
            rows.add_exchange(connection, id_, exchange)

    def delete(self, id_: str) -> None:
        """Forget a conversation with its votes."""
        with self.writes() as connection:
            done = connection.execute(delete(db.conversations).where(db.conversations.c.id == id_))
            if not done.rowcount:
                raise NotFound(rows.GONE)

    # votes

    def vote(self, vote: Vote) -> None:
        """Keep a vote; the last one on an exchange counts."""
        said = db.exchanges.c
        on = select(said.id).where(said.id == vote.exchange, said.conversation == vote.conversation)
        with self.writes() as connection:
            if connection.scalar(on.with_for_update()) is None:
                raise NotFound(rows.GONE)
            connection.execute(delete(db.votes).where(db.votes.c.exchange == vote.exchange))
            row = {"exchange": vote.exchange, "cast": rows.moment(vote.cast)}
            connection.execute(insert(db.votes).values(**row, kept=vote.model_dump_json()))

    def votes(self, run: str | None = None) -> Sequence[tuple[Vote, Conversation, Exchange]]:
        """Votes and what they were on, oldest first; of one run, where either side is its."""
        voted = select(db.exchanges.c.conversation).join(db.votes)
        wanted = select(db.conversations).where(db.conversations.c.id.in_(voted))
        with self.reads() as connection:
            found = connection.execute(select(db.votes).order_by(db.votes.c.cast)).all()
            talks = rows.read_conversations(connection, wanted)
        on = {e.id: (talk, e) for talk in talks.values() for e in talk.exchanges}
        return [
            (vote, *on[vote.exchange])
            for vote in rows.read(Vote, found)
            if vote.exchange in on
            and (run is None or run in [side.run for side in on[vote.exchange][0].sides])
        ]

    def vote_on(self, exchange: str) -> Vote | None:
        """The vote on an exchange, if there is one."""
        wanted = select(db.votes).where(db.votes.c.exchange == exchange)
        with self.reads() as connection:
            found = connection.execute(wanted).all()
        return next(rows.read(Vote, found), None)

    # open questions

    def note(self, question: OpenQuestion) -> OpenQuestion:
        """Keep an open question, or count one that says the same (case and spaces apart) again.

        A person's word goes before what was found: a flag, or an answer, takes the place of what
        is there, also of what was taught. That a question is far, or that a visitor did not like
        the answer, does not open it again.
        """
        asked = db.questions.c
        same = hashlib.sha256(normalise(question.question).encode()).hexdigest()
        wanted = select(db.questions).where(asked.corpus == question.corpus, asked.same == same)
        with self.writes() as connection:
            connection.execute(select(db.schema).with_for_update())  # one at a time, as in SQLite
            row = connection.execute(wanted).first()
            if row is None:
                added = {"id": question.id, "corpus": question.corpus, "same": same}
                kept = question.model_dump_json()
                connection.execute(insert(db.questions).values(**added, kept=kept))
                return question
            damaged = question.model_copy(update={"id": row.id})
            before = next(rows.read(OpenQuestion, [row]), damaged)
            asked_again = question.why != "rated down"  # that was counted when it was asked
            says: dict[str, object] = {"asked": before.asked + asked_again}
            if question.why == "flagged" or question.answer:
                says |= {"why": question.why, "said": question.said, "taught": None}
                says |= {"answer": question.answer or before.answer}
            elif question.why == "rated down" and before.why != "flagged":
                says |= {"why": question.why, "said": question.said}
                says |= {"comment": question.comment or before.comment}
            after = before.model_copy(update=says)
            return rows.rewrite(connection, db.questions, after.id, after)

    def open_questions(self, corpus: str) -> Sequence[OpenQuestion]:
        """Those of a corpus that are not taught yet, the most asked first, then the newest."""
        wanted = select(db.questions).where(db.questions.c.corpus == corpus)
        with self.reads() as connection:
            found = connection.execute(wanted).all()
        left = [question for question in rows.read(OpenQuestion, found) if question.taught is None]
        return sorted(left, key=lambda question: (question.asked, question.created), reverse=True)

    def answer(self, id_: str, answer: str) -> OpenQuestion:
        """Keep what a person wrote as the right answer; an empty one takes it back."""
        with self.writes() as connection:
            before = _question(connection, id_)
            says = {"answer": answer.strip(), "taught": None}
            after = before.model_copy(update=says)
            return rows.rewrite(connection, db.questions, after.id, after)

    def taught(self, questions: Sequence[OpenQuestion], label: str) -> None:
        """Say which corpus version has the answers of these questions.

        One that was answered otherwise meanwhile, or dismissed, stays as it is now.
        """
        with self.writes() as connection:
            wanted = select(db.questions).where(db.questions.c.id.in_([q.id for q in questions]))
            answers = {question.id: question.answer for question in questions}
            for now in rows.read(OpenQuestion, connection.execute(wanted.with_for_update()).all()):
                if now.answer == answers[now.id]:
                    after = now.model_copy(update={"taught": label})
                    rows.rewrite(connection, db.questions, now.id, after)

    def dismiss(self, id_: str) -> None:
        """Forget an open question."""
        with self.writes() as connection:
            done = connection.execute(delete(db.questions).where(db.questions.c.id == id_))
            if not done.rowcount:
                raise NotFound(_NO_QUESTION)

    @contextmanager
    def writes(self) -> Iterator[Connection]:
        """A transaction that may change what is kept; one at a time."""
        with db.told(self._engine), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def reads(self) -> Iterator[Connection]:
        """A look at what is kept."""
        with db.told(self._engine), self._reading.connect() as connection:
            yield connection


_NO_QUESTION = "This question is not open any more; somebody may have dismissed it."


def _question(connection: Connection, id_: str) -> OpenQuestion:
    wanted = select(db.questions).where(db.questions.c.id == id_).with_for_update()
    for question in rows.read(OpenQuestion, connection.execute(wanted).all()):
        return question
    raise NotFound(_NO_QUESTION)
