"""CSV and TSV as people and programs really write them."""

import random
import time
from pathlib import Path

import pytest

from trainer.corpus.readers.delimited import looks_delimited, read_delimited
from trainer.corpus.table import Table
from trainer.errors import CorpusError


def read(text: str | bytes) -> Table:
    (table,) = read_delimited(text.encode() if isinstance(text, str) else text, "faq.csv")
    return table


def cells(table: Table) -> list[tuple[object, ...]]:
    return [row for _, row in table.rows]


@pytest.mark.parametrize(
    "delimiter",
    [",", ";", "\t", "|", "~", "^", "¦", "\x1f", "::", "||", "，"],  # noqa: RUF001
)
def test_any_delimiter_is_found_though_texts_hold_others(delimiter: str) -> None:
    rows = [
        ("question", "answer", "topic"),
        ("Is it; so: that?", "Yes. No. 3/4 a-b", "returns"),
        ("How long?", "Thirty days!", "returns"),
    ]
    table = read("\n".join(delimiter.join(row) for row in rows))
    found = [tuple(cell for cell in row if cell) for row in cells(table)]
    assert found == rows
    assert table.header is None


def test_many_records_decide_the_delimiter_and_not_the_first() -> None:
    text = "FAQ, export, of, today\n\nquestion;answer\n" + "A, b or c?;Take a, b.\n" * 9
    table = read(text)
    assert table.rows[1] == (3, ("question", "answer"))
    assert table.rows[2] == (4, ("A, b or c?", "Take a, b."))


@pytest.mark.parametrize(
    "text",
    [
        "\n\nquestion,answer\nHow?,So.\n",
        "sep=;\nquestion;answer\nHow?;So.\n",
        "#separator:Tab\n#html:true\nquestion\tanswer\nHow?\tSo.\n",
        "question,answer,,\r\nHow?,So.,,\r\n",
        "question, answer\nHow?, So.\n",
        "'question','answer'\n'How?','So.'\n",
        "\ufeffquestion,answer\nHow?,So.\n",
        "question,answer\rHow?,So.\r",
        '"question","answer"\n"How?","So."\n',
    ],
)
def test_what_programs_write_around_the_table_does_no_harm(text: str) -> None:
    assert cells(read(text)) == [("question", "answer"), ("How?", "So.")]


def test_rows_count_as_a_spreadsheet_counts_them() -> None:
    table = read('question,answer\nHow?,"Two\nlines."\n,\nWhy?,So.\n')
    assert table.rows[1:] == ((2, ("How?", "Two\nlines.")), (4, ("Why?", "So.")))


@pytest.mark.parametrize(
    ("written", "note"),
    [
        ('"He said ""hi, there"" twice"', None),
        ('"He said \\"hi, there\\" twice"', 'written \\"'),
        ('"He said "hi, there" twice"', "not doubled"),
    ],
)
def test_quotation_marks_inside_a_cell_are_kept(written: str, note: str | None) -> None:
    table = read(f'question,answer\n"A, b?",{written}\nWhy?,So.\n')
    assert cells(table)[1] == ("A, b?", 'He said "hi, there" twice')
    assert [note in said for said in table.notes] == ([True] if note else [])


def test_unpaired_quotation_marks_are_text_where_every_line_is_a_row() -> None:
    table = read('Loved it\t1\n"Bad\t0\nOk "fine\t1\n"Great" film\t1\nA 5" screen\t0\n')
    assert [row[0] for row in cells(table)] == [
        "Loved it", '"Bad', 'Ok "fine', '"Great" film', 'A 5" screen',
    ]  # fmt: skip
    assert table.notes == (
        "Quotation marks are not paired in this file, first in row 2; they were read as text.",
    )


def test_quotation_marks_that_only_seem_to_hold_two_lines_together_are_text() -> None:
    table = read('Fine.\t1\n"Bad film.\t0\nGood end."\t1\nWell.\t0\n')
    assert cells(table)[1:3] == [('"Bad film.', "0"), ('Good end."', "1")]


def test_a_file_cut_off_inside_quotation_marks_is_refused_with_the_row() -> None:
    good = '"a, b?","c, d\ne"\n' * 20
    with pytest.raises(CorpusError, match=r"faq.csv, row 22: a quotation mark is never closed"):
        read("question,answer\n" + good + '"Why, so?","Because, of\n')


def test_shorter_rows_are_filled() -> None:
    text = "question,answer,topic\nHow?,So.\nWhy?,Thus.,x\n"
    assert cells(read(text))[1] == ("How?", "So.", "")


