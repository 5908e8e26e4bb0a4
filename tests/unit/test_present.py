"""What the page shows, as a function of what is known."""

import dataclasses
from pathlib import Path

import pytest

from assistant.ui import plots, present
from assistant.ui.tune import ahead, views
from assistant.ui.tune.settings import form_names, parse_form, troubles_by_group
from tests.conftest import returns_csv
from tests.reports import a_report
from trainer.config import RunConfig
from trainer.corpus.library import Corpora, Corpus
from trainer.errors import ConfigError
from trainer.estimate import Estimate
from trainer.events import (
    Answering,
    Comparing,
    Failed,
    Finished,
    Progress,
    Sampled,
    Started,
    Validated,
)
from trainer.runs import Run, Runs
from trainer.trial import Trial
from trainer.words import duration, ending

STARTED = Started(steps=200, examples=30, trainable_parameters=5, parameters=50, device="cpu")


def progress(step: int, loss: float = 1.0) -> Progress:
    return Progress(
        step=step,
        epoch=1,
        loss=loss,
        learning_rate=1e-3,
        examples_per_second=21.5,
        seconds_left=83,
    )


def test_a_run_in_progress_shows_its_time_left_everywhere(run: Run) -> None:
    assert "Nothing has been tuned yet" in views.run_view(None)
    assert plots.loss_plot(run) is None
    with run.lock.claim():
        assert "Loading" in views.run_view(run)
        assert "loading the base model" in present.strip(run)
        run.events.append(STARTED)
        run.events.append(progress(50))
        assert "1 min 23 s left" in views.run_view(run)
        shown = views.run_view(run)
        for name, value in (("step", "50 of 200"), ("examples a second", "21.5")):
            assert f"<dt>{name}</dt><dd>{value}</dd>" in shown
        assert "tokens a second" not in shown, "what was not measured is not shown"
        assert "Tuning <b>returns</b>: 25%, 1 min 23 s left" in present.strip(run)
        run.events.append(Finished(seconds=61, step=200, kept_step=150))
        evaluation = run.create_evaluation()
        assert "Scoring: loading the models" in present.strip(run)
        evaluation.events.append(Answering(done=3, total=12, seconds_left=4))
        assert "Scoring: 3 of 12 answers, 4 s left" in present.strip(run)
        assert "2 wait for the device" in present.strip(run, 2)
    assert present.strip(None) == ""
    assert "1 waits for the device" in present.strip(None, 1)
    assert "the adapter of step 150 was kept, where validation loss was lowest" in ending(run)


def test_validation_on_untaught_questions_advises_and_no_more(
    runs: Runs, corpora: Corpora, tmp_path: Path
) -> None:
    file = tmp_path / "single.csv"
    file.write_text(returns_csv(answers=30, wordings=1))
    corpus = corpora.add(file)
    config = RunConfig(base="bundled:pocket", corpus=corpus.name, version=1)
    for losses, said in (((2.0, 2.5), "lowest at step 0. It is on untaught"), ((2.5, 2.0), "")):
        run = runs.create(config, corpus.split)
        run.events.append(STARTED)
        for step, loss in enumerate(losses):
            run.events.append(Validated(step=step, loss=loss, best=True))
        run.events.append(Finished(seconds=61, step=200, kept_step=200))
        assert said in ending(run)
        assert ("untaught" in ending(run)) == bool(said)


def test_the_loss_plot_says_what_it_shows(run: Run) -> None:
    for event in (STARTED, progress(1, 3.0), progress(2, 2.0)):
        run.events.append(event)
    figure = plots.loss_plot(run)
    assert figure is not None
    assert "Training loss is 2.47 after step 2" in figure.layout.title.text.replace("<br>", " ")
    with run.lock.claim():
        run.events.append(Validated(step=1, loss=2.5, best=True))
        assert "and still falling" in title(run)
        run.events.append(Validated(step=2, loss=2.7, best=False))
        assert title(run) == "Lowest validation loss: 2.50 at step 1; 2.70 at the last check"
    run.events.append(Finished(seconds=61, step=150, kept_step=1))
    assert "ended early at step 150 of 200" in title(run)
    figure = plots.loss_plot(run)
    assert figure is not None
    names = [trace.name for trace in figure.data]
    assert names == ["training (smoothed)", "validation", "best check"]
    assert (figure.data[2].x, figure.data[2].y) == ((1,), (2.5,))
    assert figure.layout.yaxis.title.text == "loss (nats a token)"


def title(run: Run) -> str:
    figure = plots.loss_plot(run)
    assert figure is not None
    text: str = figure.layout.title.text.replace("<br>", " ")
    return text


def test_a_long_run_is_drawn_with_few_points_and_its_last_one(run: Run) -> None:
    for number in range(1, 1502):
        run.events.append(progress(number))
    figure = plots.loss_plot(run)
    assert figure is not None
    assert len(figure.data[0].x) <= 601
    assert figure.data[0].x[-1] == 1501


def test_what_the_model_answers_so_far_is_shown_with_earlier_answers_folded(run: Run) -> None:
    with run.lock.claim():
        assert views.samples_view(None) == ""
        run.events.append(STARTED)
        assert "After each pass" in views.samples_view(run)
        for step, said in ((5, "<i>Who</i> knows?"), (10, "thirty days")):
            run.events.append(Sampled(step=step, answers=(("How long?", "Thirty days.", said),)))
        shown = views.samples_view(run)
    assert "Tuned, after step 10 ✓ word for word" in shown
    assert "1 earlier" in shown
    assert "&lt;i&gt;Who&lt;/i&gt; knows?" in shown
    assert shown.index("thirty days") < shown.index("Who")


