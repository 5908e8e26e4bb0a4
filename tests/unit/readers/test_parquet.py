"""Data sets in Parquet and Arrow become tables, whatever stands in their columns."""

import datetime
import io
import random

import pyarrow
import pyarrow.parquet
import pytest

from trainer.corpus.readers.parquet import read_parquet
from trainer.errors import CorpusError

CHAT = [{"role": "user", "content": "How?"}, {"role": "assistant", "content": "So."}]


def save(columns: dict[str, object]) -> bytes:
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), out, compression="zstd")
    return out.getvalue()


def save_arrow(columns: dict[str, object], *, stream: bool = False) -> bytes:
    table = pyarrow.table(columns)
    out = io.BytesIO()
    new = pyarrow.ipc.new_stream if stream else pyarrow.ipc.new_file
    with new(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def test_columns_keep_their_names_and_lists_their_texts() -> None:
    columns = {"question": ["How?", "Wo?"], "wordings": [["a", "b"], ["c", "d"]], "n": [1.0, 2.5]}
    (table,) = read_parquet(save(columns), "faq.parquet")
    assert (table.format, table.header) == ("parquet", ("question", "wordings", "n"))
    assert [cells for _, cells in table.rows] == [
        ("How?", ("a", "b"), "1"), ("Wo?", ("c", "d"), "2.5"),
    ]  # fmt: skip


def test_dates_are_written_out_and_pictures_and_vectors_are_left_out_by_name() -> None:
    columns = {
        "question": ["How?"],
        "answer": ["So."],
        "changed": [datetime.date(2026, 3, 4)],
        "image": [{"bytes": b"\x89PNG", "path": "x.png"}],
        "embedding": [[0.1] * 384],
    }
    (table,) = read_parquet(save(columns), "faq.parquet")
    assert table.rows[0][1] == ("How?", "So.", "2026-03-04")
    assert "were left out: 'embedding', 'image'." in table.notes[-1]


def test_messages_become_question_and_answer() -> None:
    (table,) = read_parquet(save({"messages": [CHAT, CHAT]}), "faq.parquet")
    assert [cells for _, cells in table.rows] == [("How?", "So.")] * 2


@pytest.mark.parametrize("stream", [False, True])
def test_arrow_files_are_read_too(stream: bool) -> None:
    data = save_arrow({"question": ["How?"], "answer": ["So."]}, stream=stream)
    (table,) = read_parquet(data, "faq.arrow")
    assert (table.format, table.rows[0][1]) == ("arrow", ("How?", "So."))


def long_texts(rows: int) -> dict[str, object]:
    """One text of a million letters, to which every row points."""
    places = pyarrow.array([0] * rows, pyarrow.int32())
    return {"question": pyarrow.DictionaryArray.from_arrays(places, ["y" * 1_000_000])}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (save(long_texts(500_000)), "more than 1,000,000 rows or 200 MB"),
        (save_arrow(long_texts(500_000)), "more than 1,000,000 rows or 200 MB"),
        (save({"question": pyarrow.array([None] * 1_000_001)}), "more than 1,000,000 rows"),
        (save({f"c{n}": ["x"] for n in range(1_001)}), "more than 1,000 columns"),
        (save({"question": pyarrow.array([], pyarrow.string())}), "holds no rows"),
        (b"PAR1" + bytes(100) + b"PAR1", "is damaged"),
    ],
    ids=["one long text", "in Arrow", "rows", "columns", "nothing", "damaged"],
)
def test_what_is_too_large_or_damaged_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read_parquet(data, "faq.parquet")


@pytest.mark.parametrize("save_as", [save, save_arrow])
def test_a_damaged_file_is_read_or_refused_and_nothing_else(save_as) -> None:
    rng = random.Random(4)
    columns = {"question": ["How?", "Wo?"] * 99, "answers": [["a"], ["b", "c"]] * 99}
    whole = save_as(columns)
    refused = []
    for _ in range(200):
        data = bytearray(whole[: rng.randrange(8, len(whole))] if rng.random() < 0.3 else whole)
        for _ in range(rng.choice((1, 3, 30))):
            data[rng.randrange(6, len(data))] = rng.randrange(256)
        try:
            read_parquet(bytes(data), "faq.parquet")
        except CorpusError as error:
            refused.append(str(error))
    assert 0 < len(refused) < 200
    assert not [message for message in refused if "\n" in message]
