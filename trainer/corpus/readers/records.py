"""JSON, JSONL, YAML, TOML and XML files, and any other records, read into tables.

Of all sets of records that are found in a file the best grade wins, so that
`{"meta": {...}, "data": {"faqs": [...]}}` needs no rule of its own.
"""

import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

from trainer.corpus.readers.fields import Cells, says
from trainer.corpus.readers.grading import ALONE, AROUND, PAIRS, PERHAPS, PLAIN, SURE, Group, Row
from trainer.corpus.readers.json_text import parse_json, parse_lines
from trainer.corpus.readers.limits import MOST_CELL, MOST_COLUMNS, MOST_ROWS
from trainer.corpus.readers.parsed import Parsed, join_rich_text
from trainer.corpus.readers.search import Search
from trainer.corpus.readers.text import decode
from trainer.corpus.readers.xml_text import parse_xml
from trainer.corpus.readers.yaml_text import parse_yaml
from trainer.corpus.table import Cell, Table
from trainer.errors import CorpusError


def read_json(data: bytes, name: str) -> list[Table]:
    """Read a JSON file, or JSON values one after the other; raises `CorpusError`."""
    return _read(parse_json, "JSON", data, name)


def read_jsonl(data: bytes, name: str) -> list[Table]:
    """Read a file with a JSON value on every line; raises `CorpusError` naming the line."""
    return _read(parse_lines, "JSONL", data, name)


def read_yaml(data: bytes, name: str) -> list[Table]:
    """Read the documents of a YAML file; raises `CorpusError`."""
    return _read(parse_yaml, "YAML", data, name)


def read_toml(data: bytes, name: str) -> list[Table]:
    """Read the tables of a TOML file as records; raises `CorpusError`."""
    return _read(_parse_toml, "TOML", data, name)


def _parse_toml(text: str, name: str) -> Parsed:
    try:
        return Parsed([tomllib.loads(text)], [1])
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CorpusError(f"{name} is not TOML: {error}. Correct it there.") from None


def read_xml(data: bytes, name: str) -> list[Table]:
    """Read the repeated elements of an XML file as records; raises `CorpusError`."""
    return _read(parse_xml, "XML", data, name)


def tables_from_records(
    records: Sequence[object], *, format: str, name: str, encoding: str = ""
) -> list[Table]:
    """Make tables of JSON-like values, each of them one record; raises `CorpusError`."""
    parsed = Parsed(list(records), list(range(1, len(records) + 1)))
    return _tabulate(parsed, format, name, encoding, unit="record")


def _read(parse: Callable[[str, str], Parsed], format_: str, data: bytes, name: str) -> list[Table]:
    found = decode(data, name)
    parsed = parse(found.text, name)
    parsed.notes[:0] = found.notes
    return _tabulate(parsed, format_, name, found.encoding)


def _tabulate(
    parsed: Parsed, format_: str, name: str, encoding: str, unit: str = ""
) -> list[Table]:
    join_rich_text(parsed.values)
    search = Search()
    several = len(parsed.values) > 1 or bool(unit)
    groups = search.visit(parsed.values if several else next(iter(parsed.values), []))
    rows = _choose(groups, search.notes, name)
    _finish(rows)
    numbered = [(parsed.lines[row.top - 1] if several else row.place, row.cells) for row in rows]
    notes = (text.replace("{n}", f"{n:,}") for text, n in search.notes.items() if n)
    table = Table(
        format=format_,
        rows=(),
        encoding=encoding,
        unit=unit or ("line" if several else "record"),
        notes=(*parsed.notes, *notes),
    )
    return [_make_table(numbered, table)]


# --- Which of the records found hold the pairs? -----------------------------------------------


def _choose(groups: Sequence[Group], notes: Counter[str], name: str) -> list[Row]:
    """Choose the records that hold the pairs, in the order of the file."""
    sure = {group.pair for group in groups if group.grade == PAIRS and group.pair}
    for group in groups:
        names = set(group.rows[0].cells) if group.rows else set()
        if group.grade != AROUND and any(
            question in names and answer in names for question, answer in sure
        ):
            group.grade = PAIRS
    best = max((group.grade for group in groups if group.rows), default=ALONE)
    sizes = Counter[int]()
    for group in groups:
        sizes[group.grade] += len(group.rows)
    if best == PERHAPS and sizes[PLAIN] > 5 * sizes[PERHAPS]:
        best = PLAIN
    if best <= ALONE:
        raise CorpusError(
            f"{name} holds no questions with answers. Looked for: records with a question and an "
            "answer, objects whose keys are questions, chats (messages, conversations), "
            "prompts with completions, SQuAD, intents with responses, and schema.org FAQ pages."
        )
    chosen = [group for group in groups if group.grade == best and group.rows]
    if best == PLAIN:
        chosen = _alike(chosen)
    taken = {id(group) for group in chosen}
    _note_others([g for g in groups if id(g) not in taken], notes)
    rows = sorted((row for group in chosen for row in group.rows), key=lambda row: row.order)
    if len(rows) > MOST_ROWS:
        raise CorpusError(
            f"{name} holds more than {MOST_ROWS:,} records. Split it into several files."
        )
    if len({row.place for row in rows}) < len(rows):
        for number, row in enumerate(rows, 1):
            row.place = number
    return rows


