"""Web pages: accordions of many makers, menus and footers left out."""

# ruff: noqa: RUF001 - letters and signs of other alphabets are the point

import json
from pathlib import Path

import pytest

from trainer.corpus.readers.documents.html import read_html
from trainer.errors import CorpusError

PAGE = """<!DOCTYPE html><html lang=en><head><title>FAQ?</title><meta charset=utf-8>
<style>p{{}}</style><script>var q = "Is it?"</script></head><body class="has-menu page">
<header><a href=/>Shop</a><nav><ul><li><a href=/>Home</a><li><a href=/faq>FAQ</a></ul></nav>
</header>
<div id="cookie-banner" class="cookie-consent"><p>We use cookies. Do you agree?</p>
<button>Accept</button></div>
<main><h1>Frequently asked questions</h1>{}</main>
<aside class=sidebar><h3>Newsletter</h3><p>Want news?</p></aside>
<div class="related-articles"><h3>Related articles</h3><ul><li><a href=x>Other?</a></ul></div>
<footer><p>© 2024 Shop</p><h4>Need help?</h4><p>Call us.</p></footer></body></html>"""
WANTED = [("How do I pay?", "By card.\n\nOr by invoice."), ("Is it safe?", "Yes:\n- very\n- safe")]
PAY, SAFE = "<p>By <b>card</b>.</p><p>Or by invoice.</p>", "<p>Yes:</p><ul><li>very<li>safe</ul>"


def read(page: str, name: str = "page.html") -> list[tuple[str, ...]]:
    (table,) = read_html(page.encode(), name)
    assert table.unit == "line"
    return [cells for _, cells in table.rows]


def fill(item: str, around: str = "<div>{}</div>") -> str:
    """A page with two items made of a question, an answer and a number."""
    questions = zip(("How do I pay?", "Is it safe?"), (PAY, SAFE), strict=True)
    items = "\n".join(item.format(q=q, a=a, n=n) for n, (q, a) in enumerate(questions, 1))
    return PAGE.format(around.format(items))


MAKERS = {
    "headings": "<h2>{q}</h2>{a}",
    "numbered headings": "<h3>{n}. {q}</h3>{a}",
    "details": "<details><summary><span>{q}</span></summary><div>{a}</div></details>",
    "definition list": "<dt>{q}</dt><dd>{a}</dd>",
    "bold": "<p><strong>{q}</strong></p>{a}",
    "bootstrap 5": """<div class="accordion-item"><h2 class="accordion-header" id="h{n}">
        <button class="accordion-button collapsed" type="button" data-bs-toggle="collapse"
        data-bs-target="#c{n}" aria-expanded="false" aria-controls="c{n}">{q}</button></h2>
        <div id="c{n}" class="accordion-collapse collapse" aria-labelledby="h{n}">
        <div class="accordion-body">{a}</div></div></div>""",
    "bootstrap 3": """<div class="panel"><div class="panel-heading" role="tab" id="h{n}"><h4>
        <a role="button" data-toggle="collapse" href="#c{n}" aria-controls="c{n}">{q}</a></h4></div>
        <div id="c{n}" class="panel-collapse" role="tabpanel" aria-labelledby="h{n}">{a}</div>
        </div>""",
    "elementor": """<div class="elementor-toggle-item"><div id="elementor-tab-title-{n}"
        class="elementor-tab-title" data-tab="{n}" role="button"
        aria-controls="elementor-tab-content-{n}">
        <span class="elementor-toggle-icon"><i class="fas fa-caret-right"></i></span>
        <a class="elementor-toggle-title" tabindex="0">{q}</a></div>
        <div id="elementor-tab-content-{n}" class="elementor-tab-content" role="region"
        aria-labelledby="elementor-tab-title-{n}">{a}</div></div>""",
    "yoast": """<div class="schema-faq-section" id="faq-{n}"><strong class="schema-faq-question">{q}
        </strong><div class="schema-faq-answer">{a}</div></div>""",
    "microdata": """<div itemscope itemprop="mainEntity" itemtype="https://schema.org/Question">
        <h3 itemprop="name">{q}</h3><div itemprop="acceptedAnswer" itemscope
        itemtype="https://schema.org/Answer"><div itemprop="text">{a}</div></div></div>""",
    "zendesk": """<li class="accordion__item"><h4 class="accordion__item-title">{q}</h4>
        <div class="accordion__item-content">{a}</div></li>""",
    "buttons": '<button class="accordion">{q}</button><div class="panel">{a}</div>',
    "labels": """<div class="tab"><input type="checkbox" id="t{n}"><label for="t{n}">{q}</label>
        <div class="content">{a}</div></div>""",
    "classes": """<div class="faq-q"><span class="icon">+</span>{q}</div>
        <div class="faq-a">{a}</div>""",
    "jquery": '<h3 class="ui-accordion-header"><a href="#">{q}</a></h3><div>{a}</div>',
    "marks": "<p>Q: {q}</p><div>A: {a}</div>",
    "breaks": "<p><b>Q{n}. {q}</b></p>{a}",
    "cards with votes": """<article><h3>{q}</h3><div>{a}</div><p>Was this answer helpful?</p>
        <button>Yes</button> <button>No</button></article>""",
    "tables": "<table><tr><th>Question<th>Answer</tr><tr><td>{q}<td>{a}</tr></table>",
    "table of bold and plain rows": "<tr><td><b>{q}</b></td></tr><tr><td>{a}</td></tr>",
    "wix": """<div data-hook="item"><div data-hook="question"><div><div><p class="font_8"><span
        style="font-weight:bold">{q}</span></p></div></div></div>
        <div data-hook="answer">{a}</div></div>""",
    "aria heading": '<div role="heading" aria-level="3">{q}</div><div>{a}</div>',
}


