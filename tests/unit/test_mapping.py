"""Which column is the question: by names in many languages, by content, and what is asked about."""

# ruff: noqa: RUF001 - questions end in marks of many scripts

import argparse
import csv
import json
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from assistant.corpus_commands import choices_of
from trainer.corpus.columns import find_columns
from trainer.corpus.guessing import Guess, guess_mapping
from trainer.corpus.mapping import Mapping, apply_mapping
from trainer.corpus.table import Cell, Pair, Table
from trainer.errors import CorpusError

ANSWER = "Bring the item and the receipt to any of our shops and we return the money."


def table(*rows: Sequence[Cell], header: Sequence[str] | None = None) -> Table:
    """A table as a CSV reader makes it: every row as wide as the widest, counted from 1."""
    width = max(len(row) for row in [*rows, header or ()])
    filled = tuple((n, (*row, *("",) * (width - len(row)))) for n, row in enumerate(rows, 1))
    return Table("csv", filled, tuple(header) if header is not None else None)


def guess(*rows: Sequence[Cell], header: Sequence[str] | None = None) -> Guess:
    return guess_mapping(table(*rows, header=header), file="faq.csv")


def pairs(*rows: Sequence[Cell], header: Sequence[str] | None = None) -> list[tuple[str, str]]:
    """What the guess makes of the rows."""
    seen = table(*rows, header=header)
    mapped = apply_mapping(seen, guess_mapping(seen, file="faq.csv").mapping, file="faq.csv")
    return [(pair.question, pair.answer) for pair in mapped.pairs]


def faq(count: int = 8, mark: str = "?") -> list[tuple[str, str]]:
    return [(f"May I return item number {n}{mark}", f"Number {n}. {ANSWER}") for n in range(count)]


def statements(count: int = 8) -> list[tuple[str, str]]:
    """Questions and answers whose cells do not tell which is which."""
    return [(f"zibolo {n} kanda meru", f"teluva {n} soma hadi") for n in range(count)]


NAMES = """
question answer|Questions Answers|QUESTION ANSWER|Q A|q a|\ufeffQuestion Answer|Frage Antwort
Fragen Antworten|Kundenfrage Antworttext|question réponse|Question Reponse|Questions Réponses
pregunta respuesta|Pregunta_frecuente Respuesta|pergunta resposta|Dúvida Resposta|domanda risposta
vraag antwoord|Fråga Svar|spørgsmål svar|Spørsmål Svar|Kysymys Vastaus|Pytanie Odpowiedź
Otázka Odpověď|otazka odpoved|Otázka Odpoveď|Kérdés Válasz|Întrebare Răspuns|Въпрос Отговор
Вопрос Ответ|Питання Відповідь|Pitanje Odgovor|Питање Одговор|Vprašanje Odgovor|Klausimas Atsakymas
Jautājums Atbilde|Küsimus Vastus|Spurning Svar|Pyetja Përgjigja|Ερώτηση Απάντηση
Ερωτήσεις Απαντήσεις|SORU CEVAP|Sorular Yanıtlar|Sual Cavab|Savol Javob|Сұрақ Жауап|Асуулт Хариулт
سؤال جواب|السؤال الإجابة|الأسئلة الأجوبة|שאלה תשובה|پرسش پاسخ|سوال جواب|प्रश्न उत्तर|सवाल जवाब
প্রশ্ন উত্তর|ਸਵਾਲ ਜਵਾਬ|પ્રશ્ન જવાબ|கேள்வி பதில்|ప్రశ్న సమాధానం|ಪ್ರಶ್ನೆ ಉತ್ತರ|ചോദ്യം ഉത്തരം
ප්‍රශ්නය පිළිතුර|Pertanyaan Jawaban|Soalan Jawapan|Tanong Sagot|Câu_hỏi Trả_lời
คำถาม คำตอบ
ຄຳຖາມ ຄຳຕອບ|សំណួរ ចម្លើយ|မေးခွန်း အဖြေ
问题 答案|問題 答案|提问 回答|问 答|標準問題 答覆
問題內容 回覆內容|質問 回答|ご質問 ご回答|質問文 回答文|질문 답변|질문내용 답변내용
문의 답변|Swali Jibu|ጥያቄ መልስ|Հարց Պատասխան
კითხვა პასუხი|Galdera Erantzuna|Pregunta Resposta|P R|F A|D R|В О|问 答
prompt completion|prompt response|instruction output|input output|input target|query response
query answer|utterance response|patterns responses|src tgt|source target|problem solution
issue resolution|title body|term definition|document summary|article highlights|user assistant
human gpt|Context Response|FAQ Answer|prompt chosen|question_en answer_en|questionText answerText
Question_Text Answer_Text|question_title best_answer|Customer_Question Agent_Reply
user.question bot.answer|mainEntity.question acceptedAnswer.text|Frequently_asked_questions Answers
Question: Answer:|Question? Answer|Question_(EN) Answer_(EN)|Question_1 Answer_1
question question.answer|Q&A_Question Q&A_Answer|Soru_Metni Cevap_Metni
Текст_вопроса Текст_ответа|Question_Q Answer_(final)
"""
HEADERS = [
    (one.replace("_", " "), other.replace("_", " "))
    for line in NAMES.strip().splitlines()
    for one, other in [name.split(" ") for name in line.split("|")]
]


