"""The app that visitors reach: a page behind a signed link, its few endpoints, and nothing else."""

import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import asdict
from importlib.resources import files
from json import dumps
from pathlib import PurePath
from typing import Annotated, Any

import pydantic
from anyio import CapacityLimiter, to_thread
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, StreamingResponse
from pydantic import Field
from starlette.types import Receive, Scope, Send

from assistant.hosted.api import api_router
from assistant.hosted.bot import Bot, SoFar
from assistant.hosted.door import Door, Receipt, Refused
from assistant.hosted.growing import Steps
from assistant.hosted.guard import Guard
from assistant.hosted.limiting import MOST_AT_ONCE, Limiting
from assistant.links import Link, picture
from trainer.errors import ConfigError, DeviceBusy, UserError

_LOOK = files("assistant.hosted") / "look"
_KINDS = {".js": "text/javascript", ".css": "text/css"}
MOST_BYTES = 100_000  # of a request
_KEPT = (
    "What you ask is not kept, unless you rate the answer down or nothing approved is near the "
    "question: then somebody can write the right answer. Nobody learns who asked."
)


class _Given(pydantic.BaseModel, extra="forbid"):
    """What a browser sends."""


class _Entry(_Given):
    user: str = Field("", max_length=200)
    password: str = Field("", max_length=200)


class _Question(_Given):
    question: str = Field(max_length=10_000)


class _Rating(_Given):
    receipt: str = Field(max_length=60_000)
    column: int = 0
    good: bool
    comment: str = Field("", max_length=500)


def _opened(request: Request, token: str) -> Link:
    door: Door = request.app.state.door
    return door.open(token)


Opened = Annotated[Link, Depends(_opened)]


def _entered(request: Request, link: Opened) -> Link:
    if not request.app.state.door.is_in(link, request.cookies.get("in", "")):
        raise Refused(401, _ask_for(link))
    return link


def _visitor(request: Request) -> str:
    known: str | None = request.app.state.door.visitor(request.cookies.get("visitor", ""))
    if known is None:
        raise Refused(403, "Open the page of this link first, with cookies allowed.")
    return known


Entered = Annotated[Link, Depends(_entered)]
Visitor = Annotated[str, Depends(_visitor)]


class _Growing(StreamingResponse):
    """An answer that grows; `over` is called at its end, also if it never began."""

    def __init__(self, lines: AsyncIterator[str], over: Callable[[], None]) -> None:
        unbuffered = {"X-Accel-Buffering": "no"}  # by nginx
        super().__init__(lines, media_type="application/x-ndjson", headers=unbuffered)
        self._over = over

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._over()


