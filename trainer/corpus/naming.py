"""Columns that a person names by their role, and the guess for those they do not name."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer.corpus.column_names import read_name
from trainer.corpus.columns import find_columns, measure_column
from trainer.corpus.mapping import Mapping as Columns
from trainer.corpus.reading import Choices, open_file
from trainer.errors import CorpusError

ROLES = ("question", "answer", "topic", "wordings", "context", "header", "task")


def map_by_names(files: Sequence[Path], given: Mapping[str, str]) -> dict[str, Columns]:
    """The mapping of every part that has the columns named, the guess filling in the rest.

    Raises `CorpusError` where no part has them.
    """
    if not given:
        return {}
    roles: dict[str, Any] = {role: column or None for role, column in given.items()}
    if "wordings" in roles:
        roles["wordings"] = tuple((roles["wordings"] or "").split(",")) if roles["wordings"] else ()
    if "header" in roles:
        roles["header"] = str(roles["header"]).lower() not in ("no", "false", "0")
    named = {
        name
        for role, value in roles.items()
        if role not in ("header", "task") and value
        for name in ([value] if isinstance(value, str) else value)
    }
    mappings: dict[str, Columns] = {}
    seen: list[str] = []
    for path in files:
        for part in open_file(path, Choices(), alone=len(files) == 1):
            guess = part.mapping.model_dump() if part.mapping else {}
            guessed = guess.get("header", True)
            before, _ = find_columns(part.table, header=roles.get("header", guessed))
            seen += before
            before, _ = find_columns(part.table, header=guessed)
            for header in (roles["header"],) if "header" in roles else (guessed, not guessed):
                columns, rows = find_columns(part.table, header=header)
                wanted = _rename_columns(guess, before, columns, free_of=named)
                wanted |= roles | {"header": header}
                if not named <= set(columns) or not {"question", "answer"} <= _filled(wanted):
                    continue
                if "task" not in roles and "answer" in roles:
                    at = columns.index(wanted["answer"])
                    cells = [cells[at] for _, cells in rows]
                    answer = measure_column(at, columns[at], read_name(columns[at]), cells)
                    if not answer.labelled and answer.says("label") < 60:
                        wanted["task"] = "answers"
                mappings[part.name] = Columns.model_validate(wanted)
                break
    if not mappings:
        shown = ", ".join(f"'{name}'" for name in dict.fromkeys(seen)) or "none"
        raise CorpusError(
            f"No table has {' and '.join(repr(n) for n in sorted(named)) or 'such columns'}, with "
            f"a question and an answer. The columns are {shown}."
        )
    return mappings


def _rename_columns(
    guess: Mapping[str, Any], before: Sequence[str], after: Sequence[str], *, free_of: set[str]
) -> dict[str, Any]:
    """A guess with the names that its columns have once another row is taken for the names.

    Columns that a person named for something else are `free_of` it.
    """
    pairs = zip(before, after, strict=False)
    names = {old: new for old, new in pairs if new not in free_of}
    renamed = dict(guess)
    for role in ("question", "answer", "topic", "context"):
        renamed[role] = names.get(guess.get(role) or "")
    renamed["wordings"] = tuple(names[n] for n in guess.get("wordings", ()) if n in names)
    return renamed


def _filled(wanted: Mapping[str, Any]) -> set[str]:
    return {role for role, column in wanted.items() if column}
