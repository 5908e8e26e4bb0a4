"""`tandem share` and `tandem links`: a link at the terminal, open to a visitor in seconds."""

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from assistant import cli
from tests.links import finish
from trainer.runs import Run

ROOT = Path(__file__).parent.parent.parent


def tandem(workspace: Path, capsys: pytest.CaptureFixture[str], *line: str) -> tuple[int, str, str]:
    code = cli.main([*line, "--workspace", str(workspace)])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_link_is_made_listed_and_taken_back(
    run: Run, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finish(run)
    made = ("share", "latest", "--title", "Ask us", "--limit", "per_day=5", "--no-serve", "--json")
    code, out, _ = tandem(workspace, capsys, *made)
    shown = json.loads(out)
    assert (code, shown["url"].startswith("/c/")) == (0, True)
    code, out, _ = tandem(workspace, capsys, "links")
    assert f"Ask us · {run.id} · open until" in out
    assert shown["url"] in out
    code, out, err = tandem(workspace, capsys, "links", "--revoke", shown["link"][:6])
    assert "opens nothing any more" in err
    (link,) = json.loads(tandem(workspace, capsys, "links", "--json")[1])["links"]
    assert link["revoked"]
    assert link["limits"]["per_day"] == 5
    assert "password" not in link, "not even its hash"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("share", "latest", "--logo", "nowhere.png"), "logo nowhere.png cannot be read"),
        (("share", "latest", "--limit", "per_day"), "--limit takes key=value"),
        (("share", "latest", "--colour", "red"), "look.colour"),
        (("share", "nothing"), "no run called"),
        (("links", "--revoke", "zzz"), "There is no link 'zzz'"),
        (("serve", "--share"), "needs a login"),
        (("serve", "--public-url", "https://bot.example"), "needs a login"),
    ],
)
def test_a_mistake_is_one_sentence(
    run: Run,
    workspace: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    line: tuple[str, ...],
    said: str,
) -> None:
    finish(run)
    code, out, err = tandem(workspace, capsys, *line)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_an_empty_password_makes_no_open_link(
    run: Run, workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(run)
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    code, _, err = tandem(workspace, capsys, "share", "latest", "--password", "--no-serve")
    assert (code, "The password is empty" in err) == (2, True)
    assert "There are no links" in tandem(workspace, capsys, "links")[1]


@pytest.mark.slow
def test_links_given_out_before_open_again_with_the_workbench(
    run: Run, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finish(run)
    made = ("share", "latest", "--no-serve", "--json")
    path = json.loads(tandem(workspace, capsys, *made)[1])["url"]
    command = [sys.executable, "-m", "assistant.cli", "serve", "--workspace", str(workspace)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        address = next(line for line in process.stderr if "links open at" in line).split()[-1]
        assert httpx.get(f"{address}{path}bot").json()["title"] == "Returns"
    finally:
        process.kill()
        process.communicate()


def test_a_shared_link_is_open_to_a_visitor_until_ctrl_c(run: Run, workspace: Path) -> None:
    finish(run)
    # Tests may run where a shell has told everybody to ignore Ctrl-C.
    hears = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    script = hears + "from assistant.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", script, "share", run.id, "--json"]
    command += ["--workspace", str(workspace)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        shown = httpx.get(f"{url}bot").json()
        assert shown["title"] == "Returns"
        assert httpx.get(url).status_code == 200
        assert httpx.get(url.partition("/c/")[0] + "/config").status_code == 404
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(20) == 130
    finally:
        process.kill()
        process.communicate()