@pytest.mark.parametrize(("question", "answer"), HEADERS)
def test_columns_are_known_by_their_names_in_any_order(question: str, answer: str) -> None:
    for rows in (statements(), statements(60)):
        found = guess((question, answer), *rows).mapping
        assert (found.header, found.task) == (True, "answers")
        right = (question.strip("\ufeff"), answer)
        assert (found.question, found.answer) == right
        turned = [(str(n), other, one) for n, (one, other) in enumerate(rows)]
        found = guess(("id", answer, question), *turned).mapping
        assert (found.question, found.answer) == right


NUMBERED = ("id", "no.", "nr", "番号", "start", "is_")


def test_names_that_say_it_outright_need_no_second_look() -> None:
    for question, answer in HEADERS[:100]:
        assert guess((question, answer), *statements()).sure, (question, answer)


@pytest.mark.parametrize(
    ("header", "question", "answer", "topic"),
    [
        (("Question", "Answer", "Class"), "Question", "Answer", "Class"),
        (("Question_ID", "Question", "Answer"), "Question", "Answer", None),
        (("id", "category", "q", "a", "sources"), "q", "a", "category"),
        (
            ("Answer ID", "Answer", "Question Type", "Question"),
            "Question",
            "Answer",
            "Question Type",
        ),
        (("answer_html", "answer", "question"), "question", "answer", None),
        (("Question", "Other Answer", "Answer"), "Question", "Answer", None),
        (
            ("Question", "Best Answer", "Correct Answers", "Incorrect Answers"),
            "Question",
            "Best Answer",
            None,
        ),
        (("instruction", "input", "output"), "instruction", "output", None),
        (("context", "question", "answers", "answer_start"), "question", "answers", None),
        (("tag", "patterns", "responses"), "patterns", "responses", "tag"),
        (("utterance", "intent", "response"), "utterance", "response", "intent"),
        (("prompt", "chosen", "rejected"), "prompt", "chosen", None),
        (("No.", "问题类型", "问题", "答案", "链接"), "问题", "答案", "问题类型"),
        (("番号", "カテゴリー", "質問", "回答", "更新日"), "質問", "回答", "カテゴリー"),
        (("분류", "질문", "답변", "작성일"), "질문", "답변", "분류"),
        (("Kategorie", "Frage-Nr.", "Frage", "Antwort", "Link"), "Frage", "Antwort", "Kategorie"),
        (
            ("Thème", "Question", "Réponse", "Lien", "Date de réponse"),
            "Question",
            "Réponse",
            "Thème",
        ),
        (("Tema", "Pregunta", "Respuesta", "Fuente"), "Pregunta", "Respuesta", "Tema"),
        (("Раздел", "Вопрос", "Ответ", "Ссылка"), "Вопрос", "Ответ", "Раздел"),
        (("الفئة", "السؤال", "الجواب"), "السؤال", "الجواب", "الفئة"),
        (("נושא", "שאלה", "תשובה"), "שאלה", "תשובה", "נושא"),
        (("Konu", "Soru", "Cevap"), "Soru", "Cevap", "Konu"),
        (("chủ đề", "câu hỏi", "câu trả lời"), "câu hỏi", "câu trả lời", "chủ đề"),
        (("หมวดหมู่", "คำถาม", "คำตอบ"), "คำถาม", "คำตอบ", "หมวดหมู่"),
        (("विषय", "प्रश्न", "उत्तर"), "प्रश्न", "उत्तर", "विषय"),
        (
            ("Kategoria", "Pytanie", "Odpowiedź", "Autor odpowiedzi"),
            "Pytanie",
            "Odpowiedź",
            "Kategoria",
        ),
        (
            ("asked by", "question date", "Question", "is_answered", "Answer"),
            "Question",
            "Answer",
            None,
        ),
        (
            ("Sr. No.", "Department", "Query", "Reply", "Answered by"),
            "Query",
            "Reply",
            "Department",
        ),
        (("", "question", "answer"), "question", "answer", None),
        (
            ("Frage-Link", "Frage des Kunden", "Antwortdatum", "Antwort vom Team"),
            "Frage des Kunden",
            "Antwort vom Team",
            None,
        ),
        (
            ("Question", "Option A", "Option B", "Correct Answer"),
            "Question",
            "Correct Answer",
            None,
        ),
    ],
)
def test_what_else_is_in_the_table_is_told_apart(
    header: tuple[str, ...], question: str, answer: str, topic: str | None
) -> None:
    rows = []
    for n in range(12):
        text, reply = statements(12)[n]
        row = []
        for name in header:
            if name == question:
                row.append(text)
            elif name == answer:
                row.append(reply)
            elif name == topic:
                row.append(("cards", "loans", "safety")[n % 3])
            elif not name or any(word in name.casefold() for word in NUMBERED):
                row.append(str(n))
            else:
                row.append(f"word {n}")
        rows.append(row)
    found = guess(header, *rows).mapping
    assert (found.question, found.answer, found.topic) == (question, answer, topic)
    assert found.wordings == ()


