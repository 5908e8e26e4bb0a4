"""The result of an evaluation: every answer, every score, and what they come to."""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Literal

import pydantic

from trainer.difference import Difference
from trainer.facts.flag import Flag
from trainer.probes import Bias, Forgetting

Kind = Literal["reworded", "unseen", "test", "file", "taught"]
Contender = Literal["base", "tuned", "retrieval", "lookup"]
Measure = Literal[
    "similarity",
    "nearest",
    "token_f1",
    "rouge_1",
    "rouge_2",
    "rouge_l",
    "chrf",
    "bleu",
    "exact",
]
Task = Literal["answers", "labels", "summaries", "translations"]

ASKED: tuple[Kind, ...] = ("reworded", "unseen", "test", "file")  # "taught" is asked for contrast
CONTENDERS: tuple[Contender, ...] = ("base", "tuned", "retrieval", "lookup")
PRIMARY: Mapping[Task, Measure] = {
    "answers": "similarity",
    "labels": "exact",
    "summaries": "rouge_l",
    "translations": "chrf",
}


class Answer(pydantic.BaseModel, frozen=True):
    """What one contender said to one question, and what that is worth.

    `scores` are between 0 and 1 (a cosine may fall below 0), and higher is better. `flags` are
    facts that part from the approved answer; `invented` is what no approved answer supports.
    `ended` is False where it ran on to the limit of tokens; `repeats` is the share of its groups
    of three words that stood there before.
    """

    text: str
    scores: Mapping[Measure, float]
    flags: tuple[Flag, ...] = ()
    invented: tuple[str, ...] = ()
    tokens: int = 0
    ended: bool = True
    repeats: float = 0.0


class Row(pydantic.BaseModel, frozen=True):
    """One question with what each contender answered.

    Questions that share an answer have one `group` and are resampled together. `floor` is the
    mean similarity of the approved answer to the approved answers of other questions: what an
    answer gets for nothing but its subject.
    """

    id: str
    kind: Kind
    group: str
    question: str
    topic: str = ""
    approved: str
    floor: float | None = None
    answers: Mapping[Contender, Answer]


class LabelScore(pydantic.BaseModel, frozen=True):
    """How well one label is found: each a share from 0 to 1; `n` texts truly have it."""

    label: str
    precision: float
    recall: float
    f1: float
    n: int


class LabelScores(pydantic.BaseModel, frozen=True):
    """One contender on texts with labels; `macro` means are over labels, each counting the same.

    `confusion` counts (approved label, given label) pairs; what is not a label is "".
    """

    accuracy: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    labels: tuple[LabelScore, ...]
    confusion: Mapping[str, Mapping[str, int]]


class Gap(pydantic.BaseModel, frozen=True):
    """How much better the tuned model is on questions it was taught than on reworded ones.

    `mean`, `low`, `high`: taught less reworded, of the primary measure, with a 95 % bootstrap
    interval over groups.
    """

    taught: float
    reworded: float
    mean: float
    low: float
    high: float


class Report(pydantic.BaseModel, frozen=True):
    """Written to `report.json`. `adapter` is the sha256 of the weights that were scored.

    `differences` are tuned against each other contender, by kind, contender and measure.
    `labels` is for texts with labels; `answers` takes each approved answer for a label and the
    nearest one for given: the macro means of "right answer nearest", and nothing else.
    `supported` is the similarity from which on a sentence counts as said by an approved answer.
    `unjudged` are the ids of rows whose texts the embedding model cannot read. `notes` are things
    to know before the numbers are believed.
    """

    task: Task = "answers"
    primary: Measure = "similarity"
    embedder: str
    base: str = ""
    adapter: str
    corpus: str = ""
    file: str = ""
    libraries: Mapping[str, str] = {}
    rows: tuple[Row, ...]
    differences: Mapping[Kind, Mapping[Contender, Mapping[Measure, Difference]]] = {}
    labels: Mapping[Contender, LabelScores] = {}
    answers: Mapping[Kind, Mapping[Contender, LabelScores]] = {}
    supported: float | None = None
    overfitting: Gap | None = None
    forgetting: Forgetting | None = None
    bias: Bias | None = None
    unjudged: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def of(self, kind: Kind) -> tuple[Row, ...]:
        """The rows of one kind of question."""
        return tuple(row for row in self.rows if row.kind == kind)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of held-out question this report is about, also those it has none of."""
        asked = {row.kind for row in self.rows}
        if alone := [kind for kind in ("test", "file") if kind in asked]:
            return tuple(alone)
        return ("reworded", "unseen")

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What every answer was measured by, the primary measure first."""
        found: dict[Measure, None] = {self.primary: None}
        for row in self.rows[:1]:
            for answer in row.answers.values():
                found |= dict.fromkeys(answer.scores)
        return tuple(found)

    @property
    def contenders(self) -> tuple[Contender, ...]:
        """Who answered the held-out questions."""
        asked = [row for row in self.rows if row.kind in ASKED]
        return tuple(who for who in CONTENDERS if any(who in row.answers for row in asked))

    def score(
        self, kind: Kind, contender: Contender, measure: Measure | None = None
    ) -> float | None:
        """The mean on one kind of question, by the primary measure or another; None: unasked."""
        return mean_score(self.of(kind), contender, measure or self.primary)

    def floor(self, kind: Kind) -> float | None:
        """The mean similarity that an answer gets for nothing but its subject."""
        floors = [row.floor for row in self.of(kind) if row.floor is not None]
        return mean(floors) if floors else None

    def difference(self, kind: Kind, other: Contender = "base") -> Difference | None:
        """Tuned against another contender, by the primary measure."""
        return self.differences.get(kind, {}).get(other, {}).get(self.primary)

    def summary(self) -> dict[str, object]:
        """What `tandem evaluate --json` prints."""
        summary: dict[str, object] = {}
        for kind in self.kinds:
            found: dict[str, object] = {"n": len(self.of(kind))}
            for who in CONTENDERS:
                means = {m: self.score(kind, who, m) for m in self.measures}
                found[who] = {"similarity": None} | means
            difference = self.difference(kind)
            shown = {"mean", "low", "high", "p"}
            found["difference"] = difference.model_dump(include=shown) if difference else None
            found["verdict"] = difference.verdict if difference else "too few"
            summary[kind] = found
        return summary


def mean_score(rows: Sequence[Row], contender: Contender, measure: Measure) -> float | None:
    """The mean of one contender over rows; None where it was asked none of them."""
    scores = [
        answer.scores[measure]
        for row in rows
        if (answer := row.answers.get(contender)) and measure in answer.scores
    ]
    return mean(scores) if scores else None
