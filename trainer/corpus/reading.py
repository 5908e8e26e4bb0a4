"""From a file to examples: read, map, check."""

from dataclasses import dataclass
from pathlib import Path

from trainer.corpus.audit import Problem, find_problems
from trainer.corpus.examples import Example, make_examples
from trainer.corpus.mapping import Mapping, guess_mapping
from trainer.corpus.readers import read_table
from trainer.errors import CorpusError


@dataclass(frozen=True)
class Reading:
    """What a file turned out to hold."""

    format: str
    encoding: str
    mapping: Mapping
    examples: tuple[Example, ...]
    problems: tuple[Problem, ...]


def read_corpus(path: Path) -> Reading:
    """Read a file of questions and answers, or raise `CorpusError` with the row and the reason."""
    table = read_table(path)
    mapping = guess_mapping(table.header, file=path.name)
    question, answer, topic = mapping.columns(table.header)

    rows = []
    for number, cells in table.rows:
        if not any(cells):
            continue
        if any(cells[len(table.header) :]):
            raise CorpusError(
                f"{path.name}, row {number}: more cells than the first row has columns. "
                "Put quotation marks around a text that holds commas."
            )
        filled = (*cells, *("" for _ in range(len(table.header) - len(cells))))
        if not filled[question] or not filled[answer]:
            missing = mapping.answer if filled[question] else mapping.question
            raise CorpusError(
                f"{path.name}, row {number}: the cell in column '{missing}' is empty. "
                "Fill it in or delete the row."
            )
        rows.append(
            (number, filled[question], filled[answer], filled[topic] if topic is not None else "")
        )
    if not rows:
        raise CorpusError(f"{path.name} has column names but no rows. Add questions and answers.")
    examples = make_examples(rows)
    return Reading(table.format, table.encoding, mapping, examples, find_problems(examples))
