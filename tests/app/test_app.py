"""The page as a browser sees it: through its endpoints."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio_client import Client, handle_file

from assistant.conversation import ChatModel
from assistant.ui.app import build_app
from tests.conftest import ScriptedModel, returns_csv, wait_until
from tests.process.scripted_worker import SCRIPTS
from tests.process.test_launch import WORKER
from trainer.corpus.library import Corpora, Corpus
from trainer.runs import Run, Runs
from trainer.work import State

Serve = Callable[[gr.Blocks], AbstractContextManager[Client]]

SETTINGS: dict[str, Any] = {
    "epochs": 1,
    "learning_rate": 1e-4,
    "batch_size": 4,
    "max_length": SCRIPTS["finish"],
    "lora_rank": 4,
    "lora_alpha": 8,
    "lora_dropout": 0,
    "weight_decay": 0,
    "warmup": 0,
    "early_stopping": True,
    "quantization": "nf4",
    "seed": 1,
}


heard: list[Any] = []  # by the tuned model, of all tests


def scripted(run: Run) -> tuple[ChatModel, ChatModel]:
    tuned = ScriptedModel("tuned", "Thirty days", run.adapter_hash)
    tuned.heard = heard
    return ScriptedModel("base", "Who knows"), tuned


@pytest.fixture
def app(workspace: Path) -> gr.Blocks:
    return build_app(workspace, scripted, worker=WORKER)


@pytest.fixture
def finished(run: Run) -> Run:
    from trainer.events import Finished

    run.adapter.mkdir()
    (run.adapter / "adapter_model.safetensors").write_bytes(b"weights")
    run.events.append(Finished(seconds=1, step=9))
    return run


def start(page: Client, **changed: object) -> Any:
    given = {"corpus": "returns", "base": "bundled:pocket"} | SETTINGS | changed
    return page.predict(**given, api_name="/start_run")


def text(message: Any) -> str:
    content = message["content"]
    return content if isinstance(content, str) else content[0]["text"]


def test_only_what_users_do_is_an_endpoint(app: gr.Blocks) -> None:
    assert set(app.get_api_info()["named_endpoints"]) == {
        "/upload_corpus",
        "/show_corpus",
        "/read_again",
        "/decide",
        "/render_example",
        "/find_examples",
        "/edit_examples",
        "/draft_wordings",
        "/add_wordings",
        "/go_back",
        "/rename_corpus",
        "/merge_corpora",
        "/delete_corpus",
        "/start_run",
        "/stop_run",
        "/ask",
        "/score_run",
    }


def test_an_upload_becomes_a_corpus_and_a_bad_one_is_refused_in_words(
    app: gr.Blocks, corpora: Corpora, serve: Serve, tmp_path: Path
) -> None:
    good, bad = tmp_path / "returns.csv", tmp_path / "bad.csv"
    good.write_text(returns_csv())
    bad.write_text("  ")
    with serve(app) as page:
        page.predict([handle_file(str(good))], api_name="/upload_corpus")
        with pytest.raises(Exception, match=r"bad\.csv is empty"):
            page.predict([handle_file(str(bad))], api_name="/upload_corpus")
    assert [c.label for c in corpora.list()] == ["returns@1"]


def test_the_button_starts_the_run_the_command_line_would(
    app: gr.Blocks, runs: Runs, corpus: Corpus, serve: Serve
) -> None:
    with serve(app) as page:
        start(page)
    (run,) = runs.list()
    wait_until(lambda: not run.alive)
    assert run.state() is State.FINISHED
    assert run.config.learning_rate == 1e-4
    assert run.corpus == corpus


def test_a_run_can_be_stopped_and_scored_from_the_page(
    app: gr.Blocks, runs: Runs, corpus: Corpus, serve: Serve
) -> None:
    with serve(app) as page:
        start(page, max_length=SCRIPTS["wait"])
        (run,) = runs.list()
        with pytest.raises(Exception, match=r"is using the device\. Wait until"):
            start(page)
        page.predict(run.id, api_name="/stop_run")
        wait_until(lambda: not run.alive)
        assert run.state() is State.STOPPED
        start(page)
        finished = runs.list()[0]
        wait_until(lambda: not finished.alive)
        page.predict(finished.id, api_name="/score_run")
        wait_until(finished.evaluation)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"epochs": 0}, "epochs: should be greater than 0"),
        ({"corpus": "../../etc"}, "There is no corpus called"),
        ({"base": "/etc"}, "'/etc' is not a base model of the list"),
        ({"base": "../models"}, "is not a base model of the list"),
        ({"base": "data/models"}, "is not a base model of the list"),
        ({"base": ""}, "is not a base model of the list"),
    ],
)
def test_a_mistake_is_shown_in_the_cores_own_words_and_starts_nothing(
    app: gr.Blocks,
    runs: Runs,
    corpus: Corpus,
    serve: Serve,
    changed: dict[str, object],
    said: str,
) -> None:
    with serve(app) as page, pytest.raises(Exception, match=said):
        start(page, **changed)
    assert runs.list() == []


def test_a_folder_in_the_workspace_is_a_base_the_page_may_name(
    workspace: Path, runs: Runs, corpus: Corpus, serve: Serve
) -> None:
    folder = workspace / "models" / "ours"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    with serve(build_app(workspace, scripted, worker=WORKER)) as page:
        start(page, base=str(folder))
    (run,) = runs.list()
    wait_until(lambda: not run.alive)
    assert run.config.base == str(folder)


def test_one_question_gets_two_answers_and_two_histories(
    app: gr.Blocks, finished: Run, serve: Serve
) -> None:
    with serve(app) as page:
        left, right, emptied = page.predict("How long?", finished.id, [], [], api_name="/ask")
        assert [text(m) for m in left] == ["How long?", "Who knows "]
        assert [text(m) for m in right] == ["How long?", "Thirty days "]
        assert emptied == ""
        left, right, _ = page.predict("And then?", finished.id, left, right, api_name="/ask")
        assert [m["role"] for m in right] == ["user", "assistant"] * 2
        assert len(heard[-1]) == 1, "each question stands alone, as in tuning"
        page.predict("And then?", finished.id, left, right, True, api_name="/ask")
        assert [text(m) for m in heard[-1]][1:] == [
            *("Thirty days ", "And then?", "Thirty days ", "And then?"),
        ]


def test_a_question_that_fails_is_given_back(app: gr.Blocks, finished: Run, serve: Serve) -> None:
    with serve(app) as page:
        job = page.submit("How long?", "nope", [], [], api_name="/ask")
        with pytest.raises(Exception, match="no run called 'nope'"):
            job.result()
    assert [(left, right, box) for left, right, box in job.outputs()][-1] == ([], [], "How long?")


@pytest.mark.parametrize("run_id", ["", "nope", "../x"])
def test_a_question_without_a_tuned_model_says_what_to_do(
    app: gr.Blocks, serve: Serve, run_id: str
) -> None:
    with serve(app) as page, pytest.raises(Exception, match=r"Tune one first|no run called"):
        page.predict("How long?", run_id, [], [], api_name="/ask")