@pytest.mark.parametrize("maker", MAKERS)
def test_the_accordions_of_many_makers_are_read_without_what_surrounds_them(maker: str):
    around = {"definition list": "<dl>{}</dl>", "table of bold and plain rows": "<table>{}</table>"}
    pairs = read(fill(MAKERS[maker], around.get(maker, "<div class=faq>{}</div>")))
    assert [pair[:2] for pair in pairs] == WANTED


def test_a_question_and_its_answer_in_one_paragraph_are_parted():
    page = PAGE.format("<p><b>What?</b><br>This.<br>And that.</p><p><strong>Who?</strong> Ann.</p>")
    assert read(page) == [("What?", "This.\nAnd that.", ""), ("Who?", "Ann.", "")]


def test_what_stands_below_the_last_card_is_no_answer():
    card = "<div class=card><h3>{q}</h3><div>{a}</div></div>"
    pairs = read(fill(card, "<div>{}<p>All prices may change.</p></div>"))
    assert [pair[:2] for pair in pairs] == WANTED


def test_headings_above_questions_are_topics():
    section = "<section><h2>{}</h2><details><summary>{}</summary>{}</details></section>"
    page = PAGE.format(
        section.format("Payment", "How?", "So.") + section.format("Delivery", "When?", "Now.")
    )
    assert read(page) == [("How?", "So.", "Payment"), ("When?", "Now.", "Delivery")]


def test_folded_topics_around_folded_questions_are_topics():
    inner = "<details><summary>{}</summary><p>{}</p></details>"
    page = PAGE.format(
        f"<details><summary>Payment</summary>{inner.format('How?', 'So.')}"
        f"{inner.format('Why?', 'As is.')}"
        f"</details><details><summary>Delivery</summary>{inner.format('When?', 'Now.')}</details>"
    )
    assert read(page) == [
        ("How?", "So.", "Payment"),
        ("Why?", "As is.", "Payment"),
        ("When?", "Now.", "Delivery"),
    ]


