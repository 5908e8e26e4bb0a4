"""What strangers may try against the workbench: its files, the machine's, and other servers."""

import http.server
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import uuid4

import gradio as gr
import httpx
import pytest
from gradio_client import Client, handle_file

from assistant.store import Store
from assistant.ui.app import build_app
from tests.conftest import ScriptedChat, returns_csv
from tests.links import finish
from tests.process.test_launch import WORKER
from trainer.runs import Run

pytestmark = pytest.mark.slow

Serve = Callable[[gr.Blocks], AbstractContextManager[Client]]
PLANTED = "PLANTED-7261"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that the page could read, and show, if anybody got it to."""
    outside = tmp_path / "outside"
    outside.mkdir()
    file = outside / "secret.csv"
    file.write_text(returns_csv(answer=f"{PLANTED} {{n}}"))
    return file


class Canary(http.server.ThreadingHTTPServer):
    """A server of the inner network that nobody should ask."""

    def __init__(self) -> None:
        heard = self.heard = list[str]()

        class Listens(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                heard.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(PLANTED.encode())

            do_HEAD = do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Listens)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/secret.csv"


@pytest.fixture
def canary() -> Iterator[Canary]:
    with Canary() as canary:
        threading.Thread(target=canary.serve_forever, daemon=True).start()
        yield canary
        canary.shutdown()


@pytest.fixture
def app(workspace: Path, run: Run) -> gr.Blocks:
    finish(run)
    Store.in_workspace(workspace)
    chat = ScriptedChat({None: "Who knows", "tuned": "Thirty days"})
    return build_app(workspace, chat, worker=WORKER)


@pytest.fixture
def client(app: gr.Blocks, serve: Serve) -> Iterator[Client]:
    with serve(app) as client:
        yield client


@pytest.fixture
def page(client: Client) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=client.src, timeout=60) as page:
        yield page


def planted_in(folder: Path) -> list[Path]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [file for file in files if PLANTED.encode() in file.read_bytes()]


def given_to(component: Any, word: str) -> Any:
    """What a stranger sends for one input of an endpoint."""
    match type(component).__name__:
        case "File" | "UploadButton" | "DownloadButton" | "Image":
            file = {"path": word, "url": word, "meta": {"_type": "gradio.FileData"}}
            return [file] if getattr(component, "file_count", "") == "multiple" else file
        case "Dataframe":
            return {"headers": [word], "data": [[word]]}
        case "Checkbox":
            return True
        case "Number" | "Slider":
            return component.value or 1
        case "CheckboxGroup":
            return [word]
        case _:
            return word


def said(page: httpx.Client, events: Mapping[int, Sequence[Any]]) -> str:
    """All that comes back for these events, however they end."""
    session, waiting, told = {"session_hash": uuid4().hex}, 0, ""
    for handler, data in events.items():
        body = {"fn_index": handler, "data": data} | session
        joined = page.post("gradio_api/queue/join", json=body)
        told += joined.text
        waiting += joined.status_code == 200
    with page.stream("GET", "gradio_api/queue/data", params=session) as stream:
        lines = stream.iter_lines()
        while waiting:
            told += (line := next(lines))
            waiting -= '"process_completed"' in line
    return told


@pytest.mark.slow
def test_no_handler_reads_a_file_or_an_address_that_a_stranger_names(
    app: gr.Blocks,
    client: Client,
    page: httpx.Client,
    secret: Path,
    canary: Canary,
    workspace: Path,
) -> None:
    assert len(app.fns) > 100
    before = secret.read_bytes()
    for word in (str(secret), f"../../{secret.parent.name}/{secret.name}", canary.url):
        told = said(
            page,
            {
                place: [given_to(component, word) for component in handler.inputs]
                for place, handler in app.fns.items()
            },
        )
        assert told.count('"success":true') > 50, "most handlers had nothing to refuse"
        assert PLANTED not in told
        assert "Traceback" not in told
    assert canary.heard == []
    assert [file.name for file in secret.parent.iterdir()] == [secret.name]
    assert secret.read_bytes() == before

    assert not planted_in(workspace)
    client.predict([handle_file(secret)], api_name="/upload_corpus")
    assert planted_in(workspace), "whoever hands it over may teach it"


def test_only_what_the_page_handed_out_can_be_fetched(
    page: httpx.Client, secret: Path, canary: Canary, workspace: Path, run: Run
) -> None:
    named = [
        str(secret),
        f"{workspace}/tandem.db",
        f"{run.path}/config.json",
        f"{workspace}/../outside/secret.csv",
        "/etc/passwd",
        "/proc/self/environ",
        "//etc/passwd",
        "..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "file:///etc/passwd",
        "/tmp/gradio/../../etc/passwd",
        "assistant/cli.py",
        canary.url,
        canary.url.replace("127.0.0.1", "localhost"),
        canary.url.replace("127.0.0.1", "0x7f000001"),
        canary.url.replace("127.0.0.1", "[::ffff:127.0.0.1]"),
    ]
    for name in named:
        for place in (f"gradio_api/file={name}", f"gradio_api/file/{name}", f"file={name}"):
            answer = page.get(place)
            assert answer.status_code in {403, 404, 400}, (place, answer.status_code)
            assert PLANTED not in answer.text
            assert "root:" not in answer.text
        answer = page.get(f"gradio_api/proxy={name}")
        assert answer.status_code >= 400, name
    assert canary.heard == []


def test_an_upload_stays_in_its_own_folder_and_is_not_endless(
    page: httpx.Client, tmp_path: Path
) -> None:
    names = [
        "../../../../../../tmp/planted.csv",
        "/tmp/planted.csv",
        "..\\planted.csv",
        "a\x00.csv",
    ]
    for name in names:
        answer = page.post("gradio_api/upload", files={"files": (name, PLANTED)})
        if answer.status_code == 200:
            (kept,) = answer.json()
            assert Path(kept).resolve().is_relative_to(Path("/tmp/gradio").resolve()), kept
    assert not Path("/tmp/planted.csv").exists()


BROUGHT = [
    ("POST", "gradio_api/vibe-edit"),
    ("GET", "gradio_api/vibe-code"),
    ("GET", "monitoring/x"),
    ("GET", "custom_component/x/client/component/..%2f..%2fx.py"),
    ("GET", "gradio_api/custom_component/x/client/component/..%2f..%2fx.py"),
    ("GET", "static/..%2f..%2froutes.py"),
    ("GET", "assets/..%2f..%2froutes.py"),
    ("GET", "svelte/..%2f..%2f..%2froutes.py"),
]


def test_what_gradio_brings_along_is_off(page: httpx.Client) -> None:
    for method, path in BROUGHT:
        answer = page.request(method, path, json={"prompt": "x"} if method == "POST" else None)
        assert 400 <= answer.status_code < 500, (path, answer.text[:200])
