"""Reading a file in a process of its own, which a hostile file may exhaust without harm.

Uploads come from anywhere, and the parsers of ten formats cannot all be trusted to end. Past its
memory or its time the child is gone, and the person reads why.
"""

import json
import resource
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from trainer.corpus.readers.limits import MOST_BYTES
from trainer.corpus.table import Table
from trainer.errors import CorpusError

MOST_SECONDS = 30
MOST_MEMORY = 1_000_000_000  # bytes of address space


def read_tables(path: Path, *, most_seconds: float = MOST_SECONDS) -> list[Table]:
    """Read a file into its tables; raises `CorpusError` with what is wrong, where, and the cure."""
    try:
        if path.exists() and not path.is_file():
            raise CorpusError(f"{path} is not a file. Give a file of questions and answers.")
        if path.stat().st_size > MOST_BYTES:
            raise CorpusError(
                f"{path.name} is larger than {MOST_BYTES // 1_000_000} MB. Split it into parts."
            )
        path.open("rb").close()
    except OSError as error:
        raise CorpusError(
            f"{path} cannot be read: {error.strerror or error}. Check the path and try again."
        ) from None
    command = [sys.executable, "-m", "trainer.corpus.readers.sandbox", str(path)]
    try:
        child = subprocess.run(command, capture_output=True, timeout=most_seconds, check=False)
    except subprocess.TimeoutExpired:
        raise CorpusError(
            f"{path.name} takes longer than {most_seconds:g} seconds to read. Split it into parts, "
            "or save it as CSV."
        ) from None
    try:
        said = json.loads(child.stdout)
    except ValueError:
        raise CorpusError(
            f"{path.name} needs more than {MOST_MEMORY // 10**9} GB of memory to read, or is "
            "damaged. Open it in the program that made it, save it again as CSV, and try that."
        ) from ChildProcessError(child.stderr.decode(errors="replace")[-2000:])
    if "refused" in said:
        raise CorpusError(said["refused"])
    return [_table(found) for found in said["tables"]]


def _table(found: dict[str, object]) -> Table:
    rows = tuple(
        (number, tuple(tuple(cell) if isinstance(cell, list) else cell for cell in cells))
        for number, cells in found.pop("rows")  # type: ignore[attr-defined]
    )
    header = found.pop("header")
    return Table(
        rows=rows,
        header=None if header is None else tuple(header),  # type: ignore[arg-type]
        notes=tuple(found.pop("notes")),  # type: ignore[arg-type]
        **found,  # type: ignore[arg-type]
    )


def main(path: Path) -> None:
    """Read one file under limits and print what it holds, or why it was refused, as JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from trainer.corpus.readers.formats import read_bytes  # noqa: PLC0415 - under the limits

    said: dict[str, object]
    try:
        tables = read_bytes(path.read_bytes(), path.name)
        said = {"tables": [asdict(table) for table in tables]}
    except CorpusError as error:
        said = {"refused": str(error)}
    except RecursionError:
        said = {"refused": f"{path.name} is nested too deeply to read. Save it as CSV."}
    json.dump(said, sys.stdout, ensure_ascii=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