def _note_others(groups: Sequence[Group], notes: Counter[str]) -> None:
    sizes = Counter[str]()
    for group in groups:
        if group.grade in (PLAIN, PERHAPS) and group.rows and "column 1" not in group.rows[0].cells:
            sizes[", ".join(islice(group.rows[0].cells, 4))[:80]] += len(group.rows)
    if sizes:
        shown = "; ".join(f"{count:,} of {fields}" for fields, count in sizes.most_common(3))
        notes[f"Records that hold no question with its answer are left out: {{n}} ({shown})."] = (
            sizes.total()
        )


def _alike(groups: Sequence[Group]) -> list[Group]:
    """The largest set of plain records, and those with the same fields elsewhere."""
    sizes = Counter[frozenset[str]]()
    for group in groups:
        sizes[frozenset(group.rows[0].cells)] += len(group.rows)
    fields = sizes.most_common(1)[0][0]
    return [g for g in groups if 2 * len(fields & g.rows[0].cells.keys()) >= len(fields)]


# --- Their table -----------------------------------------------------------------------------

_SPLITS = frozenset({"train", "training", "test", "testing", "dev", "val", "valid", "validation"})


def _finish(rows: Sequence[Row]) -> None:
    """Put beside each record what it stood under: its topic, its entity and what else varies."""
    varied: dict[str, set[str]] = {}
    for row in rows:
        row.context["entity"] = " / ".join(dict.fromkeys(reversed(row.entities)))
        for name, cell in row.context.items():
            values = varied.setdefault(name, set())
            if len(values) < 2:
                values.add(str(cell))
    same = {level for level in rows[0].levels if level[1]}
    keys = {level for row in rows for level in row.levels if level[1]}
    for row in rows:
        same &= set(row.levels)
    if all(text.casefold() in _SPLITS for text, _ in keys):
        same = keys
    for row in rows:
        for name, cell in row.context.items():
            if len(varied[name]) > 1:
                row.cells.setdefault(name, cell)
        told = any(cell and says(name, "topic") >= SURE for name, cell in row.cells.items())
        levels = dict.fromkeys(
            text for text, key in reversed(row.levels) if (text, key) not in same
        )
        if levels and not told:
            row.cells["topic"] = " / ".join(levels)


_MOST_USUAL = 50  # columns; of more, those that few rows fill are left out
_MOST_CELLS = 5_000_000


def _make_table(rows: Sequence[tuple[int, Cells]], table: Table) -> Table:
    """Make the columns of a table; where they are too many, those most often filled are kept."""
    filled = Counter[str]()
    seen: dict[str, None] = {}
    for _, cells in rows:
        seen.update(dict.fromkeys(cells))
        filled.update(name for name, cell in cells.items() if cell)
    most = max(10, min(MOST_COLUMNS, _MOST_CELLS // max(1, len(rows))))
    few = 0 if len(filled) <= _MOST_USUAL else len(rows) // 200
    kept = {name for name, count in filled.most_common(most) if count > few}
    header = tuple(name for name in seen if name in kept)
    notes = list(table.notes)
    if len(kept) < len(filled):
        notes.append(
            f"{len(filled):,} different fields were found; the {len(kept):,} filled most often "
            "are kept."
        )
    cut = Counter[str]()
    made = tuple(
        (number, tuple(_cut(cells.get(name, ""), name, cut) for name in header))
        for number, cells in rows
    )
    if cut:
        notes.append(f"Cells cut to {MOST_CELL:,} characters: {cut.total():,}.")
    return replace(table, rows=made, header=header, notes=tuple(notes))


def _cut(cell: Cell, name: str, cut: Counter[str]) -> Cell:
    if isinstance(cell, str) and len(cell) > MOST_CELL:
        cut[name] += 1
        return cell[:MOST_CELL]
    return cell
