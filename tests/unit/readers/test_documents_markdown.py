"""Markdown: question headings, bold questions, lists, folded parts and tables."""

# ruff: noqa: RUF001 - letters and signs of other alphabets are the point

from pathlib import Path

import pytest

from trainer.corpus.readers.documents.markdown import read_markdown
from trainer.errors import CorpusError


def read(text: str, name: str = "help.md") -> list[tuple[str, ...]]:
    (table,) = read_markdown(text.encode(), name)
    assert table.unit == "line"
    return [cells for _, cells in table.rows]


def test_headings_that_ask_are_questions_and_those_above_are_topics():
    text = """---
title: FAQ
---
# Help

Welcome.

## Payment

### How do I pay? {#pay}

By **card**, see [the list](https://example.org/a?b=c).

- Visa
- Mastercard

Nothing else.

### Is it safe?

Yes.

## Delivery

### When does it come?

1. You order.
2. We send.
"""
    assert read(text) == [
        (
            "How do I pay?",
            "By card, see the list.\n- Visa\n- Mastercard\n\nNothing else.",
            "Payment",
        ),
        ("Is it safe?", "Yes.", "Payment"),
        ("When does it come?", "1. You order.\n2. We send.", "Delivery"),
    ]


def test_the_row_is_the_line_in_the_file_below_its_front_matter():
    (table,) = read_markdown(b"---\na: b\n---\n\n## One?\n\nYes.\n\n## Two?\n\nNo.\n", "a.md")
    assert [number for number, _ in table.rows] == [5, 9]


def test_a_heading_beside_questions_is_a_question_too():
    text = (
        "# FAQ\n\n## What is it?\n\nA lamp.\n\n## Changing the bulb\n\nTurn it.\n\n"
        "## Is it hot?\n\nNo.\n"
    )
    assert [pair[:2] for pair in read(text)] == [
        ("What is it?", "A lamp."),
        ("Changing the bulb", "Turn it."),
        ("Is it hot?", "No."),
    ]


def test_a_heading_below_a_question_belongs_to_its_answer():
    text = "## How do I start?\n\nRead on.\n\n### On Linux\n\nType.\n\n## How do I stop?\n\nRest.\n"
    assert read(text)[0] == ("How do I start?", "Read on.\n\nOn Linux\n\nType.", "")


def test_bold_questions_with_the_answer_below_beside_or_on_the_next_line():
    text = (
        "# Fragen\n\n**Wie zahle ich?**\n\nMit Karte.\n\n**Wo sind Sie?**\nIn Köln.\n\n"
        "**Ist es teuer?** Nein.\n\n__Geht es schnell?__  \nJa.\n"
    )
    assert [pair[:2] for pair in read(text)] == [
        ("Wie zahle ich?", "Mit Karte."),
        ("Wo sind Sie?", "In Köln."),
        ("Ist es teuer?", "Nein."),
        ("Geht es schnell?", "Ja."),
    ]


def test_numbered_bold_questions_lose_their_numbers_and_keep_their_steps():
    text = (
        "1. **How do I pay?**\n\n   By card:\n\n   1. Open it.\n   2. Pay.\n\n"
        "2. **Is it safe?**\n\n   Yes.\n\n3. **Refunds**\n\n   Within a week.\n\n"
        "4. **Is it free?**\n\n   No.\n"
    )
    assert [pair[:2] for pair in read(text)] == [
        ("How do I pay?", "By card:\n1. Open it.\n2. Pay."),
        ("Is it safe?", "Yes."),
        ("Refunds", "Within a week."),
        ("Is it free?", "No."),
    ]


def test_numbers_in_headings_are_taken_off():
    text = "## 1. Wer?\n\nIch.\n\n## 2. Was?\n\nDas.\n\n## 3.1 Wann?\n\n2. Mai.\n"
    assert [pair[0] for pair in read(text)] == ["Wer?", "Was?", "Wann?"]


def test_marks_in_bold_headings_and_lines_are_known():
    text = "**Q: What?**\nA: This.\n\n**Q: Why?**\nA: So.\n\n### Q3. Who?\n\nA: Ann.\n"
    assert [pair[:2] for pair in read(text)] == [
        ("What?", "This."),
        ("Why?", "So."),
        ("Who?", "Ann."),
    ]


