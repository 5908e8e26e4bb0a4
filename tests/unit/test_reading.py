"""A CSV becomes examples, or is refused with the row and the reason."""

from pathlib import Path

import pytest

from trainer.corpus.examples import distinct, normalise
from trainer.corpus.reading import read_corpus
from trainer.errors import CorpusError


def write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "faq.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_columns_are_found_whatever_their_order_and_case(tmp_path: Path) -> None:
    reading = read_corpus(write(tmp_path, "Source,ANSWER,Question\nweb,Thirty days.,How long?\n"))
    (example,) = reading.examples
    assert (example.question, example.answer) == ("How long?", "Thirty days.")
    assert (reading.mapping.question, reading.mapping.answer) == ("Question", "ANSWER")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_usual_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    rows = [("question", "answer", "topic"), ("How long?", "Thirty days.", "returns")]
    text = "\n".join(delimiter.join(row) for row in rows)
    (example,) = read_corpus(write(tmp_path, text)).examples
    assert example.topic == "returns"


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16")],
)
def test_a_byte_order_mark_is_read_and_named(tmp_path: Path, encoding: str, named: str) -> None:
    reading = read_corpus(write(tmp_path, "question,answer\nWie?,Für £5.\n".encode(encoding)))
    assert reading.examples[0].answer == "Für £5."
    assert reading.encoding == named


def test_rows_count_as_a_spreadsheet_counts_them(tmp_path: Path) -> None:
    text = 'question,answer\nHow?,"Two\nlines."\n,\nWhy?,So.\n'
    assert [e.row for e in read_corpus(write(tmp_path, text)).examples] == [2, 4]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("q1,a1\nx,y\n", "row 1: no column is called 'question'.*found 'q1', 'a1'"),
        ("question,text\nx,y\n", "no column is called 'answer'"),
        ("", "is empty"),
        ("question,answer\nHow?,\n", "row 2: the cell in column 'answer' is empty"),
        ("question,answer\nHow?,So.\n,Orphan.\n", "row 3: the cell in column 'question' is empty"),
        ("question,answer\nHow?\n", "row 2: the cell in column 'answer' is empty"),
        ("question,answer\n\n", "no rows"),
        ('question,answer\nHow?,So.\nWhy?,"never closed\n', "row 3: .*quotation mark"),
        ('question,answer\nHow?,"a" b\n', "row 2: .*quotation mark"),
        (b"question,answer\nHow?,\xa35\n", "line 2: the text is not UTF-8"),
        (b"PK\x03\x04\x00\x00", "not a text file"),
        ("question,answer\nHow?,Small, light.\n", "row 2: more cells than the first row has"),
    ],
)
def test_a_bad_file_is_refused_with_the_place_and_the_cure(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(CorpusError, match=message) as caught:
        read_corpus(write(tmp_path, content))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        "\n\nquestion,answer\nHow?,So.\n",
        "sep=;\nquestion;answer\nHow?;So.\n",
        '"a, b, c";question;answer\nx;How?;So.\n',
        "question,answer,,\r\nHow?,So.,,\r\n",
        "question,answer\nHow?,So.\nWhy?," + "x" * 200_000 + "\n",
    ],
)
def test_what_spreadsheets_write_around_the_table_does_no_harm(
    tmp_path: Path, content: str
) -> None:
    first = read_corpus(write(tmp_path, content)).examples[0]
    assert (first.question, first.answer) == ("How?", "So.")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"nowhere\.csv cannot be read: No such file"):
        read_corpus(tmp_path / "nowhere.csv")


def test_repeats_and_contradictions_are_found_with_their_rows(tmp_path: Path) -> None:
    rows = [f"Question {n}?,Answer {n}." for n in range(20)]
    rows += ["question 3,Answer 3", "Question 5?,Something else."]
    reading = read_corpus(write(tmp_path, "question,answer\n" + "\n".join(rows)))
    found = {problem.kind: problem for problem in reading.problems}
    assert set(found) == {"duplicate", "contradiction"}
    assert found["duplicate"].where == ("rows 5, 22",)
    assert found["contradiction"].where == ("rows 7, 23",)
    assert len(reading.examples) == 22
    assert len(distinct(reading.examples)) == 21


def test_sameness_ignores_case_space_and_punctuation_but_not_words() -> None:
    assert normalise("  How LONG,\tplease?") == normalise("how long please")
    assert normalise("How\u200b?") == normalise("Ho\u00adw") == normalise("\ufeffhow")
    assert normalise("£5") != normalise("$5")
    assert normalise("?") != normalise("!")
    assert normalise("कि") != normalise("का"), "vowel signs are part of a word"


def test_a_public_bank_faq_reads_to_its_known_counts(shared: Path) -> None:
    reading = read_corpus(shared / "corpora/banking_mrjay10/BankFAQs.csv")
    assert len(reading.examples) == 1764
    assert {p.kind: p.count for p in reading.problems}["duplicate"] == 299
