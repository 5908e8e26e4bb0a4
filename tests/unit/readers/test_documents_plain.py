"""Plain text: marks, numbers, alternating lines, and texts that hold no questions."""

# ruff: noqa: RUF001 - letters and signs of other alphabets are the point

import pytest

from trainer.corpus.readers.documents.plain import read_plain
from trainer.errors import CorpusError


def read(text: str, name: str = "help.txt") -> list[tuple[str, ...]]:
    (table,) = read_plain(text.encode(), name)
    assert table.unit == "line"
    assert table.header == ("question", "answer", "topic")
    return [cells for _, cells in table.rows]


def test_marks_with_numbers_are_taken_off():
    text = "Q1: How do I pay?\nA1: By card.\nOr by invoice.\n\nQ2: Where is it?\nA2: In Bonn.\n"
    assert read(text) == [
        ("How do I pay?", "By card.\nOr by invoice.", ""),
        ("Where is it?", "In Bonn.", ""),
    ]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Q:", "A:"),
        ("Q.", "A."),
        ("Q1)", "A1)"),
        ("1. Q:", "A:"),
        ("Question 1:", "Answer 1:"),
        ("QUESTION -", "ANSWER -"),
        ("[Q]", "[A]"),
        ("Frage:", "Antwort:"),
        ("F:", "A:"),
        ("Frage 3:", "Antwort:"),
        ("P:", "R:"),
        ("Pregunta:", "Respuesta:"),
        ("Pergunta:", "Resposta:"),
        ("D:", "R:"),
        ("Soalan:", "Jawapan:"),
        ("Câu 1:", "Trả lời:"),
        ("Pyt. 1:", "Odp.:"),
        ("<|im_start|>user\n", "<|im_start|>assistant\n"),
        ("S:", "J:"),
        ("Tanya:", "Jawab:"),
        ("问：", "答："),
        ("問：", "答："),
        ("问题1：", "回答："),
        ("【问】", "【答】"),
        ("質問：", "回答："),
        ("Q．", "A．"),
        ("질문:", "답변:"),
        ("Вопрос:", "Ответ:"),
        ("В:", "О:"),
        ("Питання:", "Відповідь:"),
        ("Vraag:", "Antwoord:"),
        ("Pytanie:", "Odpowiedź:"),
        ("Spørgsmål:", "Svar:"),
        ("Fråga:", "Svar:"),
        ("Otázka:", "Odpověď:"),
        ("Kérdés:", "Válasz:"),
        ("Ερώτηση:", "Απάντηση:"),
        ("سؤال:", "جواب:"),
        ("س:", "ج:"),
        ("שאלה:", "תשובה:"),
        ("Kysymys:", "Vastaus:"),
        ("Soru:", "Cevap:"),
        ("प्रश्न:", "उत्तर:"),
        ("प्र.", "उ."),
        ("คำถาม:", "คำตอบ:"),
        ("Hỏi:", "Đáp:"),
        ("Human:", "Assistant:"),
    ],
)
def test_marks_of_many_languages_are_known(question: str, answer: str):
    text = "".join(
        f"{question} alpha beta {n}\n{answer} gamma delta {n}\nepsilon {n}\n\n" for n in range(3)
    )
    expected = [(f"alpha beta {n}", f"gamma delta {n}\nepsilon {n}", "") for n in range(3)]
    assert read(text) == expected


def test_an_answer_on_the_line_of_its_question_is_parted_from_it():
    text = "Q: Is it free? A: Yes.\nQ: For ever? A: No, for a year.\n"
    assert read(text) == [("Is it free?", "Yes.", ""), ("For ever?", "No, for a year.", "")]


def test_marks_that_stand_alone_name_what_follows():
    text = "Question 1\nHow do I pay?\n\nAnswer\nBy card.\n\nQuestion 2\nWhere?\n\nAnswer\nHere.\n"
    assert read(text) == [("How do I pay?", "By card.", ""), ("Where?", "Here.", "")]


def test_wrapped_lines_are_joined_and_steps_stay_apart():
    text = (
        "Q: How do I change the address to which my orders are sent when I have\n"
        "   moved to another country?\n"
        "A: Open the settings and choose the address book, where every address that\n"
        "   you have ever used is listed:\n"
        "   1. Choose the address.\n"
        "   2. Press Change.\n"
        "\n"
        "   The new address is used for orders that are placed after you changed it.\n"
        "Q: Is that free?\n"
        "A: Yes.\n"
    )
    first, second = read(text)
    assert first[0] == (
        "How do I change the address to which my orders are sent when I have moved to another "
        "country?"
    )
    assert first[1] == (
        "Open the settings and choose the address book, where every address that you have ever "
        "used is listed:\n1. Choose the address.\n2. Press Change.\n\nThe new address is used for "
        "orders that are placed after you changed it."
    )
    assert second[:2] == ("Is that free?", "Yes.")


