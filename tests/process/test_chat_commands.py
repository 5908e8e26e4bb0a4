"""`tandem votes`, `conversations` and `questions`, as a shell sees them."""

import json
from pathlib import Path

import pytest

from assistant.cli import main
from assistant.store import OpenQuestion, Store, Vote
from tests.chats import OTHER, TUNED, conversation, exchange
from trainer.corpus.library import Corpora, Corpus


@pytest.fixture
def store(workspace: Path) -> Store:
    return Store.in_workspace(workspace)


@pytest.fixture
def tandem(workspace: Path, capsys: pytest.CaptureFixture[str]):
    def _tandem(*arguments: str | Path, code: int = 0) -> str:
        """Run a command and hand out what it printed; what it said goes first where it failed."""
        capsys.readouterr()
        got = main([*map(str, arguments), "--workspace", str(workspace)])
        out, said = capsys.readouterr()
        assert got == code, said
        return said if code else out

    return _tandem


def voted(store: Store, *choices: str) -> None:
    kept = conversation(*(exchange(f"question {n}") for n, _ in enumerate(choices)))
    store.begin(kept)
    for about, choice in zip(kept.exchanges, choices, strict=True):
        vote = {"conversation": kept.id, "exchange": about.id, "choice": choice, "blind": True}
        store.vote(Vote.model_validate(vote))


def test_votes_are_told_in_words_and_as_one_line_for_tools(store: Store, tandem) -> None:
    assert "No votes yet" in tandem("votes")
    voted(store, *["second"] * 7, "first", "both bad")
    assert tandem("votes", TUNED.run) == (
        "2026-01-01-tuned: Of 8 blind votes that decided, 7 went to the tuned model (between 53% "
        "and 98%): better than bundled:pocket. Besides, 0 found both good, 1 both bad.\n"
    )
    (found,) = json.loads(tandem("votes", "--json"))["tallies"]
    assert (found["run"], found["won"], found["lost"]) == (TUNED.run, 7, 1)
    assert (found["share"], found["verdict"], found["interval"][0] > 0.5) == (7 / 8, "better", True)
    assert "There is no run called '2026-01-02-other'" in tandem("votes", OTHER.run, code=2)


def test_votes_are_written_as_pairs_or_one_by_one(store: Store, tandem, tmp_path: Path) -> None:
    voted(store, "second", "both good", "first")
    file = tmp_path / "pairs.jsonl"
    assert json.loads(tandem("votes", "--export", file, "--json"))["exported"] == 2
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["chosen"][0]["content"] for line in lines] == ["Within 14 days.", "I do not know."]
    tandem("votes", "--export", file, "--unpaired")
    labels = [json.loads(line)["label"] for line in file.read_text().splitlines()]
    assert labels == [False, True, True, True, True, False]
    assert "--unpaired goes with --export" in tandem("votes", "--unpaired", code=2)
    assert "cannot be written" in tandem("votes", "--export", tmp_path, code=2)


def test_conversations_are_found_renamed_written_and_deleted(
    store: Store, tandem, tmp_path: Path
) -> None:
    assert "No conversation yet" in tandem("conversations")
    kept, other = conversation(exchange("May I return shoes?")), conversation(name="Hats")
    for one in (kept, other):
        store.begin(one)
    line = tandem("conversations", "shoes")
    assert line.startswith(kept.id[:8])
    assert "Returns (bundled:pocket beside 2026-01-01-tuned, 1 question)" in line
    assert "No conversation with 'socks' in it" in tandem("conversations", "socks")
    listed = json.loads(tandem("conversations", "--json"))["conversations"]
    assert [(one["id"], one["questions"]) for one in listed] == [(other.id, 0), (kept.id, 1)]
    tandem("conversations", "--rename", kept.id[:8], "Shoes")
    assert store.conversation(kept.id).name == "Shoes"
    for name, held in (("a.md", "> May I return shoes?"), ("a.jsonl", '"May I return shoes?"')):
        tandem("conversations", "--export", kept.id[:8], tmp_path / name)
        assert held in (tmp_path / name).read_text()
    assert "call it .md" in tandem("conversations", "--export", kept.id, "a.pdf", code=2)
    assert "Say --yes" in tandem("conversations", "--delete", kept.id[:8], code=2)
    tandem("conversations", "--delete", kept.id[:8], "--yes")
    assert [one.id for one in store.conversations()] == [other.id]
    assert "There is no conversation" in tandem("conversations", "--delete", kept.id, code=2)


def test_an_id_that_could_be_two_is_asked_again(store: Store, tandem) -> None:
    for id_ in ("aab", "aac"):
        store.begin(conversation().model_copy(update={"id": id_}))
    assert "2 ids begin with 'aa'" in tandem("conversations", "--rename", "aa", "x", code=2)
    tandem("conversations", "--rename", "aab", "x")
    assert "needs a name" in tandem("conversations", "--rename", "aab", " ", code=2)


def test_questions_are_answered_dismissed_and_taught(
    store: Store, tandem, corpora: Corpora, corpus: Corpus
) -> None:
    assert "No open questions for 'returns'" in tandem("questions", "returns")
    vegan, red = (
        store.note(OpenQuestion(corpus="returns", question=question, why="far", said="Perhaps."))
        for question in ("Is it vegan?", "Is it red?")
    )
    text = tandem("questions", "returns")
    assert (
        f"{vegan.id[:8]}  asked 1 time, far from every approved answer\n  Q: Is it vegan?" in text
    )
    tandem("questions", "returns", "--dismiss", red.id[:8])
    assert "No open question of 'returns' has an answer" in tandem(
        "questions", "returns", "--teach", "--by-words", code=2
    )
    tandem("questions", "returns", "--answer", vegan.id[:8], "Only the soup.")
    (listed,) = json.loads(tandem("questions", "returns", "--json"))["questions"]
    assert (listed["question"], listed["answer"]) == ("Is it vegan?", "Only the soup.")
    assert tandem("questions", "returns", "--teach", "--by-words") == (
        "returns@2 has them. Its last change: answered in the chat: 1 added.\n"
    )
    assert corpora.get("returns").examples[-1].answer == "Only the soup."
    assert "There is no open question" in tandem(
        "questions", "returns", "--dismiss", vegan.id, code=2
    )
