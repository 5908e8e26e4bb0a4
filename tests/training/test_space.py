"""A Space: all in one folder, served at the root of an address, and pushed to the Hub."""

import base64
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import venv
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest
import yaml
from fastapi.testclient import TestClient
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from assistant.hosted.space import built_space, read_bot
from tests.conftest import ScriptedChat, returns_csv
from trainer.config import RunConfig
from trainer.corpus.library import Corpora
from trainer.errors import ConfigError, ModelError
from trainer.export.exporting import export
from trainer.export.preview import ask, load_tuned
from trainer.export.pushing import push_space
from trainer.export.space import write_space
from trainer.export.wheel import requirements, write_wheel
from trainer.finetune import finetune
from trainer.runs import Run, Runs

Commits = list[dict[str, object]]


def new_run(workspace: Path, base: str) -> Run:
    (workspace / "returns.csv").write_text(returns_csv())
    corpus = Corpora(workspace / "corpora").add(workspace / "returns.csv")
    given = {"base": base, "corpus": corpus.name, "version": 1, "epochs": 1}
    return Runs(workspace / "runs").create(RunConfig.parse(given), corpus.split)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """What the page reads of a Space."""
    bot = {"sides": [{"base": "bundled:pocket", "run": "a-run"}], "look": {"title": "Clinic"}}
    (tmp_path / "bot.json").write_text(json.dumps(bot))
    return tmp_path


def test_a_space_opens_at_its_root_without_a_password_and_answers(written: Path) -> None:
    chat = ScriptedChat({"a-run": "Within 30 days."})
    with built_space(written, chat) as app, TestClient(app, follow_redirects=True) as client:
        page = client.get("/")
        assert page.status_code == 200
        assert re.fullmatch(r"/c/[^/]+/", page.url.path)
        assert client.get(f"{page.url.path}bot").json()["title"] == "Clinic"
        said = client.post(f"{page.url.path}ask", json={"question": "How long?"})
        assert json.loads(said.text.splitlines()[-1])["texts"] == ["Within 30 days."]


def test_a_space_works_inside_a_page_of_the_hub_and_of_nobody_else(written: Path) -> None:
    with built_space(written, ScriptedChat({"a-run": "Yes."})) as app:
        with TestClient(app, base_url="https://owner-name.hf.space") as client:
            shown = client.get(f"{client.get('/').url.path}bot")
            (cookie,) = shown.headers.get_list("set-cookie")
            assert "samesite=none" in cookie.lower()
            assert "partitioned" in cookie.lower()
            assert "secure" in cookie.lower()
            policy = shown.headers["content-security-policy"]
            assert policy.endswith("frame-ancestors 'self' https://huggingface.co")
        with TestClient(app, base_url="http://localhost") as client:
            shown = client.get(f"{client.get('/').url.path}bot")
            assert "samesite=lax" in shown.headers["set-cookie"].lower()


def test_what_is_wrong_in_bot_json_is_said_in_words(written: Path) -> None:
    for text, said in (("{", "cannot be read"), ('{"sides": []}', "sides"), ("[]", "cannot be")):
        (written / "bot.json").write_text(text)
        with pytest.raises(ConfigError, match=said):
            read_bot(written)


def test_a_base_from_a_folder_goes_along_merged(tiny_model: Path, tmp_path: Path) -> None:
    run = new_run(tmp_path, str(tiny_model))
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    settings = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")
    get_peft_model(model, settings).save_pretrained(run.adapter)
    write_space(run, tmp_path / "space")
    left = {file.name for file in (tmp_path / "space").iterdir()}
    wheel = f"tandem_assistant-{version('tandem-assistant')}-py3-none-any.whl"
    assert left == {"app.py", "bot.json", "model", "requirements.txt", wheel}
    (side,) = read_bot(tmp_path / "space").sides
    assert side.base == str(tmp_path / "space" / "model")
    assert side.run is None
    assert str(tiny_model) not in (tmp_path / "space" / "bot.json").read_text()


@pytest.mark.slow
def test_the_wheel_installs_and_needs_what_tandem_needs(tmp_path: Path) -> None:
    wheel, site = write_wheel(tmp_path), tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(site), str(wheel)], check=True)
    assert (site / "trainer" / "data" / "models" / "pocket" / "model.safetensors").is_file()
    assert (site / "assistant" / "hosted" / "look" / "index.html").is_file()
    assert (site / "bin" / "tandem").is_file()
    with zipfile.ZipFile(wheel) as packed:
        assert not any("__pycache__" in name for name in packed.namelist())
    assert any(one.startswith("torch>=") for one in requirements())
    assert not any("pytest" in one for one in requirements())


