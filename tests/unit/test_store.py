"""What the chat keeps, who may write at once, and what a damaged or foreign database says."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assistant.conversation import ChatSettings
from assistant.store import OpenQuestion, Store, Vote
from tests.chats import BASE, OTHER, TUNED, conversation, exchange
from trainer.errors import ConfigError, DiskFull, NotFound, StoreError

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def store(workspace: Path) -> Store:
    return Store.in_workspace(workspace)


def far(question: str, **known) -> OpenQuestion:
    given = {"corpus": "returns", "question": question, "why": "far", "said": "Perhaps."}
    return OpenQuestion(**given | known)


# conversations


def test_a_conversation_comes_back_as_it_was_also_to_another_store(
    store: Store, workspace: Path
) -> None:
    settings = ChatSettings(system="Be brief.", temperature=0.7, seed=3)
    kept = conversation(exchange("How long?"), settings=settings, blind=True, corpus="returns")
    store.begin(kept)
    later = exchange("Ümlaut 你好 \0 🙂?")
    store.append(kept.id, later)
    found = Store.in_workspace(workspace).conversation(kept.id)
    assert found.exchanges == (*kept.exchanges, later)
    assert found.updated > kept.updated
    assert found == kept.model_copy(update={"exchanges": found.exchanges, "updated": found.updated})


def test_the_list_begins_with_what_was_talked_in_last(store: Store) -> None:
    old, new = conversation(name="old"), conversation(name="new")
    for one in (old, new):
        store.begin(one)
    assert [s.name for s in store.conversations()] == ["new", "old"]
    store.append(old.id, exchange("How long?"))
    first = store.conversations(most=1)
    assert [(s.name, s.questions, s.sides) for s in first] == [("old", 1, (BASE, TUNED))]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["shoes", "100% wool"]),
        ("SHOES", ["shoes"]),
        ("strasse", ["shoes"]),
        ("\uff53hoes", ["shoes"]),
        ("ÄRMEL", ["100% wool"]),
        ("days shoes RETURN", ["shoes"]),
        ("shoes wool", []),
        ("100%", ["100% wool"]),
        ("10%l", []),
        ("1_0", []),
        ("a_b/c", ["100% wool"]),
        ("days\ud800", []),
        ("x" * 100_000, []),
    ],
)
def test_a_search_finds_all_words_anywhere_and_takes_signs_as_they_are(
    store: Store, search: str, found: list[str]
) -> None:
    store.begin(conversation(exchange("Ärmel?", "a_b/c", "100 %"), name="100% wool"))
    shoes = conversation(exchange("May I return it?", "No.", "30 days"), name="shoes")
    store.begin(shoes)
    store.append(shoes.id, exchange("Which Straße?"))
    assert [summary.name for summary in store.conversations(search)] == found


def test_a_conversation_is_renamed_and_deleted_with_its_votes(store: Store) -> None:
    kept = conversation(exchange("How long?"))
    store.begin(kept)
    store.change(kept.id, name="Shoes", settings=ChatSettings(seed=5), blind=True)
    found = store.conversation(kept.id)
    assert (found.name, found.settings.seed, found.blind) == ("Shoes", 5, True)
    assert store.conversations("shoes")
    assert not store.conversations("returns")
    store.vote(_vote(kept, "first"))
    store.delete(kept.id)
    assert not store.conversations()
    assert not store.votes()
    for gone in (
        lambda: store.conversation(kept.id),
        lambda: store.append(kept.id, exchange("And now?")),
        lambda: store.change(kept.id, name="x"),
        lambda: store.delete(kept.id),
        lambda: store.append(kept.id, exchange("And now?"), kept.exchanges[0].id),
        lambda: store.vote(_vote(kept, "first")),
    ):
        with pytest.raises(NotFound, match="not there any more"):
            gone()


def test_other_sides_are_chosen_only_before_anything_was_asked(store: Store) -> None:
    kept = conversation()
    store.begin(kept)
    store.change(kept.id, sides=(OTHER, TUNED))
    assert store.conversation(kept.id).sides == (OTHER, TUNED)
    store.append(kept.id, exchange("How long?"))
    store.change(kept.id, sides=(OTHER, TUNED), name="the same sides")
    with pytest.raises(ConfigError, match="Begin a new conversation"):
        store.change(kept.id, sides=(BASE, TUNED))
    assert store.conversation(kept.id).sides == (OTHER, TUNED)


def test_what_is_asked_again_takes_all_after_it_along(store: Store) -> None:
    asked = [exchange(question) for question in ("one", "two", "three")]
    kept, beside = conversation(*asked), conversation(exchange("other"))
    for one in (kept, beside):
        store.begin(one)
    store.vote(_vote(kept, "second", at=2))
    with pytest.raises(NotFound):
        store.append(beside.id, exchange("two again"), asked[1].id)
    store.append(kept.id, exchange("two again"), asked[1].id)
    questions = [e.question for e in store.conversation(kept.id).exchanges]
    assert questions == ["one", "two again"]
    assert store.vote_on(asked[2].id) is None
    assert len(store.conversation(beside.id).exchanges) == 1


# votes


def _vote(of, choice, at: int = 0, **known) -> Vote:
    given = {"conversation": of.id, "exchange": of.exchanges[at].id, "choice": choice}
    return Vote(**given | {"blind": True} | known)


def test_the_last_vote_on_an_exchange_counts(store: Store) -> None:
    kept = conversation(exchange("How long?"))
    store.begin(kept)
    store.vote(_vote(kept, "first"))
    store.vote(_vote(kept, "both bad", blind=False))
    ((vote, on, about),) = store.votes()
    assert (vote.choice, vote.blind) == ("both bad", False)
    assert (on.id, about) == (kept.id, kept.exchanges[0])
    assert store.vote_on(about.id) == vote


def test_votes_come_oldest_first_and_by_run(store: Store) -> None:
    kept = conversation(exchange("one"), exchange("two"))
    other = conversation(exchange("three"), sides=(BASE, OTHER))
    for one in (kept, other):
        store.begin(one)
    now = datetime.now(UTC)
    store.vote(_vote(kept, "first", at=1, cast=now))
    store.vote(_vote(kept, "second", at=0, cast=now - timedelta(hours=1)))
    store.vote(_vote(other, "first", cast=now + timedelta(hours=1)))
    assert [about.question for *_, about in store.votes()] == ["one", "two", "three"]
    assert [about.question for *_, about in store.votes(TUNED.run)] == ["one", "two"]
    assert [about.question for *_, about in store.votes(OTHER.run)] == ["three"]
    assert not store.votes("another run")


def test_a_vote_on_another_conversations_exchange_is_refused(store: Store) -> None:
    kept, other = conversation(exchange("one")), conversation(exchange("two"))
    for one in (kept, other):
        store.begin(one)
    with pytest.raises(NotFound):
        store.vote(_vote(kept, "first").model_copy(update={"conversation": other.id}))


# open questions


def test_a_question_asked_again_is_counted_and_the_most_asked_comes_first(store: Store) -> None:
    once = store.note(far("Do you ship to Mars?"))
    twice = store.note(far("Is it  vegan?"))
    again = store.note(far("is it VEGAN"))
    assert (again.id, again.asked) == (twice.id, 2)
    assert store.open_questions("returns") == [again, once]
    assert not store.open_questions("banking")
    store.note(far("Is it vegan?", corpus="banking"))
    assert len(store.open_questions("banking")) == 1


def test_a_flag_says_more_than_that_a_question_is_far(store: Store) -> None:
    store.note(far("Is it vegan?", similarity=0.2))
    flagged = store.note(far("Is it vegan?", why="flagged", said="No.", answer="Yes."))
    assert (flagged.why, flagged.said, flagged.answer, flagged.asked) == (
        "flagged",
        "No.",
        "Yes.",
        2,
    )
    found = store.note(far("Is it vegan?", said="Maybe."))
    assert (found.why, found.said, found.answer, found.asked) == ("flagged", "No.", "Yes.", 3)


def test_what_was_taught_is_open_again_only_where_a_person_says_so(store: Store) -> None:
    noted = store.note(far("Is it vegan?"))
    store.taught([store.answer(noted.id, " Yes. ")], "returns@2")
    assert not store.open_questions("returns")
    assert store.note(far("Is it vegan?")).taught == "returns@2"
    assert not store.open_questions("returns")
    store.note(far("Is it vegan?", why="flagged", answer="Only the soup."))
    assert [q.answer for q in store.open_questions("returns")] == ["Only the soup."]


def test_an_answer_changed_while_it_is_taught_stays_open(store: Store) -> None:
    noted = store.note(far("Is it vegan?"))
    before = store.answer(noted.id, "Yes.")
    gone = store.note(far("Is it red?"))
    store.dismiss(gone.id)
    store.answer(noted.id, "No.")
    store.taught([before, gone], "returns@2")
    assert [q.answer for q in store.open_questions("returns")] == ["No."]
    with pytest.raises(NotFound):
        store.answer(gone.id, "x")
    with pytest.raises(NotFound):
        store.dismiss(gone.id)


# many at once


WRITE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from assistant.store import Store
from tests.chats import exchange
store = Store.in_workspace(Path(sys.argv[1]))
def write(thread):
    for n in range(int(sys.argv[4])):
        store.append(sys.argv[2], exchange(f"{sys.argv[3]} {thread} {n}"))
        print(thread, n, flush=True)
with ThreadPoolExecutor(10) as pool:
    list(pool.map(write, range(10)))
"""


