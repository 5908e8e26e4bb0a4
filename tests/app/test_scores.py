"""Step 4 as a browser sees it: through its endpoints."""

import csv
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio_client import Client, handle_file

from assistant.ui.app import build_app
from assistant.ui.scores.again import embedder_from_page
from assistant.ui.scores.board import scored_of
from assistant.ui.scores.files import write_files
from tests.app.test_app import CHAT
from tests.conftest import returns_csv, wait_until
from tests.process.test_launch import WORKER
from tests.reports import a_labels_report, a_report
from trainer.errors import ModelError
from trainer.events import Finished, Started
from trainer.judgement import pick, rate, read_ratings
from trainer.report import Report
from trainer.runs import Evaluation, Run
from trainer.scoring import MINILM, SUGGESTED
from trainer.work import State

Serve = Callable[[gr.Blocks], AbstractContextManager[Client]]


@pytest.fixture
def app(workspace: Path) -> gr.Blocks:
    return build_app(workspace, CHAT, worker=WORKER)


@pytest.fixture
def page(app: gr.Blocks, serve: Serve) -> Iterator[Client]:
    with serve(app) as client:
        yield client


@pytest.fixture
def tuned(run: Run) -> Run:
    run.adapter.mkdir()
    (run.adapter / "adapter_model.safetensors").write_bytes(b"weights")
    about = Started(steps=9, examples=30, trainable_parameters=5, parameters=50, device="cpu")
    run.events.append(about)
    run.events.append(Finished(seconds=1, step=9, kept_step=9))
    return run


def scored(run: Run, report: Report, at: str = "2026-11-20-100000-aaaa") -> Evaluation:
    made = run.create_evaluation()
    made = Evaluation(made.path.rename(made.path.with_name(at)))
    made.report_path.write_text(report.model_dump_json())
    made.events.append(Finished(seconds=1))
    return made


def handler(app: gr.Blocks, name: str, *beside: str) -> Callable[..., Any]:
    """The handler of that name that is wired in the scores' module of that name."""
    found = (
        fn.fn
        for fn in app.fns.values()
        if fn.name == name and fn.fn and all(b in fn.fn.__module__ for b in beside)
    )
    return next(fn for fn in found if fn)


def looked(app: gr.Blocks, run: Run, chosen: str = "", before: str = "", primary: str = "") -> Any:
    """What a look at a run shows: the choice of scores, the newest of them, and what is shown."""
    return handler(app, "look", "scores.board")(run.id, chosen, before, primary)


def test_the_scores_are_those_of_the_chosen_evaluation_or_the_newest(
    app: gr.Blocks, tuned: Run
) -> None:
    show = handler(app, "show", "scores.verdict")
    choice, latest, shown = looked(app, tuned)
    assert (choice.value, choice.visible, latest, show(shown)) == (None, False, "", "")
    older = scored(tuned, a_labels_report(), "2026-11-20-100000-aaaa")
    newer = scored(tuned, a_report(), "2026-11-20-110000-bbbb")
    assert scored_of(tuned) == [newer, older]
    choice, latest, shown = looked(app, tuned)
    assert choice.value == latest == newer.id
    assert choice.visible
    assert choice.choices[1] == (f"11-20 10:00, held-out questions, by {MINILM}", older.id)
    assert "On 18 reworded questions" in show(shown)
    choice, _, shown = looked(app, tuned, older.id, latest)
    assert choice.value == older.id
    assert "On 40 held-out texts" in show(shown)
    for wrong in ("../../x", "nope"):
        assert looked(app, tuned, wrong, latest)[2][1] == newer.id, "never another file"
    newest = scored(tuned, a_report(), "2026-11-20-120000-cccc")
    assert looked(app, tuned, older.id, latest)[0].value == newest.id, "what is new is shown"


def test_another_measure_decides_where_a_person_prefers_it_and_the_report_has_it(
    app: gr.Blocks, tuned: Run
) -> None:
    show = handler(app, "show", "scores.verdict")
    scored(tuned, a_report())
    for primary, named in (("token_f1", "Shared words"), ("bleu", "Similarity")):
        shown = looked(app, tuned, primary=primary)[2]
        assert f"The number that decides: <b>{named}</b>" in show(shown)


