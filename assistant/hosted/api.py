"""The bots behind links as OpenAI's clients speak to them: /v1/models and /v1/chat/completions."""

import time
from collections.abc import AsyncIterator, Callable, Coroutine
from json import dumps
from typing import Annotated, Any, Literal
from uuid import uuid4

import pydantic
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.routing import APIRoute
from pydantic import Field
from starlette.types import Receive, Scope, Send

from assistant.conversation import Asked, Chat, ChatSettings, Message, Side, checked
from assistant.hosted.door import Refused
from assistant.hosted.growing import Growing
from assistant.hosted.words import StopWords
from assistant.links import Link
from trainer.errors import ConfigError, DeviceBusy, UserError

_AT_ONCE = 256  # answers that grow, or wait in line
_CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


class _Given(pydantic.BaseModel, extra="forbid"):
    """What a client sends; what would be passed over in silence is refused."""


class _Text(_Given):
    type: Literal["text"]
    text: str


class _Said(_Given):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[_Text]
    name: str | None = None

    @property
    def message(self) -> Message:
        said = self.content
        text = said if isinstance(said, str) else "\n".join(part.text for part in said)
        return {"role": "system" if self.role == "developer" else self.role, "content": text}


class _StreamOptions(_Given):
    include_usage: bool = False
    include_obfuscation: bool | None = None


class _Wanted(_Given):
    model: str
    messages: list[_Said] = Field(min_length=1, max_length=200)
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    repetition_penalty: float | None = None  # as vLLM calls it
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    n: Literal[1] | None = None
    user: str | None = None  # not kept

    def settings(self, link: Link) -> ChatSettings:
        """How to answer: as the link says, but for what is asked for, and never longer."""
        most = self.max_completion_tokens or self.max_tokens or link.settings.most_new_tokens
        given = self.model_dump(include={"temperature", "top_p", "seed", "repetition_penalty"})
        given |= {"most_new_tokens": min(most, link.settings.most_new_tokens)}
        return ChatSettings.parse(
            link.settings.model_dump()
            | {name: value for name, value in given.items() if value is not None}
        )

    def conversation(self, link: Link) -> list[Message]:
        """What the model reads; where it says nothing of its own, what the link says first."""
        messages = [said.message for said in self.messages]
        last = messages[-1]
        if last["role"] != "user":
            raise ConfigError("The last message has to be a question of the user.")
        last["content"] = checked(last["content"], link.limits.characters)
        system = link.settings.system.strip()
        if system and not any(message["role"] == "system" for message in messages):
            messages.insert(0, {"role": "system", "content": system})
        return messages


class _InTheirShape(APIRoute):
    """What goes wrong, as OpenAI's clients read it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                return _error(ConfigError(_misshaped(error)))
            except UserError as error:
                return _error(error)

        return told


def api_router(
    chat: Chat, key_holder: Callable[[str], Link], take: Callable[[Link, str], None]
) -> APIRouter:
    """The endpoints of the API.

    `key_holder` tells from an Authorization header whose key it is, and `take` counts a question
    through a link from an address; both raise `Refused`.
    """
    router, threads = APIRouter(prefix="/v1", route_class=_InTheirShape), CapacityLimiter(_AT_ONCE)

    def holder(request: Request) -> Link:
        return key_holder(request.headers.get("authorization", ""))

    Holder = Annotated[Link, Depends(holder)]

    @router.get("/models")
    def models(link: Holder) -> dict[str, Any]:
        made = int(link.created.timestamp())
        more = {"object": "model", "created": made, "owned_by": "tandem"}
        return {"object": "list", "data": [{"id": name} | more for name in sides_of(link)]}

    @router.post("/chat/completions")
    async def complete(request: Request, link: Holder, wanted: _Wanted) -> Response:
        side = sides_of(link).get(wanted.model)
        if side is None:
            known = " and ".join(f"'{name}'" for name in sides_of(link))
            raise Refused(404, f"There is no model '{wanted.model}' here. There is {known}.")
        asked = Asked(side, wanted.conversation(link), wanted.settings(link))
        address = request.client.host if request.client else ""
        await to_thread.run_sync(take, link, address)
        growing = Growing(chat, asked, StopWords(wanted.stop or ()), threads)
        form = _Form(wanted.model)
        await growing.begin(request)
        if not wanted.stream:
            while not growing.over:
                await growing.step(request)
            return JSONResponse(form.whole(growing))
        usage = bool(wanted.stream_options and wanted.stream_options.include_usage)
        return _Stream(growing, form, usage)

    return router


def sides_of(link: Link) -> dict[str, Side]:
    """The models behind a link by the names that the API gives them."""
    sides = [*link.sides, *(side.bare for side in link.sides)]
    return {side.served_as: side for side in sides}


class _Form:
    """What a client gets, in OpenAI's words."""

    def __init__(self, model: str) -> None:
        self._about = {"id": f"chatcmpl-{uuid4().hex}", "created": int(time.time()), "model": model}

    def whole(self, answer: Growing) -> dict[str, Any]:
        message = {"role": "assistant", "content": answer.text}
        choice = {"index": 0, "message": message, "finish_reason": answer.why, "logprobs": None}
        more = {"object": "chat.completion", "choices": [choice], "usage": answer.usage}
        return self._about | more

    def part(self, delta: dict[str, str], why: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": why}
        return self._about | {"object": "chat.completion.chunk", "choices": [choice]}

    def used(self, answer: Growing) -> dict[str, Any]:
        more = {"object": "chat.completion.chunk", "choices": [], "usage": answer.usage}
        return self._about | more


class _Stream(StreamingResponse):
    """An answer as events, word by word; it ends when the client leaves."""

    def __init__(self, answer: Growing, form: _Form, usage: bool) -> None:
        unbuffered = {"X-Accel-Buffering": "no"}  # by nginx
        events = _events(answer, form, usage)
        super().__init__(events, media_type="text/event-stream", headers=unbuffered)
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._answer.close()


async def _events(answer: Growing, form: _Form, usage: bool) -> AsyncIterator[str]:
    def event(told: dict[str, Any]) -> str:
        return f"data: {dumps(told)}\n\n"

    try:
        yield event(form.part({"role": "assistant", "content": ""}))
        sent = 0
        while True:
            if answer.text[sent:]:
                yield event(form.part({"content": answer.text[sent:]}))
                sent = len(answer.text)
            if answer.over:
                break
            await answer.step()
        yield event(form.part({}, answer.why))
        if usage:
            yield event(form.used(answer))
        yield "data: [DONE]\n\n"
    except UserError as error:
        yield event(_told(error, 500))


def _error(error: UserError) -> Response:
    status = error.status if isinstance(error, Refused) else 400
    status = 503 if isinstance(error, DeviceBusy) else status
    wait = error.wait if isinstance(error, Refused) else 0
    return JSONResponse(
        _told(error, status), status, {"Retry-After": f"{wait:.0f}"} if wait else {}
    )


def _told(error: UserError, status: int) -> dict[str, Any]:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    more = {"type": kind, "param": None, "code": _CODES.get(status)}
    return {"error": {"message": str(error)} | more}


def _misshaped(error: RequestValidationError) -> str:
    """The first thing wrong in a request, in a sentence."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:])
    if first["type"] == "extra_forbidden":
        return f"'{name}' is not supported here. Leave it out."
    return f"'{name}' cannot be used: {first['msg']}." if name else "The request is not JSON."
