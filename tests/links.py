"""A hosted app as tests have it: a link to a finished run, and a visitor's browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from assistant.conversation import Beside, Chat, FindBeside
from assistant.hosted.app import build_hosted
from assistant.hosted.bot import Bot
from assistant.hosted.door import Door
from assistant.link_store import Links
from assistant.links import Link
from assistant.sharing import make_link
from assistant.store import Store
from tests.conftest import ScriptedChat
from trainer.events import Finished, Started
from trainer.facts.flag import Flag
from trainer.runs import Run, Runs

SAYS: dict[str | None, str] = {None: "Who knows", "tuned": "Within thirty days of {question}"}


def finish(run: Run) -> Run:
    """A run with an adapter, as far as anybody looks at its files."""
    run.adapter.mkdir()
    (run.adapter / "adapter_model.safetensors").write_bytes(run.id.encode())
    about = Started(steps=9, examples=30, trainable_parameters=5, parameters=50, device="cpu")
    run.events.append(about)
    run.events.append(Finished(seconds=1, step=9))
    return run


def beside(**known: Any) -> FindBeside:
    """Whoever finds the same approved answer beside every answer."""
    given: dict[str, Any] = {"question": "How long?", "answer": "14 days.", "similarity": 0.9}
    return lambda corpus, question, answer: Beside(**{"flags": (), **given, **known})


NUMBERS = Flag(kind="number", said="thirty days", approved="14 days")


def endpoints(app: FastAPI) -> set[tuple[str, str]]:
    """Every method and path that is served; anything mounted in another way fails."""
    found = set[tuple[str, str]]()
    for route in app.routes:
        inside = getattr(route, "original_router", None)
        for one in inside.routes if inside else [route]:
            assert isinstance(one, APIRoute), f"{one} is mounted"
            found |= {(method, one.path) for method in one.methods}
    return found


class Hosted:
    """The app behind the links of a workspace, and its visitors."""

    def __init__(
        self, store: Store, runs: Runs, chat: Chat | None = None, find: FindBeside | None = None
    ) -> None:
        self.store, self.links = store, Links(store)
        self.chat = chat or ScriptedChat(SAYS)
        self.app = build_hosted(Bot(self.chat, store, runs, find))
        self.door = Door(self.links)

    def link(self, run: Run, **given: Any) -> Link:
        return self.links.add(make_link(run, **given))

    @contextmanager
    def visitor(self, link: Link | str, address: str = "10.0.0.1") -> Iterator["Visitor"]:
        token = link if isinstance(link, str) else self.door.token(link)
        with TestClient(self.app, client=(address, 5000), raise_server_exceptions=True) as client:
            yield Visitor(client, f"/c/{token}")


class Visitor:
    """A browser at the page of one link."""

    def __init__(self, client: TestClient, path: str) -> None:
        self.client, self.path = client, path

    def open(self) -> Any:
        return self.client.get(f"{self.path}/bot")

    def ask(self, question: Any = "How long?") -> Any:
        return self.client.post(f"{self.path}/ask", json={"question": question})

    def lines(self, question: str = "How long?") -> list[dict[str, Any]]:
        import json

        said = self.ask(question)
        assert said.status_code == 200, said.text
        return [json.loads(line) for line in said.text.splitlines()]

    def rate(self, receipt: str, good: bool = False, column: int = 0, comment: str = "") -> Any:
        given = {"receipt": receipt, "column": column, "good": good, "comment": comment}
        return self.client.post(f"{self.path}/rate", json=given)

    def enter(self, password: str, user: str = "") -> Any:
        given = {"user": user, "password": password}
        return self.client.post(f"{self.path}/enter", json=given)