def _writer(workspace: Path, id_: str, who: str, times: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITE, str(workspace), id_, who, str(times)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_two_processes_of_ten_threads_lose_nothing_and_keep_each_ones_order(
    store: Store, workspace: Path
) -> None:
    kept = conversation()
    store.begin(kept)
    writers = [_writer(workspace, kept.id, who, 5) for who in "ab"]
    outs = [writer.communicate(timeout=120) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], outs
    asked = [e.question for e in store.conversation(kept.id).exchanges]
    assert len(asked) == 100
    for who in "ab":
        for thread in range(10):
            mine = [q for q in asked if q.startswith(f"{who} {thread} ")]
            assert mine == [f"{who} {thread} {n}" for n in range(5)]


def test_a_killed_writer_leaves_whole_exchanges_and_all_it_was_told_are_kept(
    store: Store, workspace: Path
) -> None:
    kept = conversation()
    store.begin(kept)
    writer = _writer(workspace, kept.id, "a", 10_000)
    assert writer.stdout
    for _ in range(30):
        assert writer.stdout.readline()
    os.kill(writer.pid, signal.SIGKILL)
    told = writer.stdout.read().splitlines()
    writer.wait()
    found = store.conversation(kept.id).exchanges
    asked = {e.question for e in found}
    assert len(found) >= 30 + len(told)
    assert {f"a {line}" for line in told} <= asked
    store.append(kept.id, exchange("after"))
    with sqlite3.connect(workspace / "tandem.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_many_may_open_a_new_workspace_at_once(workspace: Path) -> None:
    ready = threading.Barrier(10)

    def open_and_begin(n: int) -> None:
        ready.wait()
        Store.in_workspace(workspace).begin(conversation(name=str(n)))

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(open_and_begin, range(10)))
    names = {summary.name for summary in Store.in_workspace(workspace).conversations()}
    assert names == set(map(str, range(10)))


def test_a_question_noted_by_many_at_once_is_one(store: Store) -> None:
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda _: store.note(far("Is it vegan?")), range(20)))
    assert [q.asked for q in store.open_questions("returns")] == [20]