def test_what_a_page_states_for_search_engines_comes_first():
    stated = {
        "@context": "https://schema.org",
        "@type": "FAQPage",
        "mainEntity": [
            {
                "@type": "Question",
                "name": f"Wie &amp; was {n}?",
                "acceptedAnswer": {"@type": "Answer", "text": f"<p>So <b>{n}</b>.</p><p>Ja.</p>"},
            }
            for n in range(3)
        ],
    }
    script = f'<script type="application/ld+json">{json.dumps(stated)}</script>'
    page = PAGE.format(f"{script}<div class=x>Wie &amp; was 0?</div><div class=y>So 0. Mehr.</div>")
    assert read(page) == [(f"Wie & was {n}?", f"So {n}.\n\nJa.", "") for n in range(3)]


def test_damaged_json_ld_is_told_and_the_page_is_read():
    script = '<script type="application/ld+json">{"@type": "FAQPage", </script>'
    (table,) = read_html(PAGE.format(script + "<h2>A?</h2>B.<h2>C?</h2>D.").encode(), "a.html")
    assert [cells[:2] for _, cells in table.rows] == [("A?", "B."), ("C?", "D.")]
    assert "JSON-LD that is damaged" in table.notes[0]


def test_a_table_inside_an_answer_is_kept_as_lines():
    page = PAGE.format(
        "<h2>What does it cost?</h2><p>See:</p><table><tr><th>Size<th>Price</tr>"
        "<tr><td>S<td>5</tr></table>"
        "<h2>Is it safe?</h2><p>Yes.</p>"
    )
    assert read(page)[0][:2] == ("What does it cost?", "See:\n\nSize | Price\nS | 5")


def test_a_page_laid_out_with_tables_is_read():
    page = (
        "<table><tr><td><a href=/>Home</a></td><td><table><tr><td><h2>A?</h2><p>B.</p>"
        "<h2>C?</h2><p>D.</p></td></tr></table></td></tr></table>"
    )
    assert read(page) == [("A?", "B.", ""), ("C?", "D.", "")]


def test_a_page_that_is_one_form_is_read():
    page = "<form id=aspnetForm><div><h3>A?</h3><p>B.</p><h3>C?</h3><p>D.</p></div></form>"
    assert read(page) == [("A?", "B.", ""), ("C?", "D.", "")]


def test_what_a_page_repeats_for_phones_is_left_out_once():
    part = "<h2>A?</h2><p>B.</p><h2>C?</h2><p>D.</p>"
    (table,) = read_html(PAGE.format(f"<div>{part}</div><div>{part}</div>").encode(), "a.html")
    assert len(table.rows) == 2
    assert "2 pairs that the page repeats" in " ".join(table.notes)


def test_arabic_and_japanese_pages_in_their_own_encodings_are_read():
    arabic = (
        "<meta charset=windows-1256><dl><dt>كيف أدفع؟<dd>بالبطاقة.<dt>أين أنتم؟<dd>في دبي.</dl>"
    )
    (table,) = read_html(arabic.encode("cp1256"), "a.html")
    assert table.encoding == "Windows-1256"
    assert table.rows[0][1][:2] == ("كيف أدفع؟", "بالبطاقة.")
    japanese = (
        "<meta charset=shift_jis><h3>支払い方法は？</h3><p>カードです。</p>"
        "<h3>返品できますか</h3><p>はい。</p>"
    )
    (table,) = read_html(japanese.encode("cp932"), "a.html")
    assert [cells[:2] for _, cells in table.rows] == [
        ("支払い方法は？", "カードです。"),
        ("返品できますか", "はい。"),
    ]


def test_the_row_is_the_line_of_the_source():
    (table,) = read_html(
        b"<body>\n<h2>A?</h2>\n<p>B.</p>\n\n<h2>C &amp; D?</h2>\n<p>E.</p>", "a.html"
    )
    assert [number for number, _ in table.rows] == [2, 5]