def test_details_definition_lists_and_tables_are_read():
    details = (
        "<details>\n<summary>What is <b>it</b>?</summary>\n\nA *lamp*.\n\n- small\n- red\n\n"
        "</details>\n\n<details><summary>Is it hot?</summary>\nNo.\n</details>\n\nThe end.\n"
    )
    assert read(details) == [
        ("What is it?", "A lamp.\n- small\n- red", ""),
        ("Is it hot?", "No.", ""),
    ]
    definitions = "What is it?\n: A lamp.\n\nIs it hot?\n\n: No.\n\n: Never.\n"
    assert read(definitions) == [
        ("What is it?", "A lamp.", ""),
        ("Is it hot?", "No.\n\nNever.", ""),
    ]
    table = (
        "| Nr | Frage | Antwort |\n|-|-|-|\n| 1 | Was? | Das \\| dies. |\n| 2 | Wer? | *Ich*. |\n"
    )
    assert read(table) == [("Was?", "Das | dies.", ""), ("Wer?", "Ich.", "")]


@pytest.mark.parametrize(
    "text",
    [
        '{{< details "What?" >}}\nThis.\n{{< /details >}}\n\n'
        '{{% expand title="Who?" %}}\nAnn.\n{{% /expand %}}\n',
        '??? question "What?"\n\n    This.\n\n??? question "Who?"\n\n    Ann.\n\nThe end.\n',
        ":::details What?\nThis.\n:::\n\n::: details Who?\nAnn.\n:::\n",
        "> [!faq]- What?\n> This.\n\n> [!question]+ Who?\n> Ann.\n",
        '<Accordion title="What?">\n  This.\n</Accordion>\n\n'
        '<Accordion title="Who?">\n  Ann.\n</Accordion>\n',
        "- **What?**\n  This.\n- **Who?**\n  Ann.\n",
        "* What?\n    * This.\n* Who?\n    * Ann.\n",
        "What?\n=====\n\nThis.\n\nWho?\n====\n\nAnn.\n",
        "### What?\nThis.\n### Who?\nAnn.\n",
        "**What?**\n> This.\n\n**Who?**\n> Ann.\n",
    ],
)
def test_the_ways_of_site_generators_are_known(text: str):
    assert read(text) == [("What?", "This.", ""), ("Who?", "Ann.", "")]


def test_code_is_kept_and_its_comments_are_no_questions():
    text = "## How?\n\nRun `x --y`:\n\n```sh\n# why?\nrun  it\n```\n\n## What?\n\nThis.\n"
    assert read(text)[0] == ("How?", "Run x --y:\n\n# why?\nrun  it", "")


def test_a_list_of_contents_is_left_out():
    text = (
        "# FAQ\n\n- [What is it?](#a)\n- [Is it hot?](#b)\n\n## What is it?\n\nA lamp.\n\n"
        "## Is it hot?\n\nNo.\n"
    )
    assert read(text) == [("What is it?", "A lamp.", ""), ("Is it hot?", "No.", "")]


def test_the_faq_of_a_readme_is_found_among_its_other_sections():
    text = (
        "# Tool\n\nIt works.\n\n## Install\n\nRun pip.\n\n## FAQ\n\n### Why?\n\nBecause.\n\n"
        "### Who?\n\nAnn.\n\n## Licence\n\nMIT.\n\n## Credits\n\nMany.\n"
    )
    assert read(text, "README.md") == [("Why?", "Because.", ""), ("Who?", "Ann.", "")]


