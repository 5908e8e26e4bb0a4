"""JSON, JSONL, YAML and XML files, and any other records, read into tables.

A value is searched from the bottom up. Every set of records in it is graded: it holds pairs by the
names of its fields, perhaps some, or none. The best grade wins at the end, so that
`{"meta": {...}, "data": {"faqs": [...]}}` needs no rule of its own.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from trainer.corpus.column_names import asks
from trainer.corpus.readers.limits import MOST_CELL, MOST_COLUMNS, MOST_ROWS
from trainer.corpus.readers.markup_records import (
    Parsed,
    parse_json,
    parse_lines,
    parse_xml,
    parse_yaml,
)
from trainer.corpus.readers.shapes import (
    Cells,
    convert,
    convert_text,
    flatten,
    is_chat,
    make_text,
    read_exchange,
    says,
)
from trainer.corpus.readers.text import decode
from trainer.corpus.table import Cell, Table
from trainer.errors import CorpusError


def read_json(data: bytes, name: str) -> list[Table]:
    """Read a JSON file, or JSON values one after the other; raises `CorpusError`."""
    found = decode(data, name)
    parsed = parse_json(found.text, name)
    parsed.notes[:0] = found.notes
    return _tabulate(parsed, "JSON", name, found.encoding)


def read_jsonl(data: bytes, name: str) -> list[Table]:
    """Read a file with a JSON value on every line; raises `CorpusError` naming the line."""
    found = decode(data, name)
    parsed = parse_lines(found.text, name)
    parsed.notes[:0] = found.notes
    return _tabulate(parsed, "JSONL", name, found.encoding)


def read_yaml(data: bytes, name: str) -> list[Table]:
    """Read the documents of a YAML file; raises `CorpusError`."""
    found = decode(data, name)
    parsed = parse_yaml(found.text, name)
    parsed.notes[:0] = found.notes
    return _tabulate(parsed, "YAML", name, found.encoding)


def read_xml(data: bytes, name: str) -> list[Table]:
    """Read the repeated elements of an XML file as records; raises `CorpusError`."""
    found = decode(data, name)
    parsed = parse_xml(found.text, name)
    parsed.notes[:0] = found.notes
    return _tabulate(parsed, "XML", name, found.encoding)


def tables_from_records(
    records: Sequence[object], *, format: str, name: str, encoding: str = ""
) -> list[Table]:
    """Make tables of JSON-like values, each of them one record; raises `CorpusError`."""
    parsed = Parsed(list(records), list(range(1, len(records) + 1)))
    return _tabulate(parsed, format, name, encoding, unit="record")


def _tabulate(
    parsed: Parsed, format_: str, name: str, encoding: str, unit: str = ""
) -> list[Table]:
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


@dataclass(slots=True)
class Row:
    """A record that was found, and what it stands under, nearest first.

    `place` is its place in its own list, `top` that of the outermost record it is in, from 1. Of a
    level it is known whether it is the name of a field, which may mean nothing.
    """

    cells: Cells
    place: int
    order: int
    top: int = 0
    levels: list[tuple[str, bool]] = field(default_factory=list)
    entities: list[str] = field(default_factory=list)
    context: Cells = field(default_factory=dict)


@dataclass(slots=True)
class Group:
    """Records found together; how surely they hold pairs, and in which two fields."""

    rows: list[Row]
    grade: int
    pair: tuple[str, str] | None = None


PAIRS, PERHAPS, PLAIN, LABELLED, ENTRIES, ALONE, AROUND = 5, 4, 3, 2, 1, 0, -1
_SAMPLE = 300
_SPLITS = frozenset({"train", "training", "test", "testing", "dev", "val", "valid", "validation"})
_TITLES = frozenset({"title", "heading", "header", "label"})
_ENTITIES = frozenset({"name", "entity", "product", "brand", "subject"})


class Search:
    """One search for records through a value; `notes` counts what was left out on the way."""

    def __init__(self) -> None:
        self.notes: Counter[str] = Counter()
        self._order = 0

    def _row(self, cells: Cells, place: int) -> Row:
        self._order += 1
        return Row(cells, place, self._order, place)

    def visit(self, value: object, *, topical: bool = False) -> list[Group]:
        """Find the records in a value; `topical` where the name above it speaks of topics."""
        if isinstance(value, Mapping):
            return self._visit_dict(value, topical)
        return self._visit_list(value, topical) if isinstance(value, list | tuple) else []

    def _visit_list(self, items: Sequence[object], topical: bool) -> list[Group]:
        if is_chat(items):
            exchange = read_exchange(items, self.notes)
            return [Group([self._row(exchange, 1)], PAIRS)] if exchange else []
        placed = list(enumerate(items, 1))
        groups = self._visit_records(
            [(place, item) for place, item in placed if isinstance(item, Mapping) and item],
            topical=topical,
        )
        arrays = [(place, item) for place, item in placed if isinstance(item, list | tuple)]
        if all(_is_flat(item) for _, item in arrays):
            groups += self._visit_arrays(arrays)
        else:
            for place, item in arrays:
                groups += _under(self.visit(item), place)
        texts = [
            self._row(cells, place)
            for place, item in placed
            if isinstance(item, str)
            for cells in convert_text(item, self.notes) or ()
        ]
        return [*groups, Group(texts, PAIRS, ("question", "answer"))] if texts else groups

    def _visit_dict(self, record: Mapping[str, object], topical: bool) -> list[Group]:
        if rows := _transpose(record):
            return self._visit_list(rows, topical)
        if _is_question_map(record):
            pairs = (
                {"question": make_text(key), **flatten({"answer": value})}
                for key, value in record.items()
            )
            return [self._group(pairs, PAIRS)]
        values = [value for value in record.values() if value not in (None, "", [], {})]
        named = _grade([{make_text(key): "" for key in record}])[0] == PAIRS
        if len(values) > 1 and not named:
            if _are_records(values):
                entries = [
                    (place, value)
                    for place, value in enumerate(record.values(), 1)
                    if isinstance(value, Mapping)
                ]
                keys = [make_text(k) for k, v in record.items() if isinstance(v, Mapping)]
                return self._visit_records(entries, topical=topical, keys=keys)
            if all(_is_texts(value) for value in values):
                labelled: Iterator[Cells] = (
                    flatten({"text": text, "label": make_text(label)})
                    for label, texts in record.items()
                    for text in texts or ()  # type: ignore[attr-defined]
                )
                return [self._group(labelled, LABELLED)]
            if len(values) > 2 and all(isinstance(value, str) for value in values):
                entered: Iterator[Cells] = (
                    flatten({"key": make_text(k), "value": v}) for k, v in record.items()
                )
                return [self._group(entered, ENTRIES)]
        return self._visit_records([(1, record)], topical=topical)

    def _group(self, records: Iterable[Cells], grade: int) -> Group:
        rows = [self._row(cells, place) for place, cells in enumerate(records, 1)]
        return Group(rows, grade, ("question", "answer") if grade == PAIRS else None)

    def _visit_records(
        self,
        records: Sequence[tuple[int, Mapping[str, object]]],
        *,
        topical: bool = False,
        keys: Sequence[str] = (),
    ) -> list[Group]:
        """Find what a list of records holds: pairs of its own, pairs inside them, or neither."""
        if not records:
            return []
        if len(records) > 1 and not _share_fields([record for _, record in records]):
            apart: list[Group] = []
            for at, (place, record) in enumerate(records):
                those = _under(self._visit_dict(record, topical), place)
                apart += _name_level(those, keys[at] if keys else "")
            return apart
        own: list[tuple[Row, Mapping[str, object], str]] = []
        found: list[Group] = []
        converted: list[Row] = []
        inner: dict[str, list[Group]] = {}
        for at, (place, record) in enumerate(records):
            key = keys[at] if keys else ""
            cells_of_pairs = convert(record, self.notes)
            if cells_of_pairs is not None:
                converted += (self._row(cells, place) for cells in cells_of_pairs)
                continue
            own.append((self._row({}, place), record, key))
            inside = self._visit_fields(record, place)
            several = sum(any(map(_is_candidate, groups)) for groups in inside.values()) > 1
            for name, groups in inside.items():
                _name_level(groups, name if several else "")
                for group in groups:
                    _describe(group.rows, record, topical=topical, alone=len(records) == 1)
                inner.setdefault(name, []).extend(
                    _name_level(groups, key if len(records) > 1 else "")
                )
        if converted:
            answered = "answer" in converted[0].cells
            found.append(Group(converted, PAIRS if answered else PLAIN, ("question", "answer")))
        with_pairs = frozenset(
            name for name, groups in inner.items() if any(g.grade == PAIRS for g in groups)
        )
        for row, record, _ in own:
            row.cells = flatten(record, skip=with_pairs)
        _use_keys([(row, key) for row, _, key in own])
        grade, pair = _grade([row.cells for row, _, _ in own])
        if grade < PAIRS and with_pairs:
            grade = AROUND
        elif grade < PAIRS and len(records) == 1:
            grade = ALONE
        if own:
            found.append(Group([row for row, _, _ in own], grade, pair))
        wordy = grade == PLAIN and any(
            _is_wordy(c) for r, _, _ in own[:_SAMPLE] for c in r.cells.values()
        )
        floor = PAIRS if grade == PAIRS else PERHAPS if wordy else AROUND
        details = (group for groups in inner.values() for group in groups)
        return found + [group for group in details if group.grade >= floor]

    def _visit_fields(self, record: Mapping[str, object], place: int) -> dict[str, list[Group]]:
        inside: dict[str, list[Group]] = {}
        for key, value in record.items():
            if isinstance(value, Mapping | list | tuple) and value:
                name = make_text(key)
                topical = says(name, "topic") >= _SURE
                inside[name] = _under(self.visit(value, topical=topical), place)
        return inside

    def _visit_arrays(self, arrays: Sequence[tuple[int, Sequence[object]]]) -> list[Group]:
        """Read lists of texts: question and answer by turns, or a table without names."""
        arrays = [(place, array) for place, array in arrays if len(array) > 1]
        if not arrays:
            return []
        width = Counter(len(array) for _, array in arrays).most_common(1)[0][0]
        first = [make_text(cell) for cell in arrays[0][1]]
        header = [f"column {number}" for number in range(1, width + 1)]
        if _grade([dict.fromkeys(first, "")])[0] == PAIRS:
            header, arrays = first, arrays[1:]
        elif width == 2 or len({len(array) for _, array in arrays}) > 2:
            header = _name_two([array for _, array in arrays])
        rows = []
        for place, array in arrays:
            rows.append(self._row(dict(zip(header, map(make_text, array), strict=False)), place))
            if len(header) == 2:
                self.notes[_LATER] += len(array[2:])
        grade, pair = _grade([row.cells for row in rows[:_SAMPLE]])
        return [Group(rows, grade, pair)]


_LATER = "Texts after the first question and answer of a list are left out: {n}."
_SURE = 60  # of 100, by the name of a field


def _name_two(arrays: Sequence[Sequence[object]]) -> list[str]:
    first, second = ([make_text(array[at]) for array in arrays[:_SAMPLE]] for at in (0, 1))
    if sum(map(_is_wordy, first + second)) < len(arrays[:_SAMPLE]) / 2:
        return ["column 1", "column 2"]
    short = sum(len(text) <= 40 and len(text.split()) == 1 for text in second)
    if short > 0.8 * len(second) and len(set(second)) <= len(second) / 2:
        return ["text", "label"]
    if sum(map(asks, second)) > sum(map(asks, first)) + 0.3 * len(second):
        return ["answer", "question"]
    return ["question", "answer"]


def _are_records(values: Sequence[object]) -> bool:
    """Whether the values of an object are records under their ids, not topics."""
    records = [value for value in values if isinstance(value, Mapping)]
    topics = sum(map(_is_question_map, islice(records, _SAMPLE)))
    return (
        len(records) == len(values)
        and 2 * topics < len(records[:_SAMPLE])
        and _share_fields(records)
    )


def _is_flat(value: Sequence[object]) -> bool:
    return not any(isinstance(item, Mapping | list | tuple) for item in value)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _share_fields(records: Sequence[object]) -> bool:
    """Whether records have a field in common, most of them."""
    counts = Counter(key for record in records if isinstance(record, Mapping) for key in record)
    most = max(counts.values(), default=0)
    return most > 1 and 2 * most >= len(records)


def _is_question_map(record: Mapping[str, object]) -> bool:
    """Whether the keys of an object are the questions and its values the answers."""
    values = [value for value in record.values() if value]
    if not values or not all(isinstance(value, str) or _is_texts(value) for value in values):
        return False
    keys = [make_text(key) for key in islice(record, _SAMPLE)]
    if 2 * sum(map(asks, keys)) >= len(keys):
        return True
    known = sum(
        any(says(key, role) for role in ("question", "answer", "topic", "aside")) for key in keys
    )
    wordy = sum(map(_is_wordy, keys))
    length = sum(len(value) for value in values if isinstance(value, str)) / len(values)
    return len(keys) > 2 and 2 * wordy >= len(keys) and 2 * known < len(keys) and length >= 20


def _is_wordy(cell: object) -> bool:
    text = cell if isinstance(cell, str) else "".join(islice(cell, 1))  # type: ignore[call-overload]
    return len(text.split(maxsplit=1)) > 1 or (len(text) > 3 and not text[:50].isascii())


def _transpose(record: Mapping[str, object]) -> list[dict[str, object]]:
    """Make records of columns: lists under their names, or what pandas writes."""
    columns, data = record.get("columns"), record.get("data")
    if isinstance(columns, list) and isinstance(data, list) and data:
        if all(isinstance(row, list) and len(row) == len(columns) for row in data):
            return [dict(zip(map(make_text, columns), row, strict=True)) for row in data]
        return []
    if _grade([{make_text(key): "" for key in record}])[0] < PAIRS:
        return []
    lists = {
        make_text(key): list(value.values()) if isinstance(value, Mapping) else value
        for key, value in record.items()
        if isinstance(value, list)
        or (isinstance(value, Mapping) and all(make_text(inner).isdigit() for inner in value))
    }
    length = Counter(map(len, lists.values())).most_common(1)[0][0] if lists else 0
    lists = {key: value for key, value in lists.items() if len(value) == length}
    if length < 2 or not all(map(_is_flat, lists.values())):
        return []
    if _grade([dict.fromkeys(lists, "")])[0] < PAIRS:
        return []
    return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def _grade(records: Sequence[Cells]) -> tuple[int, tuple[str, str] | None]:
    """Grade records by the names of their fields, and by what these hold where names are vague."""
    sample = records[:: max(1, len(records) // _SAMPLE)][:_SAMPLE]
    names = dict.fromkeys(islice((name for record in sample for name in record), 20_000))
    asked = max(names, key=lambda name: says(name, "question"), default="")
    rest = [name for name in names if name != asked]
    answered = max(rest, key=lambda name: says(name, "answer"), default="")
    sure = min(says(asked, "question"), says(answered, "answer"))
    if sure >= _SURE:
        return PAIRS, (asked, answered)
    if sure and _share_asking(sample, asked) >= 0.5:
        return PAIRS, (asked, answered)
    if sure:
        return PERHAPS, (asked, answered)
    if len(names) > MOST_COLUMNS:
        return PLAIN, None
    asking = max(names, key=lambda name: _share_asking(sample, name), default="")
    if asking and _share_asking(sample, asking) >= 0.5:
        texts = {name: _mean_length(sample, name) for name in names if name != asking}
        longest = max(texts, key=texts.__getitem__, default="")
        if longest and texts[longest] >= 10:
            return PERHAPS, (asking, longest)
    return PLAIN, None


def _share_asking(records: Sequence[Cells], name: str) -> float:
    texts = [cell if isinstance(cell, str) else cell[0] for r in records if (cell := r.get(name))]
    return sum(map(asks, texts)) / max(1, len(texts))


def _mean_length(records: Sequence[Cells], name: str) -> float:
    cells = [record.get(name, "") for record in records]
    return sum(len(cell) for cell in cells if _is_wordy(cell) and isinstance(cell, str)) / len(
        cells
    )


def _use_keys(rows: Sequence[tuple[Row, str]]) -> None:
    """Keep the key a record stood under: as its question where it asks, as its name otherwise."""
    keys = [key for _, key in rows if key and not key.isdigit()]
    if len(keys) < 2:
        return
    asking = 2 * sum(map(asks, keys[:_SAMPLE])) >= len(keys[:_SAMPLE])
    names = {name for row, _ in rows[:_SAMPLE] for name in row.cells}
    lacking = asking and not any(says(name, "question") >= _SURE for name in names)
    for row, key in rows:
        row.cells.setdefault("question" if lacking else "key", key)


def _under(groups: list[Group], place: int) -> list[Group]:
    for group in groups:
        for row in group.rows:
            row.top = place
    return groups


def _name_level(groups: list[Group], level: str) -> list[Group]:
    asked = max(says(level, "question"), says(level, "answer")) >= _SURE
    technical = level.isidentifier() and asked
    if level and not level.isdigit() and level != "*" and not technical:
        for group in groups:
            for row in group.rows:
                row.levels.append((level, True))
    return groups


def _is_candidate(group: Group) -> bool:
    return group.grade in (PAIRS, PERHAPS, PLAIN) or (group.grade == ALONE and bool(group.pair))


def _describe(
    rows: Sequence[Row], record: Mapping[str, object], *, topical: bool, alone: bool
) -> None:
    """Keep beside records what the record around them says."""
    for key, value in islice(record.items(), 30):
        name, text = make_text(key).casefold(), make_text(value) if _is_scalar(value) else ""
        if not text.strip() or len(text) > 200 or text == "*":
            continue
        is_level = says(name, "topic") >= _SURE or (name in _TITLES and not alone)
        is_level |= topical and name in _ENTITIES | _TITLES
        for row in rows:
            if is_level:
                row.levels.append((text, False))
            elif name in _ENTITIES:
                row.entities.append(text)
            else:
                row.context.setdefault(make_text(key), text)


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


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
        told = any(cell and says(name, "topic") >= _SURE for name, cell in row.cells.items())
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
