"""A corpus as a file to take away, safe to open in a spreadsheet."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Literal

from trainer.corpus.examples import Example

Format = Literal["csv", "jsonl"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl")


def export(examples: Sequence[Example], format_: Format) -> bytes:
    """Write question, answer and topic of every example as UTF-8.

    In a CSV, a cell that a spreadsheet would run as a formula gets an apostrophe before it
    (OWASP, CSV injection); JSONL keeps every text as it is.
    """
    if format_ == "jsonl":
        lines = (
            json.dumps(
                {"question": e.question, "answer": e.answer, "topic": e.topic}, ensure_ascii=False
            )
            for e in examples
        )
        return "".join(line + "\n" for line in lines).encode()
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(("question", "answer", "topic"))
    writer.writerows(
        (safe_cell(e.question), safe_cell(e.answer), safe_cell(e.topic)) for e in examples
    )
    return out.getvalue().encode("utf-8-sig")  # so that spreadsheets see that it is UTF-8


def safe_cell(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula gets an apostrophe before it."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else cell
