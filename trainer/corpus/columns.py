"""The columns of a table: where their names stand, and what their cells look like."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from trainer.corpus.column_names import (
    LETTERS,
    Name,
    asks,
    ends_asking,
    read_name,
    reduce_name,
)
from trainer.corpus.table import Cell, Table

Rows = tuple[tuple[int, tuple[Cell, ...]], ...]

SAMPLE = 2000  # rows looked at, spread over the table
HEAD = 30  # rows in which the names of the columns are looked for


def find_columns(table: Table, *, header: bool) -> tuple[tuple[str, ...], Rows]:
    """Name every column of a table, and give the rows below the names that are not empty.

    `header` says whether the first row that could name the columns does; it changes nothing where
    the file says so itself.
    """
    rows = tuple(row for row in table.rows if any(map(is_filled, row[1])))
    written: Sequence[Cell] = table.header or ()
    if table.header is None and header and rows:
        at = find_header_row(rows)
        written, rows = rows[at][1], rows[at + 1 :]
        if below := _read_second_header(written, rows):
            written, rows = below, rows[1:]
    width = max([len(written), *(len(cells) for _, cells in rows)])
    names: dict[str, None] = {}  # in order
    for at in range(width):
        name = " ".join(one_text(written[at]).strip("\ufeff").split()) if at < len(written) else ""
        name = name[:100] or f"column {letters_of(at)}"
        again = 2
        while name in names:
            name, again = f"{name.removesuffix(f' ({again - 1})')} ({again})", again + 1
        names[name] = None
    padded = tuple((number, (*cells, *("",) * (width - len(cells)))) for number, cells in rows)
    return tuple(names), padded


def _read_second_header(above: Sequence[Cell], rows: Rows) -> list[str]:
    """The names of columns that two rows tell together, the upper ones over several columns.

    A name of the upper row is that of its first column; a language below it tells two apart.
    """
    if len(rows) < 2:
        return []
    upper = [one_text(cell).strip() for cell in above]
    lower = [one_text(cell).strip() for cell in rows[0][1]]
    upper += [""] * (len(lower) - len(upper))
    lower += [""] * (len(upper) - len(lower))
    holes = [not text or text in upper[:at] for at, text in enumerate(upper)]
    said = [read_name(text) for text in lower if text]
    if not any(hole and text for hole, text in zip(holes, lower, strict=True)):
        return []
    if len(said) < 2 or not all(name.strengths or name.language for name in said):
        return []
    if any(len(text) > 40 or ends_asking(text) or _is_dull(text) for text in lower if text):
        return []
    if any(one_text(cell).strip() in lower for cell in rows[1][1] if is_filled(cell)):
        return []
    names, over = [], ""
    for name, hole, below in zip(upper, holes, lower, strict=True):
        over = over if hole else name
        spoken = below and not read_name(below).strengths  # a language and nothing else
        names.append(f"{over} {below}".strip() if spoken else below if hole else name)
    return names


def letters_of(at: int) -> str:
    """The name of a column by its place, as spreadsheets count: A, B, ..., Z, AA, ..."""
    return (letters_of(at // 26 - 1) if at >= 26 else "") + chr(ord("A") + at % 26)


def is_filled(cell: Cell) -> bool:
    """Whether a cell holds any text."""
    return bool(cell.strip()) if isinstance(cell, str) else any(text.strip() for text in cell)


def one_text(cell: Cell) -> str:
    """A cell as one text, a list joined."""
    if isinstance(cell, str):
        return cell
    return next((text for text in cell if text.strip()), "")


def find_header_row(rows: Rows) -> int:
    """Where the row stands that names the columns, or would if any does: below a title."""
    head = [[one_text(cell).strip() for cell in cells] for _, cells in rows[:HEAD]]
    for names in (names_a_pair, _speaks_of_a_pair):
        for at, texts in enumerate(head):
            if names(texts):
                return at
    widths = [sum(map(bool, texts)) for texts in head]
    usual = Counter(width for width in widths if width > 1).most_common(1)
    if not usual:
        return 0
    at = next(at for at, width in enumerate(widths) if 1 < width >= usual[0][0] / 2)
    if at and widths[at - 1] == 1 and not names_columns(head[at], head[at + 1 :]):
        above = max(head[at - 1], key=len)
        return at - 1 if read_name(above).exact else at
    return at


def names_a_pair(texts: Sequence[str]) -> bool:
    """Whether a row names a question and an answer, or a text and a label, outright."""
    names = [read_name(text) for text in texts if 0 < len(text) <= 60]
    if find_letters(texts) and max(map(len, texts)) <= 30:
        return True
    asked = [name for name in names if name.exact and name.says("question") >= 50]
    said = [name for name in names if name.exact and name.says("answer") >= 50]
    said += [name for name in names if name.exact and name.says("label")]
    return any(one is not other for one in asked for other in said)


def _speaks_of_a_pair(texts: Sequence[str]) -> bool:
    """Whether short cells of a row speak of a question and of an answer: 'What the bot replies'."""
    if any(len(text) > 40 or ends_asking(text) for text in texts):
        return False
    names = [read_name(text) for text in texts if text]
    asked = [n for n in names if max(n.says("question"), n.says("wording")) >= 60]
    return any(one is not two and two.says("answer") >= 60 for one in asked for two in names)


def find_letters(texts: Sequence[str]) -> list[str]:
    """The letters for question and answer, where columns are called by letters only."""
    found = {reduce_name(text) for text in texts if 0 < len(text) <= 3}
    return next((list(pair) for pair in LETTERS if found >= set(pair)), [])


def names_columns(texts: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether a row names the columns of the rows below it, rather than being one of them."""
    filled = [text for text in texts if text]
    if not filled or any(len(text) > 100 for text in filled):
        return False
    if names_a_pair(texts):
        return True
    columns = [[row[at] for row in below if at < len(row) and row[at]] for at in range(len(texts))]
    names = [read_name(text) for text in texts if text]
    exact = [name for name in names if name.exact]
    if all(n.language and n.strengths.keys() != {"aside"} for n in names) and len(names) > 1:
        return True
    if any(text and text in column for text, column in zip(texts, columns, strict=True)):
        return False
    if any(text.endswith((*".!。！।;,", "…")) or ends_asking(text) for text in filled):  # noqa: RUF001
        asked = any(max(name.says("question"), name.says("answer")) >= 70 for name in exact)
        return asked or len(exact) > 1 or any(map(_differs, texts, columns))
    if len(exact) > 1 or any(
        max(map(name.says, ("question", "answer", "label", "topic"))) >= 50 for name in exact
    ):
        return True
    if _speaks_of_a_pair(texts):
        return True
    if any(len(text) > 40 or len(text.split()) > 4 or _is_dull(text) for text in filled):
        return False
    return len(filled) > 1 and any(
        _is_dull(column[0]) or _middle(column) >= max(20, 2.5 * len(text))
        for text, column in zip(texts, columns, strict=True)
        if text and column
    )


