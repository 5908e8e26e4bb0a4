"""How records are laid out: listed, under ids, column by column, or as questions to answers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

from trainer.corpus.column_names import asks
from trainer.corpus.readers.fields import make_text, says
from trainer.corpus.readers.grading import PAIRS, SAMPLE, grade_records, is_wordy


def is_flat(value: Sequence[object]) -> bool:
    """Whether a list holds neither lists nor objects."""
    return not any(isinstance(item, Mapping | list | tuple) for item in value)


def is_texts(value: object) -> bool:
    """Whether a value is a list of texts."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def share_fields(records: Sequence[object]) -> bool:
    """Whether records have a field in common, most of them."""
    counts = Counter(key for record in records if isinstance(record, Mapping) for key in record)
    most = max(counts.values(), default=0)
    return most > 1 and 2 * most >= len(records)


def are_records(values: Sequence[object]) -> bool:
    """Whether the values of an object are records under their ids, not topics."""
    records = [value for value in values if isinstance(value, Mapping)]
    topics = sum(map(is_question_map, islice(records, SAMPLE)))
    return (
        len(records) == len(values) and 2 * topics < len(records[:SAMPLE]) and share_fields(records)
    )


def is_question_map(record: Mapping[str, object]) -> bool:
    """Whether the keys of an object are the questions and its values the answers."""
    values = [value for value in record.values() if value]
    if not values or not all(isinstance(value, str) or is_texts(value) for value in values):
        return False
    keys = [make_text(key) for key in islice(record, SAMPLE)]
    if 2 * sum(map(asks, keys)) >= len(keys):
        return True
    known = sum(
        any(says(key, role) for role in ("question", "answer", "topic", "aside")) for key in keys
    )
    wordy = sum(map(is_wordy, keys))
    length = sum(len(value) for value in values if isinstance(value, str)) / len(values)
    return len(keys) > 2 and 2 * wordy >= len(keys) and 2 * known < len(keys) and length >= 20


def transpose(record: Mapping[str, object]) -> list[dict[str, object]]:
    """Make records of columns: lists under their names, or what pandas writes."""
    columns, data = record.get("columns"), record.get("data")
    if isinstance(columns, list) and isinstance(data, list) and data:
        if all(isinstance(row, list) and len(row) == len(columns) for row in data):
            return [dict(zip(map(make_text, columns), row, strict=True)) for row in data]
        return []
    if grade_records([{make_text(key): "" for key in record}])[0] < PAIRS:
        return []
    lists = {
        make_text(key): list(value.values()) if isinstance(value, Mapping) else value
        for key, value in record.items()
        if isinstance(value, list)
        or (isinstance(value, Mapping) and all(make_text(inner).isdigit() for inner in value))
    }
    length = Counter(map(len, lists.values())).most_common(1)[0][0] if lists else 0
    lists = {key: value for key, value in lists.items() if len(value) == length}
    if length < 2 or not all(map(is_flat, lists.values())):
        return []
    if grade_records([dict.fromkeys(lists, "")])[0] < PAIRS:
        return []
    return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def name_two_columns(arrays: Sequence[Sequence[object]]) -> list[str]:
    """Name two columns that have no names: question and answer, text and label, or neither."""
    first, second = ([make_text(array[at]) for array in arrays[:SAMPLE]] for at in (0, 1))
    if sum(map(is_wordy, first + second)) < len(arrays[:SAMPLE]) / 2:
        return ["column 1", "column 2"]
    short = sum(len(text) <= 40 and len(text.split()) == 1 for text in second)
    if short > 0.8 * len(second) and len(set(second)) <= len(second) / 2:
        return ["text", "label"]
    if sum(map(asks, second)) > sum(map(asks, first)) + 0.3 * len(second):
        return ["answer", "question"]
    return ["question", "answer"]