def test_an_article_is_refused():
    page = PAGE.format("<h2>The lamp</h2><p>It shines.</p><h2>The bulb</h2><p>It is hot.</p>")
    page = page.replace("Frequently asked questions", "Lamps").replace(">FAQ<", ">About<")
    with pytest.raises(CorpusError, match=r"No question-answer pairs were found in about\.html"):
        read_html(page.encode(), "about.html")


def test_the_page_of_a_ministry_gives_its_21_questions_and_no_menus(shared: Path):
    file = shared / "corpora/gov_defense_fr_html_page/defense-2020-05-04.html"
    (table,) = read_html(file.read_bytes(), file.name)
    assert len(table.rows) == 21
    assert all(str(cells[0]).endswith("?") for _, cells in table.rows)
    assert table.rows[-1][1][1].endswith("(intra-théâtre).")
    assert "mentions légales" not in str(table.rows).lower()
    source = file.read_text().splitlines()
    assert all(str(cells[0])[:40] in source[number - 1] for number, cells in table.rows)


def test_headings_inside_the_questions_are_not_their_topics():
    item = "<details><summary><h3>{}</h3></summary><p>{}</p></details>"
    page = "<h2>Cards</h2>" + item.format("How do I pay?", "By card.")
    page += item.format("I lost it", "Call us.") + "<h2>Trust</h2>"
    page += item.format("Is it safe?", "Yes.")
    assert read(page) == [
        ("How do I pay?", "By card.", "Cards"),
        ("I lost it", "Call us.", "Cards"),
        ("Is it safe?", "Yes.", "Trust"),
    ]


def test_a_page_may_call_itself_an_faq_in_its_title_alone():
    page = "<title>{}</title><h1>Support</h1><h2>Cards</h2><h3>How do I pay</h3><p>By card.</p>"
    page += "<h3>I lost my card</h3><p>Call us.</p><h2>Trust</h2><h3>Is it safe</h3><p>Yes, it is."
    assert read(page.format("FAQ – Shop")) == [
        ("How do I pay", "By card.", "Cards"),
        ("I lost my card", "Call us.", "Cards"),
        ("Is it safe", "Yes, it is.", "Trust"),
    ]
    with pytest.raises(CorpusError):
        read(page.format("Shop"))


def test_the_signs_of_an_encyclopedia_are_left_out_and_its_links_kept():
    item = '<h3>{}<span class="mw-editsection">[edit]</span></h3><p>{}<sup class="reference">[1]'
    item += '</sup> See <a class="reference external" href="x">more</a>.</p>'
    page = item.format("How do I pay?", "By card.") + item.format("Is it safe?", "Yes.")
    assert read(page) == [
        ("How do I pay?", "By card. See more.", ""),
        ("Is it safe?", "Yes. See more.", ""),
    ]


def test_a_table_of_numbers_beside_cells_with_both_only_lays_out():
    pairs = [("How do I pay?", "By card."), ("Lost parcels", "Tell us soon."), ("Who?", "You.")]
    rows = "".join(
        f"<tr><td>{n}</td><td><b>{q}</b><br>{a}</td></tr>" for n, (q, a) in enumerate(pairs, 1)
    )
    assert [pair[:2] for pair in read(f"<html><body><table>{rows}</table></body></html>")] == pairs


def test_the_data_a_script_would_write_is_read_where_the_page_itself_says_nothing():
    pairs = [("How do I pay?", "By card."), ("Lost parcels", "Tell us soon.")]
    data = json.dumps({"props": {"faqs": [{"question": q, "answer": a} for q, a in pairs]}})
    page = (
        "<html><body><div id=root></div><script type='application/json'>{}</script></body></html>"
    )
    (table,) = read_html(page.format(data).encode(), "page.html")
    assert (table.header, [cells for _, cells in table.rows]) == (("question", "answer"), pairs)
    with pytest.raises(CorpusError, match="No question-answer pairs"):
        read(page.format(json.dumps({"build": [{"id": "x", "page": "How?"}] * 3})))
