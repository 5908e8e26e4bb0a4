"""Tables inside documents: those that hold questions and answers, and those inside an answer."""

from collections.abc import Iterator, Sequence

from trainer.corpus.column_names import LETTERS, read_name
from trainer.corpus.readers.documents.blocks import Block
from trainer.corpus.readers.documents.words import is_question

Grid = list[list[str]]
_SURE = 60  # of the 100 with which a name can name a role


def find_columns(grid: Grid) -> tuple[int, int, int] | None:
    """Say in which columns of a table questions, answers and topics (or -1) stand."""
    width = max(map(len, grid), default=0)
    if not 2 <= width <= 20:
        return None
    question, answer, topic = _read_header(grid[0])
    columns = [[row[n].strip() for row in grid if n < len(row)] for n in range(width)]
    if question < 0:
        asked = [sum(map(is_question, cells)) for cells in columns]
        question = max(range(width), key=lambda n: asked[n])
        if asked[question] < max(2, 0.5 * (len(grid) - 1)):
            return None
    if answer in (-1, question):
        others = [n for n in range(width) if n not in (question, topic)]
        answer = max(others, key=lambda n: sum(map(len, columns[n])), default=-1)
    return None if answer < 0 else (question, answer, -1 if topic in (question, answer) else topic)


def count_worded(grid: Grid) -> int:
    """How many columns of a table hold words, not only numbers."""
    width = max(map(len, grid), default=0)
    return sum(
        any(any(map(str.isalpha, row[n])) for row in grid if n < len(row)) for n in range(width)
    )


def has_header(grid: Grid) -> bool:
    """Tell whether the first row names the columns."""
    return any(column >= 0 for column in _read_header(grid[0])[:2])


def _read_header(row: Sequence[str]) -> tuple[int, int, int]:
    cells = [
        cell.strip(" \t\n:*#.") if len(cell) < 40 and not is_question(cell) else "" for cell in row
    ]
    letters = {cell.casefold(): n for n, cell in enumerate(cells)}
    for both in LETTERS:
        question, answer = both[0], both[1]
        if question in letters and answer in letters:
            return letters[question], letters[answer], -1
    found = []
    for role in ("question", "answer", "topic"):
        says = [read_name(cell).says(role) if cell else 0 for cell in cells]
        best = max(range(len(cells)), key=lambda n: says[n])
        found.append(best if says[best] >= _SURE else -1)
    return found[0], found[1], found[2]


def table_blocks(
    grid: Grid, places: Sequence[int], scope: int, path: tuple[int, ...] = ()
) -> Iterator[Block]:
    """Read a table of questions and answers, or any other table as lines of an answer."""
    columns = find_columns(grid)
    head = bool(columns) and has_header(grid)
    for number, (row, place) in enumerate(zip(grid, places, strict=True)):
        if columns is None:
            cells = [
                cell for n, cell in enumerate(row) if cell.strip() and row[n - 1 : n] != [cell]
            ]
            if cells:
                yield Block(" | ".join(cells), place, gap=number == 0, looks=("row",), path=path)
        elif number or not head:
            texts = [row[n].strip() if 0 <= n < len(row) else "" for n in columns]
            for role, text in zip(
                ("topic", "question", "answer"), texts[2:] + texts[:2], strict=True
            ):
                if text:
                    yield Block(text, place, role=role, scope=scope + 2 * number, path=path)
