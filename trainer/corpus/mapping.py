"""Which column holds the question, which the answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainer.errors import CorpusError

_NAMES = {
    "question": ("question", "questions", "q", "prompt", "instruction", "query"),
    "answer": ("answer", "answers", "a", "response", "completion", "output", "reply"),
    "topic": ("topic", "topics", "category", "class", "tag", "section", "intent"),
}


@dataclass(frozen=True)
class Mapping:
    """The names of the columns, as the file writes them; `topic` may be missing."""

    question: str
    answer: str
    topic: str | None = None

    def columns(self, header: Sequence[str]) -> tuple[int, int, int | None]:
        """Where question, answer and topic stand in a row."""
        topic = None if self.topic is None else header.index(self.topic)
        return header.index(self.question), header.index(self.answer), topic


def guess_mapping(header: Sequence[str], *, file: str) -> Mapping:
    """Find the columns by their names, in any order and any case, or say what was looked for."""
    by_name = {name.strip().casefold(): name for name in reversed(header)}
    found = {
        role: next((by_name[name] for name in names if name in by_name), None)
        for role, names in _NAMES.items()
    }
    question, answer = found["question"], found["answer"]
    if question is None or answer is None:
        missing = "question" if question is None else "answer"
        shown = ", ".join(f"'{name}'" for name in header if name)[:200] or "nothing"
        raise CorpusError(
            f"{file}, row 1: no column is called '{missing}'. The first row must name the columns, "
            f"'question' and 'answer' among them; found {shown}. Rename the columns and try again."
        )
    return Mapping(question, answer, found["topic"])
