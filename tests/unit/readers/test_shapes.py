"""Every shape in which questions and answers are kept as records ends as the same plain pairs."""

import json
from collections.abc import Callable

import pytest

from trainer.corpus.readers.records import read_json, read_xml, read_yaml, tables_from_records
from trainer.corpus.readers.shapes import pairs_from_jsonld
from trainer.corpus.table import Cell, Table
from trainer.errors import CorpusError

WHY, HOW = "Why is it late?", "How do I pay?"
SNOW, CARD = "Because of snow on the line.", "With a card at the desk."


def read(value: object) -> Table:
    (table,) = read_json(json.dumps(value, ensure_ascii=False).encode(), "faq.json")
    return table


def columns(table: Table, *names: str) -> list[tuple[Cell, ...]]:
    assert table.header is not None
    at = [table.header.index(name) for name in names]
    return [tuple(cells[i] for i in at) for _, cells in table.rows]


def test_only_the_first_exchange_of_a_chat_is_read() -> None:
    chat = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": WHY},
        {"role": "assistant", "content": SNOW},
        {"role": "user", "content": "And tomorrow?"},
        {"role": "assistant", "content": "No."},
    ]
    table = read([{"messages": chat}, {"messages": chat[:2]}])
    assert table.rows == ((1, (WHY, SNOW)),)
    assert table.notes == (
        "System messages of chats are not used: 2.",
        "Of each chat the first question and answer are read; later ones depend on what came "
        "before and are left out: 1.",
        "Chats without a question and its answer are left out: 1.",
    )


def each(make: Callable[[str, str], object]) -> list[object]:
    return [make(WHY, SNOW), make(HOW, CARD)]


