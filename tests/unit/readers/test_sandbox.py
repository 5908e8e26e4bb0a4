"""A hostile file ends in one sentence, soon, and within its memory."""

import time
from pathlib import Path

import pytest

from trainer.corpus.readers.sandbox import read_tables
from trainer.errors import CorpusError


def test_tables_come_back_as_the_reader_made_them(tmp_path: Path) -> None:
    file = tmp_path / "intents.json"
    file.write_text(
        '{"intents": [{"tag": "hours", "patterns": ["When?", "Open?"], "responses": ["At nine."]}]}'
    )
    (table,) = read_tables(file)
    assert isinstance(table.header, tuple)
    number, cells = table.rows[0]
    assert number == 1
    assert ("When?", "Open?") in cells


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("faq.csv", b"", r"faq\.csv is empty"),
        ("faq.csv", b"MZ\x90\x00" + bytes(range(256)) * 40, r"faq\.csv is a program"),
        ("faq.xlsx", b"\x89PNG\r\n\x1a\n" + bytes(500), "is a picture"),
        ("faq.pdf", b"%PDF-1.7\n" + b"\x00" * 900, r"faq\.pdf"),
        ("faq.docx", b"PK\x03\x04" + b"\x00" * 900, r"faq\.docx"),
        ("faq.json", b"[" * 10_000 + b"]" * 10_000, "nested"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_one_sentence(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(CorpusError, match=message) as caught:
        read_tables(file)
    assert "\n" not in str(caught.value)


def test_a_reader_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    file = tmp_path / "faq.csv"
    file.write_text("question,answer\nHow?,So.\n")
    began = time.monotonic()
    with pytest.raises(CorpusError, match=r"takes longer than 0\.01 seconds to read"):
        read_tables(file, most_seconds=0.01)
    assert time.monotonic() - began < 5


def test_a_reader_that_wants_too_much_memory_is_stopped(tmp_path: Path) -> None:
    file = tmp_path / "deep.yaml"
    file.write_text("a: " + "[" * 50_000)
    with pytest.raises(CorpusError):
        read_tables(file)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"nowhere\.csv cannot be read: No such file"):
        read_tables(tmp_path / "nowhere.csv")
    with pytest.raises(CorpusError, match="is not a file"):
        read_tables(tmp_path)


def test_a_format_is_known_by_its_content_before_its_name(tmp_path: Path) -> None:
    file = tmp_path / "faq.csv"
    file.write_text('{"questions": [{"question": "How?", "answer": "So."}]}')
    assert read_tables(file)[0].format == "JSON"
    file = tmp_path / "faq.txt"
    file.write_text("Q: How?\nA: So.\n\nQ: Why?\nA: Because.\n\nQ: When?\nA: At nine.\n")
    assert len(read_tables(file)[0].rows) == 3