@pytest.mark.parametrize(
    ("header", "question", "answer"),
    [
        (("text", "category"), "text", "category"),
        (("text", "label"), "text", "label"),
        (("label", "sentence"), "sentence", "label"),
        (("id", "utterance", "intent"), "utterance", "intent"),
        (("Review", "Sentiment"), "Review", "Sentiment"),
        (("Satz", "Klasse"), "Satz", "Klasse"),
        (("texto", "etiqueta"), "texto", "etiqueta"),
        (("文本", "标签"), "文本", "标签"),
        (("文章", "ラベル"), "文章", "ラベル"),
        (("Текст", "Категория"), "Текст", "Категория"),
        (("tweet", "emotion", "date"), "tweet", "emotion"),
        (("Question", "Category"), "Question", "Category"),
        (("message", "Zielgruppe"), "message", "Zielgruppe"),
    ],
)
def test_texts_with_few_labels_are_a_classification(
    header: tuple[str, ...], question: str, answer: str
) -> None:
    rows = [
        [
            ("spam", "order", "refund")[n % 3]
            if name == answer
            else f"I wrote to you about parcel {n} last week"
            if name == question
            else str(n)
            for name in header
        ]
        for n in range(30)
    ]
    found = guess(header, *rows)
    assert (found.mapping.question, found.mapping.answer) == (question, answer)
    assert (found.mapping.task, found.sure) == ("labels", True)


def test_labels_need_no_header() -> None:
    rows = [(f"The phone broke after {n} days of use", str(n % 2)) for n in range(30)]
    found = guess(*rows)
    assert found.mapping == Mapping(
        question="column A", answer="column B", header=False, task="labels"
    )
    assert len(pairs(*rows)) == 30
    assert guess(("Review",), *rows).mapping.question == "Review", "a header of one cell"


def test_a_question_column_with_few_answers_asks_before_it_becomes_labels() -> None:
    rows = [(f"Is gate {n} open on Sundays?", ("yes", "no")[n % 2]) for n in range(60)]
    found = guess(("question", "answer"), *rows)
    assert found.mapping.task == "labels"
    assert not found.sure
    assert "2 different values in 60 rows" in " ".join(found.why)


def test_answers_that_are_sentences_are_no_labels_however_often_they_repeat() -> None:
    rows = [(f"Where is parcel {n}?", ("Call us.", "Write us.")[n % 2]) for n in range(60)]
    assert guess(("question", "answer"), *rows).mapping.task == "answers"


@pytest.mark.parametrize("mark", ["?", "？", "؟", " ?", "?»", "? "])
def test_without_a_header_the_cells_tell(mark: str) -> None:
    for rows in (faq(mark=mark), faq(1, mark)):
        found = guess(*rows)
        assert found.mapping == Mapping(question="column A", answer="column B", header=False)
        assert found.sure
        turned = guess(*[(str(n), answer, question) for n, (question, answer) in enumerate(rows)])
        assert (turned.mapping.question, turned.mapping.answer) == ("column C", "column B")
        assert "No row names the columns" in " ".join(turned.why)
    assert pairs(*faq())[0] == faq()[0], "the first row is an example"


def test_without_a_header_a_column_of_few_values_is_the_topic() -> None:
    rows = [(str(n), ("cards", "loans")[n % 2], *pair) for n, pair in enumerate(faq(20))]
    found = guess(*rows).mapping
    assert (found.topic, found.question, found.answer) == ("column B", "column C", "column D")


@pytest.mark.parametrize(
    "questions",
    [
        ["如何重置我的密码", "为什么我的卡被冻结", "怎么申请退款", "你们支持哪些付款方式"],
        ["パスワードはどう変更しますか", "なぜカードが使えないのですか", "いつ届きますか"],
        ["비밀번호는 어떻게 바꾸나요", "카드는 왜 막혔나요", "언제 배송되나요"],
        ["ลืมรหัสผ่านต้องทำอย่างไร", "ทำไมบัตรใช้ไม่ได้", "ส่งของเมื่อไหร่"],
        ["how do i reset my password", "why is my card blocked", "can i pay later"],
        ["wie ändere ich mein passwort", "warum ist meine karte gesperrt", "wo ist mein paket"],
        ["Πώς αλλάζω κωδικό;", "Γιατί κλειδώθηκε η κάρτα μου;", "Πότε θα έρθει το δέμα;"],
        ["Ինչպե՞ս փոխել գաղտնաբառը", "Ինչո՞ւ է քարտս արգելափակված", "Որտե՞ղ է իմ ծանրոցը"],
        ["كيف أغير كلمة المرور", "لماذا بطاقتي محظورة", "متى يصل الطرد"],
        ["पासवर्ड कैसे बदलें", "मेरा कार्ड क्यों बंद है", "क्या मैं बाद में भुगतान कर सकता हूँ"],
    ],
)
def test_questions_are_known_in_other_scripts_and_without_marks(questions: list[str]) -> None:
    rows = [
        (f"{n}。這是一個很長的說明文字 " + "lorem ipsum dolor " * 4, asked)
        for n, asked in enumerate(questions)
    ]
    assert guess(("xqv", "wjz"), *rows).mapping.question == "wjz"
    assert guess(*rows).mapping.question == "column B"


