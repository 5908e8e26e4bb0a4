"""One question in a conversation, from asking to what is kept."""

import threading
from pathlib import Path

import pytest

from assistant.conversation import MOST_CHARACTERS, Beside, Conversation, Side
from assistant.store import Store
from assistant.talk import Talk
from tests.conftest import ScriptedChat
from trainer.corpus.library import Corpora, Corpus
from trainer.errors import ConfigError, ModelError
from trainer.runs import Run, Runs

SAYS = {None: "Who knows", "tuned": "Thirty days"}


@pytest.fixture
def store(workspace: Path) -> Store:
    return Store.in_workspace(workspace)


@pytest.fixture
def conversation(run: Run, store: Store) -> Conversation:
    base = run.config.base
    made = Conversation(name="new", sides=(Side(base=base), Side(base=base, run=run.id)))
    store.begin(made)
    return made


def far(corpus: Corpus, question: str, answer: str) -> Beside:
    return Beside(question="Q", answer=corpus.label, similarity=0.1, flags=(), far=True)


def ask(talk: Talk, conversation: Conversation, question: str = "How long?") -> Conversation:
    list(talk.ask(conversation, question, threading.Event()))
    return talk.store.conversation(conversation.id)


def test_only_the_tuned_answer_is_compared_and_with_what_is_approved_today(
    store: Store, runs: Runs, conversation: Conversation, corpora: Corpora, corpus: Corpus
) -> None:
    corpora.revise(corpus, corpus.examples[:-1], "edited")
    (exchange,) = ask(Talk(ScriptedChat(SAYS), store, runs, far), conversation).exchanges
    base, own = exchange.replies
    assert base.beside is None
    assert own.beside
    assert own.beside.answer == "returns@2"


def test_a_question_far_from_everything_approved_is_noted_and_counted(
    store: Store, runs: Runs, conversation: Conversation
) -> None:
    talk = Talk(ScriptedChat(SAYS), store, runs, far)
    ask(talk, conversation)
    ask(talk, conversation, "how long")
    (question,) = store.open_questions("returns")
    assert (question.why, question.asked, question.said) == ("far", 2, "Thirty days")


def test_an_answer_is_kept_where_it_cannot_be_compared(
    store: Store, runs: Runs, conversation: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(corpus: Corpus, question: str, answer: str) -> Beside:
        raise ModelError("The embedding model is gone.")

    (exchange,) = ask(Talk(ScriptedChat(SAYS), store, runs, broken), conversation).exchanges
    assert [reply.text for reply in exchange.replies] == ["Who knows", "Thirty days"]
    assert "The embedding model is gone." in caplog.text


def test_what_was_stopped_before_a_word_is_not_kept_and_what_was_said_is(
    store: Store, runs: Runs, conversation: Conversation
) -> None:
    talk, stop = Talk(ScriptedChat(SAYS), store, runs), threading.Event()
    stop.set()
    list(talk.ask(conversation, "How long?", stop))
    assert store.conversation(conversation.id).exchanges == ()
    stop.clear()
    for answers in talk.ask(conversation, "How long?", stop):
        if answers[0].text:
            stop.set()
    (exchange,) = store.conversation(conversation.id).exchanges
    assert [(r.text, r.proof.ended) for r in exchange.replies] == [
        ("Who", "stopped"),
        ("Thirty", "stopped"),
    ]


@pytest.mark.parametrize(
    ("question", "said"), [(" ", "no question"), ("x" * (MOST_CHARACTERS + 1), "2,001 characters")]
)
def test_no_question_and_a_book_are_refused(
    store: Store, runs: Runs, conversation: Conversation, question: str, said: str
) -> None:
    chat = ScriptedChat(SAYS)
    with pytest.raises(ConfigError, match=said):
        ask(Talk(chat, store, runs), conversation, question)
    assert chat.heard == []