def _differs(text: str, column: Sequence[str]) -> bool:
    """Whether a word stands above nothing but numbers, dates or addresses, as a name does."""
    if len(column) < 3 or not text or len(text) > 40 or ends_asking(text) or _is_dull(text):
        return False
    return sum(map(_is_dull, column)) >= 0.95 * len(column)


def _middle(column: Sequence[str]) -> int:
    return sorted(len(text) for text in column)[len(column) // 2]


_NUMBER_MARKS = str.maketrans("", "", " .,:;/+-–%€$£()[]{}'")  # noqa: RUF001 - dashes in dates


def _is_dull(text: str) -> bool:
    """Whether a cell is a number, a date, an address, a code or a record."""
    if " " not in text and ("://" in text[:12] or "@" in text or text.startswith("www.")):
        return True
    if text.startswith(("[{", '{"', "{'")):
        return True
    bare = text[:60].translate(_NUMBER_MARKS)
    if bare.isdigit() or not bare:
        return True
    return " " not in text and text.isascii() and any(map(str.isdigit, text[:60]))


@dataclass(frozen=True)
class Column:
    """What a column is called, and what its cells look like: shares of those that are filled."""

    at: int
    name: str
    said: Name
    cells: int
    filled: float
    dull: float
    marked: float
    asking: float
    closed: float
    length: float
    words: float
    values: int
    seen: tuple[str, ...]  # the values, where they are few

    @property
    def nameless(self) -> bool:
        """Whether the column goes by its place only."""
        return self.name == f"column {letters_of(self.at)}"

    @property
    def texty(self) -> bool:
        """Whether the cells could be questions or answers."""
        distinct = self.values >= 0.2 * self.cells or self.values > 100
        return self.filled > 0.1 and self.dull < 0.4 and self.length >= 5 and distinct

    @property
    def labelled(self) -> bool:
        """Whether the cells hold few values, each used several times."""
        few = 2 <= self.values <= 100 and self.cells >= 3 * self.values
        short = self.words <= 5 and self.length <= 40 and self.closed < 0.5
        return few and short and self.filled > 0.5 and (self.dull < 0.5 or self.length <= 3)

    def says(self, role: str) -> int:
        """How clearly its name says that it has this role."""
        return self.said.says(role)

    @property
    def as_question(self) -> float:
        """How well it would do as the question, by name and content."""
        named = self.says("question")
        score = named - 10 * min(self.said.number - 1, 4) + 30 * self.asking
        return score + self._less(named, "question")

    @property
    def as_answer(self) -> float:
        """How well it would do as the answer, by name and content."""
        named = self.says("answer")
        score = named - 10 * min(self.said.number - 1, 4) - 25 * self.marked
        return score + min(20.0, self.length / 20) + self._less(named, "answer")

    def _less(self, named: int, role: str) -> float:
        other = max((strength for said, strength in self.said.strengths.items()), default=0)
        less = 40 * (1 - self.filled) + 300 * (self.filled < 0.01)
        return -less - (0 if named >= 60 else 80 * self.dull + 0.8 * max(0, other - named))


def measure_column(at: int, name: str, said: Name, cells: Sequence[Cell]) -> Column:
    """Look at the cells of a column once, and keep what tells questions from answers."""
    texts = [text for cell in cells if (text := one_text(cell).strip())]
    count = len(texts) or 1

    def share(fact: Callable[[str], bool]) -> float:
        return sum(map(fact, texts)) / count

    return Column(
        at,
        name,
        said,
        cells=len(texts),
        filled=len(texts) / (len(cells) or 1),
        dull=share(_is_dull),
        marked=share(ends_asking),
        asking=share(asks),
        closed=share(lambda text: text[-1] in ".!?。！？।۔"),  # noqa: RUF001
        length=sum(map(len, texts)) / count,
        words=sum(len(text[:500].split()) for text in texts) / count,
        values=len(values := set(texts)),
        seen=tuple(sorted(values)) if len(values) <= 60 else (),
    )


def show_names(names: Iterable[str]) -> str:
    """Some names as a message lists them."""
    listed = [f"'{name[:40]}'" for name in names]
    more = f" and {len(listed) - 20} more" if len(listed) > 20 else ""
    return ", ".join(listed[:20]) + more or "nothing"
