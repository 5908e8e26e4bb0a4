"""What one answer is worth beside the approved one: words in common, the nearest answer, a label.

Every measure is from 0 to 1, and higher is better.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import TypeVar

import numpy as np
from rapidfuzz.distance import LCSseq
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sklearn.metrics import (
    accuracy_score,
    precision_recall_fscore_support,
)

from trainer.corpus.examples import normalise
from trainer.corpus.word_lists import PARTS, UNSPACED
from trainer.report import LabelScore, LabelScores, Measure, Task
from trainer.scoring import Matrix

LEVEL = 1e-6  # cosines no further apart than this are the same
T = TypeVar("T")
ARTICLES = ("a", "an", "the")


def words_of(text: str) -> list[str]:
    """The words of a text without case and punctuation; letters where a script has no spaces."""
    words: list[str] = []
    for word in normalise(text).split():
        words += [word] if word.isascii() else PARTS.findall(word)
    return words


def token_f1(answer: str, approved: str) -> float:
    """Words in common, without articles, as SQuAD counts them (Rajpurkar et al. 2016)."""
    said, wanted = (
        Counter(word for word in words_of(text) if word not in ARTICLES)
        for text in (answer, approved)
    )
    if not said or not wanted:
        return float(said == wanted)
    return _f1(said, wanted)


def rouge_n(answer: str, approved: str, n: int) -> float:
    """F1 of the groups of `n` words in common (ROUGE-N, Lin 2004)."""
    return _f1(*(Counter(_groups(words_of(text), n)) for text in (answer, approved)))


def rouge_l(answer: str, approved: str) -> float:
    """F1 of the longest common subsequence of words (ROUGE-L, Lin 2004)."""
    said, wanted = words_of(answer), words_of(approved)
    if not said or not wanted:
        return 0.0
    return 2 * LCSseq.similarity(said, wanted) / (len(said) + len(wanted))


def chrf(answer: str, approved: str) -> float:
    """The F-score of characters in common (chrF, Popović 2015), by sacrebleu."""
    return min(1.0, CHRF().sentence_score(answer, [approved]).score / 100)


def bleu(answer: str, approved: str) -> float:
    """BLEU of one sentence (Papineni et al. 2002), by sacrebleu; cut as the script needs it."""
    if not UNSPACED.search(approved):
        cut = "13a"
    elif any("\u3400" <= letter <= "\u9fff" for letter in approved) and not any(
        "\u3040" <= letter <= "\u30ff" for letter in approved
    ):
        cut = "zh"
    else:
        cut = "char"
    return min(1.0, _bleu(cut).sentence_score(answer, [approved]).score / 100)


def exact(answer: str, approved: str) -> float:
    """1 where two texts are equal but for case, spaces and punctuation, else 0."""
    return float(normalise(answer) == normalise(approved))


def repeats(text: str) -> float:
    """The share of a text's groups of three words that stood there before."""
    groups = Counter(_groups(words_of(text), 3))
    return 1 - len(groups) / groups.total() if groups else 0.0


MEASURES: Mapping[Task, Mapping[Measure, Callable[[str, str], float]]] = {
    "answers": {"token_f1": token_f1, "rouge_l": rouge_l, "exact": exact},
    "labels": {"exact": exact, "token_f1": token_f1},
    "summaries": {
        "rouge_1": lambda answer, approved: rouge_n(answer, approved, 1),
        "rouge_2": lambda answer, approved: rouge_n(answer, approved, 2),
        "rouge_l": rouge_l,
        "token_f1": token_f1,
        "exact": exact,
    },
    "translations": {"chrf": chrf, "bleu": bleu, "rouge_l": rouge_l, "exact": exact},
}


def score_texts(answer: str, approved: str, task: Task) -> dict[Measure, float]:
    """Measure an answer by its words alone, as its task is measured."""
    return {name: measure(answer, approved) for name, measure in MEASURES[task].items()}


def right_nearest(answers: Matrix, approved: Sequence[int], known: Matrix) -> list[bool]:
    """Whether its own approved answer is the closest to each answer.

    `known` are the distinct approved answers, `approved` the row among them that belongs to each
    row of `answers`; all rows are of length 1.
    """
    cosines = answers @ known.T
    own = cosines[np.arange(len(answers)), np.asarray(approved, np.intp)]
    return [bool(right) for right in own >= cosines.max(axis=1, initial=-1.0) - LEVEL]


def score_labels(
    approved: Sequence[str], given: Sequence[str], *, known: Sequence[str] = ()
) -> LabelScores:
    """Score given texts as labels, or ids of answers; macro means are over those in `approved`.

    A text is a label where it equals one, normalised, of `approved` or `known`, else it is "".
    """
    names = {normalise(label): label for label in (*known, *sorted(set(approved), reverse=True))}
    wanted = [names[normalise(label)] for label in approved]
    found = [names.get(normalise(text), "") for text in given]
    labels = sorted(set(wanted))
    if not labels:
        return LabelScores(
            accuracy=0, macro_precision=0, macro_recall=0, macro_f1=0, labels=(), confusion={}
        )
    columns = precision_recall_fscore_support(wanted, found, labels=labels, zero_division=0)
    precision, recall, f1, _ = (float(column.mean()) for column in columns)
    confusion: dict[str, dict[str, int]] = {label: {} for label in labels}
    for (label, said), count in sorted(Counter(zip(wanted, found, strict=True)).items()):
        confusion[label][said] = count
    return LabelScores(
        accuracy=float(accuracy_score(wanted, found)),
        macro_precision=precision,
        macro_recall=recall,
        macro_f1=f1,
        labels=tuple(
            LabelScore(label=label, precision=p, recall=r, f1=f, n=n)
            for label, p, r, f, n in zip(labels, *(map(float, c) for c in columns), strict=True)
        ),
        confusion=confusion,
    )


def _groups(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return list(zip(*(islice(words, at, None) for at in range(n)), strict=False))


def _f1(said: Counter[T], wanted: Counter[T]) -> float:
    total = said.total() + wanted.total()
    return 2 * (said & wanted).total() / total if total else 0.0


@cache
def _bleu(cut: str) -> BLEU:
    return BLEU(tokenize=cut, effective_order=True)
