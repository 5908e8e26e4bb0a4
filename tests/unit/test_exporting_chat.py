"""A conversation as a file: readable, harmless, and as the models saw it."""

import json

from assistant.conversation import Beside, ChatSettings, Exchange
from assistant.exporting_chat import as_jsonl, as_markdown
from tests.chats import BASE, TUNED, conversation, exchange, reply
from trainer.facts.flag import Flag


def test_a_reader_sees_who_answered_with_what_and_where_it_parts() -> None:
    settings = ChatSettings(temperature=0.7, seed=3)
    flag = Flag(kind="number", said="30", approved="14")
    beside = Beside(question="?", answer="Within 14 days.", similarity=0.934, flags=(flag,))
    tuned = reply("30 days.", TUNED, settings).model_copy(update={"beside": beside})
    asked = Exchange(question="How long?", replies=(reply("", BASE, settings), tuned))
    text = as_markdown(conversation(asked, name="Shoes\n# and *hats*"))
    assert text.startswith("# Shoes \\# and \\*hats\\*\n\nbundled:pocket beside 2026-01-01-tuned, ")
    for part in (
        "> How long?",
        "### bundled:pocket\n\n> (nothing)\n\n*base bundled:pocket (4-bit); no adapter; ",
        "### 2026-01-01-tuned\n\n> 30 days.\n\n*base bundled:pocket (4-bit); adapter abab",
        "temperature 0.7, top-p 1; seed 3",
        "Nearest approved answer (similarity 0.93):\n\n> Within 14 days.",
        "They part in number: said '30', approved '14'.",
    ):
        assert part in text


def test_what_a_model_says_cannot_pass_for_our_own_lines_or_run() -> None:
    said = "fine\n\n## Question 2\n<script>alert(1)</script> 1 < 2"
    text = as_markdown(conversation(exchange("<img src=x>\r\n---", said, "ok")))
    assert text.count("\n## Question") == 1
    assert "> ## Question 2\n> &lt;script>alert(1)&lt;/script> 1 < 2" in text
    assert "<img" not in text


def test_every_answer_is_a_line_with_the_messages_as_the_model_saw_them() -> None:
    settings = ChatSettings(system="Be brief.", remember=True)
    asked = (exchange("one", "a", "b", settings=settings), exchange("two", "c", "d"))
    lines = [json.loads(line) for line in as_jsonl(conversation(*asked)).splitlines()]
    contents = [[message["content"] for message in line["messages"]] for line in lines]
    assert contents == [
        ["Be brief.", "one", "a"],
        ["Be brief.", "one", "b"],
        ["two", "c"],
        ["two", "d"],
    ]
    assert [line["messages"][-1]["role"] for line in lines] == ["assistant"] * 4
    assert [line["proof"]["adapter"] for line in lines] == [None, "ab" * 32] * 2
