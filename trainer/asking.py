"""What an evaluation asks: held-out questions, and taught ones for contrast."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trainer.config import MOST_TAUGHT
from trainer.corpus.examples import Example, group_examples, normalise
from trainer.corpus.library import Corpus
from trainer.corpus.near import find_near
from trainer.errors import CorpusError
from trainer.report import Kind, Task
from trainer.runs import Evaluation

MOST_ASKED = 1000  # questions of a test file; more would make scoring long, not surer
HELD_OUT: tuple[Literal["reworded", "unseen", "test"], ...] = ("reworded", "unseen", "test")


@dataclass(frozen=True)
class Question:
    """One example to ask, why, and the group it is resampled with."""

    kind: Kind
    example: Example
    group: str

    @property
    def id(self) -> str:
        """What names its answers: an example of a test file may be one of the corpus, too."""
        return f"{self.kind}:{self.example.id}"


def choose_questions(evaluation: Evaluation, task: Task) -> tuple[tuple[Question, ...], list[str]]:
    """Choose what is asked, in the order of the report, and say what was left out of a file.

    Of a test file, questions that were taught are left out: they would flatter.
    """
    run = evaluation.run
    corpus, split = run.corpus, run.split
    taught = corpus.pile("train", split)
    notes: list[str] = []
    asked: list[tuple[Kind, Example]] = []
    if evaluation.config.file:
        learnt = (*taught, *corpus.pile("validation", split))
        known = dict.fromkeys(normalise(e.question) for e in learnt)
        given = evaluation.examples
        texts = [normalise(e.question) for e in given]
        near = find_near([*known, *texts])
        told = {j - len(known) for i, j, _ in near if i < len(known) <= j}
        told |= {i for i, text in enumerate(texts) if text in known}
        asked = [("file", e) for i, e in enumerate(given) if i not in told]
        if left := len(given) - len(asked):
            if not asked:
                raise CorpusError(
                    f"Every question of {evaluation.config.file} was taught in these words or "
                    "nearly these, so it tests nothing. Give a file with other questions."
                )
            notes.append(
                f"{left} of {len(given)} questions of {evaluation.config.file} were taught or "
                "validated with, in these words or nearly these, and are left out."
            )
        if len(asked) > MOST_ASKED:
            notes.append(f"{MOST_ASKED} of its {len(asked)} other questions were drawn and asked.")
            asked = random.Random(evaluation.config.seed).sample(asked, MOST_ASKED)
    else:
        asked = [(kind, e) for kind in HELD_OUT for e in corpus.pile(kind, split)]
    if evaluation.config.checks:
        again = _taught_again(taught, [e for _, e in asked], evaluation.config.seed)
        asked += [("taught", e) for e in again]
    return _grouped(asked, corpus, task), notes


def _taught_again(
    taught: Sequence[Example], asked: Sequence[Example], seed: int
) -> Sequence[Example]:
    """Taught wordings, those of the answers that are asked in other words before all others."""
    answers = {normalise(e.answer) for e in asked}
    shuffled = random.Random(seed).sample(list(taught), len(taught))
    shuffled.sort(key=lambda e: normalise(e.answer) not in answers)
    return shuffled[:MOST_TAUGHT]


def _grouped(
    asked: Sequence[tuple[Kind, Example]], corpus: Corpus, task: Task
) -> tuple[Question, ...]:
    """Tie what shares a question or an answer; a label is shared by too many to tie by."""
    near = corpus.neighbours
    if task == "labels":
        keys = {e.id: str(near.questions.get(e.id, e.id)) for _, e in asked}
    else:
        of_corpus = all(e.id in near.questions and e.id in near.answers for _, e in asked)
        groups = group_examples(
            [e for _, e in asked],
            questions=near.questions if of_corpus else None,
            answers=near.answers if of_corpus else None,
        )
        keys = {e.id: group[0].id for group in groups for e in group}
    return tuple(Question(kind, example, keys[example.id]) for kind, example in asked)
