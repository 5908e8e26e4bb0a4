"""Step 3 as a browser sees it: through its endpoints."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio_client import Client

from assistant.conversation import Beside, Conversation
from assistant.store import Store
from assistant.ui.app import build_app
from tests.conftest import ScriptedChat, wait_until
from tests.links import finish
from tests.process.test_launch import WORKER
from trainer.config import RunConfig
from trainer.corpus.library import Corpora, Corpus
from trainer.errors import ModelError
from trainer.facts.flag import Flag
from trainer.runs import Run, Runs

Serve = Callable[[gr.Blocks], AbstractContextManager[Client]]
BASE = "nf4 bundled:pocket"
WARM = {"temperature": 0.7}


@pytest.fixture
def chat() -> ScriptedChat:
    return ScriptedChat({None: "Who knows **what**", "tuned": "Within thirty days of {seed}"})


def beside(corpus: Corpus, question: str, answer: str) -> Beside:
    flag = Flag(kind="number", said="thirty days", approved="14 days")
    near = corpus.examples[0]
    return Beside(
        question=near.question,
        answer=near.answer,
        similarity=0.86,
        flags=(flag,),
        far="weather" in question,
    )


@pytest.fixture
def app(workspace: Path, chat: ScriptedChat) -> gr.Blocks:
    return build_app(workspace, chat, beside=beside, worker=WORKER)


@pytest.fixture
def page(app: gr.Blocks, serve: Serve) -> Iterator[Client]:
    with serve(app) as client:
        yield client


@pytest.fixture
def store(workspace: Path) -> Store:
    return Store.in_workspace(workspace)


@pytest.fixture
def finished(run: Run) -> Run:
    return finish(run)


class Columns:
    """What an endpoint shows: heads, messages and what stands in the box."""

    def __init__(self, shown: Any) -> None:
        self.heads, self.messages, self.box = shown[:2], shown[2:4], (shown[4] or {}).get("value")

    def said(self, place: int) -> list[str]:
        """The messages of a column that are not folded."""
        return [_text(m) for m in self.messages[place] if not m["metadata"]]

    def folded(self, place: int) -> list[str]:
        return [m["metadata"]["title"] for m in self.messages[place] if m["metadata"]]


def _text(message: Any) -> str:
    return message["content"][0]["text"]


def given(question: str, left: str = BASE, right: str = "", **more: Any) -> dict[str, Any]:
    return {"question": question, "left": left, "right": right, "blind": False} | more


def ask(page: Client, *question: Any, **more: Any) -> Columns:
    return Columns(page.predict(**given(*question, **more), api_name="/ask"))


def kept(store: Store) -> Conversation:
    """The one conversation that was changed last."""
    return store.conversation(store.conversations()[0].id)


def test_one_question_gets_two_answers_each_with_its_proof(
    page: Client, finished: Run, store: Store
) -> None:
    shown = ask(page, "How long?", BASE, finished.id)
    assert shown.said(0) == ["How long?", "Who knows **what**"]
    assert shown.said(1) == ["How long?", "Within thirty days of 17"]
    assert not shown.box
    (proof,), (near, tuned) = shown.folded(0), shown.folded(1)
    assert "Base" in proof
    assert "no adapter" in proof
    assert "proof held" in proof
    assert "similarity 0.86" in near
    assert "says thirty days, approved: 14 days" in near
    (exchange,) = kept(store).exchanges
    assert exchange.replies[1].proof.adapter is not None
    assert exchange.replies[1].proof.adapter[:12] in tuned
    assert "proof held" in shown.heads[1]


def test_each_question_stands_alone_unless_the_sides_are_to_remember(
    page: Client, finished: Run, store: Store, chat: ScriptedChat
) -> None:
    ask(page, "How long?", BASE, finished.id)
    ask(page, "And then?", BASE, finished.id)
    assert [len(one.messages) for one in chat.heard[-1]] == [1, 1]
    shown = ask(page, "And now?", BASE, finished.id, remember=True, system="Be brief.")
    base, tuned = chat.heard[-1]
    assert [m["content"] for m in base.messages][:3] == [
        "Be brief.",
        "How long?",
        "Who knows **what**",
    ]
    assert tuned.messages[2]["content"] == "Within thirty days of 17"
    assert shown.said(0)[::2] == ["How long?", "And then?", "And now?"]
    assert len(store.conversations()) == 1


def test_other_sides_begin_another_conversation(
    page: Client, finished: Run, runs: Runs, config: RunConfig, corpus: Corpus, store: Store
) -> None:
    other = finish(runs.create(config, corpus.split))
    ask(page, "How long?", BASE, finished.id)
    shown = ask(page, "And then?", finished.id, other.id)
    assert shown.said(0) == ["And then?", "Within thirty days of 17"]
    assert len(store.conversations()) == 2
    assert [side.run for side in kept(store).sides] == [finished.id, other.id]


def test_a_base_alone_can_be_talked_to_before_anything_is_tuned(
    page: Client, chat: ScriptedChat
) -> None:
    shown = ask(page, "Who are you?", BASE, "")
    assert shown.said(0) == ["Who are you?", "Who knows **what**"]
    assert shown.messages[1] == []
    assert [one.side.run for one in chat.heard[-1]] == [None]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"left": ""}, "Nobody is chosen"),
    ({"left": "nope"}, "no run called 'nope'"),
    ({"left": "../x"}, r"no run called '\.\./x'"),
    ({"left": "nf4 /etc"}, "not a base model of the list"),
    ({"right": BASE}, "Both columns are the same"),
    ({"right": "none bundled:pocket"}, "share one base in memory"),
    ({"question": "  "}, "There is no question"),
    ({"seed": -1}, "seed: should be greater than or equal to 0"),
]


def test_what_cannot_be_asked_is_refused_in_words(page: Client, run: Run, store: Store) -> None:
    for more, said in [*REFUSED, ({"right": run.id}, "has no adapter: it is created")]:
        with pytest.raises(Exception, match=said):
            page.predict(**given("How long?") | more, api_name="/ask")
    assert store.conversations() == []


class FailingChat(ScriptedChat):
    fails = True

    def answer(self, asked: Any, stop: threading.Event) -> Iterator[Any]:
        if self.fails:
            raise ModelError("The weights are not those asked for.")
        yield from super().answer(asked, stop)


def test_a_question_that_fails_is_given_back_and_one_asked_again_stays_as_it_was(
    workspace: Path, serve: Serve, store: Store
) -> None:
    chat = FailingChat({None: "Who knows"})
    with serve(build_app(workspace, chat, worker=WORKER)) as page:
        job = page.submit(**given("How long?"), api_name="/ask")
        with pytest.raises(Exception, match="not those asked for"):
            job.result()
        assert Columns(job.outputs()[-1]).box == "How long?"
        chat.fails = False
        ask(page, "How long?")
        chat.fails = True
        with pytest.raises(Exception, match="not those asked for"):
            page.predict(api_name="/regenerate")
        with pytest.raises(Exception, match="not those asked for"):
            page.predict("Why?", 0, api_name="/edit_question")
    (exchange,) = kept(store).exchanges
    assert exchange.question == "How long?"


def test_stopping_in_one_tab_keeps_what_was_said_and_leaves_the_other_alone(
    workspace: Path, serve: Serve, store: Store
) -> None:
    app = build_app(workspace, ScriptedChat({None: "one two three four five"}, pace=0.3))
    with serve(app) as page:
        other = Client(page.src, verbose=False)
        jobs = [tab.submit(**given(n), api_name="/ask") for tab, n in ((page, "a"), (other, "b"))]
        wait_until(lambda: all(len(job.outputs()) > 2 for job in jobs))
        with pytest.raises(Exception, match="still being written"):
            ask(page, "And this?")
        page.predict(api_name="/stop_answer")
        stopped, whole = (Columns(job.result()) for job in jobs)
        other.close()
    assert stopped.said(0)[1].startswith("one")
    assert stopped.said(0)[1].endswith("*(stopped here)*")
    assert whole.said(0)[1] == "one two three four five"
    endings = {
        talk.name: store.conversation(talk.id).exchanges[0].replies[0].proof.ended
        for talk in store.conversations()
    }
    assert endings == {"a": "stopped", "b": "by itself"}


def test_what_is_done_before_the_first_word_is_said(workspace: Path, serve: Serve) -> None:
    chat = ScriptedChat({None: "Yes"}, pace=0.2, doing="waiting for another visitor")
    with serve(build_app(workspace, chat)) as page:
        job = page.submit(**given("Well?"), api_name="/ask")
        job.result()
    told = [Columns(shown).folded(0)[-1:] for shown in job.outputs()]
    assert ["Waiting for another visitor"] in told


def test_whoever_leaves_in_the_middle_stops_the_answer_and_finds_what_was_said(
    workspace: Path, serve: Serve, store: Store
) -> None:
    app = build_app(workspace, ScriptedChat({None: "word " * 200}, pace=0.1))
    with serve(app) as page:
        job = page.submit(**given("How long?"), api_name="/ask")
        wait_until(lambda: len(job.outputs()) > 3)
        job.cancel()
        wait_until(lambda: store.conversations()[0].questions)
    (reply,) = kept(store).exchanges[0].replies
    assert reply.proof.ended == "stopped"
    assert "word" in reply.text


def test_asking_again_takes_the_next_seed_where_answers_are_drawn(
    page: Client, finished: Run, store: Store
) -> None:
    ask(page, "How long?", finished.id)
    *shown, seed = page.predict(api_name="/regenerate")
    assert Columns(shown).said(0) == ["How long?", "Within thirty days of 17"]
    assert seed == 17, "at temperature 0 no seed plays a part"
    *shown, seed = page.predict(**WARM, api_name="/regenerate")
    assert Columns(shown).said(0) == ["How long?", "Within thirty days of 18"]
    assert seed == 18
    (exchange,) = kept(store).exchanges
    assert exchange.replies[0].proof.settings.seed == 18


def test_a_question_asked_otherwise_takes_the_place_of_all_that_came_after(
    page: Client, finished: Run, store: Store
) -> None:
    for question in ("one", "two", "three"):
        ask(page, question, BASE, finished.id)
    shown = Columns(page.predict("zwei", 1, api_name="/edit_question"))
    assert shown.said(0)[::2] == ["one", "zwei"]
    assert [exchange.question for exchange in kept(store).exchanges] == ["one", "zwei"]
    for place in (2, -1):
        with pytest.raises(Exception, match="no such question"):
            page.predict("drei", place, api_name="/edit_question")


def test_in_a_blind_vote_nobody_sees_who_answered_before_the_vote(
    page: Client, finished: Run, store: Store
) -> None:
    blind = dict(left=BASE, right=finished.id, blind=True)
    order: list[bool] = []
    while order[-1:] != [True] or False not in order:  # both come up, and the last is swapped
        shown = ask(page, f"Question {len(order)}?", **blind)
        order = [exchange.swapped for exchange in kept(store).exchanges]
    assert shown.folded(0) == shown.folded(1) == []
    assert [head.count("adapter") for head in shown.heads] == [0, 0]
    conversation = kept(store)
    for n, exchange in enumerate(conversation.exchanges):
        left = exchange.replies[1 if exchange.swapped else 0]
        assert shown.said(0)[2 * n + 1] == left.text
    with pytest.raises(Exception, match="Vote first"):
        page.predict(api_name="/flag_answer")

    left, right = page.predict("Left is better", api_name="/vote")
    last = conversation.exchanges[-1]
    vote = store.vote_on(last.id)
    assert vote
    assert vote.blind
    assert vote.choice == "second", "shown on the left, as it was swapped"
    told = Columns([None, None, left, right, None])
    assert len(told.folded(0) + told.folded(1)) == 3, "two proofs and an approved answer"

    page.predict("Both are bad", api_name="/vote")
    again = store.vote_on(last.id)
    assert again
    assert again.choice == "both bad"


def test_a_vote_needs_two_answers_and_one_of_four_words(page: Client, finished: Run) -> None:
    with pytest.raises(Exception, match="Nothing was asked yet"):
        page.predict("Left is better", api_name="/vote")
    ask(page, "How long?")
    with pytest.raises(Exception, match="Only one side answered"):
        page.predict("Left is better", api_name="/vote")
    ask(page, "How long?", BASE, finished.id)
    with pytest.raises(Exception, match="is no vote"):
        page.predict("<b>", api_name="/vote")


def test_a_corrected_answer_becomes_an_example_of_the_next_version(
    page: Client, finished: Run, store: Store, corpora: Corpora
) -> None:
    ask(page, "May I return a canoe?", BASE, finished.id)
    with pytest.raises(Exception, match="between 1 and"):
        page.predict(" ", api_name="/correct")
    page.predict("Never return a canoe.", api_name="/correct")
    ask(page, "What is the weather?", BASE, finished.id)
    far, flagged = sorted(store.open_questions("returns"), key=lambda q: q.why)
    assert (far.question, far.why) == ("What is the weather?", "far")
    assert (flagged.said, flagged.answer) == ("Within thirty days of 17", "Never return a canoe.")

    page.predict(far.id, api_name="/dismiss_question")
    with pytest.raises(Exception, match="not open any more"):
        page.predict(far.id, "Sunny.", api_name="/answer_question")
    page.predict(flagged.id, "No canoes.", api_name="/answer_question")
    said, *_ = page.predict("returns", api_name="/teach_answers")
    assert "returns@2" in str(said)
    taught = corpora.get("returns").examples[-1]
    assert (taught.question, taught.answer) == ("May I return a canoe?", "No canoes.")
    with pytest.raises(Exception, match="has an answer"):
        page.predict("returns", api_name="/teach_answers")


def test_only_a_tuned_model_is_corrected(page: Client) -> None:
    ask(page, "How long?")
    for endpoint, words in (("/correct", ["Thirty days."]), ("/flag_answer", [])):
        with pytest.raises(Exception, match="Only a tuned model"):
            page.predict(*words, api_name=endpoint)


def test_conversations_are_reopened_renamed_and_deleted(
    page: Client, finished: Run, store: Store
) -> None:
    ask(page, "How long?", BASE, finished.id, **WARM)
    first = kept(store)
    ask(page, "Who are you?", BASE, "")
    _blind, left, right, *shown = page.predict(first.id, api_name="/open_conversation")
    assert left["value"] == BASE
    assert right["value"] == finished.id
    assert 0.7 in shown, "its settings come back"
    ask(page, "And then?", BASE, finished.id, **WARM)
    assert [exchange.question for exchange in kept(store).exchanges] == ["How long?", "And then?"]
    page.predict("  Returns,\n first talk ", api_name="/rename_conversation")
    assert kept(store).name == "Returns, first talk"
    with pytest.raises(Exception, match="between 1 and"):
        page.predict(" ", api_name="/rename_conversation")
    page.predict(api_name="/delete_conversation")
    assert [talk.name for talk in store.conversations()] == ["Who are you?"]
    for gone in (first.id, "../x", ""):
        with pytest.raises(Exception, match=r"not (here|there)|any more|no conversation"):
            page.predict(gone, api_name="/open_conversation")


def test_what_a_model_says_cannot_become_html_or_fetch_a_picture(
    workspace: Path, serve: Serve
) -> None:
    said = "<img src=x onerror=alert(1)> ![x](http://spy.example/x.png) `a<b`"
    with serve(build_app(workspace, ScriptedChat({None: said}))) as page:
        shown = ask(page, "<script>alert(2)</script>")
    question, answer = shown.said(0)
    assert "<script" not in question
    assert "<img" not in answer
    assert "![" not in answer
    assert "`a<\N{WORD JOINER}b`" in answer, "shown as `a<b`, and no tag wherever code may end"


def test_unloading_frees_the_model_and_says_so(workspace: Path, serve: Serve) -> None:
    freed: list[bool] = []
    app = build_app(workspace, ScriptedChat({}), unload=lambda: freed.append(True))
    with serve(app) as page:
        page.predict(api_name="/unload_model")
    assert freed == [True]
