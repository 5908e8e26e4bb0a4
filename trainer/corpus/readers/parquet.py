"""Parquet and Arrow files, as data sets are shared: records with lists and structures in them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from trainer.corpus.readers.limits import MOST_BYTES, MOST_COLUMNS, MOST_ROWS
from trainer.corpus.readers.records import tables_from_records
from trainer.corpus.table import Table
from trainer.errors import CorpusError

if TYPE_CHECKING:
    import pyarrow  # type: ignore[import-untyped]

MOST_UNPACKED = 4 * MOST_BYTES
_BATCH = 256  # rows; a dictionary of one long text can make every row of it long


def read_parquet(data: bytes, name: str) -> list[Table]:
    """Read the records of a Parquet, Feather or Arrow file; raises `CorpusError`."""
    import pyarrow  # noqa: PLC0415 - slow to import, and few files need it

    pyarrow.set_cpu_count(1)
    records: list[dict[str, object]] = []
    size = 0
    left_out: set[str] = set()
    try:
        for part in _slice_batches(_open_batches(data, name)):
            batch, dropped = _keep_texts(part)
            left_out |= dropped
            size += batch.nbytes
            if size > MOST_UNPACKED or len(records) + batch.num_rows > MOST_ROWS:
                raise _too_large(name)
            records += batch.to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, OverflowError):
        raise CorpusError(
            f"{name} is damaged: it cannot be read as Parquet or Arrow. Save or download it again."
        ) from None
    if not records:
        raise CorpusError(f"{name} holds no rows. Add questions and answers.")
    tables = tables_from_records(records, format=_name_format(data), name=name)
    return [_note_left_out(tables[0], left_out), *tables[1:]] if left_out else tables


def _name_format(data: bytes) -> str:
    return "parquet" if data.startswith(b"PAR1") else "arrow"


def _too_large(name: str) -> CorpusError:
    return CorpusError(
        f"{name} holds more than {MOST_ROWS:,} rows or {MOST_UNPACKED // 1_000_000} MB. Split it "
        "into parts."
    )


def _open_batches(data: bytes, name: str) -> Iterator["pyarrow.RecordBatch"]:
    """Yield some rows at a time, once the file says that it is not too large."""
    import pyarrow.ipc  # type: ignore[import-untyped]  # noqa: PLC0415
    import pyarrow.parquet  # type: ignore[import-untyped]  # noqa: PLC0415

    source = pyarrow.BufferReader(data)
    if data.startswith(b"PAR1"):
        file = pyarrow.parquet.ParquetFile(source)
        about = file.metadata
        unpacked = sum(about.row_group(at).total_byte_size for at in range(about.num_row_groups))
        if about.num_rows > MOST_ROWS or unpacked > MOST_UNPACKED:
            raise _too_large(name)
        _refuse_wide(file.schema_arrow, name)
        yield from file.iter_batches(batch_size=_BATCH, use_threads=False)
    elif data.startswith(b"ARROW1"):
        arrow = pyarrow.ipc.open_file(source)
        _refuse_wide(arrow.schema, name)
        yield from (arrow.get_batch(at) for at in range(arrow.num_record_batches))
    else:
        stream = pyarrow.ipc.open_stream(source)
        _refuse_wide(stream.schema, name)
        yield from stream


def _slice_batches(batches: Iterator["pyarrow.RecordBatch"]) -> Iterator["pyarrow.RecordBatch"]:
    for batch in batches:
        batch.validate(full=True)  # or a damaged file crashes the process
        yield from (batch.slice(start, _BATCH) for start in range(0, batch.num_rows, _BATCH))


def _refuse_wide(schema: "pyarrow.Schema", name: str) -> None:
    if len(schema.names) > MOST_COLUMNS:
        raise CorpusError(
            f"{name}: more than {MOST_COLUMNS:,} columns. Keep the columns that hold questions, "
            "answers and topics, and upload it again."
        )


def _keep_texts(batch: "pyarrow.RecordBatch") -> tuple["pyarrow.RecordBatch", set[str]]:
    """Leave out pictures and vectors, and write dates and amounts as people do."""
    import pyarrow  # noqa: PLC0415

    names, columns, dropped = [], [], set()
    for column, kind in zip(batch.columns, batch.schema, strict=True):
        if "binary" in str(kind.type) or _is_vector(kind.type):
            dropped.add(kind.name)
            continue
        if pyarrow.types.is_dictionary(kind.type):
            column = column.dictionary_decode()
        if pyarrow.types.is_temporal(kind.type) or pyarrow.types.is_decimal(kind.type):
            column = column.cast(pyarrow.string())
        names.append(kind.name)
        columns.append(column)
    return pyarrow.RecordBatch.from_arrays(columns, names=names), dropped


def _is_vector(kind: "pyarrow.DataType") -> bool:
    import pyarrow  # noqa: PLC0415

    lists = (pyarrow.types.is_list, pyarrow.types.is_large_list, pyarrow.types.is_fixed_size_list)
    return any(is_list(kind) for is_list in lists) and pyarrow.types.is_floating(kind.value_type)


def _note_left_out(table: Table, left_out: set[str]) -> Table:
    shown = ", ".join(f"'{column}'" for column in sorted(left_out)[:10])
    note = f"Columns of pictures, bytes or vectors were left out: {shown}."
    return replace(table, notes=(*table.notes, note))
