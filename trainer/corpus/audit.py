"""What is wrong with a corpus, or worth knowing, as a list a person can act on."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from trainer.corpus.examples import Example, normalise

FEWEST_EXAMPLES = 20


@dataclass(frozen=True)
class Problem:
    """One kind of finding; `where` names the rows, or the first of them."""

    kind: str
    count: int
    where: tuple[str, ...]
    meaning: str


def find_problems(examples: Sequence[Example]) -> tuple[Problem, ...]:
    """Look for repeats, contradictions and too little to learn from; worst first."""
    answers: dict[str, dict[str, list[Example]]] = defaultdict(lambda: defaultdict(list))
    for example in examples:
        answers[normalise(example.question)][normalise(example.answer)].append(example)

    contradictions = [
        [example for same in by_answer.values() for example in same]
        for by_answer in answers.values()
        if len(by_answer) > 1
    ]
    repeats = [
        same for by_answer in answers.values() for same in by_answer.values() if len(same) > 1
    ]
    found = []
    if len(examples) < FEWEST_EXAMPLES:
        meaning = f"Fewer than {FEWEST_EXAMPLES} examples: too few to learn from or to measure."
        found.append(Problem("too few examples", len(examples), (), meaning))
    if contradictions:
        meaning = "The same question has different answers; the bot will learn to mix them."
        places = tuple(_rows(group) for group in contradictions[:_PLACES])
        found.append(Problem("contradiction", len(contradictions), places, meaning))
    if repeats:
        meaning = "The same question and answer stand there more than once; they count once."
        places = tuple(_rows(group) for group in repeats[:_PLACES])
        found.append(Problem("duplicate", sum(len(g) - 1 for g in repeats), places, meaning))
    return tuple(found)


_PLACES = 50


def _rows(group: Sequence[Example]) -> str:
    rows = sorted(example.row for example in group)
    more = f" and {len(rows) - _PLACES} more" if len(rows) > _PLACES else ""
    return "rows " + ", ".join(map(str, rows[:_PLACES])) + more