def test_the_queue_names_what_waits_by_its_place(run: Run, runs: Runs, config: RunConfig) -> None:
    assert views.queue_choices([]) == []
    scoring = run.create_evaluation()
    (first, one), (second, two) = views.queue_choices([run, scoring])
    assert first.startswith("1.  returns@1, ")
    assert first.endswith("3 passes")
    assert second.startswith("2.  scores of returns@1, ")
    assert (one, two) == (run.id, f"{run.id}/{scoring.id}")


def test_the_button_says_from_which_step_a_run_goes_on(run: Run) -> None:
    assert views.resume_label(run) == ""
    run.events.append(STARTED)
    run.events.append(Failed(reason="The disk is full."))
    assert views.resume_label(run) == "Begin it again"


def test_every_setting_of_a_run_is_asked_for_once() -> None:
    asked = form_names()
    assert len(asked) == len(set(asked))
    assert set(asked) == set(RunConfig.model_fields) - {"base", "corpus", "version", "continues"}
    with pytest.raises(ConfigError) as caught:
        parse_form("bundled:pocket", {"epochs": 0, "lora_rank": 999, "seed": -1})
    told = troubles_by_group(caught.value)
    assert set(told) == {"Passes and steps", "Adapter", "Other"}
    assert told["Adapter"].startswith("lora_rank: ")


def test_what_a_run_would_take_is_told_with_its_verdict(corpus: Corpus, config: RunConfig) -> None:
    found = Estimate(
        steps=9,
        tokens=900,
        seconds=180,
        load_seconds=4,
        check_seconds=5,
        scoring_seconds=40,
        peak_bytes=1_200_000_000,
        needed_bytes=1_000_000_000,
        available_bytes=8_000_000_000,
        verdict="fits",
        unpacked=True,
        sentences=(),
    )
    told = ahead.ahead_view("pocket", config, corpus, found, ["A batch of 64 is much."])
    assert "Base: <b>pocket</b>. At most about <b>3 minutes</b> and <b>1.2 GB</b> here" in told
    assert "in 3 passes over 25 examples, then 40 seconds of scoring" in told
    assert "✓ It fits:</b> 8.0 GB are free" in told
    assert "A batch of 64 is much." in told
    tight = dataclasses.replace(found, verdict="won't fit")
    assert "✕ It will not fit" in ahead.ahead_view("pocket", config, corpus, tight, ())
    unknown = ahead.ahead_view("a/b", config, corpus, None, ())
    assert "comes from the Hub when the run starts" in unknown
    measured = Trial(
        seconds=240,
        load_seconds=4,
        check_seconds=5,
        peak_bytes=1_500_000_000,
        examples_per_second=9.5,
        tokens_per_second=700,
        steps=9,
    )
    shown = ahead.trial_view(found, measured)
    assert "<td>time</td><td>3 minutes</td><td>4 minutes</td>" in shown


def test_an_ablation_plot_says_whether_the_best_stands_out() -> None:
    clear = plots.points_plot("lora_rank", [(4, 0.3, 0.28, 0.32), (8, 0.5, 0.48, 0.52)])
    assert clear is not None
    assert clear.layout.title.text == "lora_rank: 8 scores highest, 0.50"
    close = plots.points_plot("lora_rank", [(4, 0.4, 0.3, 0.5), (8, 0.5, 0.48, 0.52)])
    assert close is not None
    assert "within the spread of others" in close.layout.title.text.replace("<br>", " ")
    assert plots.points_plot("lora_rank", [(4, 0.4, 0.3, 0.5)]) is None


def test_a_failed_and_a_lost_run_show_the_reason_and_the_end_of_the_log(run: Run) -> None:
    run.lock.path.touch()
    (run.path / "output.log").write_text("one\n<b>two</b>\n")
    lost = views.run_view(run)
    assert "ended without a word before its first step" in lost
    assert "&lt;b&gt;two&lt;/b&gt;" in lost
    run.events.append(Failed(reason="The disk is full."))
    assert "Tuning failed. The disk is full." in views.run_view(run)


def test_scores_say_what_to_do_next_and_why_a_try_gave_none(run: Run) -> None:
    assert "come by themselves" in present.scores_state(None)
    assert "come by themselves" in present.scores_state(run)
    run.adapter.mkdir()
    assert "Press <b>Score again</b>" in present.scores_state(run)
    evaluation = run.create_evaluation()
    with evaluation.lock.claim():
        assert "Scoring: loading the models" in present.scores_state(run)
        evaluation.events.append(Comparing(done=30, total=120))
        assert "comparing meanings, 30 of 120 texts" in present.scores_state(run)
        assert "width:25.0%" in present.scores_state(run)
    assert "Scoring ended without a word" in present.scores_state(run)
    evaluation.events.append(Failed(reason="<b>The embedding model was not loaded."))
    assert "Scoring failed. &lt;b&gt;The embedding model" in present.scores_state(run)
    evaluation.path.rename(evaluation.path.with_name("2000-01-01-000000-aaaa"))  # long ago
    waiting = run.create_evaluation(place=1.0)
    assert "It waits for its turn, place 1 of 1" in present.scores_state(run)
    (waiting.path / "queued").unlink()
    waiting.events.append(Finished(seconds=1))
    waiting.report_path.write_text(a_report().model_dump_json())
    assert present.scores_state(run) == "", "the report speaks for itself"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59.4, "59 s"), (83, "1 min 23 s"), (3600, "1 h 0 min"), (7260, "2 h 1 min")],
)
def test_a_time_span_reads_as_people_say_it(seconds: float, said: str) -> None:
    assert duration(seconds) == said
