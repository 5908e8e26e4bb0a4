"""Which questions, and which answers, say nearly the same: by their words, and by their meaning.

By words, two texts are near when they hold the same content words, in any order and with any
function words between them, up to inflection and single typing mistakes. Numbers, negation, what is
asked for (when, where, who) and direction (from here to there) must agree, by meaning as well: an
embedding finds "is covered" and "is not covered" alike. Words are those of the language whose
function words a text uses; where no list fits, all words count. Scripts without spaces are
compared by their characters.

Measured on 420 pairs of our own (`tests/data/near_pairs.jsonl`: 318 in English, the others German,
French, Spanish and Chinese), a third each near-duplicates, the same question in quite other words,
and hard negatives one number, name, negation or direction apart. The thresholds were chosen on
these pairs, so expect a little less elsewhere; `test_near` and `test_meaning` hold the figures:

    found to be near                      near-duplicates  other words  different
    English, by words (0.95)                   61 of 106     0 of 106    0 of 106
    the other four, by words (0.95)            32 of 34      0 of 34     0 of 34
    English, words and meaning (0.93)          92 of 106     0 of 106    0 of 106
    the same, one answer (0.88)                99 of 106     1 of 106    3 of 106
    English, cosine alone (0.93)               88 of 106     0 of 106   14 of 106

By words, what is found is right and a synonym is missed; both is what a check that everybody has,
without a model, should do.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from math import ceil
from typing import Literal, Protocol

import pydantic

from trainer.corpus.examples import Example, connect, normalise
from trainer.corpus.wording import Wording, agree, name_words, read_wording, settle_spelling

QUESTION_WORDS = 0.95  # of their content words in common: all, unless there are 20 or more
ANSWER_WORDS = 0.85  # "almost the same words": one of 7 more, or one of 13 another
QUESTION_MEANING = 0.93  # cosine
SAME_ANSWER_MEANING = 0.88  # cosine that is enough where the answers are nearly equal, too,
FEW_WORDINGS = 20  # unless the answer belongs to more questions than this, as a label does

MOST_CANDIDATES = 64  # texts that one text is compared with, those with its rarest words
MOST_MATCHES = 8  # of them that are reported
MOST_COMPARED = 20_000  # texts of which all pairs are compared by meaning
WORTH_JUDGING = 0.5  # of their words in common; above MOST_COMPARED only such pairs are compared

Pairs = list[tuple[int, int, float]]
Progress = Callable[[int, int], None]  # done, total


class Judge(Protocol):
    """What can tell how close the meanings of two texts are; see `trainer.meaning`."""

    def can_judge(self, text: str, /) -> bool:
        """Whether it reads the language of this text."""

    def close_pairs(
        self,
        texts: Sequence[str],
        *,
        candidates: Sequence[tuple[int, int]] | None,
        threshold: float,
        progress: Progress | None = None,
    ) -> Pairs:
        """Pairs of texts (i < j) at least this similar; of `candidates`, or of all."""


class Neighbours(pydantic.BaseModel, frozen=True):
    """Which questions and which answers of a corpus say nearly the same.

    `questions` and `answers` give the cluster of each example id; what is in one cluster is never
    on two sides of a split. `pairs` are near-duplicate questions with their similarity, by the ids
    of the first examples that ask them, closest first; equal questions are no pair.
    """

    method: Literal["by words", "by words and meaning"]
    thresholds: dict[str, float]
    questions: dict[str, int]
    answers: dict[str, int]
    pairs: tuple[tuple[str, str, float], ...] = ()

    @property
    def told(self) -> str:
        """How they were compared, in a few words for a person."""
        words = f"{self.thresholds['question words']:.0%} of the words in common"
        if self.method == "by words":
            return f"by words: {words}"
        return f"by words and meaning: {words}, or similarity {self.thresholds['meaning']:.2f}"


def find_duplicates(
    examples: Sequence[Example],
    judge: Judge | None = None,
    *,
    tell: Callable[[float], None] | None = None,
) -> Neighbours:
    """Find the clusters of nearly equal questions and answers; `tell` hears the share done."""
    tell = tell or (lambda share: None)
    tell(0.0)
    asked, question_of = _distinct(e.question for e in examples)
    said, answer_of = _distinct(e.answer for e in examples)
    answers = connect(len(said), ((i, j) for i, j, _ in find_near(said, threshold=ANSWER_WORDS)))
    tell(0.3)
    close = find_near(asked, threshold=QUESTION_WORDS)
    tell(0.4)
    if judge:
        said_to = defaultdict(set)
        for question, answer in zip(question_of, answer_of, strict=True):
            said_to[question].add(answers[answer])
        close += _find_by_meaning(
            asked, said_to, connect(len(asked), ((i, j) for i, j, _ in close)), judge,
            lambda done, total: tell(0.4 + 0.6 * done / max(total, 1)),
        )  # fmt: skip
    questions = connect(len(asked), ((i, j) for i, j, _ in close))
    tell(1.0)
    first: dict[int, str] = {}
    for example, question in zip(examples, question_of, strict=True):
        first.setdefault(question, example.id)
    return Neighbours(
        method="by words and meaning" if judge else "by words",
        thresholds={
            "question words": QUESTION_WORDS,
            "answer words": ANSWER_WORDS,
            "meaning": QUESTION_MEANING,
            "meaning, same answer": SAME_ANSWER_MEANING,
        },
        questions={e.id: questions[q] for e, q in zip(examples, question_of, strict=True)},
        answers={e.id: answers[a] for e, a in zip(examples, answer_of, strict=True)},
        pairs=tuple(
            (first[i], first[j], round(similarity, 3))
            for i, j, similarity in sorted(close, key=lambda pair: (-pair[2], pair))
        ),
    )


def find_near(texts: Sequence[str], *, threshold: float = QUESTION_WORDS) -> Pairs:
    """Find pairs (i < j) of texts that share at least this much of their content words.

    Texts with the very same content words are each paired with the first of them only, so that
    the work stays linear. Others are joined by prefix filtering (Bayardo et al. 2007): a text is
    compared with at most `MOST_CANDIDATES` of those that share one of its rarest words, and paired
    with at most `MOST_MATCHES`; where a template is repeated more often, some pairs are not found.
    """
    wordings = settle_spelling([read_wording(text) for text in texts])
    pairs: Pairs = []
    firsts: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for i, wording in enumerate(wordings):
        same = firsts[wording.numbers, wording.negations, wording.asks, wording.words]
        for j in same:
            if agree(wordings[j], wording):
                pairs.append((j, i, 1.0))
                break
        else:
            if len(same) < MOST_CANDIDATES:
                same.append(i)
    fewest = 1 / (1 - threshold) if threshold < 1 else float("inf")
    several = [
        i for same in firsts.values() for i in same[:1] if len(wordings[i].words) >= fewest - 1e-9
    ]
    pairs += _join(several, wordings, threshold)
    return pairs


def _join(several: Sequence[int], wordings: Sequence["Wording"], threshold: float) -> Pairs:
    """The pairs among these wordings, no two of them equal, that reach the threshold."""
    often = Counter(word for i in several for word in wordings[i].words)
    seen: dict[tuple[object, ...], list[int]] = defaultdict(list)
    pairs: Pairs = []
    for i in sorted(several, key=lambda i: len(wordings[i].words)):
        one = wordings[i]
        size = len(one.words)
        rarest = sorted(one.words, key=lambda word: (often[word], word))
        prefix = rarest[: size - ceil(threshold * size - 1e-9) + 1]
        places = [seen[one.numbers, one.negations, word] for word in prefix]
        met = dict.fromkeys(islice((j for at in places for j in reversed(at)), MOST_CANDIDATES * 4))
        close = []
        for j in islice(met, MOST_CANDIDATES):
            common = len(one.words & wordings[j].words)
            similarity = common / (size + len(wordings[j].words) - common)
            if similarity >= threshold - 1e-9:
                close.append((similarity, j))
        close.sort(reverse=True)
        agreeing = (
            (min(i, j), max(i, j), similarity)
            for similarity, j in close
            if one.asks == wordings[j].asks and agree(one, wordings[j])
        )
        pairs += islice(agreeing, MOST_MATCHES)
        for at in places:
            at.append(i)
    return pairs


def _find_by_meaning(
    texts: Sequence[str],
    said_to: Mapping[int, set[int]],
    clusters: Sequence[int],
    judge: Judge,
    progress: Progress,
) -> Pairs:
    """Pairs of different clusters that the judge finds close and whose details agree."""
    firsts = sorted(set(clusters))
    wordings = {i: read_wording(texts[i]) for i in firsts if judge.can_judge(texts[i])}
    details = Counter((w.numbers, w.negations) for w in wordings.values())
    those = [i for i, w in wordings.items() if details[w.numbers, w.negations] > 1]
    chosen = [texts[i] for i in those]
    candidates = None
    if len(chosen) > MOST_COMPARED:
        candidates = [(i, j) for i, j, _ in find_near(chosen, threshold=WORTH_JUDGING)]
    close = judge.close_pairs(
        chosen, candidates=candidates, threshold=SAME_ANSWER_MEANING, progress=progress
    )
    answers: dict[int, set[int]] = defaultdict(set)
    for question, cluster in enumerate(clusters):
        answers[cluster] |= said_to[question]
    told = Counter(answer for all_of_one in answers.values() for answer in all_of_one)
    pairs = []

    def names(i: int, j: int) -> set[str]:
        return name_words(texts[i]) | name_words(texts[j])

    for a, b, similarity in close:
        i, j = those[a], those[b]
        shared = answers[i] & answers[j]
        alike = any(told[answer] <= FEW_WORDINGS for answer in shared)
        enough = SAME_ANSWER_MEANING if alike else QUESTION_MEANING
        one, other = wordings[i], wordings[j]
        asks = not (one.asks and other.asks) or one.asks == other.asks
        if not shared and (one.words ^ other.words) & names(i, j):
            continue  # a Gold card and a Platinum card, told apart by their answers
        if similarity >= enough and asks and agree(one, other):
            pairs.append((i, j, similarity))
    return pairs


def _distinct(texts: Iterable[str]) -> tuple[list[str], list[int]]:
    """The texts that are not equal once normalised, and which of them each text is."""
    index: dict[str, int] = {}
    kept: list[str] = []
    which: list[int] = []
    for text in texts:
        key = normalise(text)
        if key not in index:
            index[key] = len(kept)
            kept.append(text)
        which.append(index[key])
    return kept, which