def test_a_comma_of_a_sentence_is_joined_back_and_named() -> None:
    table = read("question,answer\nHow, and why?,Small, light.\nCost?,1,000 euro\nA?,b\n")
    assert cells(table)[1:3] == [("How, and why?", "Small, light."), ("Cost?", "1,000 euro")]
    assert table.notes == ("',' inside a text without quotation marks was kept in it: rows 2, 3.",)


def test_a_comma_that_could_be_either_is_refused_with_the_row() -> None:
    with pytest.raises(CorpusError, match="row 2: more cells than the first row has columns"):
        read("question,answer\nHow?,Small,light.\nA?,b\n")


def test_one_question_on_a_line_is_one_column() -> None:
    text = "Question\nHow do I, well, open?\nIs it?\nHi, how are you, John?\n"
    assert cells(read(text))[1] == ("How do I, well, open?",)
    assert {len(row) for row in cells(read("Hello, how?\nWell, so.\nAnd, again?\n"))} == {1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n \n,,\n", "is empty"),
        ("question,answer\nx," + "y" * 1_000_001, "row 2: a cell holds more than 1,000,000 char"),
        ("x," * 1_500, "row 1: more than 1,000 columns"),
        ("x;" * 1_000_000, "row 1: more than 1,000 columns"),
        ('"' + "y" * 1_000_001, "row 1: a cell holds more than"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(text: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_a_hundred_thousand_rows_take_seconds() -> None:
    line = 'How do I do it?,"Do this, then ""that"", and so on and on",topic,{}\n'
    text = "question,answer,topic,id\n" + "".join(map(line.format, range(100_000)))
    start = time.perf_counter()
    assert len(read(text).rows) == 100_001
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("How?\tSo.\nWhy?\tThus.\n", True),
        ("ham\tHi there, John\nspam\tWIN, now\n", True),
        ("question;answer\nHow?;So.\n", True),
        ("sep=|\nHow?|So.\n", True),
        ("Q: How, so?\nA: So.\n\nQ: Why?\nA: Well, so.\n", False),
        ("Q:\tHow?\nA:\tSo.\nQ:\tWhy?\nA:\tThus.\n", False),
        ("問：どう？\n答：こう。\n", False),  # noqa: RUF001
        ("How do I open?\nGo there, please.\nIs it open?\nYes, it is.\n", False),
        ("This is prose; it has commas, and such.\nIt goes on; truly.\nYes; it does.\n", False),
        ("# Title\n\n## How?\n\nSo, it is.\n", False),
        ("", False),
    ],
)
def test_a_table_is_told_from_prose(text: str, table: bool) -> None:
    assert looks_delimited(text) is table


@pytest.mark.parametrize(
    ("file", "rows", "columns"),
    [
        ("cls_uci_sentiment_txt/amazon_cells_labelled.txt", 1001, 2),
        ("cls_uci_sentiment_txt/imdb_labelled.txt", 1000, 2),
        ("cls_uci_sentiment_txt/yelp_labelled.txt", 1001, 2),
        ("mt_tatoeba_en_zh_txt/cmn.txt", 19577, 2),
        ("covid_multilingual_deepset/faq_200327.tsv", 897, 12),
        ("covid_multilingual_deepset/MT_ar_faq_covidbert.csv", 214, 15),
        ("mental_health_mojibake/Mental_Health_FAQ.csv", 99, 3),
        ("construction_sv_en_all_formats/faq.csv", 504, 8),
        ("banking_mrjay10/BankFAQs.csv", 1765, 3),
    ],
)
def test_real_tables_have_their_rows(shared: Path, file: str, rows: int, columns: int) -> None:
    data = (shared / "corpora" / file).read_bytes()
    (table,) = read_delimited(data, file)
    assert (len(table.rows), len(table.rows[0][1])) == (rows, columns)
    assert looks_delimited(data.decode())


def test_a_damaged_table_is_read_or_refused_and_nothing_else(shared: Path) -> None:
    whole = (shared / "corpora/mental_health_mojibake/Mental_Health_FAQ.csv").read_bytes()[:10_000]
    rng = random.Random(4)
    refused = []
    for _ in range(200):
        data = bytearray(whole[: rng.randrange(1, len(whole))] if rng.random() < 0.3 else whole)
        for _ in range(rng.choice((0, 1, 30))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            assert read(bytes(data)).rows
        except CorpusError as error:
            refused.append(str(error))
    assert 0 < len(refused) < 200
    assert not [message for message in refused if "\n" in message]
