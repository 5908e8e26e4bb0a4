"""Languages are told where a text is long enough; empty questions and cut answers are seen."""

# ruff: noqa: RUF001 - texts in many languages and typographies

import csv
from pathlib import Path

import pytest

from trainer.corpus.examples import Example
from trainer.corpus.language import detect, lacks_substance, looks_cut_off, mixed_languages

ENGLISH = [
    ("How do I open an account?", "You can open an account online or at any of our branches."),
    ("What are the fees?", "The fee depends on the account that you have chosen."),
    ("Can I block my card?", "Yes, you can block the card at any time in the app."),
    ("Where is the nearest branch?", "Please use the map on our page to find the nearest branch."),
]
GERMAN = [
    ("Wie eröffne ich ein Konto?", "Sie können ein Konto online oder in jeder Filiale eröffnen."),
    ("Kann ich meine Karte sperren?", "Ja, Sie können die Karte jederzeit in der App sperren."),
]


def make(pairs: list[tuple[str, str]]) -> list[Example]:
    return [Example(str(n), question, answer) for n, (question, answer) in enumerate(pairs)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "What is the best way to open an account?"),
        ("de", "Wie kann ich ein Konto eröffnen?"),
        ("fr", "Comment puis-je ouvrir un compte bancaire ?"),
        ("es", "¿Cómo puedo abrir una cuenta bancaria?"),
        ("pl", "Jak mogę otworzyć konto w banku?"),
        ("ru", "Как открыть счёт в вашем банке?"),
        ("uk", "Як відкрити рахунок у вашому банку?"),
        ("ar", "كيف يمكنني فتح حساب مصرفي؟"),
        ("hi", "मैं बैंक खाता कैसे खोल सकता हूँ?"),
        ("ja", "口座を開くにはどうすればよいですか"),
        ("zh", "如何开设 VISA 银行账户"),
        ("ko", "계좌를 어떻게 개설하나요"),
        ("th", "ฉันจะเปิดบัญชีได้อย่างไร"),
        ("he", "איך פותחים חשבון בנק?"),
        ("el", "Πώς ανοίγω λογαριασμό;"),
        ("si", "මම ගිණුමක් විවෘත කරන්නේ කෙසේද?"),
    ],
)
def test_a_sentence_shows_its_language(language: str, text: str) -> None:
    assert detect(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OK",
        "ATM?",
        "12345",
        "What is Jenkins?",
        "Report stolen card",
        "https://example.org/wie-geht-es",
        "!?",
    ],
)
def test_no_language_is_told_where_nothing_shows_it(text: str) -> None:
    assert detect(text) is None


def test_an_example_in_another_language_strays() -> None:
    found = mixed_languages(make(ENGLISH * 5 + GERMAN[:1]))
    assert found.main == "en"
    assert [e.question for e in found.strays] == ["Wie eröffne ich ein Konto?"]
    assert found.counts["en"] > found.counts["de"] > 0


def test_a_question_answered_in_another_language_strays() -> None:
    crossed = (ENGLISH[0][0], GERMAN[0][1])
    assert [e.answer for e in mixed_languages(make([*ENGLISH * 5, crossed])).strays] == [crossed[1]]
    half = mixed_languages(make([*ENGLISH * 3, *GERMAN * 5, crossed]))
    assert [e.answer for e in half.strays] == [crossed[1]]


def test_a_corpus_of_translations_has_no_strays() -> None:
    pairs = [(q, GERMAN[n % 2][1]) for n, (q, _) in enumerate(ENGLISH * 5)]
    assert mixed_languages(make(pairs)).strays == ()


def test_names_terms_and_numbers_do_not_stray() -> None:
    odd = [
        ("Who pays?", "Königliche Gärten Herrenhausen"),
        ("Fee?", "5 EUR"),
        ("IBAN?", "DE89 3704"),
    ]
    assert mixed_languages(make(ENGLISH * 5 + odd)).strays == ()


def test_an_empty_corpus_has_no_language() -> None:
    found = mixed_languages([])
    assert (found.counts, found.main, found.strays) == ({}, None, ())


def test_english_files_have_hardly_a_false_stray(shared: Path) -> None:
    path = shared / "corpora" / "banking_mrjay10" / "BankFAQs.csv"
    with path.open(encoding="utf-8", newline="") as file:
        pairs = [(row["Question"], row["Answer"]) for row in csv.DictReader(file)]
    found = mixed_languages(make(pairs))
    assert found.main == "en"
    assert len(found.strays) < 0.005 * len(pairs)


def test_languages_of_a_real_file_agree_with_its_own_column(shared: Path) -> None:
    path = shared / "corpora" / "covid_multilingual_deepset" / "faq_200327.tsv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    told = [(detect(row["question"]), row["lang"]) for row in rows]
    assert sum(found == stated for found, stated in told) > 0.97 * len(told)
    assert sum(found not in (None, stated) for found, stated in told) < 0.005 * len(told)


@pytest.mark.parametrize(
    "question",
    [
        "",
        "?",
        "...",
        "asdf",
        "test",
        "Test!",
        "a",
        "w?",
        "https://example.org/a",
        "12345",
        "question 12",
        "Q12",
        "Frage 3",
        "問題 3",
        "hello",
        "你好",
        "qwer",
        "sdkjfhs",
        "aaaa",
        "me@example.org",
    ],
)
def test_a_question_that_asks_nothing(question: str) -> None:
    assert lacks_substance(question)


@pytest.mark.parametrize(
    "question",
    [
        "Fees?",
        "ATM",
        "why",
        "B12?",
        "401k?",
        "税",
        "费用",
        "利率？",
        "โอน",
        "Kosten",
        "IBAN?",
        "sms",
        "rhythm",
        "test results?",
        "Is this a test?",
        "hello, where is my card?",
        "https://example.org does not open",
        "हाँ या नहीं",
        "요금",
    ],
)
def test_a_short_question_may_still_ask(question: str) -> None:
    assert not lacks_substance(question)


@pytest.mark.parametrize(
    "answer",
    [
        "We need your passport,",
        "We need the following (",
        "Please bring this docu-",
        "We charge 5 EUR \u2013",
        "Please bring your passport and",
        "Bitte bringen Sie Ihren Pass und",
        "He told them to wait …",
        "You will find it in the...",
        "他们需要护照，",
        "x" * 255,
        "word " * 51 + "t",
        "y " * 16_383 + "y",
    ],
    ids=lambda text: text[:24],
)
def test_an_answer_that_stops_in_the_middle(answer: str) -> None:
    assert looks_cut_off(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "Yes",
        "5 EUR",
        "That is what it is for",
        "bread, milk, eggs, etc...",
        "- passport\n- photo",
        "top_up_by_card",
        "The answer is yes and no",
        "If you do not eat, you may die",
        "Rufen Sie uns an",
        "see https://example.org/the",
        "Well...",
        "需要护照",
        "It was charged..",
        "門在九點鐘的時候是鎖著的。。",
        "(see the list)",
        "a sentence of 255 characters. " * 8 + "It ends here.",
    ],
    ids=lambda text: text[:24],
)
def test_an_answer_without_a_full_stop_may_be_whole(answer: str) -> None:
    assert not looks_cut_off(answer)
