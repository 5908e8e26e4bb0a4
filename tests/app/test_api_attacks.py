"""What strangers, and holders of a key, may try against the API of the bots behind links."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from assistant.hosted.door import Door
from assistant.link_store import Links
from assistant.links import Limits, Link
from assistant.store import Store
from tests.conftest import ScriptedChat
from tests.served import SECRET, SIDES, Served, hosting

MAY_I = {"model": "", "messages": [{"role": "user", "content": "May I?"}]}


@pytest.fixture
def chat() -> ScriptedChat:
    return ScriptedChat({None: "Who knows?", "tuned": "You asked: {question}"})


@pytest.fixture
def served(workspace: Path, chat: ScriptedChat) -> Iterator[Served]:
    with hosting(workspace, chat) as served:
        yield served


def new_link(served: Served, **known: Any) -> Link:
    return served.links.add(Link.parse({"sides": SIDES} | known))


def refuses(answer: httpx.Response, *statuses: int) -> None:
    """In the shape that OpenAI's clients read, and with nothing of what is inside."""
    assert answer.status_code in statuses, (answer.status_code, answer.text[:200])
    assert answer.json()["error"]["message"]
    assert not SECRET.search(answer.text), answer.text


def test_no_key_but_a_good_one_opens_the_api(
    served: Served, chat: ScriptedChat, tmp_path: Path
) -> None:
    link, door = new_link(served), served.door
    good = door.key(link)
    revoked = new_link(served)
    past = new_link(served, expires=datetime.now(UTC) - timedelta(seconds=1))
    foreign = Links(Store.in_workspace(tmp_path))
    keys = {
        "of a link taken back": door.key(revoked),
        "of a link that ran out": door.key(past),
        "of another workspace": Door(foreign).key(foreign.add(Link(sides=SIDES))),
        "a link's token": door.token(link),
        "a link's token, dressed as a key": f"td-{door.token(link)}",
        "a visitor's cookie": f"td-{door.new_visitor()}",
        "changed": good[:-1] + ("A" if good[-1] != "A" else "B"),
        "cut off": good[:-8],
        "unsigned": good.rsplit(".", 1)[0],
        "nothing of it": "td-",
        "long": "td-" + "A" * 20_000,
    }
    served.links.revoke(revoked.id)
    headers = [f"Bearer {key}".encode() for key in keys.values()]
    headers += [b"", b"Bearer", b"Bearer \xff\xfe", b"Basic " + good.encode(), good.encode()]
    with httpx.Client(base_url=served.url) as client:
        for header in headers:
            known = {b"Authorization": header}
            refuses(client.get("v1/models", headers=known), 401, 410)
            refuses(client.post("v1/chat/completions", json=MAY_I, headers=known), 401, 410)
        told = client.get("v1/models", headers={"Authorization": f"Bearer {good}"}).json()
        assert len(told["data"]) == 2
        assert client.get(f"v1/models?api_key={good}").status_code == 401
        cookies = {"Cookie": f"in={good}; visitor={good}"}
        assert client.get("v1/models", headers=cookies).status_code == 401
    assert chat.heard == []


def test_whoever_has_a_key_can_ask_and_nothing_else(served: Served, chat: ScriptedChat) -> None:
    link = new_link(served, limits=Limits(per_minute=600, per_minute_of_all=600))
    door_key = {"Authorization": f"Bearer {served.door.key(link)}"}
    with httpx.Client(base_url=served.url, headers=door_key) as client:
        model = client.get("v1/models").json()["data"][0]["id"]
        picture = {"type": "image_url", "image_url": {"url": f"{served.url}/v1/models"}}
        wrong: list[dict[str, Any]] = [
            {"messages": [{"role": "user", "content": [picture]}]},
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a" * 600}]}]},
            {"messages": []},
            {"messages": MAY_I["messages"] * 201},
            {"messages": [{"role": "tool", "content": "x", "tool_call_id": "x"}]},
            {"model": "../../etc/passwd"},
            {"model": "bundled:nothing"},
            {"model": "http://127.0.0.1/x"},
            {"tools": [{"type": "function", "function": {"name": "x"}}]},
            {"n": 100},
            {"logit_bias": {"1": 100}},
            {"max_tokens": -1},
            {"temperature": 1e308},
            {"temperature": "NaN"},
            {"seed": -1},
            {"stop": ["x"] * 5},
            {"stream": "maybe"},
        ]
        for body in wrong:
            given = MAY_I | {"model": model} | body
            answer = client.post("v1/chat/completions", json=given)
            refuses(answer, 400, 404, 422)
        kind = {"content-type": "application/json"}
        for raw in (b"", b"{", b"[]", b"[" * 45_000, b'{"model": "\xff"}', rb'{"model": "\ud83d"}'):
            answer = client.post("v1/chat/completions", content=raw, headers=kind)
            assert answer.status_code in {400, 422}
            assert not SECRET.search(answer.text)
        assert client.post("v1/chat/completions", content=b" " * 2**20).status_code == 413
        for path in (
            "completions",
            "embeddings",
            "files",
            "fine_tuning/jobs",
            "models/x",
            "responses",
        ):
            assert client.post(f"v1/{path}", json={}).status_code in {404, 405}
        assert chat.heard == []
        asked = client.post("v1/chat/completions", json=MAY_I | {"model": model})
        assert asked.status_code == 200, asked.text
        served.links.revoke(link.id)
        refuses(client.post("v1/chat/completions", json=MAY_I | {"model": model}), 410)


def test_a_key_does_not_ask_more_than_its_link_allows(served: Served, chat: ScriptedChat) -> None:
    link = new_link(served, limits=Limits(per_day=2))
    door_key = {"Authorization": f"Bearer {served.door.key(link)}"}
    with httpx.Client(base_url=served.url, headers=door_key) as client:
        model = client.get("v1/models").json()["data"][0]["id"]
        for _ in range(4):
            answer = client.post("v1/chat/completions", json=MAY_I | {"model": model})
        refuses(answer, 429)
        assert int(answer.headers["retry-after"]) > 0
    assert len(chat.heard) == 2
