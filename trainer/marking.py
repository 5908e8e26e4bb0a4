"""What each answer is worth, and how the contenders compare: from texts to the rows of a report."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trainer.asking import Question
from trainer.comparing import compare, gap
from trainer.corpus.examples import Example, normalise
from trainer.corpus.library import Corpus
from trainer.difference import Difference
from trainer.facts.differing import Known, differing
from trainer.generate import Said
from trainer.measures import repeats, right_nearest, score_labels, score_texts, words_of
from trainer.report import (
    ASKED,
    CONTENDERS,
    PRIMARY,
    Answer,
    Contender,
    Gap,
    Kind,
    LabelScores,
    Measure,
    Row,
    Task,
)
from trainer.scoring import Embedder, Matrix, cosines
from trainer.scoring import nearest as place_nearest

OF_THEIR_OWN = 0.9  # share of sentences with something of their own that are not to pass as said
SHARED = 0.95  # from this similarity on, two answers share a sentence
FEWEST_WORDS = 4  # of a sentence that states something

Answers = Mapping[Contender, Mapping[str, Said]]  # by contender and Question.id


@dataclass(frozen=True)
class Marks:
    """The rows of a report, and from which similarity on a sentence counts as approved.

    `own` names the approved answer of each row, `nearest` by contender and row the one that its
    answer is nearest to.
    """

    rows: tuple[Row, ...]
    own: tuple[str, ...]
    nearest: Mapping[Contender, Mapping[int, str]]
    supported: float | None
    unjudged: tuple[str, ...]


def mark_answers(
    questions: Sequence[Question],
    answers: Answers,
    corpus: Corpus,
    task: Task,
    embedder: Embedder,
    reads: Callable[[str], bool],
) -> Marks:
    """Score every answer against its approved one, and against all that the corpus approves.

    Where the embedding model cannot read a text, its row goes without the measures that need it.
    """
    key = _answer_key(corpus)
    approved = {key(e): e.answer for e in (*corpus.examples, *(q.example for q in questions))}
    places = {name: place for place, name in enumerate(approved)}
    known = embedder.encode(list(approved.values()))
    own = [places[key(q.example)] for q in questions]
    floors = _floors(known)
    support = _Support(list(approved.values()), embedder) if task == "answers" else None
    unjudged = {q.id for q in questions if not reads(q.example.answer)}

    found: list[dict[Contender, Answer]] = [{} for _ in questions]
    names: list[str] = list(approved)
    nearest: dict[Contender, dict[int, str]] = {}
    for who in (who for who in CONTENDERS if who in answers):
        asked = [i for i, q in enumerate(questions) if q.id in answers[who]]
        said = [answers[who][questions[i].id] for i in asked]
        vectors = embedder.encode([one.text for one in said])
        target = embedder.encode([questions[i].example.answer for i in asked])
        similarity = cosines(vectors, target)
        right = right_nearest(vectors, [own[i] for i in asked], known)
        closest = place_nearest(vectors, known)
        nearest[who] = {
            i: names[own[i] if right[at] else closest[at]]
            for at, i in enumerate(asked)
            if questions[i].id not in unjudged
        }
        invented = support.lacking([one.text for one in said]) if support else [()] * len(said)
        for at, i in enumerate(asked):
            text, target_text = said[at].text, questions[i].example.answer
            scores: dict[Measure, float] = {}
            if questions[i].id not in unjudged:
                scores = {"similarity": similarity[at], "nearest": float(right[at])}
            found[i][who] = Answer(
                text=text,
                scores=scores | score_texts(text, target_text, task),
                flags=differing(text, target_text) if task == "answers" else (),
                invented=invented[at],
                tokens=said[at].tokens,
                ended=said[at].ended,
                repeats=repeats(text),
            )
    rows = tuple(
        Row(
            id=q.example.id,
            kind=q.kind,
            group=q.group,
            question=q.example.question,
            topic=q.example.topic,
            approved=q.example.answer,
            floor=None if q.id in unjudged else floors[own[i]],
            answers=found[i],
        )
        for i, q in enumerate(questions)
    )
    ids = tuple(q.example.id for q in questions if q.id in unjudged)
    threshold = support.threshold if support else None
    return Marks(rows, tuple(names[place] for place in own), nearest, threshold, ids)


def choose_primary(task: Task, marks: Marks) -> Measure:
    """The measure that decides: words, where the embedding model cannot read most answers."""
    if PRIMARY[task] == "similarity" and 2 * len(marks.unjudged) > len(marks.rows):
        return "token_f1"
    return PRIMARY[task]


def compare_contenders(
    rows: Sequence[Row],
) -> dict[Kind, dict[Contender, dict[Measure, Difference]]]:
    """Tuned against each other contender, by kind of question and measure."""
    found: dict[Kind, dict[Contender, dict[Measure, Difference]]] = {}
    for kind in ASKED:
        for other in ("base", "retrieval", "lookup"):
            pairs = [
                (row.answers["tuned"], row.answers[other], row.group)
                for row in rows
                if row.kind == kind and other in row.answers
            ]
            measures = dict.fromkeys(m for tuned, _, _ in pairs for m in tuned.scores)
            for measure in measures:
                there = [pair for pair in pairs if measure in pair[0].scores]
                found.setdefault(kind, {}).setdefault(other, {})[measure] = compare(
                    [tuned.scores[measure] for tuned, _, _ in there],
                    [against.scores[measure] for _, against, _ in there],
                    [group for _, _, group in there],
                )
    return found


def mark_labels(rows: Sequence[Row]) -> dict[Contender, LabelScores]:
    """How well each contender finds each label."""
    asked = [row for row in rows if row.kind in ASKED]
    return {
        who: score_labels([r.approved for r in there], [r.answers[who].text for r in there])
        for who in CONTENDERS
        if (there := [row for row in asked if who in row.answers])
    }


def mark_nearest(marks: Marks) -> dict[Kind, dict[Contender, LabelScores]]:
    """How often the right answer is the nearest, each approved answer counting the same."""
    found: dict[Kind, dict[Contender, LabelScores]] = {}
    for kind in ASKED:
        for who, nearest in marks.nearest.items():
            if places := [i for i in nearest if marks.rows[i].kind == kind]:
                scores = score_labels([marks.own[i] for i in places], [nearest[i] for i in places])
                means = scores.model_copy(update={"labels": (), "confusion": {}})
                found.setdefault(kind, {})[who] = means
    return found


def find_overfitting(rows: Sequence[Row], measure: Measure) -> Gap | None:
    """How much better the tuned model is on taught wordings than on others of the same kind."""
    sides = []
    for kinds in (("taught",), ("reworded", "test")):
        scored = [r for r in rows if r.kind in kinds and measure in r.answers["tuned"].scores]
        sides.append(scored)
    if not all(sides):
        return None
    taught, asked = ([row.answers["tuned"].scores[measure] for row in side] for side in sides)
    groups = [[row.group for row in side] for side in sides]
    mean, low, high = gap(taught, groups[0], asked, groups[1])
    means = [float(np.mean(scores)) for scores in (taught, asked)]
    return Gap(taught=means[0], reworded=means[1], mean=mean, low=low, high=high)


def sentences(text: str) -> list[str]:
    """The sentences that state something, each once: not a question, nor "I don't know"."""
    found = re.split(r"(?<=[.!?…])\s+|(?<=[。！？])|\n+", text)  # noqa: RUF001
    told = dict.fromkeys(sentence.strip() for sentence in found)
    return [s for s in told if len(words_of(s)) >= FEWEST_WORDS and not _VOID.search(s)]


_VOID = re.compile(
    r"[?？]$|\b(sorry|apologi[sz]e|(don't|do not|didn't) (quite )?(know|understand)|not sure|"  # noqa: RUF001
    r"(can't|cannot|can not|unable to) (help|answer|say|tell)|weiß (ich )?nicht|tut mir leid|"
    r"je ne sais pas|désolé|no lo sé|lo siento)\b",
    re.IGNORECASE,
)


class _Support:
    """What the approved answers say: their facts, and their sentences in the embedding space.

    The threshold is calibrated on the corpus: 9 of 10 approved sentences are less similar than
    that to every sentence of other answers, unless two answers share a sentence word for word.
    """

    def __init__(self, approved: Sequence[str], embedder: Embedder) -> None:
        self._embedder = embedder
        self._facts = Known(approved)
        told = [(sentence, i) for i, text in enumerate(approved) for sentence in sentences(text)]
        self._vectors = embedder.encode([sentence for sentence, _ in told])
        self.threshold = _calibrate(self._vectors, np.array([i for _, i in told]))

    def lacking(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """What each text states that no approved answer does: facts, then whole sentences."""
        told = [(sentence, i) for i, text in enumerate(texts) for sentence in sentences(text)]
        closest = _closest(self._embedder.encode([sentence for sentence, _ in told]), self._vectors)
        found: list[list[str]] = [list(self._facts.unsupported(text)) for text in texts]
        for (sentence, i), cosine in zip(told, closest, strict=True):
            if cosine < self.threshold:
                found[i].append(sentence)
        return [tuple(facts) for facts in found]


def _calibrate(vectors: Matrix, answer: "np.ndarray[tuple[int], np.dtype[np.int_]]") -> float:
    """The similarity from which on a sentence counts as said by another text."""
    nearest = []
    places = np.random.default_rng(17).permutation(len(vectors))[:500]
    for place in places:
        elsewhere = vectors[answer != answer[place]]
        if len(elsewhere):
            nearest.append(float((elsewhere @ vectors[place]).max()))
    own = [cosine for cosine in nearest if cosine < SHARED]
    if len(own) < 20:
        return 0.8
    return float(np.clip(np.quantile(own, OF_THEIR_OWN), 0.6, 0.9))


def _closest(vectors: Matrix, known: Matrix, block: int = 1024) -> Iterable[float]:
    if not len(known):
        return [0.0] * len(vectors)
    return [
        float(cosine)
        for at in range(0, len(vectors), block)
        for cosine in (vectors[at : at + block] @ known.T).max(axis=1)
    ]


def _floors(known: Matrix) -> list[float]:
    """For each approved answer, its mean similarity to all others."""
    if len(known) < 2:
        return [0.0] * len(known)
    total = known @ known.sum(axis=0) - (known * known).sum(axis=1)
    return [float(x) for x in total / (len(known) - 1)]


def _answer_key(corpus: Corpus) -> Callable[[Example], str]:
    """What makes two examples have one answer: nearly equal ones count as one."""
    cluster = corpus.neighbours.answers
    by_text = {normalise(e.answer): str(cluster[e.id]) for e in corpus.examples if e.id in cluster}
    return lambda e: by_text.get(normalise(e.answer), f"text {normalise(e.answer)}")
