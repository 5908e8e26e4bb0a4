"""The chat at a terminal: what is typed, what is shown, what is kept."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from assistant.conversation import Conversation, Side
from assistant.store import Store
from assistant.talk import Talk
from assistant.terminal_chat import TerminalChat
from tests.conftest import ScriptedChat
from trainer.runs import Run, Runs

SAYS = {None: "Who knows, {question}", "tuned": "Thirty days, seed {seed}"}


@pytest.fixture
def store(workspace: Path) -> Store:
    return Store.in_workspace(workspace)


class Terminal:
    """Somebody who types lines, and what they see."""

    def __init__(self, chat: ScriptedChat, store: Store, runs: Runs, run: Run) -> None:
        self.talk = Talk(chat, store, runs)
        base = run.config.base
        self.conversation = Conversation(
            name="new", corpus="returns", sides=(Side(base=base), Side(base=base, run=run.id))
        )

    def type(self, *lines: str) -> str:
        typed, seen = iter(lines), io.StringIO()

        def read() -> str:
            try:
                return next(typed)
            except StopIteration:
                raise EOFError from None

        console = Console(file=seen, width=120)
        TerminalChat(self.talk, self.conversation, console).hold(read)
        return seen.getvalue()


@pytest.fixture
def chat() -> ScriptedChat:
    return ScriptedChat(SAYS)


@pytest.fixture
def terminal(chat: ScriptedChat, store: Store, runs: Runs, run: Run) -> Terminal:
    return Terminal(chat, store, runs, run)


def questions(store: Store) -> Sequence[str]:
    (kept,) = store.conversations()
    return [exchange.question for exchange in store.conversation(kept.id).exchanges]


def test_two_columns_answer_with_their_proof_and_are_kept(terminal: Terminal, store: Store) -> None:
    seen = terminal.type("How long?", "And then?")
    line = next(line for line in seen.splitlines() if "Who knows, How long?" in line)
    assert line.index("Who knows") < line.index("Thirty days"), "beside each other"
    assert "proof held" in seen
    assert questions(store) == ["How long?", "And then?"]
    assert store.conversations()[0].name == "How long?"


def test_settings_hold_from_the_next_question_on(
    terminal: Terminal, chat: ScriptedChat, store: Store
) -> None:
    seen = terminal.type(
        "One?", "/set temperature=0.7 seed=5", "Two?", "/set temperature=9", "/set x"
    )
    assert [asked[0].settings.temperature for asked in chat.heard] == [0, 0.7]
    assert "temperature: should be less than or equal to 2 (got '9')" in seen
    assert "/set takes key=value, not 'x'" in seen
    assert "no closing quotation" in terminal.type("/set system=You're a banker")
    assert store.conversation(store.conversations()[0].id).settings.seed == 5


def test_the_last_question_is_asked_anew_or_in_other_words(
    terminal: Terminal, chat: ScriptedChat, store: Store
) -> None:
    terminal.type("/set temperature=1 seed=5", "One?", "Two?", "/again", "/edit Three?")
    assert [asked[0].settings.seed for asked in chat.heard] == [5, 5, 6, 5]
    assert questions(store) == ["One?", "Three?"]


def test_a_vote_and_a_correction_are_kept(terminal: Terminal, store: Store) -> None:
    seen = terminal.type("How long?", "/vote right", "/vote up", "/correct Fourteen days.")
    ((vote, _, exchange),) = store.votes()
    assert (vote.choice, exchange.question) == ("second", "How long?")
    assert "/vote takes one of left, right, both, neither" in seen
    (question,) = store.open_questions("returns")
    assert (question.answer, question.why) == ("Fourteen days.", "flagged")
    assert "tandem questions returns --teach" in seen


def test_a_mistake_is_told_and_the_chat_goes_on(terminal: Terminal, store: Store) -> None:
    seen = terminal.type("/again", "/fly", "/edit", "", "/name mine", "How long?", "/new", "Again?")
    assert "Nothing was asked yet" in seen
    assert "There is no /fly" in seen
    assert {kept.name for kept in store.conversations()} == {"mine", "Again?"}
    again = store.conversations()[0]
    assert (again.name, store.conversation(again.id).corpus) == ("Again?", "returns")
