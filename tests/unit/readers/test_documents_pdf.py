"""PDF: wrapped lines, bold questions, running headers, columns, tables, scans."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fpdf import FPDF

from trainer.corpus.readers.documents.pdf import read_pdf
from trainer.corpus.readers.documents.pdf_lines import is_backward, order_letters
from trainer.errors import CorpusError

LONG = (
    "Sie bezahlen mit jeder Karte, die in Ihrem Land ausgegeben wurde, oder mit einer Überweisung, "
    "deren Eingang wir innerhalb von zwei Werktagen bestätigen. Danach wird die Ware verschickt."
)


def make(write: Callable[[FPDF], None], **settings: object) -> bytes:
    page = FPDF(**settings)
    page.set_font("helvetica", size=11)
    page.add_page()
    write(page)
    return bytes(page.output())


def read(data: bytes, name: str = "help.pdf") -> list[tuple[str, ...]]:
    (table,) = read_pdf(data, name)
    assert table.unit == "page"
    return [cells for _, cells in table.rows]


def write(page: FPDF, text: str, style: str = "", size: float = 11, gap: float = 0) -> None:
    page.set_font("helvetica", style, size)
    page.multi_cell(0, 6, text, new_x="LMARGIN", new_y="NEXT")
    page.ln(gap)


def test_bold_questions_and_wrapped_answers_under_large_topics():
    def fill(page: FPDF) -> None:
        write(page, "Häufige Fragen", "B", 20, 4)
        for topic in ("Zahlung", "Versand"):
            write(page, topic, "B", 15, 3)
            for number in (1, 2):
                write(
                    page,
                    f"{number}. Wie geht {topic} und was muss ich dabei als Kundin oder Kunde "
                    "in den ersten vier Wochen beachten?",
                    "B",
                )
                write(page, LONG, gap=2)
                write(page, "- erstens\n- zweitens", gap=4)

    question = (
        "Wie geht {} und was muss ich dabei als Kundin oder Kunde in den ersten vier Wochen "
        "beachten?"
    )
    assert read(make(fill)) == [
        (question.format(topic), f"{LONG}\n- erstens\n- zweitens", topic)
        for topic in ("Zahlung", "Versand")
        for _ in (1, 2)
    ]


def test_paragraphs_of_an_answer_stay_apart_and_hyphens_are_undone():
    def fill(page: FPDF) -> None:
        for n in (1, 2):
            write(page, f"Q{n}: Was sind personenbezogene Daten?", "B")
            write(
                page,
                "A: "
                + "Das sind Angaben zu einer Person, " * 3
                + "die eine Behörde oder ein Unter-\n"
                "nehmen verarbeitet und speichert.",
                gap=5,
            )
            write(page, "E-Mail-Adressen gehören dazu.", gap=5)

    pairs = read(make(fill))
    assert [pair[0] for pair in pairs] == ["Was sind personenbezogene Daten?"] * 2
    assert "Unternehmen verarbeitet" in pairs[0][1]
    assert pairs[0][1].endswith("speichert.\n\nE-Mail-Adressen gehören dazu.")


def test_running_headers_footers_and_page_numbers_are_left_out():
    class Book(FPDF):
        def header(self) -> None:
            write(self, "Shop GmbH - Kundenhandbuch", size=9)

        def footer(self) -> None:
            self.set_y(-15)
            self.cell(0, 10, f"Seite {self.page_no()} von 9 - vertraulich", align="C")

    book = Book()
    book.add_page()
    for number in range(24):
        write(book, f"Frage Nummer {number} zum Vertrag?", "B", 13)
        write(book, f"{number} Mal: {LONG}", gap=6)
    pairs = read(bytes(book.output()))
    assert [pair[1] for pair in pairs] == [f"{n} Mal: {LONG}" for n in range(24)]
    assert [pair[0] for pair in pairs] == [f"Frage Nummer {n} zum Vertrag?" for n in range(24)]


def test_plain_numbered_questions_without_any_weight():
    def fill(page: FPDF) -> None:
        for number in range(1, 5):
            write(
                page, f"{number}. May I return item {number} when I have opened it already?", gap=4
            )
            write(page, "Yes, within two weeks:", gap=1)
            write(page, "1. Pack it.\n2. Send it.", gap=6)

    assert read(make(fill))[3] == (
        "May I return item 4 when I have opened it already?",
        "Yes, within two weeks:\n1. Pack it.\n2. Send it.",
        "",
    )


@pytest.mark.parametrize("count", [2, 4])
def test_two_columns_are_read_one_after_the_other(count: int):
    def fill(page: FPDF) -> None:
        for column in (0, 1):
            page.set_xy(10 + 100 * column, 20)
            page.set_left_margin(10 + 100 * column)
            page.set_right_margin(110 - 100 * column)
            for number in range(count):
                write(page, f"Question {column}{number} about this?", "B")
                write(page, LONG, gap=3)

    pairs = read(make(fill))
    assert [pair[0] for pair in pairs] == [
        f"Question {c}{n} about this?" for c in "01" for n in range(count)
    ]
    assert {pair[1] for pair in pairs} == {LONG}


def test_a_ruled_table_of_questions_and_answers_is_read():
    def fill(page: FPDF) -> None:
        with page.table() as table:
            table.row(["Question", "Answer"])
            for number in range(3):
                table.row([f"May I return item {number}?", f"{LONG} {number}"])

    assert read(make(fill)) == [(f"May I return item {n}?", f"{LONG} {n}", "") for n in range(3)]


def test_a_list_of_contents_with_dots_is_left_out():
    def fill(page: FPDF) -> None:
        write(page, "Contents", "B", 15)
        for number in range(3):
            write(page, f"{number}. What is item {number}? {'.' * 60} {number + 1}")
        for number in range(3):
            write(page, f"{number}. What is item {number}?", "B", gap=2)
            write(page, f"A thing, namely {number}.", gap=5)

    assert read(make(fill)) == [
        (f"What is item {n}?", f"A thing, namely {n}.", "") for n in range(3)
    ]


def test_a_pdf_of_pictures_is_refused_with_advice():
    with pytest.raises(CorpusError, match=r"holds pictures of text and no text\. Run OCR"):
        read_pdf(make(lambda page: page.rect(10, 10, 50, 50)), "scan.pdf")


def test_a_pdf_with_a_password_is_refused_with_advice():
    def lock(page: FPDF) -> None:
        page.set_encryption("owner", "user")
        write(page, "Why? Because.")

    with pytest.raises(CorpusError, match=r"help\.pdf is protected with a password"):
        read_pdf(make(lock), "help.pdf")


def test_a_pdf_that_any_reader_may_open_is_read_though_it_is_locked_for_changes():
    def lock(page: FPDF) -> None:
        page.set_encryption("owner")
        for n in "12":
            write(page, f"Why {n}?", "B")
            write(page, "Because.", gap=4)

    assert len(read(make(lock))) == 2


def test_a_report_is_refused():
    with pytest.raises(CorpusError, match=r"No question-answer pairs were found in report\.pdf"):
        read_pdf(make(lambda page: write(page, LONG * 20)), "report.pdf")


@pytest.mark.parametrize(
    ("seen", "read_"),
    [
        ("؟(Visa) بلطلا نمث عفدأ فيك", "كيف أدفع ثمن الطلب (Visa)؟"),
        ("14 12 خيرات نم اموي 30 لالخ عفدلا", "الدفع خلال 30 يوما من تاريخ 14 12"),
        ("?םיחולשמ שי םאה", "האם יש משלוחים?"),
        ("A question in English?", "A question in English?"),
    ],
)
def test_right_to_left_lines_are_brought_into_reading_order(seen: str, read_: str):
    assert is_backward(seen)
    assert not is_backward(read_) or seen == read_
    assert order_letters(seen) == read_


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_pdf_cut_in_the_middle_is_refused_in_one_sentence(shared: Path, share: float):
    data = (shared / "corpora/course_faq_de_pdf/FAQ.pdf").read_bytes()
    with pytest.raises(CorpusError) as refused:
        read_pdf(data[: int(len(data) * share)], "cut.pdf")
    assert "cut.pdf" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_real_course_faq_gives_its_18_questions(shared: Path):
    (table,) = read_pdf((shared / "corpora/course_faq_de_pdf/FAQ.pdf").read_bytes(), "FAQ.pdf")
    assert len(table.rows) == 18  # 20 to 36, and 31a
    first, last = table.rows[0], table.rows[-1]
    assert first[0] == 1
    assert str(first[1][0]).startswith("Ich habe Dependency Injection noch nicht")
    assert str(first[1][0]).endswith("ein besseres Beispiel für Dependency Injection?")
    assert str(first[1][1]).endswith("Siehe Java-Beispiel.")
    assert str(last[1][1]).endswith("„gib mir die Variable, auf die ptr zeigt“.")
    assert not any(str(cells[0])[:1].isdigit() for _, cells in table.rows)
