"""One question to the bot behind a link: asked, compared with what is approved, and counted."""

import threading
from collections import OrderedDict
from collections.abc import Generator
from dataclasses import dataclass

from assistant.comparing import Comparing
from assistant.conversation import Answer, Beside, Chat, Conversation, FindBeside, Side, checked
from assistant.hosted.door import Receipt
from assistant.link_store import Links
from assistant.links import Link
from assistant.store import Store
from assistant.told import parting
from trainer.corpus.personal import mask
from trainer.errors import ConfigError
from trainer.runs import Runs

_REMEMBERED = 10_000  # ratings, so that none counts twice


@dataclass(frozen=True)
class Unsure:
    """Why an answer should not be relied on, and the approved answer that is offered instead.

    That is the one to the question nearest to the visitor's (`question` is empty then), or else
    the nearest to the answer.
    """

    why: str
    question: str
    answer: str
    similarity: float


@dataclass(frozen=True)
class SoFar:
    """How far the answers have come. At their end each may have something beside it."""

    texts: tuple[str, ...]
    doing: str = ""
    ended: bool = False
    beside: tuple[Unsure | None, ...] = ()


class Bot:
    """Answer visitors; keep no words of theirs but of questions that somebody should answer."""

    def __init__(
        self, chat: Chat, store: Store, runs: Runs, find_beside: FindBeside | None = None
    ) -> None:
        self.links = Links(store)
        self.chat, self._comparing = chat, Comparing(store, runs, find_beside)
        self._rated: OrderedDict[tuple[Receipt, int], bool] = OrderedDict()
        self._rating = threading.Lock()

    def ask(self, link: Link, question: str, stop: threading.Event) -> Generator[SoFar]:
        """Yield how far the answers are, the last of them ended unless it was stopped.

        Raises `UserError`.
        """
        question = checked(question, link.limits.characters)
        talk = Conversation(name="", sides=link.sides, settings=link.settings)
        answers: tuple[Answer, ...] = ()
        for answers in self.chat.answer(talk.asks(question), stop):
            yield SoFar(tuple(a.text for a in answers), next((a.doing for a in answers), ""))
        if not answers or not all(answer.proof for answer in answers) or stop.is_set():
            return
        texts = tuple(answer.text for answer in answers)
        told = zip(link.sides, texts, strict=True)
        beside = tuple(self._look(link, side, question, text) for side, text in told)
        if any(beside):
            self.links.count(link.id, "unsure")
        yield SoFar(texts, ended=True, beside=beside)

    def rate(self, link: Link, receipt: Receipt, column: int, good: bool, comment: str) -> None:
        """Count a rating; what somebody found wrong waits in the workbench to be answered.

        Of several on one answer the last one counts.
        """
        if not 0 <= column < len(receipt.texts):
            raise ConfigError("There is no such answer to rate.")
        with self._rating:
            before = self._rated.get((receipt, column))
            self._rated[receipt, column] = good
            if len(self._rated) > _REMEMBERED:
                self._rated.popitem(last=False)
        if before != good:
            self.links.count(link.id, "up" if good else "down")
            if before is not None:
                self.links.count(link.id, "up" if before else "down", by=-1)
        if not good:
            side, said = link.sides[column], receipt.texts[column]
            comment = mask(comment.strip())
            self._comparing.note(side, mask(receipt.question), said, "rated down", comment=comment)

    def _look(self, link: Link, side: Side, question: str, text: str) -> Unsure | None:
        if not side.run:
            return None
        found = self._comparing.beside(side, question, text)
        self._comparing.note_if_far(side, mask(question), text, found)
        why = why_unsure(link, found) if found else ""
        if found is None or not why:
            return None
        if found.asked:
            return Unsure(why, "", found.asked, found.similarity)
        return Unsure(why, found.question, found.answer, found.similarity)


def why_unsure(link: Link, beside: Beside) -> str:
    """Where an answer strays from every approved one, in a sentence."""
    if link.unsure_below is None:
        return ""
    if beside.far:
        return "I am not sure: nothing that was approved is near your question."
    if beside.asked:
        return "I am not sure: another answer is approved for a question like yours."
    if beside.similarity < link.unsure_below:
        return "I am not sure: my answer is unlike what was approved."
    if beside.flags:
        return f"I am not sure: my answer {parting(beside.flags[0])}."
    return ""
