"""Choosing a base on the page: what the Hub offers, its download, and what may be named."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import gradio as gr
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from assistant.downloads import Downloads
from assistant.ui.bar import Bar, base_choices, base_from_page, make_bar
from assistant.ui.bases import base_section, table_view
from tests.conftest import wait_until
from tests.scripted_hub import ScriptedHub, served
from tests.unit.test_bases import FILES, HUB_ID
from trainer.bundled import bundled_bases
from trainer.cache import Cache
from trainer.corpus.library import Corpora
from trainer.errors import ModelError
from trainer.hub import Hub
from trainer.machine import Machine
from trainer.runs import Runs
from trainer.suggested import SUGGESTED

Serve = Callable[[gr.Blocks], AbstractContextManager[Client]]
MACHINE = Machine(cores=2, memory_bytes=8 * 10**9, available_bytes=6 * 10**9, rate=1e11)


@pytest.fixture
def scripted() -> Iterator[ScriptedHub]:
    (bundled,) = bundled_bases().values()
    real = {file.name: file.read_bytes() for file in bundled.iterdir() if file.suffix != ".py"}
    pickled = {name: body for name, body in FILES.items() if not name.endswith(".safetensors")}
    with served(ScriptedHub({HUB_ID: real, "owner/pickled": pickled})) as hub:
        yield hub


@pytest.fixture
def hub(scripted: ScriptedHub, tmp_path: Path) -> Hub:
    return Hub(scripted.url, Cache(tmp_path / "hub"))


def page(corpora: Corpora, runs: Runs, models: Path, hub: Hub) -> gr.Blocks:
    with gr.Blocks() as app:
        bar: Bar = make_bar(corpora, runs, models)
        base_section(bar, models, hub)
    return app


def test_a_base_is_fetched_from_the_page_with_progress_and_then_listed(
    corpora: Corpora, runs: Runs, tmp_path: Path, hub: Hub, serve: Serve
) -> None:
    with serve(page(corpora, runs, tmp_path / "models", hub)) as client:
        job = client.submit(HUB_ID, api_name="/fetch_base")
        last = job.result(timeout=60)
        told = [str(line) for line, _ in job.outputs()]
    assert f"Fetching <b>{HUB_ID}</b>" in told[0]
    assert any(f"{HUB_ID} is here and ready" in said for said in told)
    assert [f"{HUB_ID} (fetched, 9M)", HUB_ID] in last[1]["choices"]
    assert base_from_page(HUB_ID, tmp_path / "models", hub.cache) == HUB_ID


def test_a_base_of_no_use_is_refused_under_the_bar_in_the_cores_own_words(
    corpora: Corpora, runs: Runs, tmp_path: Path, hub: Hub, serve: Serve
) -> None:
    with serve(page(corpora, runs, tmp_path / "models", hub)) as client:
        job = client.submit("owner/pickled", api_name="/fetch_base")
        job.result(timeout=60)
        said = [str(line) for line, _ in job.outputs()]
        assert any("its weights are in pytorch_model.bin" in line for line in said)
        with pytest.raises(AppError, match="on this machine already"):
            client.predict("bundled:pocket", api_name="/fetch_base")
        with pytest.raises(AppError, match="is not a base model of the list nor a Hub id"):
            client.predict("/etc", api_name="/fetch_base")
        with pytest.raises(AppError, match="Nothing is being fetched"):
            client.predict(HUB_ID, api_name="/stop_fetch")


def test_two_tabs_share_one_download_and_either_may_stop_it(
    scripted: ScriptedHub, hub: Hub
) -> None:
    downloads = Downloads(hub)
    scripted.go = threading.Event()
    first, second = downloads.begin(HUB_ID), downloads.begin(HUB_ID)
    assert first is second
    wait_until(scripted.weights_asked)
    second.stop()
    scripted.go.set()
    wait_until(lambda: not first.going_on)
    assert downloads.find(HUB_ID) is None
    assert hub.cache.folder(HUB_ID) is None
    for _ in downloads.begin(HUB_ID).watch(0.01):
        pass
    assert hub.cache.folder(HUB_ID)


def test_a_download_that_fails_says_why_to_whoever_watches(hub: Hub) -> None:
    download = Downloads(hub).begin("owner/nothing")
    with pytest.raises(ModelError, match="The Hub has no model 'owner/nothing'"):
        list(download.watch(0.01))


def test_a_browser_names_what_is_listed_or_a_hub_id_and_no_path(tmp_path: Path) -> None:
    models, cache = tmp_path / "models", Cache(tmp_path / "hub")
    (models / "ours").mkdir(parents=True)
    (models / "ours" / "config.json").write_text("{}")
    choices = base_choices(models, cache)
    assert choices == [
        ("pocket (bundled, 9M)", "bundled:pocket"),
        ("ours (folder)", str(models / "ours")),
    ]
    assert base_from_page(str(models / "ours"), models, cache) == str(models / "ours")
    assert base_from_page(" owner/new ", models, cache) == "owner/new"
    for path in ("/etc", "../models/ours", "tests/unit", str(models), "", "bundled:nope"):
        with pytest.raises(ModelError, match="is not a base model of the list"):
            base_from_page(path, models, cache)


def test_the_table_has_a_button_for_every_suggestion_and_marks_what_is_here() -> None:
    view = table_view({"Qwen/Qwen3-0.6B"}, MACHINE)
    assert re.findall(r'data-base="([^"]+)"', view) == [base.hub_id for base in SUGGESTED]
    assert view.count("<b>here</b>") == 1
    assert "13 GB to tune (too much here)" in view
    assert "3 GB to tune</td>" in view
    assert "accept it on its page" in view
