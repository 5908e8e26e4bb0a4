"""The page as a browser sees it: through its endpoints."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio_client import Client, handle_file

from assistant.ui.app import build_app
from assistant.ui.tune.settings import form_names, parse_form
from assistant.ui.tune.views import ablation_view
from tests.conftest import ScriptedChat, returns_csv, wait_until
from tests.process.scripted_worker import SCRIPTS
from tests.process.test_launch import WORKER
from trainer.config import RunConfig
from trainer.corpus.library import Corpora, Corpus
from trainer.grid import find_ablation
from trainer.runs import Run, Runs
from trainer.work import State

Serve = Callable[[gr.Blocks], AbstractContextManager[Client]]

USUAL = parse_form("bundled:pocket", {})
SETTINGS: dict[str, Any] = {name: getattr(USUAL, name) for name in form_names()}
SETTINGS |= {"max_length": SCRIPTS["finish"], "learning_rate": 1e-4, "evaluate": True}


CHAT = ScriptedChat({None: "Who knows", "tuned": "Thirty days"})


@pytest.fixture
def app(workspace: Path) -> gr.Blocks:
    return build_app(workspace, CHAT, worker=WORKER)


def start(page: Client, **changed: object) -> Any:
    given = {"corpus": "returns", "base": "bundled:pocket"} | SETTINGS | changed
    return page.predict(**given, api_name="/start_run")


def ended(run: Run) -> Run:
    wait_until(lambda: run.state().over and not run.alive)
    return run


def test_only_what_users_do_is_an_endpoint(app: gr.Blocks) -> None:
    assert set(app.get_api_info()["named_endpoints"]) == {
        "/upload_corpus",
        "/show_corpus",
        "/read_again",
        "/decide",
        "/render_example",
        "/find_examples",
        "/edit_examples",
        "/find_answers",
        "/rate_answer",
        "/stop_scoring",
        "/resume_scoring",
        "/draft_wordings",
        "/add_wordings",
        "/go_back",
        "/rename_corpus",
        "/merge_corpora",
        "/delete_corpus",
        "/choose_preset",
        "/make_it_fit",
        "/try_steps",
        "/start_run",
        "/stop_run",
        "/move_earlier",
        "/move_later",
        "/cancel_waiting",
        "/resume_run",
        "/continue_run",
        "/delete_run",
        "/compare_runs",
        "/queue_ablation",
        "/ask",
        "/regenerate",
        "/edit_question",
        "/stop_answer",
        "/vote",
        "/correct",
        "/flag_answer",
        "/answer_question",
        "/dismiss_question",
        "/teach_answers",
        "/open_conversation",
        "/rename_conversation",
        "/delete_conversation",
        "/unload_model",
        "/score_run",
        "/fetch_base",
        "/stop_fetch",
        "/create_link",
        "/revoke_link",
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
        page.predict(run.id, api_name="/stop_run")
        assert ended(run).state() is State.STOPPED
        start(page)
        finished = ended(runs.list()[0])
        page.predict(finished.id, api_name="/score_run")
        wait_until(finished.evaluation)


def test_runs_wait_for_the_device_and_can_be_moved_and_cancelled(
    app: gr.Blocks, runs: Runs, corpus: Corpus, serve: Serve
) -> None:
    with serve(app) as page:
        start(page, max_length=SCRIPTS["wait"])
        (first,) = runs.list()
        for seed in (2, 3, 4):
            start(page, seed=seed)
        assert [run.config.seed for run in runs.waiting()] == [2, 3, 4]
        two, _, four = runs.waiting()
        page.predict(four.id, api_name="/move_earlier")
        page.predict(two.id, api_name="/move_later")
        assert [run.config.seed for run in runs.waiting()] == [4, 2, 3]
        page.predict(two.id, first.id, api_name="/cancel_waiting")
        assert [run.config.seed for run in runs.waiting()] == [4, 3]
        assert runs.find(two.id) is None
        for endpoint in ("/move_earlier", "/move_later"):
            for wrong in (two.id, first.id, "../x", ""):
                with pytest.raises(Exception, match="does not wait any more"):
                    page.predict(wrong, api_name=endpoint)
        page.predict(first.id, api_name="/stop_run")
        wait_until(lambda: not runs.waiting() and not runs.active())
    assert [run.state() for run in runs.list()] == ["finished", "finished", "stopped"]


def test_a_stopped_run_is_resumed_and_a_finished_one_is_continued_instead(
    app: gr.Blocks, runs: Runs, corpora: Corpora, corpus: Corpus, serve: Serve
) -> None:
    with serve(app) as page:
        start(page, max_length=SCRIPTS["wait"])
        (run,) = runs.list()
        page.predict(run.id, api_name="/stop_run")
        ended(run)
        page.predict(run.id, api_name="/resume_run")
        assert run.state() is State.RUNNING
        page.predict(run.id, api_name="/stop_run")
        ended(run)
        with pytest.raises(Exception, match="has no adapter"):
            page.predict(run.id, 1, api_name="/continue_run")

        start(page)
        parent = ended(runs.list()[0])
        with pytest.raises(Exception, match="there is nothing to resume"):
            page.predict(parent.id, api_name="/resume_run")
        newer = corpora.revise(corpus, corpus.examples[:-1], "edited")
        with pytest.raises(Exception, match="epochs: should be greater than 0"):
            page.predict(parent.id, 0, api_name="/continue_run")
        page.predict(parent.id, 2, api_name="/continue_run")
        child = ended(runs.list()[0])
    assert child.parent == parent
    assert child.corpus == newer
    assert child.config.epochs == 2
    assert child.config.learning_rate == parent.config.learning_rate


def test_deleting_a_run_frees_its_folder_but_not_under_its_worker(
    app: gr.Blocks, runs: Runs, corpus: Corpus, serve: Serve
) -> None:
    with serve(app) as page:
        start(page, max_length=SCRIPTS["wait"])
        (run,) = runs.list()
        with pytest.raises(Exception, match="is at work"):
            page.predict(run.id, api_name="/delete_run")
        page.predict(run.id, api_name="/stop_run")
        ended(run)
        page.predict(run.id, api_name="/delete_run")
        with pytest.raises(Exception, match="no run called"):
            page.predict("../../x", api_name="/delete_run")
    assert runs.list() == []
    assert not run.path.exists()


def test_a_preset_fills_the_form_and_an_unknown_one_is_refused(
    app: gr.Blocks, corpus: Corpus, serve: Serve
) -> None:
    with serve(app) as page:
        page.predict("returns", api_name="/show_corpus")
        passes = [
            dict(zip(SETTINGS, page.predict(name, base, api_name="/choose_preset"), strict=True))
            for base in ("bundled:pocket",)
            for name in ("quick look", "balanced", "thorough")
        ]
        assert passes[0]["epochs"] < passes[1]["epochs"] < passes[2]["epochs"]
        assert passes[1]["epochs"] == USUAL.epochs
        for name, base, said in (
            ("best", "bundled:pocket", "not in the list of choices"),
            ("balanced", "/etc", "not a base model of the list"),
        ):
            with pytest.raises(Exception, match=said):
                page.predict(name, base, api_name="/choose_preset")


def test_settings_that_fit_are_left_as_they_are(
    app: gr.Blocks, corpus: Corpus, serve: Serve
) -> None:
    given = {"base": "bundled:pocket"} | SETTINGS
    with serve(app) as page:
        page.predict("returns", api_name="/show_corpus")
        said, *filled = page.predict(**given, api_name="/make_it_fit")
    assert "It fits as it is" in said
    assert dict(zip(SETTINGS, filled[-len(SETTINGS) :], strict=True)) == SETTINGS


def test_a_trial_waits_for_the_corpus_and_for_a_free_device(
    app: gr.Blocks, runs: Runs, corpus: Corpus, serve: Serve
) -> None:
    given = {"base": "bundled:pocket"} | SETTINGS
    with serve(app) as page:
        with pytest.raises(Exception, match="still being read"):
            page.predict(**given, api_name="/try_steps")
        page.predict("returns", api_name="/show_corpus")
        start(page, max_length=SCRIPTS["wait"])
        with pytest.raises(Exception, match="The device is at work"):
            page.predict(**given, api_name="/try_steps")
        (run,) = runs.list()
        page.predict(run.id, api_name="/stop_run")
        ended(run)


def test_two_runs_are_compared_by_what_differs(
    app: gr.Blocks, runs: Runs, corpus: Corpus, serve: Serve
) -> None:
    with serve(app) as page:
        for rank in (4, 8):
            start(page, lora_rank=rank)
            ended(runs.list()[0])
        one, two = runs.list()
        shown = page.predict(one.id, two.id, api_name="/compare_runs")
        assert "lora_rank" in shown
        assert "lora_alpha" not in shown
        with pytest.raises(Exception, match="another one to compare it with"):
            page.predict(one.id, None, api_name="/compare_runs")


def test_an_ablation_queues_a_run_for_every_combination(
    app: gr.Blocks, runs: Runs, corpus: Corpus, serve: Serve
) -> None:
    plan: dict[str, Any] = {"base": "bundled:pocket", "name": "width", "seeds": 1}
    plan |= {"cleaning": False, "setting_1": "lora_rank", "values_1": "4, 8"}
    plan |= {"setting_2": "lora_targets", "values_2": "all-linear, attention"}
    plan |= {"setting_3": "", "values_3": ""} | SETTINGS
    with serve(app) as page:
        page.predict("returns", api_name="/show_corpus")
        for wrong, said in (
            ({"values_1": "4"}, "lora_rank: give two values or more"),
            ({"setting_1": ""}, "Choose the setting that '4, 8' are values of"),
            ({"setting_1": "base"}, "not in the list of choices"),
            ({"setting_2": "lora_rank"}, "'lora_rank' cannot be varied here, or is chosen twice"),
            ({"values_1": "4, many"}, "lora_rank: should be a valid integer"),
            ({"seeds": 99}, "Seeds: between 1 and 16"),
            ({"name": "../x"}, "cannot be a name"),
            ({"base": "/etc"}, "not a base model of the list"),
        ):
            with pytest.raises(Exception, match=said):
                page.predict(**(plan | wrong), api_name="/queue_ablation")
        assert runs.list() == []
        page.predict(**plan, api_name="/queue_ablation")
        wait_until(lambda: not runs.waiting() and not runs.active())
        ablation = find_ablation(runs.root.parent, "width")
        assert "None of its runs is scored yet" in ablation_view(ablation)
        for run in runs.list():
            page.predict(run.id, api_name="/score_run")
        wait_until(lambda: all(run.evaluation() for run in runs.list()))
        assert ablation_view(ablation).count("✓ cheapest good one") == 1
    found = {(run.config.lora_rank, run.config.lora_targets) for run in runs.list()}
    assert found == {(r, t) for r in (4, 8) for t in ("all-linear", "attention")}
    assert {run.config.learning_rate for run in runs.list()} == {1e-4}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"epochs": 0}, "epochs: should be greater than 0"),
        ({"processes": 64}, "processes: 64 is more than"),
        ({"max_length": 8192}, "max_length: 'bundled:pocket' can read 1024 tokens"),
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
    with serve(build_app(workspace, CHAT, worker=WORKER)) as page:
        start(page, base=str(folder))
    (run,) = runs.list()
    wait_until(lambda: not run.alive)
    assert run.config.base == str(folder)


def test_a_look_at_the_page_takes_the_chat_off_the_device_and_starts_what_waits(
    workspace: Path, runs: Runs, config: RunConfig, corpus: Corpus
) -> None:
    run = runs.create(config.model_copy(update={"max_length": SCRIPTS["finish"]}), corpus.split)
    order: list[str] = []
    page = build_app(
        workspace, CHAT, make_room=lambda: order.append(str(run.state())), worker=WORKER
    )
    look = next(fn.fn for fn in page.fns.values() if len(fn.outputs) == 5 and fn.name == "look")
    look(None, 0, "")
    assert order == [], "nothing waits, so nobody has to make room"
    (run.path / "queued").write_text("1")
    look(None, 0, "")
    assert order == ["queued"], "first the room, then the worker"
    assert runs.waiting() == []
    wait_until(lambda: not run.alive)
