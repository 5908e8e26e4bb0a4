"""The whole store on a real PostgreSQL server, with two pages behind one balancer."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import URL

from assistant.link_store import Links
from assistant.store import OpenQuestion, Store, Vote
from tests.chats import conversation, exchange
from tests.links import Hosted, finish
from trainer.errors import StoreError
from trainer.runs import Run, Runs

pytestmark = pytest.mark.slow
HOMES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    """A server of this test alone, reached through a socket in the folder that is handed out."""
    if not HOMES:
        pytest.skip("PostgreSQL is not there: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="tandem-pg-"))  # pytest's own are closed to others
    root = os.geteuid() == 0  # as whom the server refuses to run
    who = ["runuser", "-u", "postgres", "--"] if root else []
    if root:
        shutil.chown(folder, "postgres")

    def run(*command: object) -> None:
        subprocess.run([*who, *map(str, command)], check=True, capture_output=True, cwd=folder)

    data = folder / "data"
    run(HOMES[-1] / "initdb", "-D", data, "-U", "tandem", "-A", "trust")
    start = f"-k {folder} -c listen_addresses=''"
    run(HOMES[-1] / "pg_ctl", "-D", data, "-l", folder / "log", "-o", start, "-w", "start")
    try:
        yield folder
    finally:
        run(HOMES[-1] / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture
def url(server: Path) -> URL:
    where = {"host": str(server)}
    return URL.create("postgresql+psycopg", "tandem", database="postgres", query=where)


def test_two_pages_share_conversations_votes_and_questions(url: URL) -> None:
    one, two = Store(url), Store(url)
    talk = conversation(exchange("How long?"), corpus="returns")
    one.begin(talk)
    two.append(talk.id, later := exchange("Ümlaut 你好 🙂?"))
    two.vote(Vote(conversation=talk.id, exchange=later.id, choice="second", blind=True))
    assert one.conversation(talk.id).exchanges[-1] == later
    assert [vote.choice for vote, _, _ in one.votes()] == ["second"]
    question = OpenQuestion(corpus="returns", question="May I?", why="far", said="Perhaps.")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: (one, two)[n % 2].note(question), range(16)))
    (noted,) = two.open_questions("returns")
    assert noted.asked == 16


def test_a_link_made_on_one_page_opens_on_the_other_and_is_counted_once(
    url: URL, runs: Runs, run: Run
) -> None:
    pages = [Hosted(Store(url), runs) for _ in range(2)]
    link = pages[0].link(finish(run), limits={"per_day": 50, "per_minute": 600})
    with pages[1].visitor(link) as visitor:
        visitor.open()
        assert visitor.lines("now")[-1]["texts"] == ["Within thirty days of now"]
    with ThreadPoolExecutor(8) as pool:
        counted = pool.map(
            lambda n: Links(pages[n % 2].store).count(link.id, "asked", most=30), range(40)
        )
        assert sum(counted) == 29
    pages[0].links.revoke(link.id)
    with pages[1].visitor(link) as visitor:
        assert visitor.open().status_code == 410


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    where = {"host": str(tmp_path)}
    url = URL.create("postgresql+psycopg", "tandem", "tulip", database="x", query=where)
    with pytest.raises(StoreError) as caught:
        Store(url)
    assert "tulip" not in str(caught.value)