def test_arabic_hindi_chinese_and_greek_questions_are_known():
    arabic = "## كيف أدفع؟\n\nبالبطاقة.\n\n## أين أنتم؟\n\nفي دبي.\n"
    hindi = "**भुगतान कैसे करें?**\n\nकार्ड से।\n\n**आप कहाँ हैं?**\n\nदिल्ली में।\n"
    chinese = "## 如何付款？\n\n刷\n卡。\n\n## 在哪里？\n\n北京。\n"
    greek = "## Πώς πληρώνω;\n\nΜε κάρτα.\n\n## Πού είστε;\n\nΣτην Αθήνα.\n"
    assert read(arabic) == [("كيف أدفع؟", "بالبطاقة.", ""), ("أين أنتم؟", "في دبي.", "")]
    assert read(hindi) == [("भुगतान कैसे करें?", "कार्ड से।", ""), ("आप कहाँ हैं?", "दिल्ली में।", "")]
    assert read(chinese) == [("如何付款？", "刷卡。", ""), ("在哪里？", "北京。", "")]
    assert read(greek) == [("Πώς πληρώνω;", "Με κάρτα.", ""), ("Πού είστε;", "Στην Αθήνα.", "")]


def test_an_faq_without_question_marks_is_read_by_its_headings_and_says_so():
    text = "# FAQ\n\n" + "".join(
        f"## วิธีการชำระเงิน {n}\n\nคุณสามารถชำระเงินด้วยบัตรเครดิตหรือโอนเงินผ่านธนาคาร {n}\n\n"
        for n in range(4)
    )
    (table,) = read_markdown(text.encode(), "help.md")
    assert len(table.rows) == 4
    assert "not marked" in table.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        "# Tool\n\nIt works.\n\n## Install\n\nRun pip.\n\n"
        "## What is next?\n\nMore.\n\n## Licence\n\nMIT.\n",
        "# Notes\n\nSome text.\n\nMore text.\n",
        "",
        "---\ntitle: x\n---\n",
    ],
)
def test_a_document_that_is_no_faq_is_refused(text: str):
    with pytest.raises(CorpusError, match="No question-answer pairs were found"):
        read_markdown(text.encode(), "README.md")


def test_the_real_faq_in_17_languages_gives_every_question_below_its_two_topics(shared: Path):
    found = 0
    for file in sorted((shared / "corpora/letsencrypt_faq_md_multilang").glob("*.md")):
        (table,) = read_markdown(file.read_bytes(), file.name)
        lines = file.read_text(encoding="utf-8").splitlines()
        assert [number for number, _ in table.rows] == [
            number for number, line in enumerate(lines, 1) if line.startswith("## ")
        ], file.name
        assert len({cells[2] for _, cells in table.rows}) == 2
        assert not any("#" in str(cells[0]) or "](" in str(cells[1]) for _, cells in table.rows)
        found += len(table.rows)
    assert found == 285


def test_the_readme_of_a_data_set_is_refused(shared: Path):
    with pytest.raises(CorpusError, match=r"found in README\.md"):
        read_markdown((shared / "corpora/medication_qa_xlsx/README.md").read_bytes(), "README.md")


def test_notes_in_folded_answers_lose_their_signs_and_headings_below_them_are_topics():
    fold = '??? question "{}"\n\n    {}\n\n    !!! note\n        Ask us.\n\n'
    text = "# FAQ\n\n## Cards\n\n" + fold.format("How do I pay?", "By card.")
    text += "## Trust\n\n" + fold.format("Is it safe?", "Yes.")
    (table,) = read_markdown(text.encode(), "help.md")
    assert table.rows == (
        (5, ("How do I pay?", "By card.\n\nAsk us.", "Cards")),
        (14, ("Is it safe?", "Yes.\n\nAsk us.", "Trust")),
    )


def test_a_list_of_questions_is_refused():
    asked = ["How long is it?", "Do you ship?", "Can I change it", "How do I return it?"]
    asked += ["Who pays for it", "When is it paid?", "Which cards do you take?", "What is left"]
    with pytest.raises(CorpusError, match="is a list of questions"):
        read("# Open questions\n\n" + "\n".join(f"- {one}" for one in asked))


def test_what_is_bold_before_an_answer_need_not_ask_where_most_others_do():
    pairs = [("How do I pay?", "By card."), ("Lost parcels", "Tell us soon."), ("Who?", "You.")]
    text = "# FAQ\n\n" + "\n".join(f"* **{q}** {a}" for q, a in pairs)
    assert [cells[:2] for _, cells in read_markdown(text.encode(), "faq.md")[0].rows] == pairs