def test_a_header_in_an_unknown_language_is_still_a_header() -> None:
    found = guess(("Mubuzo", "Daavhi"), *faq()).mapping
    assert found == Mapping(question="Mubuzo", answer="Daavhi")


def test_a_title_above_the_names_is_skipped_and_noted() -> None:
    rows = [("Our FAQ 2024", ""), ("", ""), ("Question", "Answer"), *faq(3)]
    seen = table(*rows)
    mapped = apply_mapping(seen, guess_mapping(seen, file="faq.xlsx").mapping, file="faq.xlsx")
    assert [pair.row for pair in mapped.pairs] == [4, 5, 6]
    assert mapped.notes == ("1 row above the column names not used ('Our FAQ 2024').",)


def test_blank_and_repeated_names_are_kept_apart() -> None:
    rows = [("", "answer", "question", "answer"), ("1", "So.", "Why?", "Because of it.")]
    names, body = find_columns(table(*rows), header=True)
    assert names == ("column A", "answer", "question", "answer (2)")
    assert body == ((2, ("1", "So.", "Why?", "Because of it.")),)
    found = guess(*rows)
    assert found.mapping.answer == "answer"
    assert not found.sure
    mapped = apply_mapping(table(*rows), found.mapping, file="faq.csv")
    assert mapped.notes == ("Another column is called 'answer' too; it goes by 'answer (2)'.",)


def test_columns_past_z_are_called_as_spreadsheets_call_them() -> None:
    names, _ = find_columns(table(tuple("x" * 28)), header=False)
    assert (names[25], names[26], names[27]) == ("column Z", "column AA", "column AB")


def test_an_empty_column_that_is_named_right_gives_way_to_a_filled_one() -> None:
    rows = [("Question", "Answer", "Question (EN)"), *[("", a, q) for q, a in faq()]]
    assert guess(*rows).mapping.question == "Question (EN)"


def test_swapped_names_follow_the_cells_only_when_these_are_overwhelming_and_ask() -> None:
    swapped = guess(("answer", "question"), *faq())
    assert (swapped.mapping.question, swapped.mapping.answer) == ("answer", "question")
    assert not swapped.sure
    assert "the other way round" in " ".join(swapped.why)
    half = [(q if n % 2 else "Returns", a) for n, (q, a) in enumerate(faq())]
    doubtful = guess(("answer", "question"), *half)
    assert (doubtful.mapping.question, doubtful.mapping.answer) == ("question", "answer")
    assert not doubtful.sure
    assert "are they swapped?" in " ".join(doubtful.why)


def test_a_second_language_is_named_and_not_used() -> None:
    rows = [(q, a, "سؤال؟", "جواب", "en") for q, a in faq()]
    found = guess(("question", "answer", "question_ar", "answer_ar", "lang"), *rows)
    assert (found.mapping.question, found.mapping.answer) == ("question", "answer")
    assert found.sure
    assert "'question_ar' looks like another language of the question" in " ".join(found.why)


def test_of_two_languages_the_first_is_taken_whole_and_asked_about() -> None:
    rows = [("Où est-ce ?", q, a, "C'est ici.") for q, a in faq()]
    found = guess(("question_fr", "question_en", "answer_en", "answer_fr"), *rows)
    assert found.mapping.question[-2:] == found.mapping.answer[-2:]
    assert not found.sure


def test_translations_without_names_go_left_to_right_and_ask() -> None:
    rows = [(f"He has {n} dogs.", f"他有{n}只狗。") for n in range(30)]
    found = guess(*rows)
    assert (found.mapping.question, found.mapping.answer) == ("column A", "column B")
    assert (found.sure, found.mapping.header) == (False, False)
    named = guess(("en", "zh"), *rows)
    assert (named.mapping.question, named.mapping.answer, named.sure) == ("en", "zh", False)


def test_plain_answers_are_taken_rather_than_their_html() -> None:
    rows = [(f"<p>{answer}</p>", answer, question) for question, answer in faq()]
    found = guess(("answer html", "answer of ours", "question"), *rows).mapping
    assert found.answer == "answer of ours"


def test_numbered_questions_are_wordings_of_one() -> None:
    rows = [("Question 1", "Question 2", "Answer"), ("How long?", "How many days?", "Thirty.")]
    assert guess(*rows).mapping.wordings == ("Question 2",)
    assert pairs(*rows) == [("How long?", "Thirty."), ("How many days?", "Thirty.")]


@pytest.mark.parametrize(
    "name", ["Alternative questions", "Varianten", "相似问法", "言い換え", "paraphrases", "Similar"]
)
def test_a_column_of_wordings_is_used_whatever_parts_them(name: str) -> None:
    for joined in (
        "how many days|days?",
        "how many days\ndays?",
        '["how many days", "days?"]',
        ("how many days", "days?"),
    ):
        asked = [
            q for q, _ in pairs(("Question", name, "Answer"), ("How long?", joined, "Thirty."))
        ]
        assert asked == ["How long?", "how many days", "days?"], joined


