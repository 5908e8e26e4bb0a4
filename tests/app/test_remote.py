"""Answers from a server elsewhere: the chat asks Tandem's own API, served for real."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

import pytest
from fastapi import FastAPI

from assistant.conversation import Answer, Asked, Chat, ChatSettings, Side
from assistant.crowd import Crowd
from assistant.hosted.api import api_router
from assistant.hosted.door import Refused
from assistant.hosted.serving import serving
from assistant.links import Link
from assistant.remote import Remote
from assistant.told import proof_text, proof_title
from tests.chats import BASE, OTHER, TUNED
from tests.conftest import ScriptedChat, wait_until
from trainer.errors import AccessError, ConfigError, DeviceBusy, ModelError, UserError

SAYS = {None: "I do not know.", "tuned": "You asked {question} with seed {seed}, I think"}


@pytest.fixture
def serve_chat() -> Iterator[Callable[..., str]]:
    with ExitStack() as stack:

        def one(chat: Chat) -> str:
            def key_holder(authorization: str) -> Link:
                if authorization != "Bearer right":
                    raise Refused(401, "No valid key.")
                return Link(sides=(TUNED,), settings=ChatSettings(most_new_tokens=2_000))

            app = FastAPI()
            app.include_router(api_router(chat, key_holder, lambda link, address: None))
            return stack.enter_context(serving(app, "127.0.0.1")) + "/v1"

        yield one


@pytest.fixture
def chat() -> ScriptedChat:
    return ScriptedChat(SAYS, pace=0.01)


@pytest.fixture
def remote(serve_chat, chat: ScriptedChat) -> Remote:
    return Remote(serve_chat(chat), "right")


def ask(side: Side, question: str = "hello", **settings) -> Asked:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}]
    return Asked(side, messages, ChatSettings(**settings))


def last(remote: Chat, *asked: Asked) -> Sequence[Answer]:
    *_, end = remote.answer(asked, threading.Event())
    return end


def test_both_sides_are_answered_by_their_own_models(remote: Remote) -> None:
    seen = list(remote.answer([ask(BASE), ask(TUNED)], threading.Event()))
    assert {answer.doing for answer in seen[0]} == {"waiting for the server"}
    assert [answer.text for answer in seen[-1]] == [
        "I do not know.",
        "You asked hello with seed 17, I think",
    ]
    grown = {step[1].text for step in seen}
    assert {"You", "You asked", "You asked hello"} <= grown, "word by word"


def test_an_answer_from_elsewhere_is_not_proven(remote: Remote) -> None:
    base, tuned = last(remote, ask(BASE), ask(TUNED))
    for answer, asked in ((base, BASE), (tuned, TUNED)):
        proof = answer.proof
        assert proof
        assert (proof.proven, proof.held, proof.adapter) == (False, "elsewhere", None)
        assert (proof.run, proof.ended) == (asked.run, "by itself")
        assert proof.tokens == 2 * len(answer.text.split())
        assert 0 < proof.first_word <= proof.seconds
    assert proof_title(tuned.proof).endswith(" · bundled:pocket, elsewhere · ✕ not proven")
    assert proof_title(base.proof) == "○ Base · bundled:pocket, no adapter · ✕ not proven"
    told = proof_text(tuned.proof, tuned.text).splitlines()
    assert "base: bundled:pocket (elsewhere)" in told
    assert "adapter sha256: not known" in told
    assert "weights checked: no, another server answered" in told


def test_how_to_answer_reaches_the_server(remote: Remote, chat: ScriptedChat) -> None:
    given = {"temperature": 0.5, "top_p": 0.9, "seed": 3, "repetition_penalty": 1.2}
    asked = ask(TUNED, **given, most_new_tokens=40)
    last(remote, asked)
    ((heard,),) = chat.heard
    assert heard.settings == asked.settings
    assert heard.messages == asked.messages


def test_models_may_have_other_names_there(serve_chat, chat: ScriptedChat) -> None:
    remote = Remote(serve_chat(chat), "right", {OTHER.served_as: TUNED.served_as})
    (answer,) = last(remote, ask(OTHER))
    assert answer.text.startswith("You asked")
    assert answer.proof
    assert answer.proof.run == OTHER.run


class Endless:
    """Never comes to an end, and is slow between its words."""

    def __init__(self) -> None:
        self.left = threading.Semaphore(0)

    def answer(self, asked: Sequence[Asked], stop: threading.Event) -> Iterator[tuple[Answer, ...]]:
        try:
            yield tuple(Answer("so") for _ in asked)
            stop.wait(20)
        finally:
            self.left.release()


def test_a_stop_ends_an_answer_at_once_here_and_there(serve_chat) -> None:
    endless, stop = Endless(), threading.Event()
    remote = Remote(serve_chat(endless), "right")
    for step in remote.answer([ask(TUNED)], stop):
        if step[0].text:
            began = time.monotonic()
            stop.set()
    assert time.monotonic() - began < 2, "it does not wait for the next word"
    assert step[0].text == "so"
    assert step[0].proof
    assert step[0].proof.ended == "stopped"
    assert endless.left.acquire(timeout=3)


def test_one_of_several_is_stopped_alone(serve_chat) -> None:
    stop = threading.Event()
    remote = Remote(serve_chat(ScriptedChat(SAYS, pace=0.05)), "right")
    stopped = replace(ask(TUNED), stop=stop)
    for step in remote.answer([ask(TUNED), stopped], threading.Event()):
        if step[1].text:
            stop.set()
    assert step[0].text == "You asked hello with seed 17, I think"
    assert step[1].proof
    assert step[1].proof.ended == "stopped"
    assert len(step[1].text) < len(step[0].text)


def test_a_reader_who_leaves_ends_the_answer_there(serve_chat) -> None:
    chat = ScriptedChat({"tuned": "so " * 1_000}, pace=0.02)
    reading = Remote(serve_chat(chat), "right").answer([ask(TUNED)], threading.Event())
    while not next(reading)[0].text:
        pass
    reading.close()
    wait_until(lambda: chat.left, seconds=5)


def refusal(remote: Chat, *asked: Asked) -> UserError:
    with pytest.raises(UserError) as raised:
        last(remote, *asked or [ask(TUNED)])
    return raised.value


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        error = refusal(Remote(url))
    assert isinstance(error, AccessError)
    assert str(error).startswith(f"The server at {url} cannot be reached:")


def test_a_wrong_key_is_told(serve_chat, chat: ScriptedChat) -> None:
    for key in ("wrong", ""):
        error = refusal(Remote(serve_chat(chat), key))
        assert isinstance(error, AccessError)
        assert "refuses the key" in str(error)


def test_a_model_that_the_server_does_not_have_is_told_for_both_sides(remote: Remote) -> None:
    error = refusal(remote, ask(BASE), ask(OTHER))
    assert isinstance(error, ModelError)
    assert f"has no model '{OTHER.run}'" in str(error)
    assert f"`tandem vllm {OTHER.run}`" in str(error)


def test_an_address_that_is_no_api_is_told(serve_chat, chat: ScriptedChat) -> None:
    error = refusal(Remote(serve_chat(chat).removesuffix("/v1"), "right"))
    assert "Give the address that ends in /v1." in str(error)
    with pytest.raises(ConfigError, match="no address of a server"):
        Remote("localhost:8000")


class Refusing:
    def __init__(self, error: UserError, first: str = "") -> None:
        self.error, self.first = error, first

    def answer(self, asked: Sequence[Asked], stop: threading.Event) -> Iterator[tuple[Answer, ...]]:
        yield (Answer(self.first),)
        raise self.error


def test_what_the_server_refuses_is_told_in_its_words(serve_chat) -> None:
    too_long = Refusing(ModelError("The conversation is too long."))
    error = refusal(Remote(serve_chat(too_long), "right"))
    assert "refuses: The conversation is too long." in str(error)
    busy = refusal(Remote(serve_chat(Refusing(DeviceBusy("200 wait."))), "right"))
    assert isinstance(busy, DeviceBusy)
    assert str(busy).endswith("is busy: 200 wait.")
    late = refusal(Remote(serve_chat(Refusing(ModelError("It is gone."), "You")), "right"))
    assert str(late).endswith("refuses: It is gone.")


def test_many_visitors_are_asked_for_at_the_same_time(remote: Remote, chat: ScriptedChat) -> None:
    asked = [ask(TUNED, f"{n}") for n in range(12)]
    answers = last(Crowd(remote), *asked)
    assert [answer.text.split()[2] for answer in answers] == [f"{n}" for n in range(12)]
    assert len(chat.heard) == 12
