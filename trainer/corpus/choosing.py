"""Which two columns belong together: question and answer, text and label, or two texts."""

from collections import Counter
from collections.abc import Sequence

from trainer.corpus.column_names import (
    LETTERS,
    read_name,
    reduce_name,
)
from trainer.corpus.columns import (
    Column,
    find_letters,
    one_text,
)
from trainer.corpus.table import Cell

Columns = Sequence[Column]


def marks_pairs(column: Column) -> bool:
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


def stacks_pairs(rows: Sequence[Sequence[Cell]]) -> bool:
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


def choose_pair(columns: Columns) -> tuple[Column, Column] | None:
    """The columns that together look most like questions and their answers, if any do."""
    asked = [
        c
        for c in columns
        if c.says("question") >= (60 if c.dull > 0.5 else 40) or (c.texty and c.asking >= 0.3)
    ]
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


def choose_labels(
    columns: Columns, pair: tuple[Column, Column] | None
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


def clearly_labels(text: Column, label: Column, columns: Columns) -> bool:
    """Whether names, or the lack of other columns, say that this is a text and its label."""
    filled = [column for column in columns if column.filled >= 0.01 and column.cells]
    if len(filled) == 2:
        return True
    few = len(filled) <= 4 and label.says("topic") >= 60
    return text.says("question") >= 40 and (few or label.says("label") >= 60)


def answers_win(pair: tuple[Column, Column], label: Column) -> bool:
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


def choose_texts(columns: Columns) -> tuple[Column, Column] | None:
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