def test_second_pairs_of_columns_are_asked_about() -> None:
    header = ("Question 1", "Answer 1", "Question 2", "Answer 2")
    found = guess(header, ("How long?", "Thirty days.", "How much?", "Ten pounds."))
    assert (found.mapping.question, found.mapping.answer) == ("Question 1", "Answer 1")
    assert (found.mapping.wordings, found.sure) == ((), False)


def test_several_questions_in_a_cell_become_examples_of_their_own() -> None:
    rows = [
        ("question", "answer"),
        ("How long?|How many days?", "Thirty."),
        ("Who pays? | Do I pay? | who pays?", "We do."),
        ("Why?", "So."),
    ]
    seen = table(*rows)
    mapped = apply_mapping(seen, Mapping(question="question", answer="answer"), file="faq.csv")
    assert [(p.question, p.row) for p in mapped.pairs] == [
        ("How long?", 2),
        ("How many days?", 2),
        ("Who pays?", 3),
        ("Do I pay?", 3),
        ("Why?", 4),
    ]
    assert mapped.notes == ("2 rows with several wordings of the question: they make 4 examples.",)


def test_a_list_of_questions_one_a_line_is_split_but_a_wrapped_question_is_not() -> None:
    rows = [
        ("question", "answer"),
        ("- How long?\n- How many days?", "Thirty."),
        ("1. Who pays?\n2. Do I?", "We."),
    ]
    assert [q for q, _ in pairs(*rows)] == ["How long?", "How many days?", "Who pays?", "Do I?"]
    wrapped = ("How long may I keep\nit before I send it back?", "Thirty.")
    assert pairs(("question", "answer"), wrapped) == [wrapped]


def test_a_bar_inside_a_question_splits_nothing() -> None:
    rows = [("What does a || b mean?", "Or."), ("What does ls | wc print?", "A count.")]
    assert pairs(("question", "answer"), *rows) == rows


def test_bars_that_part_questions_only_now_and_then_part_nothing() -> None:
    rows = [("Who?|Why?", "So."), ("cat | wc", "A count."), ("ls | sort", "Names in order.")]
    assert pairs(("question", "answer"), *rows) == rows


def test_of_several_answers_the_first_is_used_and_they_are_counted() -> None:
    rows = table(
        (("How?", "How so?"), ("", "So.", "Thus.")),
        ("Why?", "Because."),
        header=("patterns", "responses"),
    )
    mapped = apply_mapping(rows, guess_mapping(rows, file="intents.json").mapping, file="i.json")
    assert [p[:2] for p in mapped.pairs] == [
        ("How?", "So."),
        ("How so?", "So."),
        ("Why?", "Because."),
    ]
    assert "1 row with several answers: the first is used." in mapped.notes


def test_an_entity_is_put_in_front_where_answers_depend_on_it() -> None:
    rows = [
        (f"Hotel {h}", f"May I bring {what}?", f"{'Yes' if h % 2 else 'No'}, {what} at {h}.")
        for h in range(4)
        for what in ("a dog", "a cat", "my bike", "a tent")
    ]
    found = guess(*rows, header=("entity", "title", "body"))
    assert (found.mapping.context, found.sure) == ("entity", True)
    assert "put in front" in " ".join(found.why)
    assert pairs(*rows, header=("entity", "title", "body"))[0][0] == "Hotel 0: May I bring a dog?"
    same = [(hotel, question, "Ask the reception.") for hotel, question, _ in rows]
    assert guess(*same, header=("entity", "title", "body")).mapping.context is None


def test_a_topic_that_stands_once_above_its_rows_is_theirs() -> None:
    rows = [
        ("Section", "Question", "Approved answer"),
        ("CARDS", "", ""),
        *[("", *pair) for pair in faq(4)],
        ("LOANS", "", ""),
        ("", "Why?", "So."),
    ]
    seen = table(*rows)
    mapped = apply_mapping(seen, guess_mapping(seen, file="faq.csv").mapping, file="faq.csv")
    assert [pair.topic for pair in mapped.pairs] == ["CARDS"] * 4 + ["LOANS"]
    assert mapped.notes == (
        "2 rows with nothing but a topic, for those below.",
        "5 rows without a topic take the one above.",
    )
    few = [("Topic", "Question", "Answer"), ("", "How?", "Thus."), ("CARDS", "Why?", "So.")]
    assert [
        p.topic
        for p in apply_mapping(
            table(*few), Mapping(question="Question", answer="Answer", topic="Topic"), file="x"
        ).pairs
    ] == ["", "CARDS"]
    most = [("Topic", "Question", "Answer"), *[(f"T{n}", *pair) for n, pair in enumerate(faq(6))]]
    most.append(("", "Why?", "So."))
    chosen = Mapping(question="Question", answer="Answer", topic="Topic")
    assert apply_mapping(table(*most), chosen, file="x").pairs[-1].topic == ""


