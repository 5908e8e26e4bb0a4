"""Links as the store keeps them, what they suggest, and who may serve them."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from assistant.access import login_for
from assistant.hosted.serving import Hosting
from assistant.link_store import Links, today
from assistant.links import Link, encode_logo
from assistant.sharing import (
    UNSURE_BELOW,
    link_told,
    make_link,
    suggest_look,
    unsure_below,
    use_told,
)
from assistant.store import Store
from tests.links import finish
from tests.reports import a_report
from trainer.errors import AccessError, ConfigError, NotFound
from trainer.runs import Run


@pytest.fixture
def links(workspace: Path) -> Links:
    return Links(Store.in_workspace(workspace))


@pytest.fixture
def link(links: Links, run: Run) -> Link:
    return links.add(make_link(finish(run)))


def test_a_link_comes_back_as_it_was_also_to_another_page(
    links: Links, link: Link, workspace: Path
) -> None:
    again = Links(Store.in_workspace(workspace))
    assert again.get(link.id) == link
    assert again.secret() == links.secret(), "or a link would open on one page only"
    assert len(links.secret()) > 40


def test_a_link_that_was_taken_back_stays_so_and_is_listed(links: Links, link: Link) -> None:
    gone = links.revoke(link.id)
    assert links.revoke(link.id) == gone, "the first time counts"
    assert "taken back" in links.list()[0].over
    assert f"taken back on {datetime.now(UTC):%d %B %Y}" in link_told(gone)
    with pytest.raises(NotFound, match="no such link"):
        links.revoke("nothing")


def test_visitors_at_once_are_all_counted_and_never_beyond_the_most(
    links: Links, link: Link
) -> None:
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda _: links.count(link.id, "asked", most=30), range(40)))
    assert (sum(counted), links.use(link.id).asked) == (30, 30)
    assert links.use(link.id, today()).asked == 30
    assert links.use(link.id, "2020-01-01").asked == 0
    links.count(link.id, "up")
    links.count(link.id, "up", by=-1)
    assert links.use(link.id).up == 0


def test_a_database_of_before_gets_the_tables_of_links(run: Run, workspace: Path) -> None:
    with sqlite3.connect(workspace / "tandem.db") as old:
        old.execute("CREATE TABLE tandem_schema (version INTEGER PRIMARY KEY)")
        old.execute("INSERT INTO tandem_schema VALUES (1)")
    links = Links(Store.in_workspace(workspace))
    assert links.list() == []
    links.add(make_link(finish(run)))
    with sqlite3.connect(workspace / "tandem.db") as new:
        assert new.execute("SELECT version FROM tandem_schema").fetchall() == [(2,)]


def test_a_run_without_an_adapter_cannot_be_shared(run: Run) -> None:
    with pytest.raises(NotFound, match="has no adapter"):
        make_link(run)


def test_the_page_says_what_the_corpus_suggests_or_what_its_owner_says(run: Run) -> None:
    finish(run)
    suggested = suggest_look(run)
    assert suggested["title"] == "Returns"
    asked = {e.question for kind in run.split.kinds for e in run.corpus.pile(kind, run.split)}
    assert set(suggested["examples"]) <= asked
    look = make_link(run, look={"title": "Ask us"}).look
    assert (look.title, look.greeting) == ("Ask us", suggested["greeting"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"look": {"colour": "red"}}, "look.colour"),
        ({"look": {"examples": ("x" * 201,)}}, "between 1 and 200 characters"),
        ({"limits": {"per_minute": 0}}, "limits.per_minute"),
        ({"limits": {"per_hour": 5}}, "per_hour"),
        ({"days": -1}, "open for 1 to 3,650 days, not -1"),
    ],
)
def test_what_a_link_cannot_be_is_said_in_words(run: Run, given: dict[str, Any], said: str) -> None:
    finish(run)
    with pytest.raises(ConfigError, match=said):
        make_link(run, **given)


def test_an_answer_counts_as_sure_half_way_from_the_floor_to_the_score(run: Run) -> None:
    finish(run)
    assert unsure_below(run) == UNSURE_BELOW
    evaluation = run.create_evaluation()
    report = a_report()
    evaluation.report_path.write_text(report.model_dump_json())
    kind = report.kinds[0]
    floor, score = report.floor(kind), report.score(kind, "tuned", "similarity")
    assert floor is not None
    assert score is not None
    assert unsure_below(run) == pytest.approx((floor + score) / 2, abs=0.006)
    assert make_link(run).unsure_below == unsure_below(run)
    assert make_link(run, unsure=False).unsure_below is None


def test_use_is_told_in_words(links: Links, link: Link) -> None:
    assert use_told(links.use(link.id)) == "nobody asked anything yet"
    for what in ("asked", "unsure", "refused"):
        links.count(link.id, what)
    assert use_told(links.use(link.id)).startswith("1 question, 1 not sure, 0 rated up")
    until = link.expires - timedelta(0)
    assert f"open until {until:%d %B %Y}" in link_told(link)


def test_a_logo_that_is_too_large_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigError, match=r"^The logo has 200,001 bytes, and at most 200,000"):
        encode_logo(b"0" * 200_001)


def test_a_way_in_that_cannot_be_opened_leaves_no_server_behind() -> None:
    heres: list[str] = []

    @contextmanager
    def broken(here: str) -> Iterator[str]:
        heres.append(here)
        raise AccessError("no tunnel")
        yield here

    hosting = Hosting(FastAPI, public=broken)
    for _ in range(2):
        with pytest.raises(AccessError, match="no tunnel"):
            hosting.address()
    assert heres[0] == heres[1], "the port was free again"


def test_a_way_in_from_elsewhere_needs_a_login_on_the_workbench() -> None:
    assert login_for("127.0.0.1", None, {}) is None
    for host in ("127.0.0.1", "0.0.0.0"):
        with pytest.raises(AccessError, match="needs a login"):
            login_for(host, None, {}, public=True)
    known = {"TANDEM_USER": "ann", "TANDEM_PASSWORD": "tulip"}
    login = login_for("127.0.0.1", None, known, public=True)
    assert login is not None
    assert login("ann", "tulip")
