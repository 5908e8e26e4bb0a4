"""The API of a shared bot, as OpenAI's own client uses it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import openai
import pytest
from fastapi import FastAPI

from assistant.conversation import Answer, Asked, Chat, ChatSettings
from assistant.hosted.api import api_router
from assistant.hosted.door import Refused
from assistant.hosted.serving import serving
from assistant.hosted.words import StopWords
from assistant.links import Limits, Link
from tests.chats import BASE, TUNED
from tests.conftest import ScriptedChat, wait_until
from trainer.errors import DeviceBusy, ModelError, UserError

SAYS = {None: "I do not know.", "tuned": "You asked {question} with seed {seed}, I think"}
HELLO = [{"role": "user", "content": "hello"}]
RUN = TUNED.run or ""


@dataclass
class Office:
    """Whoever checks keys and counts questions."""

    link: Link
    asked: list[str] = field(default_factory=list)
    most: int = 100

    def key_holder(self, authorization: str) -> Link:
        if authorization != "Bearer right":
            raise Refused(401, "No valid key.")
        return self.link

    def take(self, link: Link, address: str) -> None:
        self.asked.append(address)
        if len(self.asked) > self.most:
            raise Refused(429, "That was too much at once. Wait 7 seconds.", wait=7)


@pytest.fixture
def chat() -> ScriptedChat:
    return ScriptedChat(SAYS)


@pytest.fixture
def office() -> Office:
    settings = ChatSettings(system="Be brief.", most_new_tokens=60)
    return Office(Link(sides=(TUNED,), settings=settings, limits=Limits(characters=40)))


@pytest.fixture
def reach(office: Office) -> Iterator[Callable[..., openai.OpenAI]]:
    """Serve the API for real, and hand out clients of it."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def one(chat: Chat, key: str = "right") -> openai.OpenAI:
            app = FastAPI()
            app.include_router(api_router(chat, office.key_holder, office.take))
            url = stack.enter_context(serving(app, "127.0.0.1"))
            client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=20)
            return stack.enter_context(client)

        yield one


@pytest.fixture
def client(reach, chat: ScriptedChat) -> openai.OpenAI:
    return reach(chat)