@pytest.mark.parametrize(
    ("header", "question", "answer"),
    [
        (("Timestamp", "Email", "What is your question?", "Our answer"), 2, 3),
        (("Ticket ID", "Subject", "Description", "Resolution"), 1, 3),
        (("Titre", "Texte", "Auteur", "Date"), 0, 1),
        (("Id", "Title", "Body", "AcceptedAnswerBody"), 1, 3),
        (("CSAT", "Customer message", "Agent reply", "Agent"), 1, 2),
    ],
)
def test_exports_of_forms_and_help_desks_are_known(
    header: tuple[str, ...], question: int, answer: int
) -> None:
    rows = []
    for asked, said in faq():
        row = [f"Dear team, {asked[:-1]}, thanks", "7", "2024-05-01", "8"]
        row[question], row[answer] = asked, said
        rows.append(row)
    found = guess(header, *rows).mapping
    assert (found.question, found.answer) == (header[question], header[answer])


def test_training_phrases_are_parted_whether_they_ask_or_not() -> None:
    rows = [("Intent", "Training phrases", "Response"), ("reset", "reset it\nstart over", "Press.")]
    assert pairs(*rows) == [("reset it", "Press."), ("start over", "Press.")]


def test_rows_without_an_answer_are_passed_on_and_empty_rows_are_not() -> None:
    rows = [
        ("question", "answer"),
        ("How?", ""),
        ("", ""),
        ("", "So."),
        ("Why?", "So."),
        ("question", "answer"),
    ]
    seen = table(*rows)
    mapped = apply_mapping(seen, Mapping(question="question", answer="answer"), file="faq.csv")
    assert mapped.pairs == (
        Pair("How?", "", row=2),
        Pair("", "So.", row=4),
        Pair("Why?", "So.", row=5),
    )
    assert mapped.notes == ("1 row left out for repeating the column names.",)


def test_what_a_person_chooses_is_followed_by_name_or_by_place() -> None:
    seen = table(("Foo", "Bar", "Baz"), ("So.", "How?", "x"))
    for question in ("Bar", "bar ", "column B", "Column 2"):
        chosen = Mapping(question=question, answer="Foo", topic="Baz")
        (pair,) = apply_mapping(seen, chosen, file="faq.csv").pairs
        assert pair == Pair("How?", "So.", "x", 2)
    below = apply_mapping(
        seen, Mapping(question="column 2", answer="column A", header=False), file="faq.csv"
    )
    assert [pair.question for pair in below.pairs] == ["Bar", "How?"]


def test_a_column_that_is_not_there_is_refused_with_those_that_are() -> None:
    seen = table(("Foo", "Bar"), ("So.", "How?"))
    with pytest.raises(CorpusError, match=r"faq\.csv: there is no column 'Baz'.*'Foo', 'Bar'"):
        apply_mapping(seen, Mapping(question="Baz", answer="Foo"), file="faq.csv")
    with pytest.raises(CorpusError, match="cannot be both the question and the answer"):
        apply_mapping(seen, Mapping(question="Foo", answer="Foo"), file="faq.csv")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [
                ("name", "email", "phone", "city"),
                *[(f"Ann Lee{n}", f"a{n}@b.org", f"+44 {n}", "York") for n in range(30)],
            ],
            "found 'name', 'email'",
        ),
        (
            [
                ("name", "department"),
                *[(f"Ann Lee{n}", ("Sales", "Law")[n % 2]) for n in range(30)],
            ],
            "found 'name', 'department'",
        ),
        ([("date", "amount"), *[(f"2024-01-{n}", str(n * 7)) for n in range(10, 30)]], "'amount'"),
        ([("question",), ("How long?",)], "no columns hold answers.*found 'question'"),
        ([("id", "answer"), ("1", "So."), ("2", "Thus.")], "no columns hold questions"),
        ([("Q", "How?"), ("A", "So."), ("Q", "Why?"), ("A", "Thus.")], "below each other"),
        ([("", "")], "holds no rows"),
        ([("question", "answer")], "holds no rows"),
    ],
)
def test_a_table_without_pairs_is_refused_with_what_was_seen(
    rows: list[tuple[str, ...]], message: str
) -> None:
    with pytest.raises(CorpusError, match=message) as caught:
        guess(*rows)
    assert str(caught.value).startswith("faq.csv")
    assert "\n" not in str(caught.value)


def test_a_hundred_thousand_rows_take_a_second_or_two() -> None:
    rows = [(str(n), f"May I return item {n}?", f"{ANSWER} {n}", "returns") for n in range(100_000)]
    seen = table(("id", "question", "answer", "topic"), *rows)
    began = time.process_time()
    mapped = apply_mapping(seen, guess_mapping(seen, file="faq.csv").mapping, file="faq.csv")
    assert time.process_time() - began < 5, "five times what it takes on a quiet machine"
    assert len(mapped.pairs) == 100_000


def test_a_thousand_columns_are_no_burden() -> None:
    header = (*(f"column of some name {n} frage" for n in range(998)), "question", "answer")
    rows = [("x y z",) * 998 + pair for pair in faq(200)]
    began = time.process_time()
    found = guess(header, *rows).mapping
    assert time.process_time() - began < 5
    assert (found.question, found.answer) == ("question", "answer")


