"""The app behind shared links under a prefix of a real nginx, as the README says to place it."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from gradio_client import Client

from assistant.access import hash_password
from assistant.links import Limits
from assistant.ui.app import build_app
from tests.conftest import ScriptedChat, wait_until
from tests.served import Served, hosting, lines

# What the README tells to write; the rest is what any nginx has around it.
PLACE = """
    location /bots/ {
        proxy_pass %s/;
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
    }
"""
AROUND = """
daemon off; pid nginx.pid; error_log error.log; worker_processes 1;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server { listen 127.0.0.1:%d; %s }
}
"""
WORDS = " ".join(f"word{n}" for n in range(12))


@pytest.fixture
def nginx() -> str:
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if found is None:
        pytest.skip("nginx is not installed (Debian: apt-get install nginx-light)")
    return found


@pytest.fixture
def chat() -> ScriptedChat:
    return ScriptedChat({None: WORDS, "tuned": WORDS}, doing="waiting: nobody is before you")


@pytest.fixture
def served(workspace: Path, chat: ScriptedChat) -> Iterator[Served]:
    with hosting(workspace, chat) as served:
        yield served


@contextmanager
def placed(nginx: str, folder: Path, url: str) -> Iterator[str]:
    """Where visitors find what is at an address: /bots/ on nginx's own port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    folder.mkdir()
    (folder / "nginx.conf").write_text(AROUND % (port, PLACE % url.rstrip("/")))
    arguments = [nginx, "-p", str(folder), "-c", "nginx.conf", "-e", str(folder / "error.log")]
    with subprocess.Popen(arguments) as process:

        def listens() -> bool:
            assert process.poll() is None, (folder / "error.log").read_text()
            with socket.socket() as line:
                return line.connect_ex(("127.0.0.1", port)) == 0

        wait_until(listens)
        try:
            yield f"http://127.0.0.1:{port}/bots"
        finally:
            process.terminate()


@pytest.fixture
def outside(nginx: str, served: Served, tmp_path: Path) -> Iterator[str]:
    with placed(nginx, tmp_path / "nginx", served.url) as address:
        yield address


def test_page_question_and_rating_work_under_a_prefix(served: Served, outside: str) -> None:
    token = served.link(password=hash_password("sesame"))
    with httpx.Client(base_url=f"{outside}/c/{token}/") as visitor:
        moved = visitor.get(f"{outside}/c/{token}", follow_redirects=True)
        assert str(moved.url) == f"{outside}/c/{token}/"
        assert "../../look/page.js" in moved.text
        assert visitor.get("../../look/page.js").headers["content-type"].startswith("text/java")
        assert visitor.get("bot").json()["needs"] == "password"
        assert visitor.post("enter", json={"password": "sesame"}).status_code == 204
        assert visitor.get("bot").json()["characters"] == 500
        assert {cookie.path for cookie in visitor.cookies.jar} == {f"/bots/c/{token}"}
        last = lines(visitor.post("ask", json={"question": "May I?"}))[-1]
        assert last["texts"] == [WORDS, WORDS]
        rating = {"receipt": last["receipt"], "column": 1, "good": True}
        assert visitor.post("rate", json=rating).status_code == 204
        assert served.links.use(served.links.list()[0].id).up == 1
        assert httpx.get(f"{outside}/docs").status_code == 404


def test_words_come_through_as_they_are_said(
    served: Served, chat: ScriptedChat, outside: str
) -> None:
    chat.pace = 0.1
    with httpx.Client(base_url=f"{outside}/c/{served.link()}/") as visitor:
        visitor.get("bot")
        came = []
        with visitor.stream("POST", "ask", json={"question": "May I?"}) as answer:
            assert answer.status_code == 200
            for line in answer.iter_lines():
                came.append((time.monotonic(), json.loads(line)))
        (first, told), (last, whole) = came[0], came[-1]
        assert told["doing"].startswith("waiting")
        assert whole["ended"]
        assert last - first > 0.8, "all came at once: nginx held it back"


def test_closing_the_request_ends_the_answer_behind_nginx(
    served: Served, chat: ScriptedChat, outside: str
) -> None:
    chat.pace = 0.1
    with httpx.Client(base_url=f"{outside}/c/{served.link()}/") as visitor:
        visitor.get("bot")
        with visitor.stream("POST", "ask", json={"question": "May I?"}) as answer:
            next(answer.iter_lines())
        wait_until(lambda: chat.left == 1, seconds=5)


def test_visitors_behind_nginx_are_told_apart_by_their_address(
    served: Served, outside: str
) -> None:
    """What a visitor says of its own address does not count; what nginx says does."""
    token = served.link(limits=Limits(per_minute=1))

    def asks(address: str, claims: str) -> int:
        source = httpx.HTTPTransport(local_address=address)
        headers = {"X-Forwarded-For": claims}
        there = f"{outside}/c/{token}/"
        with httpx.Client(base_url=there, transport=source, headers=headers) as visitor:
            visitor.get("bot")
            return visitor.post("ask", json={"question": "May I?"}).status_code

    assert [asks("127.0.0.2", f"10.0.0.{n}") for n in range(6)] == [200] * 5 + [429]
    assert asks("127.0.0.3", "10.0.0.0") == 200


def test_the_workbench_works_under_a_prefix_that_it_was_told(
    nginx: str, workspace: Path, tmp_path: Path
) -> None:
    freed: list[bool] = []
    app = build_app(workspace, ScriptedChat({}), unload=lambda: freed.append(True))
    told = {"root_path": "/bots", "prevent_thread_lock": True, "quiet": True, "_frontend": False}
    app.launch(**told)
    with placed(nginx, tmp_path / "nginx", f"http://127.0.0.1:{app.server_port}") as address:
        page = httpx.get(f"{address}/")
        assert page.status_code == 200
        assert f'"root":"{address}"' in page.text
        client = Client(f"{address}/", verbose=False)
        client.predict(api_name="/unload_model")
        app.close()
        client.close()
    assert freed == [True]