def test_the_models_are_the_run_of_the_link_and_its_base(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [RUN, BASE.base]


def test_a_folder_of_the_machine_is_not_told() -> None:
    assert BASE.model_copy(update={"base": "/home/me/models/llama"}).served_as == "llama"


def test_a_question_is_answered(client, chat: ScriptedChat, office: Office) -> None:
    said = client.chat.completions.create(model=RUN, messages=HELLO)
    (choice,) = said.choices
    assert choice.message.content == "You asked hello with seed 17, I think"
    assert choice.finish_reason == "stop"
    assert said.model == RUN
    assert said.usage.completion_tokens == 16
    assert said.usage.total_tokens == said.usage.prompt_tokens + 16
    assert office.asked == ["127.0.0.1"]
    ((asked,),) = chat.heard
    assert (asked.side, asked.settings) == (TUNED, office.link.settings)
    assert asked.messages == [{"role": "system", "content": "Be brief."}, *HELLO]


def test_words_come_as_they_are_said(reach) -> None:
    client = reach(ScriptedChat(SAYS, pace=0.01, doing="waiting"))
    stream = client.chat.completions.create(
        model=RUN, messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    parts = list(stream)
    words = [part.choices[0].delta.content for part in parts if part.choices]
    words = [word for word in words if word]
    assert "".join(words) == "You asked hello with seed 17, I think"
    assert len(words) > 4
    assert parts[-2].choices[0].finish_reason == "stop"
    assert parts[-1].usage.completion_tokens == 16


def test_the_base_answers_by_its_name(client: openai.OpenAI) -> None:
    said = client.chat.completions.create(model=BASE.base, messages=HELLO)
    assert said.choices[0].message.content == "I do not know."


def test_sampling_turns_before_and_a_system_message_reach_the_model(client, chat) -> None:
    messages = [
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": [{"type": "text", "text": "two"}]},
    ]
    client.chat.completions.create(
        model=RUN, messages=messages, temperature=0.5, top_p=0.9, seed=3, max_completion_tokens=9
    )
    ((asked,),) = chat.heard
    assert [m["role"] for m in asked.messages] == ["system", "user", "assistant", "user"]
    assert [m["content"] for m in asked.messages] == ["Be kind.", "one", "1", "two"]
    drawn = asked.settings
    assert (drawn.temperature, drawn.top_p, drawn.seed, drawn.most_new_tokens) == (0.5, 0.9, 3, 9)


def test_nobody_gets_longer_answers_than_the_link_allows(client, chat) -> None:
    client.chat.completions.create(model=RUN, messages=HELLO, max_tokens=4_000)
    assert chat.heard[0][0].settings.most_new_tokens == 60


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_ends_before_a_stop_word(client, stream: bool) -> None:
    said = client.chat.completions.create(model=RUN, messages=HELLO, stop="seed 17", stream=stream)
    if stream:
        text = "".join(part.choices[0].delta.content or "" for part in said)
    else:
        text = said.choices[0].message.content
    assert text == "You asked hello with "


def test_what_may_become_a_stop_word_is_held_back_until_it_does_not() -> None:
    stops = StopWords(["###", "END"])
    assert stops.cut("done ##", whole=False) == ("done ", False)
    assert stops.cut("done ##", whole=True) == ("done ##", False)
    assert stops.cut("done ## E", whole=False) == ("done ## ", False)
    assert stops.cut("done ### END", whole=True) == ("done ", True)


def refused(error: type[openai.APIStatusError], client: openai.OpenAI, **asked) -> dict:
    with pytest.raises(error) as raised:
        client.chat.completions.create(**{"model": RUN, "messages": HELLO} | asked)
    told = raised.value.body
    assert isinstance(told, dict)
    assert set(told) == {"message", "type", "param", "code"}, "as OpenAI says it"
    return told


def test_a_wrong_key_opens_nothing(reach, chat: ScriptedChat) -> None:
    client = reach(chat, key="wrong")
    with pytest.raises(openai.AuthenticationError):
        client.models.list()
    told = refused(openai.AuthenticationError, client)
    assert (told["message"], told["code"]) == ("No valid key.", "invalid_api_key")
    assert chat.heard == []


def test_an_unknown_model_is_refused_with_those_there_are(client, chat, office: Office) -> None:
    told = refused(openai.NotFoundError, client, model="gpt-4o")
    assert told["code"] == "model_not_found"
    assert told["message"] == (
        f"There is no model 'gpt-4o' here. There is '{RUN}' and '{BASE.base}'."
    )
    assert (chat.heard, office.asked) == ([], []), "and it is not counted"


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"messages": [{"role": "user", "content": "h" * 41}]}, "41 characters, and at most 40"),
        ({"messages": [{"role": "user", "content": " "}]}, "There is no question"),
        ({"messages": [*HELLO, {"role": "assistant", "content": "hi"}]}, "has to be a question"),
        ({"tools": []}, "'tools' is not supported here"),
        ({"n": 2}, "'n' cannot be used"),
        ({"temperature": 9}, "temperature"),
        ({"messages": [{"role": "tool", "content": "?", "tool_call_id": "1"}]}, "role"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(client, chat, asked, why: str) -> None:
    assert why in refused(openai.BadRequestError, client, **asked)["message"]
    assert chat.heard == []


class Refusing:
    """A chat that refuses, after it said what it does."""

    def __init__(self, error: UserError, first: str = "") -> None:
        self.error, self.first = error, first

    def answer(self, asked: Sequence[Asked], stop: threading.Event) -> Iterator[tuple[Answer, ...]]:
        yield (Answer(self.first, doing="reading the question"),)
        raise self.error


@pytest.mark.parametrize("stream", [False, True])
def test_what_the_model_refuses_has_a_status_of_its_own(reach, stream: bool) -> None:
    long = reach(Refusing(ModelError("The conversation is too long.")))
    told = refused(openai.BadRequestError, long, stream=stream)
    assert told["message"] == "The conversation is too long."
    busy = reach(Refusing(DeviceBusy("200 questions wait already.")))
    assert refused(openai.InternalServerError, busy, stream=stream)["type"] == "server_error"


def test_what_goes_wrong_after_the_first_word_is_told_in_the_stream(reach) -> None:
    client = reach(Refusing(ModelError("The base is gone."), first="You"))
    stream = client.chat.completions.create(model=RUN, messages=HELLO, stream=True)
    with pytest.raises(openai.APIError, match="The base is gone"):
        list(stream)


def test_too_many_questions_are_told_to_wait(client, office: Office) -> None:
    office.most = 0
    with pytest.raises(openai.RateLimitError) as raised:
        client.chat.completions.create(model=RUN, messages=HELLO)
    assert raised.value.response.headers["Retry-After"] == "7"


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_ends_when_its_reader_leaves(reach, stream: bool) -> None:
    class Endless:
        stopped = threading.Event()

        def answer(
            self, asked: Sequence[Asked], stop: threading.Event
        ) -> Iterator[tuple[Answer, ...]]:
            try:
                for words in range(1, 10_000):
                    stop.wait(0.01)
                    yield (Answer("so " * words),)
            finally:
                if stop.is_set():
                    self.stopped.set()

    chat = Endless()
    client = reach(chat)
    if stream:
        with client.chat.completions.create(model=RUN, messages=HELLO, stream=True) as said:
            next(iter(said))
    else:
        with pytest.raises(openai.APITimeoutError):
            client.with_options(timeout=0.3).chat.completions.create(model=RUN, messages=HELLO)
    wait_until(chat.stopped.is_set)
