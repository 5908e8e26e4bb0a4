"""Word documents: styles, bold runs, lists, tables, and what Word keeps but does not show."""

# ruff: noqa: RUF001 - letters and signs of other alphabets are the point

import io
from pathlib import Path

import docx
import pytest
from docx.document import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.text.paragraph import Paragraph

from trainer.corpus.readers.documents.docx import read_docx
from trainer.corpus.table import Table
from trainer.errors import CorpusError


def save(document: Document) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def read_table(document: Document, name: str = "help.docx") -> Table:
    (table,) = read_docx(save(document), name)
    return table


def read(document: Document, name: str = "help.docx") -> list[tuple[str, ...]]:
    return [cells for _, cells in read_table(document, name).rows]


def add_bold(document: Document, text: str, style: str | None = None) -> Paragraph:
    paragraph = document.add_paragraph(style=style)
    paragraph.add_run(text).bold = True
    return paragraph


def test_headings_are_questions_and_higher_ones_topics():
    document = docx.Document()
    document.add_heading("Hilfe", 0)
    for topic, questions in {
        "Zahlung": ("Wie?", "Womit?"),
        "Versand": ("Wann?", "Rückgabe"),
    }.items():
        document.add_heading(topic, 1)
        for question in questions:
            document.add_heading(question, 2)
            document.add_paragraph(f"So, {question}")
            document.add_paragraph("eins", style="List Bullet")
            document.add_paragraph("zwei", style="List Bullet")
    assert read(document) == [
        (question, f"So, {question}\n- eins\n- zwei", topic)
        for topic, question in [
            ("Zahlung", "Wie?"),
            ("Zahlung", "Womit?"),
            ("Versand", "Wann?"),
            ("Versand", "Rückgabe"),
        ]
    ]


def test_styles_with_names_in_another_language_are_known_by_their_level():
    document = docx.Document()
    style = document.styles.add_style("Überschrift Frage", 1)
    style.element.get_or_add_pPr().append(parse_xml(f'<w:outlineLvl {nsdecls("w")} w:val="1"/>'))
    for number in range(3):
        document.add_paragraph(f"Frage {number} ohne Zeichen?", style="Überschrift Frage")
        document.add_paragraph("Antwort.")
    table = read_table(document)
    assert [cells[0] for _, cells in table.rows] == [f"Frage {n} ohne Zeichen?" for n in range(3)]
    assert table.unit == "paragraph"
    assert [number for number, _ in table.rows] == [1, 3, 5]


def test_bold_questions_with_bold_topics_above_them():
    document = docx.Document()
    add_bold(document, "PAYMENT")
    add_bold(document, "How do I pay?")
    document.add_paragraph("By card.")
    document.add_paragraph("")
    paragraph = add_bold(document, "Is it safe?")
    paragraph.add_run().add_break()
    paragraph.add_run("Yes.")
    add_bold(document, "DELIVERY")
    add_bold(document, "When?").add_run(" On Monday.")
    assert read(document) == [
        ("How do I pay?", "By card.", "PAYMENT"),
        ("Is it safe?", "Yes.", "PAYMENT"),
        ("When?", "On Monday.", "DELIVERY"),
    ]


def test_marks_in_many_scripts_are_taken_off():
    for question, answer, asked, replied in [
        ("Q1:", "A1:", "What?", "This."),
        ("سؤال:", "جواب:", "كيف أدفع؟", "بالبطاقة."),
        ("प्रश्न 1:", "उत्तर 1:", "कैसे?", "कार्ड से।"),
        ("问：", "答：", "如何付款？", "刷卡。"),
    ]:
        document = docx.Document()
        for number in "12":
            paragraph = document.add_paragraph()
            paragraph.add_run(f"{question} ").bold = True
            paragraph.add_run(asked + number)
            document.add_paragraph(f"{answer} {replied}{number}")
            document.add_paragraph("More.")
        assert read(document) == [(asked + n, f"{replied}{n}\nMore.", "") for n in "12"]


def test_numbered_lists_are_counted_as_word_counts_them():
    document = docx.Document()
    for number in range(3):
        add_bold(document, f"How {number}?")
        document.add_paragraph("first", style="List Number")
        document.add_paragraph("second", style="List Number")
    answers = [cells[1] for _, cells in read_table(document).rows]
    assert answers == ["1. first\n2. second", "3. first\n4. second", "5. first\n6. second"]


def test_a_document_that_is_one_table_is_a_sheet_without_a_header_yet():
    document = docx.Document()
    document.add_paragraph("Our FAQ")
    grid = document.add_table(rows=0, cols=3)
    for row in [
        ("Thema", "Frage", "Antwort"),
        ("Geld", "Wie?", "So."),
        ("Zeit", "Wann?", "Jetzt."),
    ]:
        for cell, text in zip(grid.add_row().cells, row, strict=True):
            cell.text = text
    table = read_table(document)
    assert table.header is None
    assert table.unit == "row"
    assert table.rows[1] == (2, ("Geld", "Wie?", "So."))


def test_several_small_tables_of_questions_are_read_below_their_headings():
    document = docx.Document()
    for topic in ("Geld", "Zeit", "Ort"):
        document.add_heading(topic, 1)
        grid = document.add_table(rows=0, cols=2)
        for n in range(2):
            cells = grid.add_row().cells
            cells[0].text, cells[1].text = f"{topic} {n}?", f"Ja, {topic} {n}."
            cells[1].add_paragraph("eins", style="List Bullet")
            cells[1].add_paragraph("zwei", style="List Bullet")
    assert read(document) == [
        (f"{topic} {n}?", f"Ja, {topic} {n}.\n- eins\n- zwei", topic)
        for topic in ("Geld", "Zeit", "Ort")
        for n in range(2)
    ]


