"""Which column is the question, which the answer: guessed from names and content.

A guess adds up what a column is called and what its cells look like. Names that say it outright
weigh more than any content; content decides where names do not tell, and raises doubt where it
speaks against them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from trainer.corpus.choosing import (
    Columns,
    answers_win,
    choose_labels,
    choose_pair,
    choose_texts,
    clearly_labels,
    marks_pairs,
    stacks_pairs,
)
from trainer.corpus.column_names import (
    Name,
    read_name,
    reduce_name,
)
from trainer.corpus.columns import (
    SAMPLE,
    Column,
    Rows,
    find_columns,
    find_header_row,
    find_letters,
    is_filled,
    letters_of,
    measure_column,
    names_columns,
    one_text,
    show_names,
)
from trainer.corpus.mapping import Mapping, Task
from trainer.corpus.table import Table
from trainer.errors import CorpusError


@dataclass(frozen=True)
class Guess:
    """A mapping, whether it needs no second look, and why it was made, for the person."""

    mapping: Mapping
    sure: bool
    why: tuple[str, ...]


def guess_mapping(table: Table, *, file: str) -> Guess:
    """Guess which column is which, or raise `CorpusError` with what was looked for and seen."""
    why = []
    header = True
    if table.header is None:
        rows = tuple(row for row in table.rows if any(map(is_filled, row[1])))
        if rows:
            at = find_header_row(rows)
            texts = [[one_text(cell).strip() for cell in row] for _, row in rows[at : at + 200]]
            header = names_columns(texts[0], texts[1:])
    names, rows = find_columns(table, header=header)
    if not header:
        shown = ", ".join(f"'{name}'" for name in names[:3]) + " and so on" * (len(names) > 3)
        why.append(f"No {table.unit} names the columns; they are called {shown}.")
    if not rows:
        raise CorpusError(f"{file} holds no rows. Add questions and answers.")
    size = max(20, min(SAMPLE, 200_000 // len(names)))
    sample = [cells for _, cells in rows[:: max(1, len(rows) // size)]]
    letters = dict(zip(find_letters(names), ("question", "answer"), strict=False))
    columns = []
    for at, name in enumerate(names):
        letter = letters.get(reduce_name(name))
        said = Name({letter: 95}, True) if letter else read_name(name)
        said = Name() if not header or name == f"column {letters_of(at)}" else said
        columns.append(measure_column(at, name, said, [cells[at] for cells in sample]))
    if any(map(marks_pairs, columns)) or stacks_pairs([cells for _, cells in rows[:200]]):
        raise CorpusError(
            f"{file} holds questions and answers below each other. Put every answer beside its "
            "question, in a column of its own, and try again."
        )
    pair = choose_pair(columns)
    labels = choose_labels(columns, pair)
    doubts: list[str] = []
    if labels and not (pair and answers_win(pair, labels[1])):
        question, answer = labels
        task: Task = "labels"
        kinds = f"{answer.values}{' or more' if len(sample) < len(rows) else ''} different values"
        told = f"{_start(answer)} holds {kinds} in {len(rows):,} rows: labels, not answers."
        (doubts if answer.says("answer") >= 60 else why).append(told)
        if not clearly_labels(question, answer, columns):
            doubts.append(
                f"Nothing but its few values makes {_say(answer)} the label of {_say(question)}."
            )
    elif pair:
        question, answer, task = *pair, "answers"
        why += _explain(question, answer)
        doubts += _doubt(question, answer, columns)
        if _swapped(question, answer):
            question, answer = answer, question
    elif pair := choose_texts(columns):
        question, answer, task = *pair, "answers"
        doubts.append(
            f"Nothing tells which column asks; {_say(question)} is taken, with the answers in "
            f"{_say(answer)}."
        )
    else:
        raise CorpusError(_refuse(columns, file))
    rest = [c for c in columns if c.at not in (question.at, answer.at) and c.filled >= 0.01]
    wordings = _find_wordings(question, answer, rest) if task == "answers" else ()
    topic = _find_topic([c for c in rest if c not in wordings]) if task == "answers" else None
    context = _find_context(question, answer, rest, rows) if task == "answers" else None
    if wordings:
        shown = ", ".join(map(_say, wordings))
        why.append(f"Other wordings of the question are taken from {shown}.")
    if context:
        why.append(
            f"Equal questions have other answers for another '{context.name}', so that is put in "
            "front of the question."
        )
    if topic:
        why.append(f"Topics are taken from {_say(topic)}.")
    if task == "answers":
        rest = [column for column in rest if column not in (*wordings, topic, context)]
        for told, doubtful in _compare_others(question, answer, rest):
            (doubts if doubtful else why).append(told)
    mapping = Mapping(
        question=question.name,
        answer=answer.name,
        topic=topic.name if topic else None,
        wordings=tuple(column.name for column in wordings),
        context=context.name if context else None,
        header=header,
        task=task,
    )
    return Guess(mapping, not doubts, (*why, *doubts))


def _say(column: Column) -> str:
    """A column in a sentence: by its name, or by its place where it has none."""
    return column.name if column.nameless else f"column '{column.name}'"


def _start(column: Column) -> str:
    return _say(column)[:1].upper() + _say(column)[1:]


def _explain(question: Column, answer: Column) -> Iterator[str]:
    """Why these columns, where their names alone do not say it."""
    if question.says("question") < 40:
        yield f"{question.asking:.0%} of the cells in {_say(question)} read as questions."
    if answer.says("answer") < 40:
        yield f"{_start(answer)} holds the texts that fit as answers."


def _swapped(question: Column, answer: Column) -> bool:
    """Whether the cells say beyond doubt that the names stand on the wrong columns."""
    return (
        answer.marked >= 0.8
        and question.marked <= 0.1
        and question.length >= 1.5 * answer.length
        and answer.cells >= 3
    )


def _doubt(question: Column, answer: Column, columns: Columns) -> Iterator[str]:
    """What a person should look at before they trust the guess."""
    rest = [c for c in columns if c.at not in (question.at, answer.at) and c.filled >= 0.1]
    if _swapped(question, answer):
        yield (
            f"The cells of {_say(answer)} are the questions, so the two columns are taken the "
            "other way round than they are named."
        )
    elif answer.marked >= 0.3 and answer.marked > question.marked + 0.25:
        yield (
            f"More cells end in a question mark in {_say(answer)} than in {_say(question)}: "
            "are they swapped?"
        )
    named = (question.says("question"), answer.says("answer"))
    rivals = [column for column in rest if column.texty and not column.said.strengths]
    asks_well = question.asking >= 0.3 and answer.marked < 0.3
    if min(named) < 60 and max(named) >= 40:
        if min(named) < 40 and rivals:
            shown = " or ".join(_say(column) for column in rivals[:3])
            role = "question" if question.says("question") < 40 else "answer"
            yield f"The {role} could be {shown} instead."
        elif max(named) < 60 and not asks_well:
            yield f"Few cells of {_say(question)} read as questions."
    elif max(named) < 40:
        clear = question.marked >= 0.5 and answer.marked <= 0.2
        if not clear or rivals or answer.length <= question.length:
            yield "No column is named like a question or an answer; this is a guess from the cells."


def _find_wordings(question: Column, answer: Column, rest: Columns) -> tuple[Column, ...]:
    answered = {column.said.number for column in rest if column.says("answer") >= 60}
    return tuple(
        column
        for column in rest
        if (
            column.says("wording") >= 80
            or (
                column.says("question") >= 60
                and column.said.number != question.said.number
                and column.said.number not in answered
                and column.said.language == question.said.language
            )
        )
        and column.dull < 0.5
        and column.length <= 5 * max(question.length, 40)
    )


def _find_topic(rest: Columns) -> Column | None:
    def fit(column: Column) -> tuple[int, int]:
        return max(column.says("topic"), column.says("label") - 10), -column.values

    topics = [
        column
        for column in rest
        if (fit(column)[0] >= 60 or (column.labelled and column.nameless))
        and (column.dull < 0.5)
        and (column.values < 0.9 * column.cells or column.cells < 20)
    ]
    return max(topics, key=fit, default=None)


def _find_context(question: Column, answer: Column, rest: Columns, rows: Rows) -> Column | None:
    """The column without which equal questions would have different answers, if one is named so."""
    for column in rest:
        if column.says("context") < 90 or column.length > 80:
            continue
        answers: dict[str, dict[str, str]] = {}
        for _, cells in rows:
            asked, said, about = (
                one_text(cells[c.at]).strip().casefold() for c in (question, answer, column)
            )
            if asked and said and about:
                answers.setdefault(asked, {})[about] = said
        shared = [by.values() for by in answers.values() if len(by) > 1]
        differing = sum(len(set(said)) > 1 for said in shared)
        if (
            len(shared) >= 3
            and differing > len(shared) / 2
            and (sum(map(len, shared)) >= 0.05 * len(rows))
        ):
            return column
    return None


def _compare_others(question: Column, answer: Column, rest: Columns) -> Iterator[tuple[str, bool]]:
    """What else could be used, each with whether a person should look at it first."""
    for column in rest:
        role, chosen = "question", question
        if column.says("answer") > column.says("question"):
            role, chosen = "answer", answer
        said, language = column.says(role), column.said.language
        if column.says("context") >= 90 or reduce_name(column.name) == "input":
            told = "can be put in front of the question, as its context; not used."
            yield f"{_start(column)} {told}", column.length > 80 or said >= 60
        elif column.dull >= 0.5:
            continue
        elif said >= 35 and language and language != chosen.said.language:
            named = f"looks like another language of the {role}; not used."
            yield f"{_start(column)} {named}", bool(chosen.said.language)
        elif said >= max(60, chosen.says(role) - 15):
            yield f"{_start(column)} could be the {role} as well; not used.", True
        elif said >= 35 and not (column.said.exact and said <= 50):
            yield f"{_start(column)} looks like another {role}; not used.", False
        elif len(column.seen) > 1 and all(
            len(value) <= 12 and read_name(value).language for value in column.seen
        ):
            shown = ", ".join(column.seen[:5]) + (", ..." if len(column.seen) > 5 else "")
            told = f"names {len(column.seen)} languages ({shown}); the rows of all are used."
            yield f"{_start(column)} {told}", False


def _refuse(columns: Columns, file: str) -> str:
    asked = any(c.says("question") >= 40 or (c.texty and c.asking >= 0.3) for c in columns)
    said = any(c.says("answer") >= 40 for c in columns)
    missing = (
        "answers"
        if asked and not said
        else "questions"
        if said and not asked
        else ("questions and answers side by side")
    )
    return (
        f"{file}: no columns hold {missing}. Looked for names like 'question' and 'answer', "
        "'text' and 'label' in any language, for cells that ask and for longer texts beside them; "
        f"found {show_names(column.name for column in columns)}. Name the columns in the first "
        "row, or choose them."
    )
