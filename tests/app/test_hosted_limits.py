"""How much strangers may ask, rate and guess behind a shared link, and what they can hold up."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from assistant.access import hash_password
from assistant.links import Limits
from tests.conftest import ScriptedChat, wait_until
from tests.served import HOST, Served, hosting, lines, receipt_of, refuses

pytestmark = pytest.mark.slow

SAYS = {None: "Who knows?", "tuned": "You asked: {question}"}


@pytest.fixture
def chat() -> ScriptedChat:
    return ScriptedChat(SAYS)


@pytest.fixture
def hosted(workspace: Path, chat: ScriptedChat) -> Iterator[Served]:
    with hosting(workspace, chat) as hosted:
        yield hosted


def test_passwords_cannot_be_guessed_one_after_the_other(hosted: Served) -> None:
    with hosted.visitor(hosted.link(password=hash_password("sesame"))) as client:
        for n in range(5):
            refuses(client.post("enter", json={"password": f"guess {n}"}), 403)
        answer = client.post("enter", json={"password": "sesame"})
        refuses(answer, 429)
        assert int(answer.headers["retry-after"]) > 0


def test_whoever_keeps_no_cookies_cannot_ask_and_who_throws_them_away_gains_little(
    hosted: Served, chat: ScriptedChat
) -> None:
    token = hosted.link(limits=Limits(per_minute=1, per_minute_of_all=50))
    ask = f"{hosted.url}/c/{token}/ask"
    for cookie in ("", "visitor=made-up", f"visitor={token}", "visitor=a.b; visitor=c.d"):
        answer = httpx.post(ask, json={"question": "May I?"}, headers={"Cookie": cookie})
        refuses(answer, 403)
    granted = []
    for _ in range(8):
        with hosted.visitor(token) as client:
            granted.append(client.post("ask", json={"question": "May I?"}).status_code)
    assert granted == [200] * 5 + [429] * 3  # five visitors' worth for one address
    assert len(chat.heard) == 5


def test_questions_beyond_a_limit_are_refused_and_say_how_long(
    hosted: Served, chat: ScriptedChat
) -> None:
    for limits in ({"per_minute": 2}, {"per_minute_of_all": 2}, {"per_day": 2}):
        heard = len(chat.heard)
        with hosted.visitor(hosted.link(limits=Limits(**limits))) as client:
            asked = [client.post("ask", json={"question": "May I?"}) for _ in range(4)]
        assert [answer.status_code for answer in asked] == [200, 200, 429, 429]
        assert int(asked[-1].headers["retry-after"]) > 0
        refuses(asked[-1], 429)
        assert len(chat.heard) == heard + 2
        assert hosted.links.use(hosted.links.list()[0].id).refused == 2


def test_an_answer_is_counted_once_however_often_it_is_rated(hosted: Served) -> None:
    with hosted.visitor(hosted.link()) as client:
        rating = {"receipt": receipt_of(client), "column": 1, "good": False}
        client.post("rate", json=rating)
        client.post("rate", json=rating | {"comment": "No."})
        for _ in range(5):
            client.post("rate", json=rating)
    use = hosted.links.use(hosted.links.list()[0].id)
    assert (use.up, use.down) == (0, 1)


def test_ratings_come_to_an_end_also_from_new_visitors(hosted: Served) -> None:
    token = hosted.link()
    with hosted.visitor(token) as client:
        rating = {"receipt": receipt_of(client), "column": 0, "good": True}
    for _ in range(6):
        with hosted.visitor(token) as client:
            said = [client.post("rate", json=rating) for _ in range(20)]
    refuses(said[-1], 429)
    assert int(said[-1].headers["retry-after"]) > 0


def test_who_does_not_read_holds_up_nobody_and_who_leaves_may_ask_again(workspace: Path) -> None:
    words = " ".join(f"word{n}" for n in range(400))
    chat = ScriptedChat({None: words, "tuned": words}, pace=0.02)
    with hosting(workspace, chat) as hosted:
        token = hosted.link()
        with hosted.visitor(token) as client:
            sent = client.build_request("POST", "ask", json={"question": "May I?"})
            unread = client.send(sent, stream=True)
            refuses(client.post("ask", json={"question": "And now?"}), 429)  # one at a time
            chat.pace = 0
            with hosted.visitor(token) as other:
                before = time.monotonic()
                assert lines(other.post("ask", json={"question": "May I?"}))[-1]["ended"]
                assert time.monotonic() - before < 5
            unread.close()
            wait_until(lambda: client.post("ask", json={"question": "Now?"}).status_code == 200)


def test_leaving_before_the_first_word_leaves_nothing_behind(workspace: Path) -> None:
    chat = ScriptedChat(SAYS, pace=0.05, doing="waiting")
    with hosting(workspace, chat) as hosted:
        token = hosted.link(limits=Limits(per_minute=100))
        with hosted.visitor(token) as client:
            body = b'{"question": "May I?"}'
            head = f"POST /c/{token}/ask HTTP/1.1\r\n{HOST}Content-Type: application/json\r\n"
            head += f"Cookie: visitor={client.cookies['visitor']}\r\n"
            head += f"Content-Length: {len(body)}\r\n\r\n"
            for n in range(20):
                with hosted.line() as line:
                    line.sendall(head.encode() + body)
                    time.sleep(0.002 * n)
                time.sleep(0.05)

            def answered() -> bool:
                return client.post("ask", json={"question": "Now?"}).status_code == 200

            wait_until(answered, seconds=5)


def test_many_connections_that_say_nothing_keep_nobody_out(hosted: Served) -> None:
    idle = [hosted.line() for _ in range(200)]
    for line in idle:
        line.sendall(b"POST /c/x/ask HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n{")
    try:
        with hosted.visitor(hosted.link()) as client:
            assert client.post("ask", json={"question": "May I?"}).status_code == 200
    finally:
        for line in idle:
            line.close()
