"""The search for records in a value of any shape: lists, objects under ids, columns, chats.

A value is searched from the bottom up. Every set of records in it is graded: it holds pairs by the
names of its fields, perhaps some, or none.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from trainer.corpus.column_names import asks
from trainer.corpus.readers.chats import convert_text, is_chat, read_exchange
from trainer.corpus.readers.fields import Cells, flatten, make_text, says
from trainer.corpus.readers.grading import (
    ALONE,
    AROUND,
    ENTRIES,
    LABELLED,
    PAIRS,
    PERHAPS,
    PLAIN,
    SAMPLE,
    SURE,
    Group,
    Row,
    grade_records,
    is_wordy,
)
from trainer.corpus.readers.layouts import (
    are_records,
    is_flat,
    is_question_map,
    is_texts,
    name_two_columns,
    share_fields,
    transpose,
)
from trainer.corpus.readers.shapes import convert
from trainer.corpus.readers.threads import read_threads

_TITLES = frozenset({"title", "heading", "header", "label"})
_ENTITIES = frozenset({"name", "entity", "product", "brand", "subject"})
_LATER = "Texts after the first question and answer of a list are left out: {n}."


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
        if threads := read_threads(items, self.notes):
            return [self._group(threads, PAIRS)]
        if is_chat(items):
            exchange = read_exchange(items, self.notes)
            return [Group([self._row(exchange, 1)], PAIRS)] if exchange else []
        placed = list(enumerate(items, 1))
        groups = self._visit_records(
            [(place, item) for place, item in placed if isinstance(item, Mapping) and item],
            topical=topical,
        )
        arrays = [(place, item) for place, item in placed if isinstance(item, list | tuple)]
        if all(is_flat(item) for _, item in arrays):
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
        if rows := transpose(record):
            return self._visit_list(rows, topical)
        if is_question_map(record):
            pairs = (
                {"question": make_text(key), **flatten({"answer": value})}
                for key, value in record.items()
            )
            return [self._group(pairs, PAIRS)]
        values = [value for value in record.values() if value not in (None, "", [], {})]
        named = grade_records([{make_text(key): "" for key in record}])[0] == PAIRS
        if len(values) > 1 and not named:
            if are_records(values):
                entries = [
                    (place, value)
                    for place, value in enumerate(record.values(), 1)
                    if isinstance(value, Mapping)
                ]
                keys = [make_text(k) for k, v in record.items() if isinstance(v, Mapping)]
                return self._visit_records(entries, topical=topical, keys=keys)
            if all(is_texts(value) for value in values):
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
        if len(records) > 1 and not share_fields([record for _, record in records]):
            apart: list[Group] = []
            for at, (place, record) in enumerate(records):
                those = _under(self._visit_dict(record, topical), place)
                apart += _name_level(those, keys[at] if keys else "")
            return apart
        own: list[tuple[Row, Mapping[str, object], str]] = []
        found: list[Group] = []
        converted: list[Row] = []
        inner: dict[str, list[Group]] = {}
        fruitless = Counter[str]()
        for at, (place, record) in enumerate(records):
            key = keys[at] if keys else ""
            cells_of_pairs = convert(record, self.notes)
            if cells_of_pairs is not None:
                converted += (self._row(cells, place) for cells in cells_of_pairs)
                continue
            own.append((self._row({}, place), record, key))
            inside = self._visit_fields(record, place, fruitless)
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
        grade, pair = grade_records([row.cells for row, _, _ in own])
        if grade < PAIRS and with_pairs:
            grade = AROUND
        elif grade < PAIRS and len(records) == 1:
            grade = ALONE
        if own:
            found.append(Group([row for row, _, _ in own], grade, pair))
        wordy = grade == PLAIN and any(
            is_wordy(c) for r, _, _ in own[:SAMPLE] for c in r.cells.values()
        )
        floor = PAIRS if grade == PAIRS else PERHAPS if wordy else AROUND
        details = (group for groups in inner.values() for group in groups)
        return found + [group for group in details if group.grade >= floor]

    def _visit_fields(
        self, record: Mapping[str, object], place: int, fruitless: Counter[str]
    ) -> dict[str, list[Group]]:
        """Search the fields of one of many records, but those `fruitless` in many before it."""
        inside: dict[str, list[Group]] = {}
        for key, value in record.items():
            if isinstance(value, Mapping | list | tuple) and value:
                name = make_text(key)
                if fruitless[name] >= SAMPLE:
                    continue
                topical = says(name, "topic") >= SURE
                inside[name] = _under(self.visit(value, topical=topical), place)
                found = any(map(_is_candidate, inside[name]))
                fruitless[name] = 0 if found else fruitless[name] + 1
        return inside

    def _visit_arrays(self, arrays: Sequence[tuple[int, Sequence[object]]]) -> list[Group]:
        """Read lists of texts: question and answer by turns, or a table without names."""
        arrays = [(place, array) for place, array in arrays if len(array) > 1]
        if not arrays:
            return []
        width = Counter(len(array) for _, array in arrays).most_common(1)[0][0]
        first = [make_text(cell) for cell in arrays[0][1]]
        header = [f"column {number}" for number in range(1, width + 1)]
        if grade_records([dict.fromkeys(first, "")])[0] == PAIRS:
            header, arrays = first, arrays[1:]
        elif width == 2 or len({len(array) for _, array in arrays}) > 2:
            header = name_two_columns([array for _, array in arrays])
        rows = []
        for place, array in arrays:
            rows.append(self._row(dict(zip(header, map(make_text, array), strict=False)), place))
            if len(header) == 2:
                self.notes[_LATER] += len(array[2:])
        grade, pair = grade_records([row.cells for row in rows[:SAMPLE]])
        return [Group(rows, grade, pair)]


def _use_keys(rows: Sequence[tuple[Row, str]]) -> None:
    """Keep the key a record stood under: as its question where it asks, as its name otherwise."""
    keys = [key for _, key in rows if key and not key.isdigit()]
    if len(keys) < 2:
        return
    asking = 2 * sum(map(asks, keys[:SAMPLE])) >= len(keys[:SAMPLE])
    names = {name for row, _ in rows[:SAMPLE] for name in row.cells}
    lacking = asking and not any(says(name, "question") >= SURE for name in names)
    for row, key in rows:
        row.cells.setdefault("question" if lacking else "key", key)


def _under(groups: list[Group], place: int) -> list[Group]:
    for group in groups:
        for row in group.rows:
            row.top = place
    return groups


def _name_level(groups: list[Group], level: str) -> list[Group]:
    asked = max(says(level, "question"), says(level, "answer")) >= SURE
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
        is_level = says(name, "topic") >= SURE or (name in _TITLES and not alone)
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