def test_deleted_and_hidden_text_is_out_inserted_text_and_links_are_in():
    document = docx.Document()
    document.add_heading("How?", 1)
    paragraph = document.add_paragraph("By ")
    for xml in (
        '<w:ins {0} w:id="1" w:author="a"><w:r><w:t>card</w:t></w:r></w:ins>',
        '<w:del {0} w:id="2" w:author="a"><w:r><w:delText>cash</w:delText></w:r></w:del>',
        '<w:hyperlink {0} w:anchor="x"><w:r><w:t xml:space="preserve"> or here</w:t></w:r>'
        "</w:hyperlink>",
        "<w:r {0}><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r>",
        '<w:r {0}><w:sym w:font="Wingdings" w:char="F0E0"/></w:r>',
    ):
        paragraph._p.append(parse_xml(xml.format(nsdecls("w"))))
    document.add_heading("When?", 1)
    document.add_paragraph("Now.")
    assert read(document)[0][1] == "By card or here→"


def test_a_list_of_contents_headers_and_footers_are_left_out():
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "Shop FAQ"
    document.sections[0].footer.paragraphs[0].text = "Page 1"
    style = document.styles.add_style("toc 1", 1)
    for question in ("How?", "When?"):
        document.add_paragraph(f"{question}\t3", style=style)
    for question in ("How?", "When?"):
        document.add_heading(question, 1)
        document.add_paragraph("So.")
    assert read(document) == [("How?", "So.", ""), ("When?", "So.", "")]


def test_text_boxes_are_read_once():
    document = docx.Document()
    for number in "12":
        document.add_heading(f"How {number}?", 1)
        paragraph = document.add_paragraph()
        box = "<w:txbxContent><w:p><w:r><w:t>In a box.</w:t></w:r></w:p></w:txbxContent>"
        paragraph._p.append(
            parse_xml(
                f"<w:r {nsdecls('w')} "
                "xmlns:mc='http://schemas.openxmlformats.org/markup-compatibility/2006'>"
                f"<mc:AlternateContent><mc:Choice Requires='wps'>{box}</mc:Choice>"
                f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r>"
            )
        )
    assert [cells[1] for cells in read(document)] == ["In a box."] * 2


def test_chinese_questions_known_by_their_style_alone():
    document = docx.Document()
    document.styles.add_style("问题", 1)
    for number in range(3):
        document.add_paragraph(f"如何付款{number}？", style="问题")
        document.add_paragraph("您可以刷卡。")
        document.add_paragraph("也可以转账吗？不可以。")
    assert read(document)[2] == ("如何付款2？", "您可以刷卡。\n也可以转账吗？不可以。", "")


def test_a_contract_is_refused():
    document = docx.Document()
    for number in range(5):
        document.add_heading(f"{number} Duties", 1)
        document.add_paragraph("The tenant shall pay. " * 5)
    with pytest.raises(CorpusError, match=r"No question-answer pairs were found in lease\.docx"):
        read_table(document, "lease.docx")


def test_a_damaged_document_is_refused():
    data = save(docx.Document())
    for broken in (data[: len(data) // 2], b"PK\x03\x04" + b"x" * 500, b""):
        with pytest.raises(CorpusError, match=r"help\.docx"):
            read_docx(broken, "help.docx")


def test_the_real_malay_faq_keeps_its_steps(shared: Path):
    (table,) = read_docx(
        (shared / "corpora/streaming_tonton_ms_docx/FAQ.docx").read_bytes(), "a.docx"
    )
    assert len(table.rows) == 6
    question, answer, _ = table.rows[0][1]
    assert question == "Kenapa saya tidak boleh menonton selepas membuat bayaran?"
    assert str(answer).endswith(
        "\n5. Tunggu sehingga tanda ✅\n6. Klik logo Tonton untuk kembali ke laman utama."
    )
    assert not any("Question" in str(cells) or "Answer" in str(cells) for _, cells in table.rows)


def test_the_real_list_of_problems_and_questions_gives_all_six(shared: Path):
    (table,) = read_docx(
        (shared / "corpora/vehicle_inspection_docx/FAQ.docx").read_bytes(), "a.docx"
    )
    assert [str(cells[0])[:20] for _, cells in table.rows] == [
        "How do I Register My",
        "I am not able to ins",
        "What should be inclu",
        "I am Unable to Find ",
        "Am I able to run the",
        "How can Kwik Check b",
    ]
    assert "setting → Apps" in str(table.rows[1][1][1])


def test_an_unknown_list_and_a_loop_of_styles_do_no_harm():
    document = docx.Document()
    one, two = document.styles.add_style("One", 1), document.styles.add_style("Two", 1)
    one.base_style, two.base_style = two, one
    for number in "12":
        document.add_paragraph(f"How {number}?", style="One")
        paragraph = document.add_paragraph("So.")
        numbers = parse_xml(
            f'<w:numPr {nsdecls("w")}><w:ilvl w:val="x"/><w:numId w:val="99"/></w:numPr>'
        )
        paragraph._p.get_or_add_pPr().append(numbers)
        assert paragraph._p.find(qn("w:pPr")) is not None
    assert [cells[1] for cells in read(document)] == ["So.", "So."]


def test_a_table_of_numbers_beside_cells_with_both_only_lays_out():
    pairs = [("How do I pay?", "By card."), ("Lost parcels", "Tell us soon."), ("Who?", "You.")]
    document = docx.Document()
    table = document.add_table(rows=0, cols=2)
    for number, (question, answer) in enumerate(pairs, 1):
        cells = table.add_row().cells
        cells[0].text = str(number)
        cells[1].paragraphs[0].add_run(question).bold = True
        cells[1].add_paragraph(answer)
    assert [pair[:2] for pair in read(document)] == pairs
