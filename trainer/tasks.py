"""What a corpus asks of a model: free answers, labels, summaries or translations."""

import random
from collections import Counter
from collections.abc import Sequence
from statistics import median

from trainer.corpus.examples import Example
from trainer.corpus.language import detect
from trainer.corpus.mapping import Task as MappedTask
from trainer.corpus.word_lists import UNSPACED
from trainer.corpus.wording import read_wording
from trainer.report import Task

SAMPLE = 200  # examples that are looked at
FEWEST = 10  # of them must be in a language for sure before a corpus is one of translations
MOST = 0.7  # of the examples have what makes a task
ALIKE = 3  # times as long as the other may one side of a translation be, half of the time
LONG = 400  # letters of a text from which on half of them must be, to be summed up
SHORTER = 0.5  # of the text's length is a summary at most
TAKEN = 0.45  # of a summary's content words stand in its text; of another text's, a quarter
READ = 30_000  # letters of a text that are looked at


def recognise_task(examples: Sequence[Example], mapped: MappedTask) -> Task:
    """Tell the task of a corpus from a sample of its examples, and from how it was mapped."""
    if mapped == "labels":
        return "labels"
    sample = list(examples)
    if len(sample) > SAMPLE:
        sample = random.Random(17).sample(sample, SAMPLE)
    if _translated(sample):
        return "translations"
    return "summaries" if _summed_up(sample) else "answers"


def _translated(sample: Sequence[Example]) -> bool:
    """Whether most are in the same two languages, and of like length on both sides."""
    told = [
        frozenset({asked, said})
        for example in sample
        if (asked := detect(example.question)) and (said := detect(example.answer))
    ]
    if len(told) < FEWEST:
        return False
    languages, count = Counter(told).most_common(1)[0]
    if len(languages) < 2 or count < MOST * len(told):
        return False
    longer = median(_length(e.answer) / max(1, _length(e.question)) for e in sample)
    return 1 / ALIKE <= longer <= ALIKE


def _length(text: str) -> int:
    """The letters of a text; one of a script without spaces says as much as three."""
    return len(text) + 2 * len(UNSPACED.findall(text))


def _summed_up(sample: Sequence[Example]) -> bool:
    """Whether questions are long texts, and answers short and of the words of the texts."""
    if not sample or median(len(e.question) for e in sample) < LONG:
        return False
    shorter = sum(len(e.answer) <= SHORTER * len(e.question) for e in sample)
    return shorter >= MOST * len(sample) and median(map(_taken, sample)) >= TAKEN


def _taken(example: Example) -> float:
    """The share of an answer's content words that its question has too."""
    words = read_wording(example.answer).words
    return len(words & read_wording(example.question[:READ]).words) / len(words) if words else 0.0