def test_rows_are_found_by_what_is_wrong_with_them_and_by_their_words(
    page: Client, tuned: Run
) -> None:
    with pytest.raises(Exception, match="has no scores yet"):
        page.predict(tuned.id, api_name="/find_answers")
    scored(tuned, a_report())

    def find(*given: str) -> str:
        return page.predict(tuned.id, *given, api_name="/find_answers")

    shown = find("all", "", "", "")
    assert "30 of 30 rows, the first 25 of them" in shown
    assert shown.count("<article") == 25
    shown = find("flagged", "", "returns", "")
    assert 'data-topic="returns"' in shown
    assert 'data-topic="pin"' not in shown
    assert "says “30 days”, approved: “14 days”" in shown
    assert find("all", "unseen", "", "Eve Christmas").count("<article") == 1
    assert "No row is like that" in find("harmed", "", "", "giraffe")
    with pytest.raises(Exception, match="'worst' is no choice of rows"):
        find("worst")


def test_the_filters_offer_what_the_report_has(app: gr.Blocks, tuned: Run) -> None:
    offer = handler(app, "offer", "scores.rows")
    column, *_ = offer(looked(app, tuned)[2])
    assert not column.visible
    scored(tuned, a_report())
    column, which, kind, topic, *_ = offer(looked(app, tuned)[2])
    assert column.visible
    assert ("Flagged (5)", "flagged") in which.choices
    assert [value for _, value in kind.choices] == ["", "reworded", "unseen"]
    assert ("loans", "loans") in topic.choices


def test_more_rows_come_some_at_a_time(app: gr.Blocks, tuned: Run) -> None:
    scored(tuned, a_report(copies=3))
    more, shown_ = handler(app, "show_more", "scores.rows"), looked(app, tuned)[2]
    shown, button, count = more(25, shown_, "all", "", "", "")
    assert (shown.count("<article"), button.visible, count) == (50, True, 50)
    shown, button, count = more(75, shown_, "all", "", "", "")
    assert (shown.count("<article"), button.visible) == (90, False)


def test_the_checks_are_folded_one_after_the_other(app: gr.Blocks, tuned: Run) -> None:
    show = next(
        fn.fn
        for fn in app.fns.values()
        if fn.fn and "checks_section" in fn.fn.__qualname__ and fn.name == "show"
    )
    scored(tuned, a_report())
    assert show(looked(app, tuned)[2]).count('<details class="fold">') == 3


def test_a_scoring_is_started_with_what_was_chosen_on_a_file_too(
    page: Client, tuned: Run, tmp_path: Path
) -> None:
    other = SUGGESTED[1].name
    page.predict(tuned.id, other, "summaries", False, None, api_name="/score_run")
    wait_until(tuned.evaluation)
    config = tuned.evaluations()[0].config
    assert (config.embedder, config.task, config.checks) == (other, "summaries", False)
    wait_until(lambda: not tuned.evaluations()[0].alive)
    file = tmp_path / "asked.csv"
    file.write_text(returns_csv(answers=9, wordings=1))
    page.predict(tuned.id, MINILM, "auto", True, handle_file(str(file)), api_name="/score_run")
    wait_until(lambda: len(scored_of(tuned)) == 2)
    asked = next(e for e in tuned.evaluations() if e.config.file)
    assert asked.config.file == "asked.csv"
    assert len(asked.examples) == 9


def test_an_embedding_model_is_never_a_path(page: Client, tuned: Run) -> None:
    for given in ("/etc", "../models", "data/models", "a b/c", "x", "a/b/c"):
        with pytest.raises(ModelError, match="is not an embedding model of the list"):
            embedder_from_page(given)
    with pytest.raises(Exception, match="is not an embedding model of the list"):
        page.predict(tuned.id, "/etc", "auto", True, None, api_name="/score_run")
    assert tuned.evaluations() == []


def test_a_scoring_can_be_stopped_and_let_go_on(page: Client, tuned: Run) -> None:
    with pytest.raises(Exception, match="is not being scored"):
        page.predict(tuned.id, api_name="/stop_scoring")
    with pytest.raises(Exception, match="Nothing was scored yet"):
        page.predict(tuned.id, api_name="/resume_scoring")
    made = tuned.create_evaluation()
    with made.lock.claim():
        page.predict(tuned.id, api_name="/stop_scoring")
    assert made.stop_asked
    assert made.state() is State.LOST
    page.predict(tuned.id, api_name="/resume_scoring")
    wait_until(lambda: made.report_path.exists())