def read(path: Path, **how: object) -> Table:
    csv.field_size_limit(10**7)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return table(*csv.reader(file, **how))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("file", "mapping", "count"),
    [
        ("banking_mrjay10/BankFAQs.csv", {"topic": "Class"}, 1764),
        ("mental_health_mojibake/Mental_Health_FAQ.csv", {}, 98),
        ("covid_multilingual_deepset/faq_covidbert.csv", {"topic": "category"}, 213),
        ("covid_multilingual_deepset/MT_ar_faq_covidbert.csv", {"topic": "category"}, 213),
        ("covid_multilingual_deepset/faq_200327.tsv", {"topic": "category"}, 896),
        (
            "construction_sv_en_all_formats/faq.csv",
            {"question": "q", "answer": "a", "topic": "category"},
            503,
        ),
        (
            "cls_banking77_csv/test.csv",
            {"question": "text", "answer": "category", "task": "labels"},
            3080,
        ),
        (
            "cls_uci_sentiment_txt/amazon_cells_labelled.txt",
            {"question": "Review", "answer": "column B", "task": "labels"},
            1000,
        ),
        (
            "cls_uci_sentiment_txt/imdb_labelled.txt",
            {"question": "column A", "answer": "column B", "task": "labels", "header": False},
            1000,
        ),
        (
            "mt_tatoeba_en_zh_txt/cmn.txt",
            {"question": "column A", "answer": "column B", "header": False},
            19577,
        ),
    ],
)
def test_real_tables_map_to_their_known_counts(
    shared: Path, file: str, mapping: dict[str, object], count: int
) -> None:
    path = shared / "corpora" / file
    how = {"delimiter": "," if path.suffix == ".csv" else "\t"}
    if path.suffix == ".txt":
        how["quoting"] = csv.QUOTE_NONE  # type: ignore[assignment]
    seen = read(path, **how)
    found = guess_mapping(seen, file=path.name)
    known = {"question": "question", "answer": "answer"} | mapping
    said = found.mapping.model_dump(exclude_defaults=True)
    assert {k: v.casefold() if isinstance(v, str) else v for k, v in said.items()} == {
        k: v.casefold() if isinstance(v, str) else v for k, v in known.items()
    }
    assert found.sure == ("tatoeba" not in file)
    assert len(apply_mapping(seen, found.mapping, file=path.name).pairs) == count


def test_hotels_that_answer_one_question_differently_are_told_apart(shared: Path) -> None:
    path = shared / "corpora/hospitality_dstc9_nested_json/data_eval_knowledge.json"
    rows = [
        (domain, entity["name"] or "*", doc["title"], doc["body"])
        for domain, entities in json.loads(path.read_text()).items()
        for entity in entities.values()
        for doc in entity["docs"].values()
    ]
    seen = table(*rows, header=("topic", "entity", "title", "body"))
    found = guess_mapping(seen, file=path.name)
    assert found.mapping == Mapping(
        question="title", answer="body", topic="topic", context="entity"
    )
    assert found.sure
    mapped = apply_mapping(seen, found.mapping, file=path.name)
    assert len(mapped.pairs) == 12_039
    assert (
        mapped.pairs[0].question == "A AND B GUEST HOUSE: Are children welcomed at this location?"
    )
    assert not any(pair.question.startswith("*") for pair in mapped.pairs)


@pytest.mark.parametrize(
    "first",
    [
        ("Is it free?", "Yes, it is."),
        ("¿Qué es el IVA?", "Es un impuesto."),
        ("Kargo ücreti ne kadar?", "Siparişlerde ne öderseniz o."),
        ("Che cosa è il no", "Non è il no"),
    ],
)
def test_words_that_are_codes_of_languages_make_no_header_of_a_pair(first: tuple[str, str]) -> None:
    found = pairs(first, *faq())
    assert found[0] == first
    assert len(found) == 9


def test_languages_still_name_the_columns() -> None:
    header = ("English", "Español (ES)")
    assert guess(header, *statements()).mapping.header


@pytest.mark.parametrize(
    "header",
    [
        ("Ticket", "Subject", "Status", "Priority", "Requester"),
        ("time", "message", "level", "thread", "host"),
    ],
)
def test_a_table_of_something_else_is_never_surely_texts_with_labels(header: list[str]) -> None:
    rows = [
        (
            str(n),
            f"The printer on floor {n} is jammed",
            "open",
            ("high", "low")[n % 2],
            f"m{n}@x.org",
        )
        for n in range(30)
    ]
    found = guess(header, *rows)
    assert not found.sure
    assert "few values" in found.why[-1]


def test_counts_are_no_labels() -> None:
    rows = [(f"Winter tyre of {n} inches", f"{n},90", str(3 + n % 7)) for n in range(35)]
    with pytest.raises(CorpusError, match="found 'Article', 'Price', 'Stock'"):
        guess(("Article", "Price", "Stock"), *rows)


def test_names_above_several_columns_are_read_with_those_below_them() -> None:
    rows = [
        (f"intent_{n % 4}", question, f"{question} please", f"tell me {n}", answer)
        for n, (question, answer) in enumerate(faq(16))
    ]
    above = ("Intent", "User says", "", "", "Bot says")
    below = ("", "Variant 1", "Variant 2", "Variant 3", "Response")
    found = guess(above, below, *rows)
    assert (found.mapping.question, found.mapping.answer) == ("User says", "Bot says")
    assert found.mapping.wordings == ("Variant 2", "Variant 3")
    assert (found.mapping.task, found.sure) == ("answers", True)
    mapped = apply_mapping(table(above, below, *rows), found.mapping, file="faq.csv")
    assert len(mapped.pairs) == 48
    assert not any("not used" in note for note in mapped.notes)


