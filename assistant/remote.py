"""Answers from an OpenAI-compatible server elsewhere, such as vLLM; nobody here can prove them."""

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import anyio
import httpx
import pydantic

from assistant.conversation import Answer, Asked, Proof
from assistant.latest import Latest
from trainer.errors import AccessError, ConfigError, DeviceBusy, ModelError, UserError

_LOOKS = 0.05  # seconds between two looks at whether an answer was stopped
_TIMEOUT = httpx.Timeout(10, read=300)


class _Delta(pydantic.BaseModel):
    content: str | None = None


class _Choice(pydantic.BaseModel):
    delta: _Delta = _Delta()
    finish_reason: str | None = None


class _Usage(pydantic.BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Part(pydantic.BaseModel):
    """What a server sends, again and again; what we do not know of it is passed over."""

    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: Any = None


@dataclass
class _Column:
    """One answer on its way."""

    asked: Asked
    began: float = field(default_factory=time.monotonic)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    text: str = ""
    first_word: float = 0.0
    seconds: float = 0.0
    usage: _Usage = field(default_factory=_Usage)
    ended: Literal["by itself", "at the limit", "stopped", None] = None

    def take(self, part: _Part) -> None:
        self.usage = part.usage or self.usage
        for choice in part.choices[:1]:
            self.text += choice.delta.content or ""
            self.seconds = time.monotonic() - self.began
            self.first_word = self.first_word or (self.seconds if self.text else 0.0)
            if choice.finish_reason:
                self.ended = "at the limit" if choice.finish_reason == "length" else "by itself"

    def answer(self, over: bool) -> Answer:
        doing = "" if self.text or over else "waiting for the server"
        return Answer(self.text, self._proof() if over else None, doing)

    def _proof(self) -> Proof:
        side = self.asked.side
        return Proof(
            base=side.base,
            quantization="unknown",
            held="elsewhere",
            run=side.run,
            adapter=None,
            settings=self.asked.settings,
            proven=False,
            together=False,
            ended=self.ended or "stopped",
            tokens=self.usage.completion_tokens,
            prompt=self.usage.prompt_tokens,
            waited=0.0,
            first_word=self.first_word,
            seconds=self.seconds,
        )


class Remote:
    """Ask a server for every answer, those of several columns at the same time. Is a `Chat`.

    A run is asked for by its id and a base by its name, or as `models` names them.
    """

    def __init__(self, url: str, key: str = "", models: Mapping[str, str] | None = None) -> None:
        """Ask nothing yet. `url` is what ends in /v1; raises `ConfigError` if it is no address."""
        if not url.startswith(("http://", "https://")):
            raise ConfigError(
                f"'{url}' is no address of a server. Give one such as http://localhost:8000/v1."
            )
        self._url, self._models = url.rstrip("/"), models or {}
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def answer(self, asked: Sequence[Asked], stop: threading.Event) -> Iterator[tuple[Answer, ...]]:
        """Yield how far the answers are, each time one has grown; at last all have their proof.

        Stopped, they end at once. Raises `UserError`.
        """
        news, left = Latest[tuple[Answer, ...]](), threading.Event()

        def work() -> None:
            with news.writing():
                anyio.run(self._answer, asked, lambda: stop.is_set() or left.is_set(), news.put)

        threading.Thread(target=work, daemon=True).start()
        try:
            yield from news
        finally:
            left.set()

    async def _answer(
        self,
        asked: Sequence[Asked],
        over: Callable[[], bool],
        tell: Callable[[tuple[Answer, ...]], None],
    ) -> None:
        columns, ended = [_Column(one) for one in asked], set[int]()
        errors: list[UserError] = []

        def tell_all() -> None:
            tell(tuple(column.answer(place in ended) for place, column in enumerate(columns)))

        async def read(place: int, column: _Column) -> None:
            with column.scope:
                try:
                    async for part in self._parts(client, column.asked):
                        column.take(part)
                        tell_all()
                except UserError as error:
                    errors.append(error)
                    answering.cancel_scope.cancel()
            ended.add(place)
            if not errors:
                tell_all()

        async def watch() -> None:
            while True:
                for column in columns:
                    if over() or (column.asked.stop and column.asked.stop.is_set()):
                        column.scope.cancel()
                await anyio.sleep(_LOOKS)

        tell_all()
        async with (
            httpx.AsyncClient(timeout=_TIMEOUT, headers=self._headers) as client,
            anyio.create_task_group() as watching,
        ):
            watching.start_soon(watch)
            async with anyio.create_task_group() as answering:
                for place, column in enumerate(columns):
                    answering.start_soon(read, place, column)
            watching.cancel_scope.cancel()
        if errors:
            raise errors[0]

    async def _parts(self, client: httpx.AsyncClient, asked: Asked) -> AsyncIterator[_Part]:
        """Yield what the server sends of one answer."""
        model = self._models.get(asked.side.served_as, asked.side.served_as)
        try:
            async with client.stream(
                "POST", f"{self._url}/chat/completions", json=_request(model, asked)
            ) as response:
                if response.status_code != httpx.codes.OK:
                    raise self._refusal(model, response.status_code, await response.aread())
                async for line in response.aiter_lines():
                    data = line.removeprefix("data:").strip()
                    if not line.startswith("data:") or data == "[DONE]":
                        continue
                    part = _Part.model_validate_json(data)
                    if part.error:
                        raise self._refusal(model, response.status_code, data.encode())
                    yield part
        except httpx.TimeoutException as error:
            raise AccessError(f"The server at {self._url} takes too long to answer.") from error
        except httpx.HTTPError as error:
            raise AccessError(
                f"The server at {self._url} cannot be reached: {error}. Start it, or give "
                "another --backend."
            ) from error
        except pydantic.ValidationError as error:
            raise self._no_api() from error

    def _refusal(self, model: str, status: int, body: bytes) -> UserError:
        said = _message(body)
        if said is None:
            return self._no_api()
        match status:
            case 401 | 403:
                return AccessError(f"The server at {self._url} refuses the key. Give it another.")
            case 404:
                return ModelError(
                    f"The server at {self._url} has no model '{model}'. Start it with that one: "
                    f"`tandem vllm {model}` prints how."
                )
            case 429 | 503:
                return DeviceBusy(f"The server at {self._url} is busy: {said}")
        return ModelError(f"The server at {self._url} refuses: {said}")

    def _no_api(self) -> UserError:
        return AccessError(
            f"What is at {self._url} does not answer as OpenAI's API does. Give the address that "
            "ends in /v1."
        )


def _request(model: str, asked: Asked) -> dict[str, Any]:
    settings = asked.settings
    wanted = {
        "model": model,
        "messages": list(asked.messages),
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "max_tokens": settings.most_new_tokens,
        "seed": settings.seed,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if settings.repetition_penalty != 1:
        wanted["repetition_penalty"] = settings.repetition_penalty  # vLLM's own
    return wanted


class _Told(pydantic.BaseModel):
    message: str


class _Refusal(pydantic.BaseModel):
    error: _Told


def _message(body: bytes) -> str | None:
    """What a server says in a refusal, if it is one of OpenAI's API."""
    for shape in (_Refusal, _Told):  # OpenAI's, and that of older servers
        try:
            found = shape.model_validate_json(body)
        except pydantic.ValidationError:
            continue
        told = found.error if isinstance(found, _Refusal) else found
        return " ".join(told.message.split())[:300]
    return None
