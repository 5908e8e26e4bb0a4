"""What the page shows, as a function of what is known."""

from pathlib import Path

import pytest

from assistant.ui import plots, present
from tests.conftest import returns_csv
from trainer.config import RunConfig
from trainer.corpus.library import Corpora
from trainer.events import Answering, Failed, Finished, Progress, Started, Validated
from trainer.report import Report, Row
from trainer.runs import Run, Runs
from trainer.words import duration, ending, verdict

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


def row(kind: str, base: float, tuned: float, lookup: float = 0.8) -> Row:
    return Row.model_validate(
        {
            "id": f"{base}{tuned}",
            "kind": kind,
            "question": f"From {base} to {tuned}?",
            "topic": "",
            "approved": "Thirty days.",
            "answers": {"base": "b", "tuned": "t", "lookup": "l"},
            "similarity": {"base": base, "tuned": tuned, "lookup": lookup},
        }
    )


REPORT = Report(
    embedder="minilm",
    adapter="0" * 64,
    rows=(row("reworded", 0.1, 0.5), row("reworded", 0.3, 0.9), row("unseen", 0.2, 0.4, 0.3)),
)


def test_the_summary_is_what_other_tools_rely_on() -> None:
    summary = REPORT.summary()
    assert summary["reworded"] == {
        "n": 2,
        "base": {"similarity": pytest.approx(0.2)},
        "tuned": {"similarity": pytest.approx(0.7)},
        "lookup": {"similarity": pytest.approx(0.8)},
    }
    empty = Report(embedder="minilm", adapter="", rows=()).summary()
    assert empty["unseen"] == {
        "n": 0,
        "base": {"similarity": None},
        "tuned": {"similarity": None},
        "lookup": {"similarity": None},
    }


def test_the_verdict_names_the_numbers_and_what_they_mean() -> None:
    reworded, unseen = verdict(REPORT)
    assert "On 2 reworded questions" in reworded
    assert "raised similarity to the approved answer (from 0.20 to 0.70)" in reworded
    assert "looking the answer up would have reached 0.80" in reworded
    assert "Lookup (0.30) is wrong here by construction" in unseen
    assert "a search box would serve better" in reworded
    worse = Report(embedder="", adapter="", rows=(row("reworded", 0.5, 0.2),))
    assert "tuning lowered similarity" in verdict(worse)[0]
    assert "could not be measured" in verdict(worse)[1]


def test_scores_come_with_a_plot_and_rows_the_most_improved_first() -> None:
    figure = plots.scores_plot(REPORT, "reworded")
    assert figure is not None
    assert figure.layout.title.text == "Reworded: tuning +0.50 on 2 questions"
    assert list(figure.layout.yaxis.ticktext) == ["base 0.20", "tuned 0.70", "lookup 0.80"]
    table = present.scores_table(REPORT, "reworded")
    assert list(table["change"]) == [0.6, 0.4]
    assert plots.scores_plot(None, "reworded") is None
    assert len(present.scores_table(None, "reworded")) == 0


def test_a_run_in_progress_shows_its_time_left_everywhere(run: Run) -> None:
    assert "Nothing has been tuned yet" in present.run_view(None)
    assert plots.loss_plot(run) is None
    with run.lock.claim():
        assert "Loading" in present.run_view(run)
        assert "loading the base model" in present.strip(run)
        run.events.append(STARTED)
        run.events.append(progress(50))
        assert "1 min 23 s left" in present.run_view(run)
        assert "step 50 of 200, 21.5 examples a second" in present.run_view(run)
        assert "Tuning <b>returns</b>: 25%, 1 min 23 s left" in present.strip(run)
        run.events.append(Finished(seconds=61, step=200, kept_step=150))
        evaluation = run.create_evaluation()
        assert "Scoring: loading the models" in present.strip(run)
        evaluation.events.append(Answering(done=3, total=12, seconds_left=4))
        assert "Scoring: 3 of 12 answers, 4 s left" in present.strip(run)
    assert present.strip(None) == ""
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
    run.events.append(Validated(step=1, loss=2.5, best=True))
    run.events.append(Validated(step=2, loss=2.7, best=False))
    figure = plots.loss_plot(run)
    assert figure is not None
    assert figure.layout.title.text == "Lowest validation loss: 2.50 at step 1"
    assert [trace.name for trace in figure.data] == ["training (smoothed)", "validation"]
    assert figure.layout.yaxis.title.text == "loss (nats a token)"


def test_a_failed_and_a_lost_run_show_the_reason_and_the_end_of_the_log(run: Run) -> None:
    run.lock.path.touch()
    (run.path / "output.log").write_text("one\n<b>two</b>\n")
    lost = present.run_view(run)
    assert "ended without a word before its first step" in lost
    assert "&lt;b&gt;two&lt;/b&gt;" in lost
    run.events.append(Failed(reason="The disk is full."))
    assert "Tuning failed. The disk is full." in present.run_view(run)


def test_scores_say_what_to_do_next_and_why_a_try_gave_none(run: Run) -> None:
    assert "come by themselves" in present.scores_view(None, None)
    assert "come by themselves" in present.scores_view(run, None)
    run.adapter.mkdir()
    assert "Press <b>Score again</b>" in present.scores_view(run, None)
    evaluation = run.create_evaluation()
    with evaluation.lock.claim():
        assert "Scoring goes on" in present.scores_view(run, None)
    assert "Scoring ended without a word" in present.scores_view(run, None)
    evaluation.events.append(Failed(reason="The embedding model was not loaded."))
    assert "Scoring failed. The embedding model" in present.scores_view(run, REPORT)
    assert "On 2 reworded questions" in present.scores_view(run, REPORT)


def test_the_command_repeats_the_run(run: Run) -> None:
    assert present.tune_command(run).startswith("tandem tune returns@1 --base bundled:pocket")
    options = present.tune_command(run).split(" --set ")[1:]
    given = dict(option.split("=") for option in options)
    named = {"base": "bundled:pocket", "corpus": "returns", "version": 1}
    assert RunConfig.parse(given | named) == run.config


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59.4, "59 s"), (83, "1 min 23 s"), (3600, "1 h 0 min"), (7260, "2 h 1 min")],
)
def test_a_time_span_reads_as_people_say_it(seconds: float, said: str) -> None:
    assert duration(seconds) == said
