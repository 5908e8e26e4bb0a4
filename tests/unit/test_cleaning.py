"""Found pairs become clean ones; every step is counted, shown and can be switched off."""

# ruff: noqa: RUF001 - texts in many languages and typographies

import csv
import time
from pathlib import Path

import pytest

from trainer.corpus.cleaning import STEPS, Cleaned, Step, clean
from trainer.corpus.table import Pair

NAMES = ["mojibake", "html", "unicode", "white space", "boilerplate", "empty"]


def answer(text: str, **options: tuple[str, ...]) -> str:
    return clean([Pair("What is it?", text)], **options).pairs[0].answer


def question(text: str) -> str:
    return clean([Pair(text, "An answer.")]).pairs[0].question


def step(cleaned: Cleaned, name: str) -> Step:
    return next(s for s in cleaned.steps if s.name == name)


def test_the_steps_have_a_fixed_order_and_say_what_they_do() -> None:
    assert [s.name for s in STEPS] == NAMES
    assert all(s.title and s.meaning.endswith(".") for s in STEPS)


def test_a_clean_corpus_comes_out_as_it_went_in_and_counts_nothing() -> None:
    pairs = (Pair("¿Qué es?", "Uno – “dos”…\n\n- ﬁn\n- ＡＢＣ", "Línea", 2, "sheet"),)
    cleaned = clean(pairs)
    assert cleaned.pairs == pairs
    assert [(s.changed, s.dropped, s.samples) for s in cleaned.steps] == [(0, 0, ())] * 6
    assert cleaned.unrepaired == ()


@pytest.mark.parametrize("name", NAMES[:-1])
def test_a_step_is_counted_shown_with_its_row_and_can_be_switched_off(name: str) -> None:
    dirty = {
        "mojibake": "a personâ€™s mood",
        "html": "<b>bold</b> text",
        "unicode": "co\xadoperate",
        "white space": "two  spaces",
        "boilerplate": "It is so. Was this helpful?",
    }[name]
    pairs = [Pair("Clean?", "Clean.", row=2), *(Pair(f"{n}?", dirty, row=n) for n in range(3, 8))]
    on = clean(pairs)
    assert step(on, name).changed == 5
    assert [s.changed for s in on.steps if s.name != name] == [0] * 5
    row, before, after = step(on, name).samples[0]
    assert (row, before, after) == (3, dirty, on.pairs[1].answer)
    assert len(step(on, name).samples) <= 3
    off = clean(pairs, off=[name])
    assert off.pairs == tuple(pairs)
    assert name not in [s.name for s in off.steps]


def test_a_sample_of_a_long_answer_shows_where_it_changed() -> None:
    long = "All is well here. " * 50
    cleaned = clean([Pair("Q", long + "It is <b>not</b>. " + long)])
    [(_, before, after)] = step(cleaned, "html").samples
    assert "<b>not</b>" in before
    assert "It is not." in after
    assert len(before) < 300


# broken characters


def test_mojibake_is_repaired_and_nothing_else_of_the_text() -> None:
    assert answer("â€œcafÃ©â€\x9d “quote” ﬁ") == "“café” “quote” ﬁ"
    assert answer("Ð¿Ñ€Ð¸Ð²ÐµÑ‚") == "привет"


@pytest.mark.parametrize("text", ["SÃO PAULO", "naïve café – 5 €", "Ünïcödé", "l’été", "Ça va"])
def test_honest_accents_are_no_mojibake(text: str) -> None:
    cleaned = clean([Pair("What?", text)])
    assert cleaned.pairs[0].answer == text
    assert cleaned.unrepaired == ()


def test_what_cannot_be_repaired_is_reported_by_row() -> None:
    pairs = [Pair("Fine?", "Yes.", row=2), Pair("Lost?", "It is gon\ufffd.", row=3)]
    assert clean(pairs).unrepaired == (3,)


def test_half_a_character_does_not_stop_the_corpus_from_being_saved() -> None:
    for off in ((), NAMES):
        cleaned = clean([Pair("Half?", "an \ud83d emoji and a whole \ud83d\ude00", row=9)], off=off)
        assert cleaned.pairs[0].answer.encode()
        assert cleaned.pairs[0].answer.endswith("😀")
        assert cleaned.unrepaired == (9,)


# HTML


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("One<br>Two<BR/>Three", "One\nTwo\nThree"),
        ("<ul><li>a<ul><li>b</li></ul></li><li><p>c</p></li></ul>", "- a\n  - b\n- c"),
        ("<ol><li>first</li><li>second</li></ol>", "1. first\n2. second"),
        ("See <a href='https://x.org?a=1&amp;b=2'>our page</a>.", "See our page."),
        ("<div>\n  wrapped\n  source\n</div>", "wrapped source"),
        ("plain\nlines with <b>bold</b>", "plain\nlines with bold"),
        ("<script>alert('x')</script><style>p{}</style>Safe<!-- note -->", "Safe"),
        ("<table><tr><td>Fee</td><td>5 EUR</td></tr></table>", "Fee | 5 EUR"),
        ("Tom &amp; Jerry&nbsp;&euro;5", "Tom & Jerry €5"),
        ("twice &amp;amp; thrice &amp;amp;quot;", 'twice & thrice "'),
        ("&lt;p&gt;escaped&lt;/p&gt;", "escaped"),
        ("<p title='a > b'>x", "x"),
    ],
)
def test_html_becomes_text(html: str, text: str) -> None:
    assert answer(html) == text


