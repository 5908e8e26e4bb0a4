"""The models behind every page of this process: they load with the first question."""

import threading
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.conversation import Answer, Asked, Beside, Chat
from trainer.corpus.library import Corpus

if TYPE_CHECKING:
    from assistant.beside import Approved
    from assistant.host import ModelHost


class Engine:
    """Answer from this process, or through `elsewhere`; torch is not imported before it must be.

    Implements `Chat`, and `FindBeside` by its `beside`.
    """

    def __init__(self, workspace: Path, elsewhere: Chat | None = None) -> None:
        self._workspace, self._elsewhere = workspace, elsewhere
        self._opening = threading.Lock()

    def answer(self, asked: Sequence[Asked], stop: threading.Event) -> Iterator[tuple[Answer, ...]]:
        """Yield how far the answers are, each time one has grown; see `Chat`."""
        if self._elsewhere is not None:
            yield from self._elsewhere.answer(asked, stop)
            return
        yield tuple(Answer(doing="getting ready") for _ in asked)
        yield from self._opened().answer(asked, stop)

    def beside(self, corpus: Corpus, question: str, answer: str) -> Beside | None:
        """The approved answer nearest to an answer."""
        with self._opening:
            approved = self._approved
        return approved(corpus, question, answer)

    def draft(self, base: str, questions: Sequence[str]) -> list[tuple[str, ...]]:
        """Let an untouched base propose other wordings of questions, one list for each."""
        drafts: list[tuple[str, ...]] = self._opened().draft(base, questions)
        return drafts

    def unload(self) -> None:
        """Give the memory of the models back."""
        if "_host" in self.__dict__:
            self._host.unload()

    def make_room(self) -> None:
        """Leave a GPU to the worker that waits for it."""
        if "_host" in self.__dict__:
            self._host.make_room()

    def _opened(self) -> "ModelHost":
        with self._opening:
            return self._host

    @cached_property
    def _host(self) -> "ModelHost":
        from assistant.host import ModelHost  # noqa: PLC0415 - torch: the page comes up before it

        return ModelHost.in_workspace(self._workspace)

    @cached_property
    def _approved(self) -> "Approved":
        from assistant.beside import Approved  # noqa: PLC0415 - as above

        return Approved.in_workspace(self._workspace)
