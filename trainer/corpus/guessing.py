"""Which column is the question, which the answer: guessed from names and content.

A guess adds up what a column is called and what its cells look like. Names that say it outright
weigh more than any content; content decides where names do not tell, and raises doubt where it
speaks against them.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trainer.corpus.column_names import (
    LETTERS,
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
from trainer.corpus.table import Cell, Table
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
    if any(map(_marks_pairs, columns)) or _stacks_pairs([cells for _, cells in rows[:200]]):
        raise CorpusError(
            f"{file} holds questions and answers below each other. Put every answer beside its "
            "question, in a column of its own, and try again."
        )
    pair = _best_pair(columns)
    labels = _text_and_label(columns, pair)
    doubts: list[str] = []
    if labels and not (pair and _answers_win(pair, labels[1])):
        question, answer = labels
        task: Task = "labels"
        kinds = f"{answer.values}{' or more' if len(sample) < len(rows) else ''} different values"
        told = f"{_start(answer)} holds {kinds} in {len(rows):,} rows: labels, not answers."
        (doubts if answer.says("answer") >= 60 else why).append(told)
        if not _clearly_labels(question, answer, columns):
            doubts.append(
                f"Nothing but its few values makes {_say(answer)} the label of {_say(question)}."
            )
    elif pair:
        question, answer, task = *pair, "answers"
        why += _explain(question, answer)
        doubts += _doubt(question, answer, columns)
        if _swapped(question, answer):
            question, answer = answer, question
    elif pair := _two_texts(columns):
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


_Columns = Sequence[Column]


def _say(column: Column) -> str:
    """A column in a sentence: by its name, or by its place where it has none."""
    return column.name if column.nameless else f"column '{column.name}'"


def _start(column: Column) -> str:
    return _say(column)[:1].upper() + _say(column)[1:]


def _marks_pairs(column: Column) -> bool:
    """Whether a column only says of each row that it is a question, or that it is an answer."""
    if len(column.seen) != 2 or column.length > 12:
        return False
    roles = [
        {role for role in ("question", "answer") if read_name(v).says(role) >= 60}
        for v in column.seen
    ]
    return bool(find_letters(column.seen)) or (
        roles[0] | roles[1] == {"question", "answer"} and len(roles[0]) == len(roles[1]) == 1
    )


def _stacks_pairs(rows: Sequence[Sequence[Cell]]) -> bool:
    """Whether the cells of one column begin with 'Q:' and 'A:' in turn."""
    for column in zip(*rows, strict=True):
        texts = [text for cell in column if (text := one_text(cell).strip())]
        roles = Counter(map(_read_mark, texts))
        if min(roles["question"], roles["answer"]) >= max(2, 0.25 * len(texts)):
            return True
    return False


def _read_mark(text: str) -> str:
    """Whether a cell begins by saying that it is a question, or an answer: 'Q:', 'Antwort 3:'."""
    mark, colon, _ = text[:24].replace("：", ":").partition(":")  # noqa: RUF001 - a wide colon
    short = "".join(filter(str.isalpha, reduce_name(mark)))
    if not colon or not short:
        return ""
    if len(short) == 1:
        places = (pair.index(short) for pair in LETTERS if short in pair)
        return next((("question", "answer")[at] for at in places), "")
    said = read_name(mark)
    return next((role for role in ("question", "answer") if said.says(role) >= 60), "")


def _best_pair(columns: _Columns) -> tuple[Column, Column] | None:
    """The columns that together look most like questions and their answers, if any do."""
    asked = [c for c in columns if c.says("question") >= 40 or (c.texty and c.asking >= 0.3)]
    said = [c for c in columns if c.says("answer") >= 40 or (c.texty and not c.said.strengths)]
    asked = sorted(asked, key=lambda column: -column.as_question)[:12]
    said = sorted(said, key=lambda column: -column.as_answer)[:12]
    pairs = [(one, other) for one in asked for other in said if one is not other]
    return max(pairs, key=lambda pair: _fit(*pair), default=None)


def _fit(question: Column, answer: Column) -> float:
    longer = (answer.length > 1.2 * question.length) - (answer.length < 0.8 * question.length)
    named = min(question.says("question"), answer.says("answer"))
    fit = question.as_question + answer.as_answer + longer * (5 if named >= 60 else 15)
    fit += 10 * (question.said.language == answer.said.language)
    fit += 8 * (question.said.number == answer.said.number)
    return fit + 3 * (question.at < answer.at)


def _text_and_label(
    columns: _Columns, pair: tuple[Column, Column] | None
) -> tuple[Column, Column] | None:
    """The columns that hold texts and one of few labels for each, if there are such."""

    def fit_label(column: Column) -> float:
        named = max(column.says("label"), column.says("topic") - 20, column.says("answer") - 60)
        return named + 20 * column.labelled - 25 * column.dull

    def fit_text(column: Column) -> float:
        return column.as_question + min(40.0, column.length / 5)

    labels = [
        c
        for c in columns
        if (c.says("label") >= 60 and c.filled > 0)
        or (
            c.labelled
            and (c.says("topic") >= 60 or c.says("answer") or not c.said.strengths)
            and (c.dull < 0.5 or c.values <= 5 or len(columns) == 2)  # others count something
        )
    ]
    label = max(labels, key=fit_label, default=None)
    texts = [
        c
        for c in columns
        if c is not label
        and (c.says("question") >= 40 or (c.texty and not c.said.strengths))
        and (
            c.words >= 2.5
            or c.asking >= 0.3
            or c.length >= 25
            or (label and label.says("label") >= 60)
        )
    ]
    if label is None or not texts:
        return None
    return max(texts, key=fit_text), label


def _clearly_labels(text: Column, label: Column, columns: _Columns) -> bool:
    """Whether names, or the lack of other columns, say that this is a text and its label."""
    filled = [column for column in columns if column.filled >= 0.01 and column.cells]
    if len(filled) == 2:
        return True
    few = len(filled) <= 4 and label.says("topic") >= 60
    return text.says("question") >= 40 and (few or label.says("label") >= 60)


def _answers_win(pair: tuple[Column, Column], label: Column) -> bool:
    """Whether a table that could be either holds answers rather than labels."""
    question, answer = pair
    if answer.says("answer") >= 60 and answer is not label:
        return True
    if answer.says("answer") >= 60:
        many = answer.cells >= 20 and answer.cells >= 10 * answer.values and answer.words <= 3
        return not (answer.labelled and many and question.values >= 0.5 * question.cells)
    if label.says("label") >= 60:
        return (
            question.says("question") >= 40
            and answer.says("answer") >= 40
            and not (label.says("label") >= 80 and question.says("question") < 60)
        )
    return not answer.labelled


def _two_texts(columns: _Columns) -> tuple[Column, Column] | None:
    """The first two columns of texts, one of sentences at least, as in a list of translations."""
    texts = [c for c in columns if c.texty and not c.said.strengths and not c.labelled]
    if not 2 <= len(texts) <= 4:
        return None
    left, right = texts[:2]
    sentences = [c for c in (left, right) if c.closed >= 0.3 or c.length >= 25]
    if not sentences and not (left.said.language and right.said.language):
        return None
    turned = sentences == [left] and left.length > 2 * right.length
    return (right, left) if turned else (left, right)


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


def _doubt(question: Column, answer: Column, columns: _Columns) -> Iterator[str]:
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


def _find_wordings(question: Column, answer: Column, rest: _Columns) -> tuple[Column, ...]:
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


def _find_topic(rest: _Columns) -> Column | None:
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


def _find_context(question: Column, answer: Column, rest: _Columns, rows: Rows) -> Column | None:
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


def _compare_others(question: Column, answer: Column, rest: _Columns) -> Iterator[tuple[str, bool]]:
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


def _refuse(columns: _Columns, file: str) -> str:
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