@pytest.mark.parametrize(
    "text",
    [
        "a < b and c > d",
        "Dear <your name>, enter <email address>",
        "List<String> and vector<int> in #include <stdio.h>",
        "if (a<b && c>d) { return x<y; }",
        "Use the <br> tag for a break.",
        'The tags "<b>" and "<i>" are old.',
        "Write `<p>Hi</p> &amp;` in code",
        "I <3 you </3",
        "https://x.org/?a=1&copy=2&reg=3",
        "AT&T; R&D; &nosuchthing;",
    ],
)
def test_what_only_looks_like_html_is_left_alone(text: str) -> None:
    assert answer(text) == text


def test_text_between_real_tags_keeps_its_own_angle_brackets() -> None:
    assert answer("<p>Enter <your name> if 1 < 2</p>") == "Enter <your name> if 1 < 2"


@pytest.mark.parametrize(
    "hostile",
    [
        "<li><ul>" * 20_000,
        "<a " * 100_000,
        "<a x=\"<a x='" * 20_000,
        "<p a=1 " + "a=1 " * 100_000,
        "&" * 300_000,
        "`" * 300_000,
        "Print\n" * 50_000,
        " " * 500_000 + "x",
    ],
    ids=lambda text: text[:8],
)
def test_hostile_text_is_cleaned_in_seconds(hostile: str) -> None:
    start = time.monotonic()
    clean([Pair(hostile, hostile)])
    assert time.monotonic() - start < 5


# Unicode and white space


def test_invisible_characters_go_and_joiners_that_shape_a_script_stay() -> None:
    assert answer("a\u200bb\ufeffc\u2060d\x00e\xadf") == "abcdef"
    for text in ("می\u200cخواهم", "ශ්\u200dරී", "👩\u200d💻", "🏴\U000e0067\U000e0062\U000e007f"):
        assert answer(text) == text
    assert answer("ab\u200dcd") == "abcd"
    assert answer("hidden\U000e0041\U000e0042 order") == "hidden order"


def test_letters_are_composed_and_bullets_of_word_are_readable() -> None:
    assert answer("cafe\u0301") == "café"
    assert answer("\uf0b7 one\n\uf0b7 two") == "• one\n• two"


def test_white_space_is_tidied_but_lines_of_answers_stay() -> None:
    assert answer("  a\t b \r\n\r\n\r\n\r\nc\u2028d\xa0e ") == "a b\n\nc\nd e"
    assert answer("a:\n- b\n    - c") == "a:\n- b\n    - c"
    assert answer("```\nif x:\n    y  = 1\n```") == "```\nif x:\n    y  = 1\n```"
    assert question(" Why\n  is\tit? ") == "Why is it?"


def test_line_breaks_that_were_written_out_become_line_breaks() -> None:
    assert answer("First.\\nSecond.\\r\\n- third") == "First.\nSecond.\n- third"
    assert answer("one_x000D_\ntwo") == "one\ntwo"
    assert answer("Look in C:\\new\\names") == "Look in C:\\new\\names"


def test_topics_are_tidied_too() -> None:
    assert (
        clean([Pair("Why?", "So.", " Fees\u200b  and\nrates ")]).pairs[0].topic == "Fees and rates"
    )


# page furniture


@pytest.mark.parametrize(
    "furniture",
    [
        " Was this helpful?",
        "\n\nWas this answer helpful? Yes No",
        " Read more »",
        "\nClick here for more information.",
        " War diese Antwort hilfreich?",
        "\nCette réponse vous a-t-elle été utile ?",
        " ¿Te ha resultado útil?",
        "\nBack to top",
        "\nShare\nPrint\nTweet",
        "\nLast updated: 12 March 2020",
        "\nこの記事は役に立ちましたか？",
        "\n12 out of 15 found this helpful",
    ],
)
def test_page_furniture_is_taken_off_the_end_of_an_answer(furniture: str) -> None:
    assert answer("Go to the branch." + furniture) == "Go to the branch."


@pytest.mark.parametrize(
    "text",
    [
        "Press Save. Print.",
        "To print, open the file and choose Print",
        "Read more books and you will learn more",
        "Is it so? No.",
        "See (the list) למידע נוסף.",
        "Share",
    ],
)
def test_words_that_belong_to_an_answer_stay(text: str) -> None:
    assert answer(text, off=("empty",)) == text


def test_furniture_may_follow_a_bracket() -> None:
    assert answer("Call us (any line) View more") == "Call us (any line)"