def test_question_lines_and_the_lines_below_them_are_pairs():
    text = "Wie zahle ich?\nMit Karte.\n\nWo sind Sie?\nIn Köln.\nUnd in Bonn.\n\nWann?\nImmer.\n"
    assert read(text) == [
        ("Wie zahle ich?", "Mit Karte.", ""),
        ("Wo sind Sie?", "In Köln.\nUnd in Bonn.", ""),
        ("Wann?", "Immer.", ""),
    ]


def test_numbered_questions_are_told_from_the_steps_of_an_answer():
    text = (
        "1. How do I reset it?\n\n1. Press the key.\n2. Wait.\n\n"
        "2. My lamp does not shine\n\nChange the bulb.\n\n"
        "3. Is it safe?\n\nYes.\n\n4. Is it loud?\n\nNo.\n"
    )
    assert read(text) == [
        ("How do I reset it?", "1. Press the key.\n2. Wait.", ""),
        ("My lamp does not shine", "Change the bulb.", ""),
        ("Is it safe?", "Yes.", ""),
        ("Is it loud?", "No.", ""),
    ]


def test_titles_in_capitals_or_underlined_are_topics_and_end_an_answer():
    text = (
        "FAQ\n\nPAYMENT\n\nHow do I pay?\nBy card.\n\nIs it safe?\nYes.\n\n"
        "Delivery\n--------\n\nWhen does it come?\nOn Monday.\n"
    )
    assert read(text) == [
        ("How do I pay?", "By card.", "PAYMENT"),
        ("Is it safe?", "Yes.", "PAYMENT"),
        ("When does it come?", "On Monday.", "Delivery"),
    ]


def test_chinese_text_needs_no_spaces_and_no_marks():
    text = (
        "一、如何付款？\n您可以使用银行卡付款。\n\n二、多久可以收到？\n三天之内。\n\n"
        "三、可以退货吗\n可以，七天之内。\n"
    )
    assert read(text) == [
        ("如何付款？", "您可以使用银行卡付款。", ""),
        ("多久可以收到？", "三天之内。", ""),
        ("可以退货吗", "可以，七天之内。", ""),
    ]


def test_a_list_of_contents_is_not_taken_for_questions():
    text = (
        "Contents\n1. How do I pay?\n2. Where are you?\n3. Is it free?\n\n"
        "1. How do I pay?\n\nBy card.\n\n2. Where are you?\n\nIn Bonn.\n\n3. Is it free?\n\nNo.\n"
    )
    (table,) = read_plain(text.encode(), "help.txt")
    assert [cells[:2] for _, cells in table.rows] == [
        ("How do I pay?", "By card."),
        ("Where are you?", "In Bonn."),
        ("Is it free?", "No."),
    ]
    assert table.notes == ()


def test_a_question_without_an_answer_is_left_out_and_told():
    (table,) = read_plain(b"Q: One?\nA: Yes.\nQ: Two?\nQ: Three?\nA: No.\n", "a.txt")
    assert [cells[0] for _, cells in table.rows] == ["One?", "Three?"]
    assert table.notes == ("1 question has no answer below and was left out: 'Two?'.",)


def test_the_row_is_the_line_of_the_question():
    (table,) = read_plain(b"Help\n\nQ: One?\nA: Yes.\n\nQ: Two?\nA: No.\n", "a.txt")
    assert [number for number, _ in table.rows] == [3, 6]


def test_windows_text_is_decoded_and_its_encoding_told():
    data = "Frage: Wie heißt die Größe?\r\nAntwort: Übergröße.\r\n" * 3
    (table,) = read_plain(data.encode("cp1252"), "a.txt")
    assert table.encoding == "Windows-1252"
    assert table.rows[0][1][:2] == ("Wie heißt die Größe?", "Übergröße.")


@pytest.mark.parametrize(
    "text",
    [
        "Dear team,\n\nthe meeting is on Monday. Will you come? We start at nine.\n\nBest, Ann\n",
        "Name: Ann\nAge: 30\nCity: Bonn\n\nName: Bob\nAge: 31\nCity: Köln\n",
        "All work.\n" * 200,
        "“Where are you going?”\n\nHe did not say.\n\n" + "The road went on for ever.\n\n" * 40,
    ],
)
def test_a_text_without_pairs_is_refused_with_what_was_looked_for(text: str):
    with pytest.raises(CorpusError, match=r"No question-answer pairs were found in note\.txt") as e:
        read_plain(text.encode(), "note.txt")
    assert "Q: and A:" in str(e.value)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("rule", ["-----", "=" * 40, "-" * 30])
