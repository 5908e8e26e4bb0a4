"""The app behind shared links on a port of its own, for browsers and for bytes nobody sends."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI

from assistant.conversation import Chat, FindBeside, Side
from assistant.hosted.app import build_hosted
from assistant.hosted.bot import Bot
from assistant.hosted.door import Door
from assistant.hosted.serving import serving
from assistant.links import Link
from assistant.store import Store
from trainer.runs import Runs

SIDES = (Side(base="bundled:pocket"), Side(base="bundled:pocket", run="tuned"))
HOST = "Host: a\r\nConnection: close\r\n"
SECRET = re.compile(r"Traceback|File \"|\.py\b|root:|tandem\.db|sqlalchemy|pydantic", re.IGNORECASE)


class Served:
    """The app behind the links of a workspace, and who asks it."""

    def __init__(self, bot: Bot, app: FastAPI, url: str) -> None:
        self.links, self.door = bot.links, Door(bot.links)
        self.app, self.url = app, url

    def line(self) -> socket.socket:
        """A connection with nothing said on it yet."""
        return socket.create_connection(("127.0.0.1", urlsplit(self.url).port), timeout=2)

    def link(self, **known: object) -> str:
        """The token of a new link."""
        return self.door.token(self.links.add(Link.parse({"sides": SIDES} | known)))

    @contextmanager
    def visitor(self, token: str) -> Iterator[httpx.Client]:
        """A browser that has opened the page of a link."""
        with httpx.Client(base_url=f"{self.url}/c/{token}/", timeout=20) as client:
            client.get("bot")
            yield client


@contextmanager
def hosting(workspace: Path, chat: Chat, find: FindBeside | None = None) -> Iterator[Served]:
    """Serve the links of a workspace, as `tandem share` does."""
    bot = Bot(chat, Store.in_workspace(workspace), Runs(workspace / "runs"), find)
    app = build_hosted(bot)
    with serving(app, "127.0.0.1") as url:
        yield Served(bot, app, url)


def lines(answer: httpx.Response) -> list[dict]:
    return [json.loads(line) for line in answer.text.splitlines()]


def raw(hosted: Served, request: bytes) -> bytes:
    """What comes back for bytes that no client would send, until nothing more comes."""
    came = b""
    with hosted.line() as line, suppress(TimeoutError, ConnectionError):
        line.sendall(request)
        while part := line.recv(65536):
            came += part
    return came


def refuses(answer: httpx.Response, *statuses: int) -> None:
    """One of these, in a sentence, and nothing of what is inside."""
    assert answer.status_code in statuses, (answer.status_code, answer.text[:200])
    assert not SECRET.search(answer.text), answer.text
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json()["detail"], str)


def receipt_of(client: httpx.Client, question: str = "May I?") -> str:
    return lines(client.post("ask", json={"question": question}))[-1]["receipt"]