def test_the_stop_button_is_there_while_a_scoring_runs(app: gr.Blocks, tuned: Run) -> None:
    tell = handler(app, "tell", "scores.verdict")
    said, stop = tell(tuned.id)
    assert "Press <b>Score again</b>" in said.value
    assert not stop.visible
    made = tuned.create_evaluation()
    with made.lock.claim():
        said, stop = tell(tuned.id)
        assert "Scoring: loading the models" in said.value
        assert stop.visible


def test_answers_are_rated_blind_and_the_best_measure_is_offered(
    app: gr.Blocks, page: Client, tuned: Run
) -> None:
    report = a_report()
    made = scored(tuned, report)
    drawn = pick(report)
    answers = {
        (answer.text, row.question): answer.scores["token_f1"]
        for row in report.rows
        for answer in row.answers.values()
    }
    fill = filler(app)
    view, row, agreed, prefer, _, now, _ = fill(True, looked(app, tuned)[2])
    assert "1 of 20" in view
    assert row.visible
    assert (agreed, prefer.visible, now) == ("", False, drawn[0].id)
    page.predict(tuned.id, drawn[0].id, 2, api_name="/rate_answer")
    assert "2 of 20" in fill(True, looked(app, tuned)[2])[0]
    for blind in drawn:
        rate(made.path, report, blind.id, 1 + round(4 * answers[blind.answer, blind.question]))
    assert len(read_ratings(made.path).ratings) == 20
    view, row, agreed, prefer, back, now, best = fill(True, looked(app, tuned)[2])
    assert "All 20 answers are rated" in view
    assert not row.visible
    assert now == ""
    assert "agrees best with you on 20 answers" in agreed
    assert best in report.measures
    assert prefer.visible == (best != report.primary)
    *_, prefer, back, _, _ = fill(True, looked(app, tuned, primary="token_f1")[2])
    assert back.visible, "from another measure there is a way back"
    for blind, stars, said in (("nope", 3, "not in the report"), (drawn[0].id, 9, "1 to 5")):
        with pytest.raises(Exception, match=said):
            page.predict(tuned.id, blind, stars, api_name="/rate_answer")


def filler(app: gr.Blocks) -> Callable[..., Any]:
    """What fills the folded section of one's own judgement."""
    found = (fn for fn in app.fns.values() if fn.name == "fill" and len(fn.outputs) == 7)
    return next(
        fn.fn
        for fn in found
        if fn.fn and any("judge" in str(c.cell_contents) for c in fn.fn.__closure__ or ())
    )


def test_the_files_hold_the_scores_that_are_shown(tuned: Run) -> None:
    older = scored(tuned, a_labels_report(), "2026-11-20-100000-aaaa")
    newer = scored(tuned, a_report(), "2026-11-20-110000-bbbb")
    html, table, whole = (Path(path) for path in write_files(newer))
    assert "On 18 reworded questions" in html.read_text(encoding="utf-8")
    with table.open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == 129
    assert Report.model_validate_json(whole.read_bytes()) == a_report()
    assert "On 40 held-out texts" in Path(write_files(older)[0]).read_text(encoding="utf-8")


def test_without_scores_every_section_says_what_to_do(app: gr.Blocks, tuned: Run) -> None:
    view, row, *_ = filler(app)(True, looked(app, tuned)[2])
    assert "Press <b>Score again</b> first" in view
    assert not row.visible
    type_out = handler(app, "type_out")
    assert type_out(tuned.id) == (
        f"tandem evaluate {tuned.id}\ntandem report {tuned.id} report.html"
    )
    assert type_out("../x").startswith("tandem evaluate RUN")


def test_no_file_but_an_uploaded_one_is_asked(page: Client, tuned: Run) -> None:
    """Whatever is sent to the endpoint by hand: a path of the server is not read."""

    def told(sent: object) -> str:
        data = [tuned.id, MINILM, "auto", True, sent]
        begun = httpx.post(f"{page.src}gradio_api/call/score_run", json={"data": data})
        event = begun.raise_for_status().json()["event_id"]
        return httpx.get(f"{page.src}gradio_api/call/score_run/{event}", timeout=60).text

    secret = tuned.path.parent.parent / "secret.csv"
    secret.write_text(returns_csv())
    marked = {"path": str(secret), "meta": {"_type": "gradio.FileData"}}
    for sent in ({"path": str(secret)}, marked, str(secret), [marked]):
        assert "event: error" in told(sent), sent
    assert tuned.evaluations() == []
    assert "event: complete" in told(None), "and it is the file that was refused"