def test_reading_and_writing_do_not_wait_for_each_other(store: Store, workspace: Path) -> None:
    kept = conversation(exchange("How long?"))
    store.begin(kept)
    other = sqlite3.connect(workspace / "tandem.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("DELETE FROM conversations")
    assert store.conversation(kept.id).exchanges == kept.exchanges
    other.execute("ROLLBACK")
    other.execute("BEGIN")
    assert other.execute("SELECT count(*) FROM exchanges").fetchone() == (1,)
    writes = threading.Thread(target=store.append, args=(kept.id, exchange("And then?")))
    writes.start()
    writes.join(timeout=10)
    assert not writes.is_alive()
    other.close()
    assert len(store.conversation(kept.id).exchanges) == 2


def test_a_second_writer_waits_for_the_first(store: Store, workspace: Path) -> None:
    kept = conversation()
    store.begin(kept)
    first = sqlite3.connect(workspace / "tandem.db", isolation_level=None)
    first.execute("BEGIN IMMEDIATE")
    second = threading.Thread(target=store.append, args=(kept.id, exchange("And then?")))
    second.start()
    second.join(timeout=0.3)
    assert second.is_alive()
    first.execute("COMMIT")
    first.close()
    second.join()
    assert len(store.conversation(kept.id).exchanges) == 1


# what goes wrong


def test_what_is_damaged_in_a_row_is_left_out_and_harms_nothing_else(
    store: Store, workspace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = conversation(exchange("one"), exchange("two"), name="whole")
    broken, odd = conversation(name="broken"), conversation(name="odd")
    for one in (kept, broken, odd):
        store.begin(one)
    store.vote(_vote(kept, "first", at=1))
    noted = store.note(far("Is it vegan?"))
    store.note(far("Is it red?"))
    with sqlite3.connect(workspace / "tandem.db") as connection:
        for table, kept_text, id_ in (
            ("exchanges", '{"id": 1}', kept.exchanges[0].id),
            ("conversations", "{", broken.id),
            ("conversations", b'{"name": "\xff\xfe"}', odd.id),
            ("open_questions", "[]", noted.id),
        ):
            connection.execute(
                f"UPDATE {table} SET kept = CAST(? AS TEXT) WHERE id = ?", (kept_text, id_)
            )
    connection.close()
    assert [summary.name for summary in store.conversations()] == ["whole"]
    assert [e.question for e in store.conversation(kept.id).exchanges] == ["two"]
    assert [about.question for *_, about in store.votes()] == ["two"]
    assert [q.question for q in store.open_questions("returns")] == ["Is it red?"]
    assert f"Conversation '{broken.id}' in tandem.db cannot be read" in caplog.text
    with pytest.raises(NotFound):
        store.conversation(broken.id)
    assert store.note(far("is it vegan")).id == noted.id, "it takes the place of the damaged one"
    assert len(store.open_questions("returns")) == 2


def test_a_file_that_is_no_database_is_told_in_words(workspace: Path) -> None:
    file = workspace / "tandem.db"
    file.write_text("these are notes, not a database; " * 100)
    with pytest.raises(StoreError, match=r"tandem\.db is damaged .*Put a backup in its place"):
        Store.in_workspace(workspace)
    assert file.read_text().startswith("these are notes")


def test_a_database_that_breaks_later_is_told_in_words(store: Store, workspace: Path) -> None:
    kept = conversation(*[exchange(f"question {n} " + "x" * 500) for n in range(50)])
    store.begin(kept)
    store._engine.dispose()
    file = workspace / "tandem.db"
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    with pytest.raises(StoreError, match="damaged"):
        Store.in_workspace(workspace).conversation(kept.id)


def test_a_newer_database_is_refused_and_left_alone(store: Store, workspace: Path) -> None:
    store._engine.dispose()
    with sqlite3.connect(workspace / "tandem.db") as connection:
        connection.execute("UPDATE tandem_schema SET version = 99")
    connection.close()
    with pytest.raises(StoreError, match=r"newer Tandem .*Update Tandem"):
        Store.in_workspace(workspace)


def test_a_place_where_nothing_may_be_written_is_told_in_words(
    store: Store, workspace: Path
) -> None:
    kept = conversation()
    store.begin(kept)
    store._engine.dispose()
    read_only = Store(f"sqlite:///file:{workspace / 'tandem.db'}?mode=ro&uri=true")
    assert read_only.conversation(kept.id).name == kept.name
    with pytest.raises(StoreError, match="cannot be written"):
        read_only.delete(kept.id)
    with pytest.raises(StoreError, match="cannot be written"):
        Store.in_workspace(workspace / "nowhere")


def test_a_full_disk_is_told_as_one(store: Store, workspace: Path) -> None:
    kept = conversation()
    store.begin(kept)
    with store._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DiskFull, match="The disk is full"):
        store.append(kept.id, exchange("x" * 100_000))
    assert not store.conversation(kept.id).exchanges
    assert Store.in_workspace(workspace).conversation(kept.id).name == kept.name


@pytest.mark.parametrize(
    "url",
    [
        "nothing",
        "oracle+thin://nobody@nowhere/x",
        "sqlite+nothing://",
        "mssql+pymssql://u:secret@h/x",
    ],
)
def test_a_database_that_cannot_be_had_is_told_without_its_password(url: str) -> None:
    with pytest.raises(StoreError, match="cannot be used as a database here") as told:
        Store(url)
    assert "secret" not in str(told.value)