def message(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


def said(speaker: str, text: str) -> dict[str, str]:
    return {"from": speaker, "value": text}


def part(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [{"text": text}]}


def article(title: str, question: str, answer: str) -> dict[str, object]:
    asked = {"question": question, "answers": [{"text": answer}]}
    return {"title": title, "paragraphs": [{"context": "…", "qas": [asked]}]}


PAIR = {"q": WHY, "a": SNOW}
OTHER = {"q": HOW, "a": CARD}
SAME = [
    [PAIR, OTHER],
    {"questions": [PAIR, OTHER]},
    {"meta": {"title": "FAQ", "description": "All of it"}, "data": {"faqs": [PAIR, OTHER]}},
    {"a1": PAIR, "a2": OTHER},
    {WHY: SNOW, HOW: CARD},
    {WHY: {"answer": SNOW}, HOW: {"answer": CARD}},
    [{WHY: SNOW}, {HOW: CARD}],
    [[WHY, SNOW], [HOW, CARD]],
    [["question", "answer"], [WHY, SNOW], [HOW, CARD]],
    {"question": [WHY, HOW], "answer": [SNOW, CARD]},
    {"question": {"0": WHY, "1": HOW}, "answer": {"0": SNOW, "1": CARD}},
    {"columns": ["question", "answer"], "index": [0, 1], "data": [[WHY, SNOW], [HOW, CARD]]},
    each(lambda q, a: {"prompt": f"{q}\n\n###\n\n", "completion": f" {a} END"}),
    each(lambda q, a: {"instruction": q, "input": "", "output": a}),
    each(lambda q, a: {"messages": [message("user", q), message("assistant", a)]}),
    each(lambda q, a: [message("user", q), message("assistant", a)]),
    each(lambda q, a: {"conversations": [said("human", q), said("gpt", a)]}),
    each(lambda q, a: {"contents": [part("user", q), part("model", a)]}),
    each(lambda q, a: {"prompt": [message("user", q)], "completion": [message("assistant", a)]}),
    each(lambda q, a: {"prompt": q, "chosen": a, "rejected": "No."}),
    each(lambda q, a: {"chosen": f"\n\nHuman: {q}\n\nAssistant: {a}", "rejected": "No."}),
    each(lambda q, a: f"### Human: {q} ### Assistant: {a}"),
    each(lambda q, a: {"id": 1, "attributes": {"frage": q, "antwort": a}}),
    each(lambda q, a: {"zer_bat": q, "xyz": a}),
    {"data": [{"paragraphs": [{"context": "…", "qas": [
        {"question": WHY, "answers": [{"text": SNOW, "answer_start": 3}]},
        {"question": HOW, "answers": [{"text": CARD, "answer_start": 3}, {"text": "x"}]},
        {"question": "Impossible?", "answers": [], "is_impossible": True},
    ]}]}]},
    each(lambda q, a: {"question": q, "answers": {"text": [a], "answer_start": [1]}}),
    {"@context": "https://schema.org", "@type": "FAQPage", "mainEntity": [
        {"@type": "Question", "name": q, "acceptedAnswer": {"@type": "Answer", "text": a}}
        for q, a in ((WHY, SNOW), (HOW, CARD))
    ]},
    {"qnas": each(lambda q, a: {"data": {"questions": {"en": [q]}, "answers": {"en": [a]}}})},
]  # fmt: skip


@pytest.mark.parametrize("value", SAME, ids=lambda value: json.dumps(value)[:60])
def test_the_same_pairs_come_out_of_every_shape(value: object) -> None:
    found = {
        tuple(cell for cell in cells if cell in {WHY, SNOW, HOW, CARD})
        for _, cells in read(value).rows
    }
    backwards = {pair[::-1] for pair in found}
    assert {(WHY, SNOW), (HOW, CARD)} in (found, backwards)
    assert len(read(value).rows) == 2


TEMPLATES = [
    "Below is an instruction.\n\n### Instruction:\n{q}\n\n### Response:\n{a}</s>",
    "<s>[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\n{q} [/INST] {a} </s>",
    "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\n{q}<|im_end|>\n"
    "<|im_start|>assistant\n{a}<|im_end|>",
    "<human>: {q} <bot>: {a}",
    "User: {q}\nAssistant: {a}",
    "Q: {q}\nA: {a}",
    "<start_of_turn>user\n{q}<end_of_turn>\n<start_of_turn>model\n{a}<end_of_turn>\n",
    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{q}<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n{a}<|eot_id|>",
]


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_filled_in_template_is_taken_apart(template: str) -> None:
    table = read(
        [{"text": template.format(q=WHY, a=SNOW)}, {"text": template.format(q=HOW, a=CARD)}]
    )
    assert columns(table, "question", "answer") == [(WHY, SNOW), (HOW, CARD)]


def test_the_input_is_joined_to_the_instruction() -> None:
    table = read([{"instruction": "Translate.", "input": "Hej", "output": "Hi"}])
    assert columns(table, "question", "answer") == [("Translate.\nHej", "Hi")]


@pytest.mark.parametrize(
    "value",
    [
        {"Trains": [PAIR], "Money": [OTHER]},
        {"bank": {"Trains": [[WHY, SNOW]], "Money": [[HOW, CARD]]}},
        {"Trains": {WHY: SNOW}, "Money": {HOW: CARD}},
        [{"category": "Trains", "questions": [PAIR]}, {"category": "Money", "questions": [OTHER]}],
        {"sections": [{"title": "Trains", "items": [PAIR]}, {"title": "Money", "items": [OTHER]}]},
        {"categories": [{"name": "Trains", "faqs": [PAIR]}, {"name": "Money", "faqs": [OTHER]}]},
        [article("Trains", WHY, SNOW), article("Money", HOW, CARD)],
    ],
)  # fmt: skip
def test_what_a_record_stands_under_is_its_topic(value: object) -> None:
    table = read(value)
    assert [row[0] for row in columns(table, "topic")] == ["Trains", "Money"]


def test_levels_of_topics_are_joined_and_numbers_are_none() -> None:
    cards = {"Credit": {"0": PAIR, "1": OTHER}, "Debit": {"0": PAIR}}
    table = read({"Cards": cards, "Loans": {"Home": [PAIR], "Car": [OTHER]}})
    assert [row[0] for row in columns(table, "topic")] == [
        "Cards / Credit",
        "Cards / Credit",
        "Cards / Debit",
        "Loans / Home",
        "Loans / Car",
    ]


def test_a_named_thing_with_records_is_their_entity() -> None:
    docs = {"0": {"title": "Are dogs welcome?", "body": "Yes."}}
    table = read(
        {
            "hotel": {"0": {"name": "Elk", "docs": docs}, "1": {"name": "Hare", "docs": docs}},
            "taxi": {"*": {"name": "*", "docs": {"0": {"title": "Late fees", "body": "None."}}}},
        }
    )
    assert columns(table, "title", "body", "topic", "entity") == [
        ("Are dogs welcome?", "Yes.", "hotel", "Elk"),
        ("Are dogs welcome?", "Yes.", "hotel", "Hare"),
        ("Late fees", "None.", "taxi", ""),
    ]


def test_intents_keep_their_patterns_and_answers_in_one_cell_each() -> None:
    table = read(
        {
            "intents": [
                {"tag": "greet", "patterns": ["Hi", "Hello"], "responses": ["Hey", "Good day"]},
                {"tag": "bye", "patterns": ["Bye"], "responses": ["See you"]},
            ]
        }
    )
    assert table.header == ("question", "answer", "topic")
    assert table.rows[0] == (1, (("Hi", "Hello"), ("Hey", "Good day"), "greet"))
    assert table.rows[1] == (2, ("Bye", "See you", "bye"))


def test_rasa_intents_meet_their_responses_through_rules() -> None:
    nlu = """
version: "3.1"
nlu:
- intent: ask_fee
  examples: |
    - what is the fee
    - fee in [Oslo](city)?
- intent: bye
  examples: |
    - bye
- intent: unanswered
  examples: |
    - hm
rules:
- rule: fee
  steps:
  - intent: ask_fee
  - action: utter_costs
responses:
  utter_costs:
  - text: Ten euros.
  utter_bye:
  - text: See you.
"""
    (table,) = read_yaml(nlu.encode(), "nlu.yml")
    assert columns(table, "question", "answer", "topic") == [
        (("what is the fee", "fee in Oslo?"), "Ten euros.", "ask_fee"),
        ("bye", "See you.", "bye"),
    ]
    assert "Intents without an answer in this file are left out: 1." in table.notes


def test_rasa_intents_alone_are_labelled_texts() -> None:
    (table,) = read_yaml(b"nlu:\n- intent: greet\n  examples: |\n    - hi\n    - hey\n", "nlu.yml")
    assert columns(table, "text", "intent") == [("hi", "greet"), ("hey", "greet")]


def test_labelled_texts_stay_plain_records() -> None:
    table = read([{"text": "Nice", "label": 1}, {"text": "Bad", "label": 0.0}])
    assert (table.header, [c for _, c in table.rows]) == (
        ("text", "label"),
        [("Nice", "1"), ("Bad", "0")],
    )


def test_lists_of_texts_under_labels_become_labelled_texts() -> None:
    table = read({"greet": ["hi", "hello"], "bye": ["bye", "ciao"]})
    assert columns(table, "text", "label")[2] == ("bye", "bye")


def test_queries_beside_a_transcript_are_read_and_the_transcript_is_not() -> None:
    record = {
        "topic_list": [{"topic": "Law", "relevant_text_span": [["1", "16"], ["17", "20"]]}],
        "general_query_list": [{"query": "Summarize it.", "answer": "It was about law."}],
        "specific_query_list": [{"query": "Who spoke?", "answer": "Ms Li and Mr Day."}],
        "meeting_transcripts": [{"speaker": "Ms Li", "content": "Is that so?"}] * 3,
    }
    (table,) = tables_from_records([record] * 2, format="JSONL", name="m.jsonl")
    assert columns(table, "query", "answer")[:2] == [
        ("Summarize it.", "It was about law."),
        ("Who spoke?", "Ms Li and Mr Day."),
    ]
    assert [number for number, _ in table.rows] == [1, 1, 2, 2]
    assert "speaker, content" in table.notes[0]


def test_questions_that_follow_up_on_another_are_kept_beside_it() -> None:
    table = read([{**PAIR, "followups": [OTHER]}, PAIR])
    assert sorted(columns(table, "q")) == sorted([(WHY,), (HOW,), (WHY,)])


def test_sources_of_an_answer_are_no_pairs() -> None:
    source = {"title": "Law", "url": "https://example.org", "description": "The law itself."}
    table = read([{**PAIR, "sources": [source, source]}, OTHER])
    assert columns(table, "q", "a") == [(WHY, SNOW), (HOW, CARD)]
    assert columns(table, "sources.title")[0] == (("Law", "Law"),)


def test_json_ld_is_searched_wherever_it_stands() -> None:
    page = {"@graph": [{"@type": "WebSite"}, {"@type": ["FAQPage"], "mainEntity": [
        {"@type": "Question", "name": WHY, "acceptedAnswer": [{"text": SNOW}]},
        {"@type": "Question", "name": HOW},
    ]}]}  # fmt: skip
    assert pairs_from_jsonld([page, None, "x"]) == [(WHY, SNOW)]


@pytest.mark.parametrize(
    "value", [["card_arrival", "card_linking"], {"version": 3}, [], {}, "text", 3, [{}]]
)
def test_what_holds_no_pairs_is_refused_with_what_was_looked_for(value: object) -> None:
    with pytest.raises(CorpusError, match=r"faq.json holds no questions .* Looked for: records"):
        read(value)


XML = [
    "<faq><item><question>{q}</question><answer>{a}</answer></item>"
    "<item><question>{r}</question><answer>{b}</answer></item></faq>",
    "<faq><question>{q}</question><answer>{a}</answer>"
    "<question>{r}</question><answer>{b}</answer></faq>",
    '<faq xmlns="urn:x"><entry question="{q}">{a}</entry><entry question="{r}">{b}</entry></faq>',
    '<rows><row Id="1" Frage="{q}" Antwort="{a}"/><row Id="2" Frage="{r}" Antwort="{b}"/></rows>',
    "<rss><channel><title>News</title><description>All</description><item><title>{q}</title>"
    "<description>{a}</description></item><item><title>{r}</title><description>{b}</description>"
    "</item></channel></rss>",
    "<f><i><q>{q}</q><a>{a}</a></i><i><q>{r}</q><a>{b}</a></i></f>",
]


@pytest.mark.parametrize("template", XML)
def test_repeated_elements_and_attributes_of_xml_become_records(template: str) -> None:
    (table,) = read_xml(template.format(q=WHY, a=SNOW, r=HOW, b=CARD).encode(), "faq.xml")
    pairs = [tuple(c for c in cells if c in {WHY, SNOW, HOW, CARD}) for _, cells in table.rows]
    assert pairs == [(WHY, SNOW), (HOW, CARD)]


def test_nested_categories_of_xml_name_their_topics() -> None:
    text = (
        '<faq><category name="Cards"><category name="Credit"><item><q>Fee?</q><a>Ten <b>euros'
        "</b>.</a></item></category></category>"
        '<category name="Loans"><item><q>Rate?</q><a>Two.</a></item></category></faq>'
    )
    (table,) = read_xml(text.encode(), "faq.xml")
    assert columns(table, "q", "a", "topic") == [
        ("Fee?", "Ten <b>euros</b>.", "Cards / Credit"),
        ("Rate?", "Two.", "Loans"),
    ]


def test_the_piles_of_a_data_set_are_no_topics() -> None:
    assert read({"train": [PAIR], "test": [OTHER]}).header == ("q", "a")


def node(kind: str, *inside: object) -> dict[str, object]:
    return {"nodeType": kind, "data": {}, "content": list(inside)}


def test_the_nodes_of_rich_text_are_joined_and_its_paragraphs_are_lines() -> None:
    texts: list[object] = [{"nodeType": "text", "value": text} for text in ("Because ", "of ", "x")]
    link, bare = node("hyperlink", texts[2]), {"nodeType": "paragraph"}
    items = node("unordered-list", *(node("list-item", node("paragraph", t)) for t in texts[:2]))
    answer = node("document", node("paragraph", *texts[:2], link, texts[1]), bare, items)
    strapi = [{"type": "paragraph", "children": [{"type": "text", "text": t} for t in "abc"]}] * 2
    lexical = {"root": {"type": "root", "children": strapi}}
    faqs = [{"question": WHY, "answer": value} for value in (answer, strapi, lexical)]
    table = read({"items": [{"sys": {"id": "1"}, "fields": faq} for faq in faqs]})
    assert columns(table, "question", "answer") == [
        (WHY, "Because of xof\n\n- Because\n- of"),
        (WHY, "abc\nabc"),
        (WHY, "abc\nabc"),
    ]


def test_a_block_that_keeps_its_text_elsewhere_loses_nothing() -> None:
    table = read([{"question": WHY, "answer": {"type": "block", "data": SNOW}}] * 2)
    assert SNOW in table.rows[0][1]


def test_a_list_with_questions_of_its_own_is_not_rich_text() -> None:
    faqs = [
        {"type": "paragraph", "question": q, "answer": a} for q, a in ((WHY, SNOW), (HOW, CARD))
    ]
    table = read({"page": {"type": "list", "children": faqs}})
    assert columns(table, "question", "answer") == [(WHY, SNOW), (HOW, CARD)]


EXCERPT, FULL = "Because of [...]", f"<p>{SNOW}</p>"


@pytest.mark.parametrize(
    "texts",
    [
        f"<description><![CDATA[{EXCERPT}]]></description>"
        f"<content:encoded><![CDATA[{FULL}]]></content:encoded>",
        f"<description/><content:encoded><![CDATA[{FULL}]]></content:encoded>"
        f"<excerpt:encoded><![CDATA[{EXCERPT}]]></excerpt:encoded>",
        f'<summary type="html">{EXCERPT}</summary>'
        f'<content type="html"><![CDATA[{FULL}]]></content>',
    ],
)
def test_of_an_article_in_a_feed_the_full_text_is_read_and_not_its_excerpt(texts: str) -> None:
    item = f"<item><title>{WHY}</title>{texts}</item>"
    feed = f'<rss xmlns:content="c" xmlns:excerpt="e"><channel>{item * 2}</channel></rss>'
    (table,) = read_xml(feed.encode(), "feed.xml")
    assert columns(table, "title", "content") == [(WHY, FULL)] * 2
    assert not {"description", "summary", "encoded"} & set(table.header or ())


def test_the_questions_of_a_moodle_quiz_stand_under_their_categories() -> None:
    def ask(question: str, *answers: tuple[int, str]) -> str:
        given = (f'<answer fraction="{f}"><text>{text}</text></answer>' for f, text in answers)
        asked = f"<questiontext><text>{question}</text></questiontext>"
        return f'<question type="shortanswer">{asked}{"".join(given)}</question>'

    def category(name: str) -> str:
        text = f"<category><text>$course$/top/{name}</text></category>"
        return f'<question type="category">{text}</question>'

    quiz = category("Trains") + ask(WHY, (0, "Who knows."), (100, SNOW)) + category("Tickets")
    (table,) = read_xml(f"<quiz>{quiz}{ask(HOW, (100, CARD))}</quiz>".encode(), "quiz.xml")
    names = ("topic", "questiontext.text", "answer.text")
    assert columns(table, *names) == [("Trains", WHY, SNOW), ("Tickets", HOW, CARD)]


def says(*texts: str) -> dict[str, object]:
    return {"data": [{"text": text, "userDefined": False} for text in texts], "count": 0}


def test_the_sentences_for_an_intent_of_dialogflow_lead_to_its_speech() -> None:
    def intent(speech: object, *says: dict[str, object]) -> dict[str, object]:
        messages = [{"type": "0", "lang": "en", "speech": speech}]
        responses = [{"resetContexts": False, "messages": messages}]
        return {"id": "x", "name": "faq.0", "responses": responses, "userSays": list(says)}

    table = read([intent([SNOW], says("Why is ", "it late?"), says("Late?")), intent(CARD)])
    assert columns(table, "question", "answer", "topic") == [((WHY, "Late?"), SNOW, "faq.0")]
    assert table.notes == ("Intents without sentences of users or an answer are left out: 1.",)


def test_sentences_for_dialogflow_without_its_answers_are_no_pairs() -> None:
    table = read([says("Why is ", "it late?"), says(HOW)])
    assert table.rows == ((1, (WHY,)), (2, (HOW,)))


@pytest.mark.parametrize(
    ("own", "pointer", "body"),
    [
        ("ts", "thread_ts", str),
        ("id", "reply_to_message_id", str),
        ("id", "replyToId", lambda t: {"content": t}),
    ],
)
def test_a_thread_is_its_first_message_and_the_first_reply(own, pointer, body):
    messages = [
        {own: "1", pointer: "1" if own == "ts" else None, "user": "U1", "text": body("How?")},
        {own: "2", "user": "U3", "text": body("Nobody replied to this.")},
        {own: "3", pointer: "1", "user": "U2", "text": body("So.")},
        {own: "4", pointer: "1", "user": "U1", "text": body("Thanks!")},
        {own: "5", "user": "U1", "text": body("Why?")},
        {own: "6", pointer: "5", "user": "U2", "text": body("Thus.")},
    ]
    (table,) = tables_from_records([{"messages": messages}], format="JSON", name="channel.json")
    assert [cells for _, cells in table.rows] == [("How?", "So."), ("Why?", "Thus.")]
    assert any("left out: 2" in note for note in table.notes)
