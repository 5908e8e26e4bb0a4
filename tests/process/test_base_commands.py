"""`tandem bases` and `tandem fetch` as a shell sees them, against a small Hub of our own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripted_hub import ScriptedHub, served
from tests.unit.test_bases import FILES, HUB_ID
from trainer.bundled import bundled_bases

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def hub() -> Iterator[ScriptedHub]:
    (bundled,) = bundled_bases().values()
    real = {file.name: file.read_bytes() for file in bundled.iterdir() if file.suffix != ".py"}
    pickled = {name: body for name, body in FILES.items() if not name.endswith(".safetensors")}
    with served(ScriptedHub({HUB_ID: real, "owner/pickled": pickled})) as scripted:
        yield scripted


def tandem(
    hub: ScriptedHub, folder: Path, *arguments: str | Path
) -> subprocess.CompletedProcess[str]:
    told = {"HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "hf"), "HF_HUB_CACHE": ""}
    environment = {name: value for name, value in (os.environ | told).items() if value}
    return subprocess.run(
        [sys.executable, "-m", "assistant.cli", *arguments, "--workspace", folder / "workspace"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_what_was_fetched_is_listed_and_not_fetched_twice(hub: ScriptedHub, tmp_path: Path) -> None:
    before = json.loads(tandem(hub, tmp_path, "bases", "--json").stdout)
    assert [base["base"] for base in before["here"]] == ["bundled:pocket"]
    done = tandem(hub, tmp_path, "fetch", HUB_ID, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (Path(found["folder"]) / "model.safetensors").is_file()
    assert f"{HUB_ID} is 0.02 GB." in done.stderr
    after = json.loads(tandem(hub, tmp_path, "bases", "--json").stdout)
    (bundled, fetched) = after["here"]
    assert (fetched["base"], fetched["kind"]) == (HUB_ID, "fetched")
    assert fetched["weights"] == bundled["weights"]
    hub.asked.clear()
    again = tandem(hub, tmp_path, "fetch", HUB_ID)
    assert "of which 0.02 are here" in again.stderr
    assert hub.weights_asked() == []


def test_a_base_of_no_use_is_one_sentence_and_exit_code_2(hub: ScriptedHub, tmp_path: Path) -> None:
    done = tandem(hub, tmp_path, "fetch", "owner/pickled")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: 'owner/pickled' cannot be loaded: its weights are in")
    assert hub.weights_asked() == []


def test_the_suggestions_are_told_with_their_size_and_licence(
    hub: ScriptedHub, tmp_path: Path
) -> None:
    said = tandem(hub, tmp_path, "bases").stdout
    assert "bundled:pocket  9M, bundled" in said
    assert "Qwen/Qwen3-0.6B\n      596M; 1.5 GB;" in said
    assert "Apache 2.0 (free for business)" in said
    assert "accept it on its page first" in said
