"""One question in a conversation, from asking to what is kept: the same on page and terminal."""

import threading
from collections.abc import Iterator

from assistant.conversation import (
    MOST_CHARACTERS,
    Answer,
    Beside,
    Chat,
    Conversation,
    Exchange,
    FindBeside,
    Reply,
    Side,
)
from assistant.store import OpenQuestion, Store
from trainer.corpus.library import Corpora
from trainer.errors import ConfigError, UserError, warn_once
from trainer.runs import Runs


class Talk:
    """Ask the sides of conversations, keep what they said, and note what nobody approved."""

    def __init__(
        self, chat: Chat, store: Store, runs: Runs, find_beside: FindBeside | None = None
    ) -> None:
        self.store, self.runs = store, runs
        self._chat, self._find = chat, find_beside
        self._corpora = Corpora(runs.root.parent / "corpora")

    def ask(
        self,
        conversation: Conversation,
        question: str,
        stop: threading.Event,
        instead: str | None = None,
    ) -> Iterator[tuple[Answer, ...]]:
        """Yield how far the answers are; at the end the exchange is kept.

        It takes the place of the exchange `instead` and all after it, which the conversation given
        does not have any more. Stopped before a word was said, nothing is. Raises `UserError`.
        """
        question = _checked(question)
        swapped = conversation.swaps_next
        answers: tuple[Answer, ...] = ()
        for answers in self._chat.answer(conversation.asks(question), stop):
            yield answers
        replies = [
            Reply(text=a.text, proof=a.proof, beside=self._beside(side, question, a.text))
            for side, a in zip(conversation.sides, answers, strict=True)
            if a.proof
        ]
        silent = not any(reply.text for reply in replies)
        if len(replies) < len(answers) or (silent and stop.is_set()):
            return
        exchange = Exchange(question=question, replies=tuple(replies), swapped=swapped)
        self.store.append(conversation.id, exchange, instead)
        self._note_if_far(conversation, exchange)

    def _beside(self, side: Side, question: str, text: str) -> Beside | None:
        """Compare with what is approved today; what goes wrong in it does not cost the answer."""
        run = self.runs.find(side.run)
        if run is None or self._find is None:
            return None
        try:
            return self._find(self._corpora.get(run.config.corpus), question, text)
        except UserError as error:
            warn_once(f"No approved answer can be shown beside the chat's: {error}")
            return None

    def _note_if_far(self, conversation: Conversation, exchange: Exchange) -> None:
        """Keep a question that is far from every approved answer, for somebody to answer."""
        for side, reply in zip(conversation.sides, exchange.replies, strict=True):
            run = self.runs.find(side.run)
            if run and reply.beside and reply.beside.far:
                self.store.note(
                    OpenQuestion(
                        corpus=run.config.corpus,
                        question=exchange.question,
                        why="far",
                        said=reply.text,
                        similarity=reply.beside.similarity,
                    )
                )
                return


def _checked(question: str) -> str:
    question = question.strip()
    if not question:
        raise ConfigError("There is no question. Type one.")
    if len(question) > MOST_CHARACTERS:
        raise ConfigError(
            f"The question has {len(question):,} characters, and at most {MOST_CHARACTERS:,} are "
            "read. Shorten it."
        )
    return question
