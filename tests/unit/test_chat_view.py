"""What the chat shows, from what is kept: pure functions, without a page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from assistant.conversation import (
    Answer,
    Beside,
    ChatSettings,
    Conversation,
    Exchange,
    Proof,
    Reply,
    Side,
)
from assistant.ui.chat.plain import as_typed, fenced, in_words, plainly
from assistant.ui.chat.shown import Coming, column, exchange_at, growing
from assistant.ui.chat.sides import choices_beside, parse_sides, usual_sides, value_of
from assistant.ui.present import side_head
from tests.app.test_chat import finish
from trainer.config import RunConfig
from trainer.corpus.library import Corpus
from trainer.errors import UserError
from trainer.facts.flag import Flag
from trainer.runs import Run, Runs

BASE = Side(base="bundled:pocket")
TUNED = Side(base="bundled:pocket", run="2026-11-20-141530-banking-3f9a")


def reply(text: str, side: Side, **more: object) -> Reply:
    proof = Proof(
        base=side.base,
        quantization=side.quantization,
        held="4-bit",
        run=side.run,
        adapter="ab" * 32 if side.run else None,
        settings=ChatSettings(),
        proven=True,
        together=True,
        ended="by itself",
        tokens=9,
        waited=0,
        first_word=0.2,
        seconds=1.2,
    )
    return Reply(text=text, proof=proof.model_copy(update=more))


def talk(*exchanges: Exchange, blind: bool = False) -> Conversation:
    return Conversation(name="a talk", sides=(BASE, TUNED), blind=blind, exchanges=exchanges)


def texts(lines: list[dict[str, str]]) -> list[str]:
    return [line["content"] for line in lines if "metadata" not in line]


@given(st.text(alphabet="ab<>&;lt!`[]()\n ", max_size=60))
def test_what_was_typed_comes_back_from_what_is_shown(text: str) -> None:
    assert as_typed(plainly(text)) == text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("a < b & **c**", "<p>a &lt;| b &amp;| <strong>c</strong></p>"),
        ("&lt;b>", "<p>&amp;|lt;b&gt;</p>"),
        ("`<b>` <b>", "<p><code>&lt;|b&gt;</code> &lt;|b&gt;</p>"),
        ("```\n<b>\n```\n<b>", "<pre><code>&lt;|b&gt;\n</code></pre>\n<p>&lt;|b&gt;</p>"),
    ],
)
def test_html_is_shown_as_it_was_typed(said: str, shown: str) -> None:
    drawn = MarkdownIt("commonmark", {"html": True}).render(plainly(said))
    assert drawn.strip().replace("\N{WORD JOINER}", "|") == shown


@pytest.mark.parametrize("what", ["<img src=u>", "![x](u)", "![x][u]\n\n[u]: u", "<a href=u>x</a>"])
@pytest.mark.parametrize(
    "around",
    [
        *("{}", "`{}``", "x ```{}", "\\`{}\\`", "``{}`", "~~~\n```\n~~~\n{}", "<!-- {}"),
        *("1. a\n\n   ```\n{}", "> ```\n{}", "   ```\n```\n{}", "`a\n{}`", "<pre>{}"),
    ],
)
def test_nothing_said_becomes_html_or_fetches_a_picture(what: str, around: str) -> None:
    drawn = MarkdownIt("commonmark", {"html": True}).render(plainly(around.format(what)))
    assert "<img" not in drawn
    assert "<a href=u>" not in drawn
    assert "<!--" not in drawn


def test_a_name_is_no_markdown_and_a_fence_holds_what_has_fences() -> None:
    assert in_words("*a*\n<b>[c](d)`") == r"\*a\* &lt;b&gt;\[c\](d)\`"
    assert in_words("a long name", 6) == "a lon…"
    assert fenced("a\n```\nb").splitlines()[0] == "````"


def test_a_swapped_exchange_changes_sides_and_is_hidden_until_it_is_voted_on() -> None:
    straight = Exchange(question="one", replies=(reply("B1", BASE), reply("T1", TUNED)))
    swapped = Exchange(
        question="two", replies=(reply("B2", BASE), reply("T2", TUNED)), swapped=True
    )
    conversation = talk(straight, swapped, blind=True)
    left, right = column(conversation, 0), column(conversation, 1)
    assert texts(left) == ["one", "B1", "two", "T2"]
    assert texts(right) == ["one", "T1", "two", "B2"]
    assert len(left) == 4, "no proof is shown"
    seen = column(conversation, 0, {swapped.id})
    assert "Tuned banking-3f9a" in seen[-1]["metadata"]["title"]
    assert len(seen) == 5
    assert [exchange_at(conversation, 0, {swapped.id}, n) for n in (0, 4, 5, -1)] == [
        straight.id,
        swapped.id,
        None,
        None,
    ]


def test_where_an_answer_parts_from_the_approved_one_stands_beside_it() -> None:
    flags = (
        Flag(kind="number", said="30 days", approved="14 days"),
        Flag(kind="name", said="", approved="Anna"),
    )
    beside = Beside(question="q", answer="a\nb", similarity=0.5, flags=flags, asked="c")
    said = reply("30 days", TUNED).model_copy(update={"beside": beside})
    near = column(talk(Exchange(question="q", replies=(reply("x", BASE), said))), 1)[2]
    title = near["metadata"]["title"]
    assert "says 30 days, approved: 14 days" in title
    assert "leaves out Anna" in title
    assert "another answer is approved" in title
    assert "> a\n> b" in near["content"]


def test_what_was_cut_off_says_so() -> None:
    replies = (reply("a", BASE, ended="stopped"), reply("b", TUNED, ended="at the limit"))
    conversation = talk(Exchange(question="q", replies=replies))
    assert "stopped here" in texts(column(conversation, 0))[1]
    assert "cut here" in texts(column(conversation, 1))[1]


def test_before_the_first_word_it_is_told_what_is_done() -> None:
    coming = Coming("q", [Answer(doing="loading"), Answer("Yes")], swapped=True)
    assert growing(coming, 0)[-1]["content"] == "Yes"
    assert growing(coming, 1)[-1]["metadata"] == {"title": "Loading", "status": "pending"}
    assert growing(Coming("q", [Answer()]), 1) == []


def test_whoever_shares_a_base_can_be_chosen_and_nobody_else(
    runs: Runs, run: Run, config: RunConfig, corpus: Corpus
) -> None:
    one, other = finish(run), finish(runs.create(config, corpus.split))
    plain = config.model_copy(update={"method": "lora"})
    unquantized = finish(runs.create(plain, corpus.split))
    base, tuned = usual_sides(one, "bundled:pocket")
    values = [value for _, value in choices_beside(tuned, runs)]
    assert values == [value_of(base), other.id, one.id]
    assert parse_sides(value_of(base), one.id, runs, runs.root) == (base, tuned)
    with pytest.raises(UserError, match="share one base in memory"):
        parse_sides(one.id, unquantized.id, runs, runs.root)


def test_a_column_head_names_the_weights_and_escapes_the_base() -> None:
    head = side_head(Side(base="<b>", run="r"), None, reply("", TUNED).proof)
    assert "&lt;b&gt;" in head
    assert "abababababab" in head
    assert "✓ proof held" in head
    assert "no adapter" in side_head(BASE, None)
    elsewhere = reply("", TUNED).proof.model_copy(update={"proven": False, "adapter": None})
    assert "adapter" not in side_head(TUNED, None, elsewhere), "nobody knows which"
