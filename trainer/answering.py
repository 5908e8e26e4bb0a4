"""Every contender answers what an evaluation asks; after a stop, what is not answered yet."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pydantic

from trainer.corpus.examples import Example, normalise
from trainer.errors import warn_once
from trainer.events import Answering
from trainer.generate import Ask, Said, active_adapter, answer_all
from trainer.models import Base
from trainer.report import Contender
from trainer.runs import Evaluation
from trainer.sampling import Sampling
from trainer.scoring import Embedder

NEAREST = 3  # approved answers in the prompt of the retrieval contender
PREAMBLE = "Answer the question with what these approved answers say."


class Stop(Exception):
    """Someone asked the evaluation to stop."""


@dataclass(frozen=True)
class Asked:
    """One question as one contender is asked it; `id` says what for."""

    who: Contender
    id: str
    prompt: str


class AnswerLog:
    """The answers so far, one JSON object a line in `answers.jsonl`; one writer."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[tuple[str, str], Said]:
        """Every whole line, by contender and id; a line cut off by a crash is asked again."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return {}
        found: dict[tuple[str, str], Said] = {}
        for line in filter(None, lines):
            try:
                one = _Line.model_validate_json(line)
                found[one.who, one.id] = Said(one.text, one.tokens, one.ended)
            except pydantic.ValidationError:
                warn_once(f"{self.path}: a damaged line is left out; its question is asked again.")
        return found

    def append(self, answers: Mapping[Asked, Said]) -> None:
        """Add answers; what a crash left of a line before them is ended first."""
        lines = [_Line(who=a.who, id=a.id, **asdict(said)) for a, said in answers.items()]
        with self.path.open("ab") as file:
            if file.tell() and not self.path.read_bytes().endswith(b"\n"):
                file.write(b"\n")
            file.write(b"".join(line.model_dump_json().encode() + b"\n" for line in lines))


class _Line(pydantic.BaseModel, frozen=True):
    who: Contender
    id: str
    text: str
    tokens: int
    ended: bool


def gather(base: Base, asked: Sequence[Asked], evaluation: Evaluation) -> dict[Asked, Said]:
    """Answer what is not answered yet, longest prompts first; raises `Stop` when asked to stop."""
    log, config = AnswerLog(evaluation.path / "answers.jsonl"), evaluation.config
    before = log.read()
    found = {one: before[one.who, one.id] for one in asked if (one.who, one.id) in before}
    left = [one for one in asked if one not in found]
    if evaluation.stop_asked:
        raise Stop
    started, known = time.monotonic(), len(found)
    sampling, adapter = Sampling(most_new_tokens=config.most_new_tokens), active_adapter(base)
    if adapter is None:
        raise ValueError("the tuned model is to answer, but no adapter is switched on")
    batches = answer_all(
        base,
        [
            Ask(
                [{"role": "user", "content": one.prompt}],
                adapter if one.who == "tuned" else None,
                sampling,
            )
            for one in left
        ],
        batch_size=config.batch_size,
        stop=lambda: evaluation.stop_asked,
    )
    for batch in batches:
        answers = {left[place]: said for place, said in batch.items()}
        log.append(answers)
        found |= answers
        rate = (time.monotonic() - started) / max(1, len(found) - known)
        seconds_left = rate * (len(asked) - len(found))
        told = Answering(done=len(found), total=len(asked), seconds_left=seconds_left)
        evaluation.events.append(told)
    if len(found) < len(asked):
        raise Stop
    return found


def look_up(
    questions: Sequence[str], known: Sequence[Example], embedder: Embedder
) -> list[list[Example]]:
    """For each question, the examples that ask the nearest, one for each of `NEAREST` answers.

    The first is what a search box over the taught questions would answer with.
    """
    cosines = embedder.encode(questions) @ embedder.encode([e.question for e in known]).T
    found = []
    for row in cosines:
        several: dict[str, Example] = {}
        for place in row.argsort()[::-1]:
            several.setdefault(normalise(known[place].answer), known[place])
            if len(several) == NEAREST:
                break
        found.append(list(several.values()))
    return found


def retrieval_prompt(base: Base, question: str, found: Sequence[Example], room: int) -> str:
    """The question after the nearest approved answers, the nearest last; as many as fit in `room`.

    `room` is in tokens. Without room for one it is the question alone.
    """
    for few in range(len(found), 0, -1):
        told = "\n\n".join(f"Q: {e.question}\nA: {e.answer}" for e in reversed(found[:few]))
        prompt = f"{PREAMBLE}\n\n{told}\n\nQ: {question}"
        if len(base.format.prompt([{"role": "user", "content": prompt}])) <= room:
            return prompt
    return question
