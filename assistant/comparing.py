"""What was approved, beside what was said: for the workbench's chat and for hosted bots."""

from typing import Any

from assistant.conversation import Beside, FindBeside, Side, Why
from assistant.store import OpenQuestion, Store
from trainer.corpus.library import Corpora
from trainer.errors import UserError, warn_once
from trainer.runs import Runs


class Comparing:
    """Compare answers with what is approved today, and keep questions that are far from it all."""

    def __init__(self, store: Store, runs: Runs, find_beside: FindBeside | None = None) -> None:
        self._store, self._runs, self._find = store, runs, find_beside
        self._corpora = Corpora(runs.root.parent / "corpora")

    def beside(self, side: Side, question: str, text: str) -> Beside | None:
        """The nearest approved answer; what goes wrong in finding it does not cost the answer."""
        run = self._runs.find(side.run)
        if run is None or self._find is None:
            return None
        try:
            return self._find(self._corpora.get(run.config.corpus), question, text)
        except UserError as error:
            warn_once(f"No approved answer can be shown beside the chat's: {error}")
            return None

    def note_if_far(self, side: Side, question: str, text: str, beside: Beside | None) -> bool:
        """Keep a question that is far from every approved answer, for somebody to answer."""
        if beside is None or not beside.far:
            return False
        return self.note(side, question, text, "far", similarity=beside.similarity)

    def note(self, side: Side, question: str, text: str, why: Why, **known: Any) -> bool:
        """Keep a question with what a tuned model said to it; not where its run is gone."""
        run = self._runs.find(side.run)
        if run is None:
            return False
        corpus = run.config.corpus
        self._store.note(
            OpenQuestion(corpus=corpus, question=question, why=why, said=text, **known)
        )
        return True
