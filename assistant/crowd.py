"""Many who ask at the same time: those who wait are answered together."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from assistant.conversation import Answer, Asked, Chat
from assistant.latest import Latest
from assistant.line import waiting
from trainer.errors import DeviceBusy, ModelError

_LOOKS = 0.2  # seconds between two looks at whether somebody who waits has left


@dataclass(eq=False)
class _Visitor:
    """Somebody who asked, what is told to them, and whether they still listen."""

    asked: Sequence[Asked]
    stop: threading.Event
    came: float = field(default_factory=time.monotonic)
    news: Latest[tuple[Answer, ...]] = field(default_factory=Latest)
    told: tuple[Answer, ...] = ()
    gone: bool = False

    @property
    def left(self) -> bool:
        return self.gone or self.stop.is_set()

    @property
    def answered(self) -> bool:
        return bool(self.told) and all(answer.proof for answer in self.told)

    def tell(self, answers: tuple[Answer, ...], waited: float) -> None:
        """Say how far the answers are, if that is new; the last news let them go."""
        if self.answered or answers == self.told:
            return
        self.told = answers
        self.news.put(tuple(_later(answer, waited) for answer in answers))
        if self.answered:
            self.let_go()

    def let_go(self, error: BaseException | None = None) -> None:
        """Say nothing more, or that something went wrong."""
        with self.news.writing():
            if error:
                raise error


class Crowd:
    """Answer by another chat, first come, first served, whoever waits in one batch. Is a `Chat`.

    A batch begins when the one before is over, with the first in line and those behind who can
    be answered with them: up to `most` answers by one base. More than `longest` may not wait.
    """

    def __init__(self, chat: Chat, *, most: int = 32, longest: int = 200) -> None:
        self._chat, self._most, self._longest = chat, most, longest
        self._moved = threading.Condition()
        self._line: list[_Visitor] = []
        self._answering = 0  # visitors in the batch at hand
        self._at_work = False

    def answer(self, asked: Sequence[Asked], stop: threading.Event) -> Iterator[tuple[Answer, ...]]:
        """Yield how far the answers are, each time one has grown; at last all have their proof.

        Stopped before the turn came, it ends without. Raises `UserError`.
        """
        me = _Visitor(asked, stop)
        self._join(me)
        try:
            yield from self._wait(me)
            yield from me.news
        finally:
            me.gone = True
            self._leave(me)

    def _join(self, me: _Visitor) -> None:
        with self._moved:
            if len(self._line) >= self._longest:
                raise DeviceBusy(
                    f"{self._longest} questions wait already. Ask again in a few minutes."
                )
            self._line.append(me)
            if not self._at_work:
                self._at_work = True
                threading.Thread(target=self._work, daemon=True).start()

    def _wait(self, me: _Visitor) -> Iterator[tuple[Answer, ...]]:
        """Say how many are before, each time that changes, until the turn has come."""
        told = 0
        while True:
            with self._moved:
                if me.stop.is_set() and me in self._line:
                    self._line.remove(me)
                    me.let_go()
                if me not in self._line:
                    return
                before = self._answering + self._line.index(me)
                if before == told:
                    self._moved.wait(_LOOKS)
                    continue
            told = before
            if before:
                yield tuple(Answer(doing=waiting(before)) for _ in me.asked)

    def _leave(self, me: _Visitor) -> None:
        with self._moved:
            if me in self._line:
                self._line.remove(me)
                self._moved.notify_all()

    def _work(self) -> None:
        """Answer one batch after the other until nobody waits."""
        while batch := self._next():
            self._answer(batch)

    def _next(self) -> list[_Visitor]:
        """Take the first in line and those behind who fit into one batch with them."""
        with self._moved:
            batch, rows = list[_Visitor](), 0
            for one in self._line:
                if _weights(one) != _weights(self._line[0]):
                    continue
                rows += len(one.asked)
                if batch and rows > self._most:
                    break
                batch.append(one)
            self._line = [one for one in self._line if one not in batch]
            self._answering, self._at_work = len(batch), bool(batch)
            self._moved.notify_all()
            return batch

    def _answer(self, batch: Sequence[_Visitor]) -> None:
        """Answer a batch; where one question in it is refused, each by itself."""
        began, over = time.monotonic(), threading.Event()
        asked = [replace(one, stop=visitor.stop) for visitor in batch for one in visitor.asked]
        try:
            for step in self._chat.answer(asked, over):
                at = 0
                for visitor in batch:
                    end = at + len(visitor.asked)
                    visitor.tell(step[at:end], began - visitor.came)
                    at = end
                if all(visitor.left or visitor.answered for visitor in batch):
                    over.set()
            error: BaseException | None = None
        except BaseException as raised:
            error = raised
        unanswered = [visitor for visitor in batch if not visitor.answered]
        if isinstance(error, ModelError) and len(batch) > 1:
            for visitor in unanswered:
                self._answer([visitor])
            return
        for visitor in unanswered:
            visitor.let_go(error)


def _weights(visitor: _Visitor) -> set[tuple[str, str]]:
    return {(one.side.base, one.side.quantization) for one in visitor.asked}


def _later(answer: Answer, waited: float) -> Answer:
    """An answer whose proof counts the time in this line, too."""
    if not answer.proof:
        return answer
    proof = answer.proof.model_copy(update={"waited": answer.proof.waited + waited})
    return replace(answer, proof=proof)
