"""An upload becomes examples, or is refused with the place and the reason."""

from pathlib import Path

import openpyxl
import pytest

from trainer.corpus.cleaning import STEPS
from trainer.corpus.examining import examine
from trainer.corpus.examples import distinct
from trainer.corpus.mapping import Mapping
from trainer.corpus.reading import Choices, read_corpus
from trainer.errors import CorpusError

ANSWER = "Bring the item and its receipt to any of our shops."


def write(tmp_path: Path, content: str | bytes, name: str = "faq.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_columns_are_found_whatever_their_order_and_case(tmp_path: Path) -> None:
    text = f"Source,ANSWER,Question\nweb,{ANSWER},How long?\nweb,Ask at the desk.,Who knows?\n"
    reading = read_corpus(write(tmp_path, text))
    assert (reading.examples[0].question, reading.examples[0].answer) == ("How long?", ANSWER)
    mapping = reading.used[0].mapping
    assert mapping
    assert (mapping.question, mapping.answer) == ("Question", "ANSWER")


def test_rows_count_as_a_spreadsheet_counts_them(tmp_path: Path) -> None:
    text = 'question,answer\nHow?,"Two\nlines."\n,\nWhy?,So it is.\n'
    assert [e.row for e in read_corpus(write(tmp_path, text)).examples] == [2, 4]


def test_a_row_without_an_answer_is_left_out_and_counted(tmp_path: Path) -> None:
    reading = read_corpus(
        write(tmp_path, f"question,answer\nHow?,{ANSWER}\nWhy?,\n,Orphan.\nWho?,TBD\nWhen?,Now.\n")
    )
    assert [e.question for e in reading.examples] == ["How?", "When?"]
    assert {s.name: s.dropped for s in reading.cleaning}["empty"] == 3


def test_what_a_person_says_of_the_columns_wins_over_the_guess(tmp_path: Path) -> None:
    file = write(tmp_path, f"question,answer,notes\nHow?,{ANSWER},Ask Tom.\nWhy?,So.,Ask Ann.\n")
    chosen = Choices(mapping={"": Mapping(question="question", answer="notes")})
    assert [e.answer for e in read_corpus(file, choices=chosen).examples] == [
        "Ask Tom.",
        "Ask Ann.",
    ]
    wrong = Choices(mapping={"": Mapping(question="question", answer="reply")})
    with pytest.raises(CorpusError, match=r"no column 'reply'.*'question', 'answer', 'notes'"):
        read_corpus(file, choices=wrong)


def test_a_cleaning_step_can_be_left_out_by_name(tmp_path: Path) -> None:
    file = write(tmp_path, "question,answer\nHow?,<p>Like <b>this</b>.</p>\nWhy?,So it is.\n")
    assert read_corpus(file).examples[0].answer == "Like this."
    as_is = read_corpus(file, choices=Choices(off=("html",)))
    assert as_is.examples[0].answer == "<p>Like <b>this</b>.</p>"
    with pytest.raises(CorpusError, match=r"no cleaning step 'magic'\. There are: .*html"):
        read_corpus(file, choices=Choices(off=("magic",)))


def test_a_file_without_pairs_beside_one_with_them_is_told_and_left_out(tmp_path: Path) -> None:
    good = write(tmp_path, f"question,answer\nHow?,{ANSWER}\nWhy?,So it is.\n")
    bad = write(tmp_path, "Minutes of the meeting. Nobody asked anything.\n", "minutes.txt")
    reading = read_corpus(good, bad)
    assert len(reading.examples) == 2
    assert any("minutes.txt" in note for note in reading.notes)
    with pytest.raises(CorpusError, match=r"minutes\.txt"):
        read_corpus(bad)


def test_labels_beside_answers_are_left_out_unless_a_person_says_what_it_is(tmp_path: Path) -> None:
    answers = write(
        tmp_path, "question,answer\n" + "".join(f"How {n}?,{ANSWER} {n}\n" for n in range(60))
    )
    labels = write(
        tmp_path, "text,label\n" + "".join(f"I like {n},good\n" for n in range(40)), "labels.csv"
    )
    reading = read_corpus(answers, labels)
    assert (reading.task, len(reading.examples)) == ("answers", 60)
    assert any("labels.csv: left out" in note for note in reading.notes)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("draft", "false false true"),
        ("Status", "Published Published Draft"),
        ("Durum", "Aktif Aktif Taslak"),
        ("enabled", "TRUE TRUE FALSE"),
        ("data.isPublished", "1 1 0"),
    ],
)
def test_drafts_are_told(tmp_path: Path, name: str, values: str) -> None:
    rows = (f"Question {n}?,Answer {n}.,{value}" for n, value in enumerate(values.split()))
    reading = read_corpus(write(tmp_path, f"question,answer,{name}\n" + "\n".join(rows)))
    assert any("1 row (4) is a draft or not shown" in note for note in reading.notes)
    shown = "\n".join(f"Question {n}?,Answer {n}.,{values.split()[0]}" for n in range(3))
    assert not read_corpus(write(tmp_path, f"question,answer,{name}\n{shown}")).notes


