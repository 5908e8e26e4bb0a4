"""The Share tab, through its endpoints: a link is made, opened by a visitor, and taken back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client

from assistant.hosted.app import build_hosted
from assistant.hosted.bot import Bot
from assistant.hosted.serving import Hosting
from assistant.link_store import Links
from assistant.links import Limits
from assistant.store import Store
from assistant.ui.app import build_app
from assistant.ui.share.making import as_hex, preview_html
from tests.app.test_app import Serve
from tests.conftest import ScriptedChat
from tests.links import SAYS, finish
from trainer.runs import Run, Runs

FORM: dict[str, Any] = {
    "title": "Returns <b>",
    "greeting": "Hello",
    "about": "A model",
    "examples": "How long?\n\nWhere to?",
    "colour": "rgba(16, 128, 255, 1)",
    "days": 7,
    "password": "",
    "logo": None,
    "with_base": False,
    "unsure": True,
}
LIMITS = list(Limits().model_dump().values())


@pytest.fixture
def store(workspace: Path) -> Store:
    return Store.in_workspace(workspace)


@pytest.fixture
def hosting(store: Store, runs: Runs) -> Iterator[Hosting]:
    made = Hosting(lambda: build_hosted(Bot(ScriptedChat(SAYS), store, runs)))
    yield made
    made.close()


@pytest.fixture
def page(workspace: Path, store: Store, hosting: Hosting, serve: Serve) -> Iterator[Client]:
    app = build_app(workspace, ScriptedChat(SAYS), store=store, hosting=hosting)
    with serve(app) as client:
        yield client


def create(page: Client, run: Run, *limits: float, **given: Any) -> str:
    values = (FORM | given).values()
    shown = page.predict(run.id, *values, *(limits or LIMITS), api_name="/create_link")
    return str(shown["value"])


def test_a_link_is_made_opened_and_taken_back(page: Client, run: Run, store: Store) -> None:
    address = create(page, finish(run))
    with httpx.Client(base_url=address) as visitor:
        shown = visitor.get("bot").json()
        assert (shown["title"], shown["colour"]) == ("Returns <b>", "#1080ff")
        assert shown["examples"] == ["How long?", "Where to?"]
        said = visitor.post("ask", json={"question": "now"}).text
        assert "Within thirty days of now" in said
        (link,) = Links(store).list()
        page.predict(link.id, api_name="/revoke_link")
        assert visitor.get("bot").status_code == 410


def test_what_cannot_be_shared_is_refused_in_words(page: Client, run: Run, store: Store) -> None:
    with pytest.raises(Exception, match="has no adapter"):
        create(page, run)
    finish(run)
    for given, said in (
        ({"colour": "red"}, "look.colour"),
        ({"examples": "a\nb\nc\nd\ne\nf\ng"}, "look.examples"),
    ):
        with pytest.raises(Exception, match=said):
            create(page, run, **given)
    with pytest.raises(Exception, match="per_minute"):
        create(page, run, 0, *LIMITS[1:])
    with pytest.raises(Exception, match="no such link"):
        page.predict("../x", api_name="/revoke_link")
    assert Links(store).list() == []


def test_the_preview_shows_what_was_typed_as_text() -> None:
    html = preview_html("<b>T", "<i>", "about", ("<script>",), '"><img>')
    assert "<b>T" not in html
    assert "<script>" not in html
    assert "<img>" not in html


@pytest.mark.parametrize(
    ("given", "hex_"),
    [("rgba(16, 128.4, 255, 1)", "#1080ff"), ("#123abc", "#123abc"), ("", "#2f6f8f")],
)
def test_a_colour_of_the_browsers_picker_is_read(given: str, hex_: str) -> None:
    assert as_hex(given) == hex_