class Pushed(BaseHTTPRequestHandler):
    """As much of the Hub as taking in a folder needs; `commits` hold what came."""

    commits: Commits
    tokens: list[str]

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        self.answer([] if "/tree/" in self.path else {"id": "ada/bot", "sha": "c" * 40})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.tokens.append(self.headers["Authorization"])
        if "/preupload/" in self.path:
            files = [
                {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                for one in json.loads(body)["files"]
            ]
            self.answer({"files": files})
        elif "/commit/" in self.path:
            self.commits.extend(json.loads(line) for line in body.splitlines())
            url = "https://huggingface.co/spaces/ada/bot/commit/" + "c" * 40
            self.answer({"success": True, "commitOid": "c" * 40, "commitUrl": url})
        elif self.path == "/api/validate-yaml":
            self.answer({"warnings": [], "errors": []})
        elif self.path == "/api/repos/create":
            self.commits.append(json.loads(body))
            self.answer({"url": "https://huggingface.co/spaces/ada/bot"})
        else:
            self.send_error(404)

    def answer(self, found: object) -> None:
        content = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def pushed() -> Iterator[tuple[str, type[Pushed]]]:
    kind = type("Here", (Pushed,), {"commits": [], "tokens": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", kind
    server.shutdown()


def test_a_space_is_pushed_whole_with_the_token_of_the_person(
    written: Path, pushed: tuple[str, type[Pushed]]
) -> None:
    url, hub = pushed
    (written / "README.md").write_text("---\nsdk: gradio\n---\n")
    assert push_space(written, "ada/bot", "hf_of_ada", endpoint=url) == f"{url}/spaces/ada/bot"
    assert set(hub.tokens) == {"Bearer hf_of_ada"}
    made, *told = hub.commits
    assert (made["type"], made["sdk"]) == ("space", "gradio")
    files: dict[str, bytes] = {}
    for one in told:
        value: dict[str, str] = one["value"]  # type: ignore[assignment]
        if one["key"] == "file":
            files[value["path"]] = base64.b64decode(value["content"])
    assert files["bot.json"] == (written / "bot.json").read_bytes()
    assert set(files) >= {"README.md", "bot.json"}


def test_without_a_login_or_a_hub_pushing_says_so_in_a_sentence(written: Path) -> None:
    with pytest.raises(ModelError, match="could not be pushed to the Hub"):
        push_space(written, "ada/bot", "hf_of_ada", endpoint="http://127.0.0.1:9")
    with pytest.raises(ModelError, match="nobody is logged in"):
        push_space(written, "ada/bot", None, endpoint="http://127.0.0.1:9")


@pytest.mark.slow
def test_a_space_starts_in_a_fresh_environment_and_answers_as_the_preview(tmp_path: Path) -> None:
    run = new_run(tmp_path, "bundled:pocket")
    finetune(run)
    folder, place = tmp_path / "space", tmp_path / "fresh"
    found = export(run, {"space": folder})["space"]
    assert found.equal == found.asked == 20
    card = yaml.safe_load((folder / "README.md").read_text().split("---")[1])
    assert (card["sdk"], card["app_file"]) == ("gradio", "app.py")

    # What requirements.txt names is borrowed from this environment: it would take a network.
    venv.create(place, with_pip=False)
    (site,) = place.glob("lib/python*/site-packages")
    borrowed = next(path for path in sys.path if path.endswith("site-packages"))
    (site / "borrowed.pth").write_text(borrowed + "\n")
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PORT": str(port)}
    began = time.monotonic()
    command = [str(place / "bin" / "python"), str(folder / "app.py")]
    with subprocess.Popen(command, cwd=tmp_path, env=environment) as serving:
        try:
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}", follow_redirects=True, timeout=120
            ) as client:
                while True:
                    try:
                        page = client.get("/")
                        break
                    except httpx.TransportError:
                        assert serving.poll() is None
                        assert time.monotonic() - began < 120
                        time.sleep(0.2)
                print(f"the page came up in {time.monotonic() - began:.0f} s")
                client.get(f"{page.url.path}bot").raise_for_status()
                asked = {"question": "May I return item 3?"}
                said = client.post(f"{page.url.path}ask", json=asked)
                last = json.loads(said.text.splitlines()[-1])
        finally:
            serving.terminate()
    tuned = ask(load_tuned(run), [asked["question"]], adapter="default", most_new_tokens=160)
    assert last["ended"]
    assert last["texts"] == [tuned.format.text(tuned.told[0].tokens)]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