def test_what_has_no_date_of_publication_is_a_draft(tmp_path: Path) -> None:
    rows = "How?,So.,2024-01-02\nWhy?,Thus.,\n"
    reading = read_corpus(write(tmp_path, f"question,answer,publishedAt\n{rows}"))
    assert any("1 row (3) is a draft or not shown" in note for note in reading.notes)


@pytest.mark.parametrize(
    ("sheets", "topics"),
    [
        (("Konto", "Termine"), {"Konto", "Termine"}),
        (("Tabelle1", "Tabelle2"), {""}),
        (("EN", "English 2"), {""}),
    ],
)
def test_sheets_name_the_topics_of_their_pairs(
    tmp_path: Path, sheets: tuple[str, ...], topics: set[str]
) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title in sheets:
        sheet = book.create_sheet(title)
        sheet.append(("Frage", "Antwort"))
        sheet.append((f"Wie geht {title}?", "Ganz einfach am Schalter."))
    book.save(tmp_path / "faq.xlsx")
    assert {e.topic for e in read_corpus(tmp_path / "faq.xlsx").examples} == topics


def test_rows_with_nothing_but_a_title_are_topics(tmp_path: Path) -> None:
    rows = "ACCOUNT,\nHow?,So.\nWhy?,Thus.\nORDERS,\nWho?,You."
    reading = read_corpus(write(tmp_path, f"question,answer\n{rows}"))
    assert [e.topic for e in reading.examples] == ["ACCOUNT", "ACCOUNT", "ORDERS"]
    unanswered = "Lost card,\nStolen card,\nHow?,So.\nNew card,\nWhy?,Thus."
    reading = read_corpus(write(tmp_path, f"question,answer\n{unanswered}"))
    assert {e.topic for e in reading.examples} == {""}


def test_repeats_and_contradictions_are_found_with_their_rows(tmp_path: Path) -> None:
    rows = [f"Question {n}?,Answer {n}." for n in range(20)]
    rows += ["question 3,Answer 3", "Question 5?,Something else."]
    reading = read_corpus(write(tmp_path, "question,answer\n" + "\n".join(rows)))
    problems = examine(reading.examples).audit.problems
    found = {problem.kind: problem for problem in problems}
    assert found["duplicate"].where == ("rows 5, 22",)
    assert found["contradiction"].where == ("rows 7, 23",)
    assert len(reading.examples) == 22
    assert len(distinct(reading.examples)) == 21


# The examples that each real file holds, as META.json beside it counts them or as a person read
# them: the letsencrypt files have 15 or 18 questions each among 285 headings, the French page 21
# questions with an answer, the German PDF 18.
@pytest.mark.parametrize(
    ("file", "count", "task"),
    [
        ("banking_mrjay10/BankFAQs.csv", 1764, "answers"),
        ("banking_mrjay10/bank_faqs.json", 1764, "answers"),
        ("cls_banking77_csv/test.csv", 3080, "labels"),
        ("cls_uci_sentiment_txt/imdb_labelled.txt", 1000, "labels"),
        ("construction_sv_en_all_formats/faq-sharegpt.jsonl", 503, "answers"),
        ("construction_sv_en_all_formats/faq-en-alpaca.jsonl", 503, "answers"),
        ("course_faq_de_pdf/FAQ.pdf", 18, "answers"),
        ("covid_multilingual_deepset/faq_200327.tsv", 896, "answers"),
        ("dolly_openqa_guanaco_jsonl/chinkara-open_qa.jsonl", 3742, "answers"),
        ("ecommerce_faq_json/Ecommerce_FAQ_Chatbot_dataset.json", 79, "answers"),
        ("gov_defense_fr_html_page/defense-2020-05-04.html", 21, "answers"),
        ("hospitality_dstc9_nested_json/data_knowledge.json", 2900, "answers"),
        ("letsencrypt_faq_md_multilang/zh-cn_faq.md", 18, "answers"),
        ("medication_qa_xlsx/MedInfo2019-QA-Medications.xlsx", 689, "answers"),
        ("mental_health_mojibake/Mental_Health_FAQ.csv", 98, "answers"),
        ("streaming_tonton_ms_docx/FAQ.docx", 6, "answers"),
        ("utility_sesro_xlsx/faq.xlsx", 21, "answers"),
        ("vehicle_inspection_docx/FAQ.docx", 6, "answers"),
    ],
)
def test_a_real_file_reads_to_its_known_count(
    shared: Path, file: str, count: int, task: str
) -> None:
    reading = read_corpus(shared / "corpora" / file)
    assert (len(reading.examples), reading.task) == (count, task)


def test_a_public_bank_faq_repeats_what_its_authors_counted(shared: Path) -> None:
    as_is = Choices(off=tuple(step.name for step in STEPS))
    reading = read_corpus(shared / "corpora/banking_mrjay10/BankFAQs.csv", choices=as_is)
    problems = {p.kind: p.count for p in examine(reading.examples).audit.problems}
    assert problems["duplicate"] == 299


def test_repaired_mojibake_reads_as_it_was_written(shared: Path) -> None:
    reading = read_corpus(shared / "corpora/mental_health_mojibake/Mental_Health_FAQ.csv")
    assert not any("â€" in e.answer for e in reading.examples)
    assert any("person\u2019s" in e.answer for e in reading.examples)
