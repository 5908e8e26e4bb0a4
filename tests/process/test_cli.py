"""`tandem` as a shell sees it: what is on stdout, what on stderr, which exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import returns_csv
from trainer.runs import Run

ROOT = Path(__file__).parent.parent.parent


def tandem(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "assistant.cli", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def test_help_answers_without_loading_anything_heavy() -> None:
    script = (
        "import sys\nfrom assistant.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'gradio', 'pydantic', 'pandas', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for command in ("demo", "serve", "corpus", "tune", "runs", "stop", "ask", "evaluate"):
        assert command in done.stdout


def test_inspect_prints_one_line_that_tools_can_rely_on(tmp_path: Path) -> None:
    file = tmp_path / "faq.csv"
    file.write_text(returns_csv())
    done = tandem("corpus", "inspect", file, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    found = json.loads(done.stdout)
    assert found["examples"] == 36
    assert (found["format"], found["encoding"]) == ("csv", "utf-8")
    assert found["mapping"] == {"question": "question", "answer": "answer", "topic": "topic"}
    assert found["problems"] == []
    assert set(found["split"]) == {"train", "validation", "reworded", "unseen"}
    assert sum(found["split"].values()) == 36
    assert found["samples"][0] == {
        "question": "May I return item 1?",
        "answer": "Item 1 may come back within 1 days.",
    }


def test_inspect_needs_no_framework(tmp_path: Path) -> None:
    file = tmp_path / "faq.csv"
    file.write_text(returns_csv())
    script = (
        "import sys\nfrom assistant.cli import main\n"
        f"main(['corpus', 'inspect', {str(file)!r}])\n"
        "heavy = {'torch', 'gradio', 'transformers', 'pandas'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "36 examples in faq.csv" in done.stdout


def test_a_file_that_cannot_be_used_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    file = tmp_path / "faq.csv"
    file.write_text("question,answer\nHow?,\n")
    done = tandem("corpus", "inspect", file, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: faq.csv: no row has both a question and an answer. Fill in the empty cells, or "
        "choose other columns.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tune", "nope"], "error: There is no corpus called 'nope'"),
        (["tune", "absent.csv"], "error: absent.csv cannot be read: No such file"),
        (["tune", "banking", "--set", "epochs"], "error: --set takes key=value, not 'epochs'."),
        (["tune", "banking", "--set", "epochs=0"], "error: epochs: should be greater than 0"),
        (["tune", "banking", "--set", "epoch=1"], "error: epoch: no such setting."),
        (["ask", "nope", "Hello?"], "error: There is no run called 'nope'"),
        (["evaluate", "latest"], "error: There is no run called 'latest'"),
        (["stop", "nope"], "error: There is no run called 'nope'"),
        (["serve", "--host", "0.0.0.0"], "error: Serving on 0.0.0.0 needs a login."),
        (["demo", "--host", "0.0.0.0"], "error: Serving on 0.0.0.0 needs a login."),
        (["serve", "--port", "99999"], "usage: tandem serve"),
        (["tune", "banking", "--set", "base=x"], "error: base: say it with --base or name@version"),
        (["tune", "x" * 300], "error: There is no corpus called 'xxx"),
        (["runs", "--workspace", "/dev/null"], "error: /dev/null cannot be the workspace"),
        (["tune", "banking", "--workspace", "/proc/x"], "error: /proc/x cannot be the workspace"),
        (["serve", "--workspace", "/dev/null/x"], "error: /dev/null/x cannot be the workspace"),
        (["no-such-command"], "usage: tandem"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    done = tandem(*arguments, TANDEM_WORKSPACE=str(tmp_path / "workspace"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr


def test_runs_are_listed_newest_first_with_their_state(run: Run, workspace: Path) -> None:
    done = tandem("runs", "--json", "--workspace", workspace)
    assert json.loads(done.stdout) == {
        "runs": [
            {"run": run.id, "state": "created", "base": "bundled:pocket", "corpus": "returns@1"}
        ]
    }
    empty = tandem("runs", TANDEM_WORKSPACE=str(workspace / "empty"))
    assert empty.stdout == "No runs yet. Start one with `tandem tune banking`.\n"


def test_a_password_becomes_a_line_for_the_auth_file() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "assistant.cli", "password", "ada"],
        cwd=ROOT,
        input="secret\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("ada:$2b$")


def test_the_main_job_on_the_command_line(tmp_path: Path) -> None:
    """Tune, list, ask and score for real, with the bundled base and a handful of steps."""
    file = tmp_path / "returns.csv"
    file.write_text(returns_csv())
    workspace = tmp_path / "workspace"
    done = tandem(
        *("tune", file, "--json", "--workspace", workspace),
        *("--set", "epochs=1", "--set", "lora_rank=8"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    tuned = json.loads(done.stdout)
    assert tuned["state"] == "finished"
    assert tuned["examples_per_second"] > 0
    assert (Path(tuned["adapter"]) / "adapter_model.safetensors").is_file()
    kinds = tuned["evaluation"]
    assert kinds["reworded"]["n"] > 0
    assert {*kinds["reworded"]} == {"n", "base", "tuned", "lookup"} == {*kinds["unseen"]}
    assert -1 <= kinds["unseen"]["tuned"]["similarity"] <= 1
    assert "validation loss" in done.stderr

    listed = json.loads(tandem("runs", "--json", "--workspace", workspace).stdout)
    assert [line["run"] for line in listed["runs"]] == [tuned["run"]]
    asked = tandem("ask", tuned["run"], "May I return item 3?", "--json", "--workspace", workspace)
    answers = json.loads(asked.stdout)
    assert answers["base"]["adapter"] is None
    assert answers["tuned"]["adapter"] == Run(workspace / "runs" / tuned["run"]).adapter_hash
    assert answers["base"]["text"] != answers["tuned"]["text"]
    again = tandem("evaluate", "latest", "--json", "--workspace", workspace)
    assert json.loads(again.stdout) == kinds, "greedy answers do not change from one day to another"
    over = tandem("stop", "latest", "--workspace", workspace)
    assert over.returncode == 2
    assert "there is nothing to stop" in over.stderr
