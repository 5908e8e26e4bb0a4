"""The result of an evaluation: every answer, every score, and what they come to."""

from collections.abc import Mapping
from statistics import mean
from typing import Literal

import pydantic

from trainer.corpus.examples import normalise

Kind = Literal["reworded", "unseen", "test"]
Contender = Literal["base", "tuned", "lookup"]
KINDS: tuple[Kind, ...] = ("reworded", "unseen")  # of a corpus of answers; labels have "test"
CONTENDERS: tuple[Contender, ...] = ("base", "tuned", "lookup")


class Row(pydantic.BaseModel, frozen=True):
    """One held-out question with what each contender answered.

    `similarity` is the cosine between an answer and the approved one in the embedding space:
    1 means the same direction, not the same words and not the same truth. Higher is better.
    """

    id: str
    kind: Kind
    question: str
    topic: str
    approved: str
    answers: Mapping[Contender, str]
    similarity: Mapping[Contender, float]


class Report(pydantic.BaseModel, frozen=True):
    """Written to `report.json`. `adapter` is the sha256 of the weights that were scored."""

    embedder: str
    adapter: str
    rows: tuple[Row, ...]

    def of(self, kind: Kind) -> tuple[Row, ...]:
        """The rows of one kind of held-out question."""
        return tuple(row for row in self.rows if row.kind == kind)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of held-out question this report is about."""
        return ("test",) if self.of("test") else KINDS

    def exact(self, kind: Kind, contender: Contender) -> float | None:
        """The share of answers that are the approved one, but for case, space and punctuation."""
        rows = self.of(kind)
        same = (normalise(row.answers[contender]) == normalise(row.approved) for row in rows)
        return mean(map(float, same)) if rows else None

    def similarity(self, kind: Kind, contender: Contender) -> float | None:
        """The mean similarity on one kind of question; None where there is no question."""
        rows = self.of(kind)
        return mean(row.similarity[contender] for row in rows) if rows else None

    def summary(self) -> dict[str, object]:
        """What `tandem evaluate --json` prints."""
        summary: dict[str, object] = {}
        for kind in self.kinds:
            scores: dict[Contender, dict[str, float | None]] = {
                who: {"similarity": self.similarity(kind, who)} for who in CONTENDERS
            }
            if kind == "test":
                for who in CONTENDERS:
                    scores[who]["exact"] = self.exact(kind, who)
            summary[kind] = {"n": len(self.of(kind))} | scores
        return summary
