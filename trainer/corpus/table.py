"""What every reader makes of a file: tables of cells, and what a person should know of them."""

from dataclasses import dataclass, replace
from typing import NamedTuple

Cell = str | tuple[str, ...]  # several texts where the file holds a list


@dataclass(frozen=True)
class Table:
    """One table of a file: a sheet, a member of an archive, the pairs of a document.

    `header` is None where the file does not say whether its first row names the columns. Every row
    is (number, cells) with one cell for each column; `number` counts `unit`s from 1 as whoever
    opens the file would count them. `encoding` is empty where the format fixes it.
    """

    format: str
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]
    header: tuple[str, ...] | None = None
    encoding: str = ""
    part: str = ""
    unit: str = "row"
    notes: tuple[str, ...] = ()

    def named(self, part: str) -> "Table":
        """The same table as a part of something larger."""
        return replace(self, part=f"{part} / {self.part}" if self.part else part)


class Pair(NamedTuple):
    """A question and its answer as they were found, before they are an example."""

    question: str
    answer: str
    topic: str = ""
    row: int = 0
    part: str = ""
