"""The approved answer beside an answer, so that nobody mistakes fluency for truth."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np

from assistant.conversation import Beside
from trainer.corpus.examples import Example, normalise
from trainer.corpus.library import Corpus
from trainer.facts.differing import differing
from trainer.meaning import Meaning, cached_embedder
from trainer.scoring import Matrix

NEAR = 0.95  # of the questions of a corpus are near the rest of it, by definition
_COMPARED = 1000  # questions, at most, that this is worked out from
_HELD = 4  # corpus versions


class Approved:
    """Find the approved answer nearest to an answer: a `FindBeside` by meaning.

    A question is far where no approved question or answer is as near to it as 19 of 20 questions
    of the corpus are to the rest of it.
    """

    def __init__(self, open_meaning: Callable[[], Meaning]) -> None:
        self._open, self._opened = open_meaning, threading.Lock()
        self._meaning: Meaning | None = None
        self._known: dict[tuple[Path, datetime], _Known] = {}

    @classmethod
    def in_workspace(cls, workspace: Path) -> Self:
        """By the embedding model that comes along, with its cache in the workspace."""
        return cls(lambda: cached_embedder(workspace))

    def __call__(self, corpus: Corpus, question: str, answer: str) -> Beside | None:
        """Compare with all approved answers; None for labels, and where nothing was said."""
        if not answer.strip() or corpus.origin.task == "labels":
            return None
        with self._opened:  # one visitor reads a corpus, the others find it read
            meaning = self._meaning = self._meaning or self._open()
            known = self._read(meaning, corpus)
        asked, said = meaning.encode([question, answer])
        to_questions, to_answers = known.questions @ asked, known.answers @ said
        nearest = known.of_answer[best := int(to_answers.argmax())]
        found = known.examples[int(to_questions.argmax())]
        near = max(float(to_questions.max()), float((known.answers @ asked).max()))
        other = normalise(found.answer) != normalise(nearest.answer)
        return Beside(
            question=nearest.question,
            answer=nearest.answer,
            similarity=float(to_answers[best]),
            flags=differing(answer, nearest.answer),
            asked=found.answer if other and near >= known.threshold else None,
            far=near < known.threshold and meaning.can_judge(question),
        )

    def _read(self, meaning: Meaning, corpus: Corpus) -> "_Known":
        key = (corpus.path, corpus.origin.created)  # another one may have come to the same place
        if key not in self._known:
            while len(self._known) >= _HELD:
                del self._known[next(iter(self._known))]
            self._known[key] = _read(meaning, corpus)
        return self._known[key]


@dataclass(frozen=True)
class _Known:
    """A corpus as rows of length 1; `of_answer` is the first example with each answer."""

    examples: tuple[Example, ...]
    questions: Matrix
    of_answer: tuple[Example, ...]
    answers: Matrix
    threshold: float


def _read(meaning: Meaning, corpus: Corpus) -> _Known:
    examples = tuple(corpus.examples)
    first: dict[str, Example] = {}
    for example in examples:
        first.setdefault(normalise(example.answer), example)
    of_answer = tuple(first.values())
    questions = meaning.encode([example.question for example in examples])
    answers = meaning.encode([example.answer for example in of_answer])
    drawn = np.random.default_rng(17).permutation(len(examples))[:_COMPARED]
    to_others = questions[drawn] @ questions.T
    to_others[np.arange(len(drawn)), drawn] = -1
    near = np.maximum(to_others.max(axis=1), (questions[drawn] @ answers.T).max(axis=1))
    return _Known(examples, questions, of_answer, answers, float(np.quantile(near, 1 - NEAR)))
