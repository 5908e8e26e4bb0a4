"""The tables of an upload as a person chooses columns in them: names, first rows, the guess."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from trainer.corpus.columns import find_columns
from trainer.corpus.library import Corpora, Corpus
from trainer.corpus.mapping import Mapping
from trainer.corpus.reading import Choices, open_file
from trainer.corpus.table import Cell
from trainer.errors import CorpusError

FIRST_ROWS = 6

Rows = tuple[tuple[int, tuple[Cell, ...]], ...]


@dataclass(frozen=True)
class Sheet:
    """One table: its columns and first rows with and without a row of names, and the guess."""

    name: str
    title: str
    columns: dict[bool, tuple[str, ...]]
    rows: dict[bool, Rows]
    guess: Mapping | None
    refused: str


def find_sheets(paths: Sequence[Path]) -> tuple[Sheet, ...]:
    """Open files as far as columns can be chosen in them; raises `CorpusError`."""
    return _find_sheets(tuple((path, path.stat().st_mtime_ns) for path in paths))


def have_columns(paths: Sequence[Path]) -> bool:
    """Whether choosing columns could make something of files that were refused."""
    try:
        return any(len(sheet.columns[True]) > 1 for sheet in find_sheets(paths))
    except (CorpusError, OSError):
        return False


def uploads_of(corpora: Corpora, corpus: Corpus) -> tuple[Path, ...]:
    """The files a corpus was read from, kept with the version that read them."""
    for version in reversed(corpora.versions(corpus.name)):
        if version.version > corpus.version:
            continue
        files = tuple(version.path / "uploads" / u.file for u in version.origin.uploads)
        if files and all(file.is_file() for file in files):
            return files
    return ()


@lru_cache(maxsize=8)
def _find_sheets(paths: tuple[tuple[Path, int], ...]) -> tuple[Sheet, ...]:
    sheets = []
    for path, _ in paths:
        for part in open_file(path, Choices(), alone=len(paths) == 1):
            found = {header: find_columns(part.table, header=header) for header in (True, False)}
            sheets.append(
                Sheet(
                    name=part.name,
                    title=part.name or path.name,
                    columns={header: columns for header, (columns, _) in found.items()},
                    rows={header: rows[:FIRST_ROWS] for header, (_, rows) in found.items()},
                    guess=part.mapping,
                    refused=part.refused,
                )
            )
    return tuple(sheets)