def test_a_rule_after_every_answer_takes_no_line_of_it(rule: str):
    parts = [
        f"Question: How is part {n}?\nAnswer: It is good.\nYou need:\n- a receipt\n- the box\n"
        for n in range(3)
    ]
    rows = read(f"{rule}\n".join(parts))
    answer = "It is good.\nYou need:\n- a receipt\n- the box"
    assert rows == [(f"How is part {n}?", answer, "") for n in range(3)]


def test_the_answer_itself_above_a_rule_is_no_heading():
    rows = read("----------\n".join(f"What is {n}?\nThis is number {n}.\n" for n in range(4)))
    assert rows == [(f"What is {n}?", f"This is number {n}.", "") for n in range(4)]


def test_a_question_without_its_mark_ends_at_its_line_where_only_questions_are_labelled():
    text = "Q1: How do I pay?\nBy card.\n=====\nQ2: I lost my card\nCall us.\n=====\n"
    text += "Q3: Is it safe?\nYes.\n"
    assert read(text) == [
        ("How do I pay?", "By card.", ""),
        ("I lost my card", "Call us.", ""),
        ("Is it safe?", "Yes.", ""),
    ]


def test_topics_may_be_underlined_with_a_short_rule():
    text = "FAQ\n\nDelivery abroad\n-----\n\nHow long?\nTwo days.\n\nHow much?\nTwo euros.\n\n"
    text += "Paying\n-----\n\nWhich cards?\nAll.\n"
    assert [topic for _, _, topic in read(text)] == ["Delivery abroad"] * 2 + ["Paying"]


def test_a_line_that_names_the_topic_belongs_to_no_answer():
    text = "Topic: Cards\nQuestion: How do I pay?\nAnswer: By card.\n-----\n"
    text += "Topic: Trust\nQuestion: Is it safe?\nAnswer: Yes.\n"
    assert read(text) == [
        ("How do I pay?", "By card.", "Cards"),
        ("Is it safe?", "Yes.", "Trust"),
    ]


def test_long_lines_in_turn_are_not_wrapped_ones():
    long = (
        "This answer is so long that it looks like a line which was broken at a margin by a mail."
    )
    asked = ["How do I pay?", "I lost my card", "Is it safe?", "My parcel is late"]
    (table,) = read_plain("\n".join(f"{one}\n{long}" for one in asked).encode(), "help.txt")
    assert [cells[:2] for _, cells in table.rows] == [(one, long) for one in asked]
    assert "every other line" in table.notes[-1]


@pytest.mark.parametrize(
    "stamp",
    [
        "[01/03/2024, 09:0{}:10] ",
        "12/31/23, 9:0{} PM - ",
        "\u200e[31.12.23, 21:0{}:01] ",
        "12/31/23, 9:0{}\u202fp.\u202fm. - ",
        "2024-03-01 09:0{} – ",
    ],
)
def test_an_exported_chat_loses_its_dates_and_names(stamp: str):
    lines = [stamp.format(0) + "Messages are encrypted."]
    for number, asked in enumerate(["How do I pay?", "I lost my card", "Is it safe?"], 1):
        lines += [
            f"{stamp.format(number)}María López: {asked}",
            f"{stamp.format(number)}Blue Shop: Answer {number}.\nAnd more: call us.",
        ]
    assert read("\n".join(lines)) == [
        ("How do I pay?", "Answer 1.\nAnd more: call us.", ""),
        ("I lost my card", "Answer 2.\nAnd more: call us.", ""),
        ("Is it safe?", "Answer 3.\nAnd more: call us.", ""),
    ]


def test_a_log_is_no_chat():
    lines = [f"2024-01-0{n} 10:00:00 - {'AB'[n % 2]}: Stage {n} is done" for n in range(1, 10)]
    with pytest.raises(CorpusError, match="No question-answer pairs"):
        read("\n".join(lines))


def test_a_list_of_questions_is_refused():
    asked = ["How long is it?", "Do you ship?", "Can I change it", "How do I return it?"]
    asked += ["Who pays for it", "When is it paid?", "Which cards do you take?", "What is left"]
    with pytest.raises(CorpusError, match=r"help\.txt is a list of questions"):
        read("\n".join(asked))