def test_a_short_last_line_that_many_answers_share_goes_and_a_sentence_stays() -> None:
    line = [Pair(f"Q{n}?", f"Answer number {n}.\nAcme Help Centre", row=n) for n in range(20)]
    assert {p.answer.count("Acme") for p in clean(line).pairs} == {0}
    assert step(clean(line), "boilerplate").changed == 20
    few = line[:9] + [Pair(f"R{n}?", f"Other {n}.") for n in range(9)]
    assert sum(p.answer.count("Acme") for p in clean(few).pairs) == 9
    said = [Pair(f"Q{n}?", f"Take {n} pills.\nThis is no medical advice.") for n in range(20)]
    assert all("no medical advice" in p.answer for p in clean(said).pairs)
    same = [Pair(f"Q{n}?", "Take one.\nAcme Help Centre") for n in range(20)]
    assert all("Acme" in p.answer for p in clean(same).pairs)


def test_marks_before_questions_and_answers_go() -> None:
    pairs = [Pair(f"Q{n}: May I?", f"A: You may, {n}.") for n in range(5)]
    assert clean(pairs).pairs[3][:2] == ("May I?", "You may, 3.")
    assert answer("Answer: Yes, you may.") == "Yes, you may."
    assert answer("Antwort: Ja.") == "Ja."
    assert question("Question 3: Why?") == "Why?"
    assert question("问题：为什么？") == "为什么？"


def test_a_single_letter_is_a_mark_only_where_most_texts_have_it() -> None:
    pairs = [Pair("Which one?", "A: the first"), *(Pair(f"{n}?", f"Number {n}.") for n in range(9))]
    assert clean(pairs).pairs[0].answer == "A: the first"


def test_numbers_of_numbered_questions_go_and_numbers_that_are_asked_about_stay() -> None:
    pairs = [Pair(f"{n}. Where is number {n}?", f"There, {n}.") for n in range(20, 30)]
    assert clean(pairs).pairs[0].question == "Where is number 20?"
    few = [
        Pair("24. December: are you open?", "No."),
        *(Pair(f"Is it {n}?", "Yes.") for n in "abc"),
    ]
    assert clean(few).pairs[0].question == "24. December: are you open?"


# empty rows


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "-",
        "…",
        "TBD",
        "tbd.",
        "N/A",
        "n.a.",
        "None",
        "NaN",
        "#REF!",
        "[coming soon]",
        "k. A.",
        "À compléter",
        "待定",
        "준비 중",
        "Lorem ipsum dolor sit amet",
        "<p>&nbsp;</p>",
        "\u200b",
    ],
)
def test_a_row_without_an_answer_is_left_out_and_shown(text: str) -> None:
    cleaned = clean([Pair("Why?", text, row=7), Pair("What?", "This.", row=8)])
    assert [p.row for p in cleaned.pairs] == [8]
    assert step(cleaned, "empty").dropped == 1
    assert step(cleaned, "empty").samples[0][0] == 7


@pytest.mark.parametrize(
    "text", ["No", "0", "22", "Fire", "None of them.", "All", "Todo", "Na", "👍", "无", "Yes."]
)
def test_a_short_answer_is_an_answer(text: str) -> None:
    assert answer(text) == text


def test_placeholders_stay_where_that_is_wanted_but_nothing_cannot() -> None:
    pairs = [Pair("Why?", "TBD"), Pair("What?", " "), Pair("", "This.")]
    cleaned = clean(pairs, off=["empty"])
    assert [p.answer for p in cleaned.pairs] == ["TBD"]
    assert step(cleaned, "empty").dropped == 2


def test_a_header_copied_into_the_rows_goes() -> None:
    cleaned = clean([Pair("Frage", "Antwort"), Pair("Question", "This is asked.")])
    assert [p.answer for p in cleaned.pairs] == ["This is asked."]


def test_a_label_may_be_called_none() -> None:
    pairs = [Pair(f"text {n}", ("none", "card", "loan")[n % 3]) for n in range(30)]
    assert len(clean(pairs).pairs) == 30


# real files and speed


def test_the_broken_characters_of_a_real_file_are_repaired(shared: Path) -> None:
    path = shared / "corpora" / "mental_health_mojibake" / "Mental_Health_FAQ.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [Pair(r["Question"], r["Answer"]) for r in csv.DictReader(file)]
    cleaned = clean(rows)
    assert step(cleaned, "mojibake").changed == 4
    assert cleaned.unrepaired == ()
    assert len(cleaned.pairs) == 98
    assert not any("â€" in p.answer for p in cleaned.pairs)


def test_ten_thousand_pairs_take_about_a_second() -> None:
    text = "You can block the card in the app, at any time, and order another one there. " * 5
    pairs = [Pair(f"How do I block card {n}?", f"{text}{n}", row=n) for n in range(10_000)]
    start = time.monotonic()
    assert len(clean(pairs).pairs) == 10_000
    assert time.monotonic() - start < 4
