"""One tuned bot in the open, at the root of an address of its own, such as a Hugging Face Space."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.conversation import Chat
from assistant.crowd import Crowd
from assistant.hosted.app import build_hosted
from assistant.hosted.bot import Bot
from assistant.hosted.door import Door
from assistant.links import Link
from assistant.store import Store
from assistant.terminal import share_cores
from trainer.errors import ConfigError
from trainer.runs import Runs

BOT = "bot.json"
PORT = 7860  # where the Hub looks for a page
_STAYS = timedelta(days=3650)  # the Space itself is what is taken back
_HUB = "https://huggingface.co"


def serve_space(folder: Path) -> None:
    """Serve the bot of a folder that `tandem export --as space` wrote, until it is ended."""
    share_cores()
    from assistant.host import ModelHost  # noqa: PLC0415 - torch: after the cores are shared

    with built_space(folder, ModelHost(Runs(folder / "runs"))) as app:
        uvicorn.run(
            app,
            host="0.0.0.0",
            port=int(os.environ.get("PORT", PORT)),
            log_level="warning",
            access_log=False,
            server_header=False,
            forwarded_allow_ips="*",  # the Hub's proxy, which alone can reach it there
        )


@contextmanager
def built_space(folder: Path, chat: Chat) -> Iterator[FastAPI]:
    """Compose the page of one open bot; what it keeps of its use is gone with it."""
    kept = Path(tempfile.mkdtemp(prefix="tandem-space-"))
    try:
        bot = Bot(Crowd(chat), Store.in_workspace(kept), Runs(folder / "runs"))
        link = bot.links.add(read_bot(folder))
        app = build_hosted(bot)
        door: Door = app.state.door

        @app.get("/")
        def enter() -> RedirectResponse:
            return RedirectResponse(f"c/{door.token(link)}/", 307)

        app.add_middleware(_Framed)
        yield app
    finally:
        shutil.rmtree(kept, ignore_errors=True)


def read_bot(folder: Path) -> Link:
    """The bot of a folder, in which `model` is a folder beside; raises `ConfigError`."""
    file = folder / BOT
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
        for side in given["sides"]:
            beside = folder / side["base"]
            side["base"] = str(beside) if beside.is_dir() else side["base"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"{file} cannot be read: {error}. Export the Space again.") from None
    return Link.parse({**given, "expires": datetime.now(UTC) + _STAYS})


class _Framed:
    """Let the Hub show the page inside one of its own, where cookies are another site's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [(name, _framed(name, v)) for name, v in message["headers"]]
            await send(message)

        await self._app(scope, receive, dressed)


def _framed(name: bytes, value: bytes) -> bytes:
    if name == b"content-security-policy":
        return value.replace(b"frame-ancestors 'self'", b"frame-ancestors 'self' " + _HUB.encode())
    if name == b"set-cookie" and b"secure" in value.lower():
        return value.replace(b"SameSite=lax", b"SameSite=none; Partitioned")
    return value
