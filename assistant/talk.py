"""One question in a conversation, from asking to what is kept: the same on page and terminal."""

import threading
from collections.abc import Iterator

from assistant.comparing import Comparing
from assistant.conversation import (
    Answer,
    Chat,
    Conversation,
    Exchange,
    FindBeside,
    Reply,
    checked,
)
from assistant.store import Store
from trainer.runs import Runs


class Talk:
    """Ask the sides of conversations, keep what they said, and note what nobody approved."""

    def __init__(
        self, chat: Chat, store: Store, runs: Runs, find_beside: FindBeside | None = None
    ) -> None:
        self.store, self.runs = store, runs
        self._chat, self._comparing = chat, Comparing(store, runs, find_beside)

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
        question = checked(question)
        swapped = conversation.swaps_next
        answers: tuple[Answer, ...] = ()
        for answers in self._chat.answer(conversation.asks(question), stop):
            yield answers
        replies = [
            Reply(text=a.text, proof=a.proof, beside=self._comparing.beside(side, question, a.text))
            for side, a in zip(conversation.sides, answers, strict=True)
            if a.proof
        ]
        silent = not any(reply.text for reply in replies)
        if len(replies) < len(answers) or (silent and stop.is_set()):
            return
        exchange = Exchange(question=question, replies=tuple(replies), swapped=swapped)
        self.store.append(conversation.id, exchange, instead)
        for side, reply in zip(conversation.sides, replies, strict=True):
            if self._comparing.note_if_far(side, question, reply.text, reply.beside):
                break
