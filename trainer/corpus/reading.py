"""From files to examples: read, map, clean."""

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import pydantic

from trainer.corpus.cleaning import STEPS, Step, clean
from trainer.corpus.column_names import read_name
from trainer.corpus.examples import Example, make_examples
from trainer.corpus.guessing import Guess, guess_mapping
from trainer.corpus.mapping import Mapping, Task, apply_mapping
from trainer.corpus.readers.sandbox import read_tables
from trainer.corpus.table import Pair, Table
from trainer.errors import CorpusError


class Choices(pydantic.BaseModel, frozen=True, extra="forbid"):
    """What a person decided about reading a file, where the guess was not theirs.

    `mapping` is by part, as `name_part` calls it; `off` names cleaning steps not to take.
    """

    mapping: dict[str, Mapping] = {}
    leave_out: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    task: Task | None = None
    leak_check: bool = True


@dataclass(frozen=True)
class Part:
    """One table of an upload and what became of it. `refused` says why it was left out."""

    file: str
    name: str
    table: Table
    mapping: Mapping | None = None
    sure: bool = False
    why: tuple[str, ...] = ()
    refused: str = ""
    pairs: tuple[Pair, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Reading:
    """What an upload turned out to hold."""

    parts: tuple[Part, ...]
    task: Task
    examples: tuple[Example, ...]
    cleaning: tuple[Step, ...]
    unrepaired: tuple[int, ...]
    notes: tuple[str, ...]

    @property
    def used(self) -> tuple[Part, ...]:
        """The parts that examples came from."""
        return tuple(part for part in self.parts if part.pairs)


def read_corpus(*paths: Path, choices: Choices | None = None) -> Reading:
    """Read files of questions and answers into one list of examples.

    Raises `CorpusError` with the place and the cure when no part of them can be used.
    """
    choices = choices or Choices()
    if unknown := set(choices.off) - {step.name for step in STEPS}:
        known = ", ".join(step.name for step in STEPS)
        raise CorpusError(f"There is no cleaning step '{unknown.pop()}'. There are: {known}.")
    parts = [part for path in paths for part in open_file(path, choices, alone=len(paths) == 1)]
    tasks = Counter({part.mapping.task: 0 for part in parts if part.mapping})
    for part in parts:
        if part.mapping:
            tasks[part.mapping.task] += len(part.pairs)
    if not tasks:
        raise CorpusError(" ".join(dict.fromkeys(part.refused for part in parts)))
    task = choices.task or tasks.most_common(1)[0][0]
    notes = []
    pairs: list[Pair] = []
    for at, part in enumerate(parts):
        label = f"{part.name}: " if part.name else ""
        if part.mapping and part.mapping.task != task and choices.task is None:
            told = f"{label}left out, for it holds {_KINDS[part.mapping.task]}."
            part = parts[at] = replace(part, refused=told, pairs=())
        notes += [label + note for note in part.table.notes]
        notes += [part.refused] if part.refused else [label + why for why in part.why]
        pairs += part.pairs
    cleaned = clean(pairs, off=choices.off)
    examples = make_examples(cleaned.pairs)
    if not examples:
        files = ", ".join(path.name for path in paths)
        raise CorpusError(
            f"{files}: no row has both a question and an answer. Fill in the empty cells, or "
            "choose other columns."
        )
    return Reading(
        tuple(parts), task, examples, cleaned.steps, tuple(cleaned.unrepaired), tuple(notes)
    )


_SHEETS = ("xlsx", "xlsb", "xls", "ods")
_KINDS = {"answers": "free answers, not labels", "labels": "labels, not free answers"}


def open_file(path: Path, choices: Choices, *, alone: bool = True) -> list[Part]:
    """Read one file and find the columns of each of its tables."""
    try:
        tables = read_tables(path)
    except CorpusError as error:
        if alone:
            raise
        return [Part(path.name, path.name, Table("", ()), refused=str(error))]
    parts = []
    for table in tables:
        name = _name_part(path, table, alone=alone and len(tables) == 1)
        where = f"{path.name}, {table.part}" if table.part else path.name
        if name in choices.leave_out:
            parts.append(Part(path.name, name, table, refused=f"{where} was left out."))
            continue
        try:
            parts.append(_map(path.name, name, table, choices.mapping.get(name), where))
        except CorpusError as error:
            parts.append(Part(path.name, name, table, refused=str(error)))
    return _name_topics(parts)


def _name_topics(parts: list[Part]) -> list[Part]:
    """Take the names of sheets for topics where several hold pairs, unless they only number."""
    sheets = [p for p in parts if p.pairs and p.table.format in _SHEETS]
    names = {re.sub(r"[\W\d_]+", "", part.table.part) for part in sheets}
    if len(names) < 2 or any(read_name(part.table.part).language for part in sheets):
        return parts
    why = "Its pairs have the name of the sheet as their topic."
    return [
        replace(
            part,
            pairs=tuple(pair._replace(topic=part.table.part) for pair in part.pairs),
            why=(*part.why, why),
        )
        if part in sheets and not any(pair.topic for pair in part.pairs)
        else part
        for part in parts
    ]


def _map(file: str, name: str, table: Table, chosen: Mapping | None, where: str) -> Part:
    guess = Guess(chosen, True, ()) if chosen else guess_mapping(table, file=where)
    mapped = apply_mapping(table, guess.mapping, file=where)
    if not mapped.pairs:
        raise CorpusError(f"{where} has column names but no rows. Add questions and answers.")
    pairs = tuple(pair._replace(part=name) for pair in mapped.pairs)
    why = (*guess.why, *mapped.notes)
    return Part(file, name, table, guess.mapping, guess.sure, why, "", pairs)


def _name_part(path: Path, table: Table, *, alone: bool) -> str:
    if alone:
        return ""
    return f"{path.name} / {table.part}" if table.part else path.name