def build_hosted(bot: Bot) -> FastAPI:
    """Compose the app of all links: their pages, and the API for whoever has a key to one."""
    door, limiting = Door(bot.links), Limiting(bot.links)
    answering = CapacityLimiter(MOST_AT_ONCE)  # threads apart from those of the other endpoints

    shipped = {
        file.name: file.read_bytes()
        for file in _LOOK.iterdir()
        if PurePath(file.name).suffix in _KINDS
    }
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        max_body_size=MOST_BYTES,
    )
    app.state.door = door
    app.add_middleware(Guard)
    app.exception_handler(Refused)(_refused)
    app.exception_handler(UserError)(_told)
    app.exception_handler(RequestValidationError)(_misshaped)
    app.exception_handler(404)(_nothing)
    app.include_router(api_router(bot.chat, door.key_holder, limiting.call))

    @app.get("/c/{token}")
    def add_slash(token: str) -> Response:
        return RedirectResponse(f"{token}/", 307) if door.open(token) else Response(status_code=404)

    @app.get("/c/{token}/")
    def page() -> Response:
        return HTMLResponse((_LOOK / "index.html").read_bytes())

    @app.get("/look/{name}")
    def look(name: str) -> Response:
        if name not in shipped:
            raise HTTPException(404)
        return Response(shipped[name], media_type=_KINDS[PurePath(name).suffix])

    @app.get("/c/{token}/bot")
    def show(request: Request, link: Opened) -> Response:
        limiting.visit(_address(request))
        if not door.is_in(link, request.cookies.get("in", "")):
            shown = {"title": link.look.title, "colour": link.look.colour}
            return JSONResponse({"detail": _ask_for(link), "needs": link.needs} | shown, 401)
        answer = JSONResponse(_shown(link))
        if door.visitor(request.cookies.get("visitor", "")) is None:
            _keep(request, answer, "visitor", door.new_visitor())
        return answer

    @app.get("/c/{token}/logo")
    def logo(link: Opened) -> Response:
        found = picture(link.look.logo) if link.look.logo else None
        if found is None:
            raise HTTPException(404)
        return Response(found[0], media_type=found[1])

    @app.post("/c/{token}/enter", status_code=204)
    def enter(request: Request, link: Opened, entry: _Entry) -> Response:
        limiting.enter(link, _address(request))
        answer = Response(status_code=204)
        _keep(request, answer, "in", door.let_in(link, entry.user, entry.password))
        return answer

    @app.post("/c/{token}/ask")
    async def ask(request: Request, link: Entered, who: Visitor, asked: _Question) -> Response:
        stop = threading.Event()
        parts = Steps(bot.ask(link, asked.question, stop), stop, answering)
        with ExitStack() as stack:
            stack.enter_context(limiting.one_at_a_time(link, who))
            await to_thread.run_sync(limiting.ask, link, who, _address(request))
            stack.callback(parts.close)
            over = stack.pop_all().close

        async def lines() -> AsyncIterator[str]:
            try:
                while (part := await parts.next()) is not None:
                    yield dumps(line(part)) + "\n"
            except UserError as error:
                yield dumps({"error": _for_visitors(error)}) + "\n"

        def line(part: SoFar) -> dict[str, Any]:
            if not part.ended:
                return {"texts": part.texts} | ({"doing": part.doing} if part.doing else {})
            beside = [unsure and asdict(unsure) for unsure in part.beside]
            receipt = door.receipt(link, Receipt(asked.question, part.texts))
            return {"texts": part.texts, "ended": True, "beside": beside, "receipt": receipt}

        return _Growing(lines(), over)

    @app.post("/c/{token}/rate", status_code=204)
    def rate(request: Request, link: Entered, who: Visitor, rating: _Rating) -> None:
        limiting.rate(link, who, _address(request))
        receipt = door.read_receipt(link, rating.receipt)
        bot.rate(link, receipt, rating.column, rating.good, rating.comment)

    return app


def _shown(link: Link) -> dict[str, Any]:
    look = link.look.model_dump(exclude={"logo"})
    columns = ["Tuned" if side.run else "Base model" for side in link.sides]
    more = {"logo": bool(link.look.logo), "columns": columns, "kept": _KEPT}
    return look | more | {"characters": link.limits.characters}


def _ask_for(link: Link) -> str:
    return "Log in to talk to this bot." if link.people else "This bot asks for a password."


def _keep(request: Request, answer: Response, name: str, value: str) -> None:
    """Hand out a cookie for the pages of one link, whatever prefix they have."""
    path: Any = None  # the browser takes that of the request
    secure = request.url.scheme == "https"
    answer.set_cookie(name, value, path=path, secure=secure, httponly=True, samesite="lax")


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _refused(_: Request, error: Refused) -> Response:
    wait = {"Retry-After": f"{error.wait:.0f}"} if error.wait else {}
    return JSONResponse({"detail": str(error)}, error.status, wait)


def _told(_: Request, error: UserError) -> Response:
    return JSONResponse({"detail": _for_visitors(error)}, 400)


def _for_visitors(error: UserError) -> str:
    """What a visitor can mend or wait for; the rest names files here, and is for the log."""
    if isinstance(error, Refused | ConfigError | DeviceBusy):
        return str(error)
    logging.getLogger("tandem").warning(error)
    return "The bot cannot answer at this moment. Tell whoever gave you the link."


def _misshaped(_: Request, error: RequestValidationError) -> Response:
    return JSONResponse({"detail": "The request is not as it should be."}, 422)


def _nothing(_: Request, error: HTTPException) -> Response:
    return JSONResponse({"detail": "There is nothing here."}, 404)