def test_languages_below_a_name_over_several_columns_tell_these_apart() -> None:
    rows = [(q, f"Frage {q}", a, f"Antwort {a}") for q, a in faq()]
    seen = table(("Question", "", "Answer", ""), ("EN", "DE", "EN", "DE"), *rows)
    names, kept = find_columns(seen, header=True)
    assert names == ("Question EN", "Question DE", "Answer EN", "Answer DE")
    assert len(kept) == 8


def test_a_row_with_gaps_below_the_names_is_kept_as_a_row() -> None:
    rows = [
        ("Question", "", "Answer"),
        ("May I?", "note", "You may."),
        *[(q, "", a) for q, a in faq()],
    ]
    assert len(pairs(*rows)) == 9


@pytest.mark.parametrize(
    ("header", "first"),
    [
        (("Zeitstempel", "Wie lautet Ihre Frage?", "Was ist die Antwort?"), "01.03.2024 10:12:0{}"),
        (("E-mail", "Qual é a sua dúvida?", "Resposta da equipe"), "aluno{}@escola.example"),
        (("Lfd. Nr.", "Bürgeranliegen", "Auskunft"), "1.{}"),
    ],
)
def test_a_word_above_numbers_dates_or_addresses_tells_names_that_ask(
    header: list[str], first: str
) -> None:
    found = guess(header, *[(first.format(n), *pair) for n, pair in enumerate(faq())])
    assert found.mapping.header
    assert (found.mapping.question, found.mapping.answer) == tuple(header[1:])


@pytest.mark.parametrize("marks", [("Q", "A"), ("Frage 1", "Antwort 1"), ("问", "答")])
def test_marked_questions_and_answers_below_each_other_are_refused(marks: tuple[str, str]) -> None:
    rows = [(f"{mark}: {text}",) for pair in faq() for mark, text in zip(marks, pair, strict=True)]
    with pytest.raises(CorpusError, match="below each other"):
        guess(*rows)
    beside = [(f"{marks[0]}: {q}", f"{marks[1]}: {a}") for q, a in faq()]
    assert len(pairs(*beside)) == 8


def chosen(path: Path, *pairs: str) -> Mapping:
    """The mapping that `--map` makes of a file."""
    given = argparse.Namespace(files=[path], map=list(pairs), keep=[], no_leak_check=False)
    return choices_of(given).mapping[""]


def test_a_person_may_say_that_a_row_names_the_columns_and_that_it_does_not(tmp_path: Path) -> None:
    path = tmp_path / "faq.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("Question", "Answer"), *faq()])
    found = chosen(path, "header=no")
    assert (found.question, found.answer, found.header) == ("column A", "column B", False)
    assert not chosen(path, "question=column A").header
    bare = tmp_path / "bare.csv"
    with bare.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(faq())
    found = chosen(bare, f"question={faq()[0][0]}")
    assert (found.question, found.answer, found.header) == (*faq()[0], True)


def test_an_answer_that_a_person_chooses_is_free_unless_it_is_a_label(tmp_path: Path) -> None:
    path = tmp_path / "intents.csv"
    rows = [(f"says {n}", ("buy", "sell")[n % 2], answer) for n, (_, answer) in enumerate(faq(12))]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "intent", "note"), *rows])
    assert chosen(path, "question=text").task == "labels"
    assert chosen(path, "question=text", "answer=intent").task == "labels"
    assert chosen(path, "question=text", "answer=note").task == "answers"
    assert chosen(path, "question=text", "answer=note", "task=labels").task == "labels"


def test_names_below_other_rows_are_found_by_what_they_speak_of() -> None:
    above = [("Knowledge base", "", ""), ("Exported by", "Ann", "on")]
    rows = [
        *above,
        ("#", "Customer asks", "We reply"),
        *((str(n), *pair) for n, pair in enumerate(faq())),
    ]
    found = guess(*rows).mapping
    assert (found.question, found.answer) == ("Customer asks", "We reply")


def test_a_column_of_codes_is_no_question_because_it_is_called_user() -> None:
    rows = [(f"U{n % 2}", f"Message {n} of the channel.") for n in range(20)]
    with pytest.raises(CorpusError, match="no columns hold"):
        guess(*rows, header=("user", "text"))


def test_wordings_and_an_answer_are_names_enough_for_a_header() -> None:
    rows = [
        ("如何修改密码？", "怎么改密码？", "打开设置。"),
        ("运费是多少？", "邮费多少？", "十元。"),
    ]
    found = guess(("知识标题", "相似问法", "答案内容"), *rows).mapping
    assert (found.question, found.wordings) == ("知识标题", ("相似问法",))


@pytest.mark.parametrize("name", ["Lĩnh vực", "Área", "分野", "Obszar"])
def test_a_field_of_knowledge_is_a_topic(name: str) -> None:
    rows = [(*pair, ("one", "two")[n % 2]) for n, pair in enumerate(faq())]
    assert guess(*rows, header=("question", "answer", name)).mapping.topic == name
