"""A run's directory, its log, its lock and the state derived from them."""

import threading
import time
from datetime import datetime
from pathlib import Path

import pytest

from trainer.config import RunConfig
from trainer.corpus.library import Corpora, Corpus
from trainer.errors import ConfigError, DiskFull, NotFound, disk_full_told
from trainer.events import Event, Failed, Finished, Sampled, Started, Stopped, Validated
from trainer.locks import Lock, LockHeld
from trainer.report import Report
from trainer.runs import Evaluation, EvaluationConfig, Run, Runs
from trainer.work import State

STARTED = Started(steps=9, examples=30, trainable_parameters=5, parameters=50, device="cpu")


def test_the_log_reads_back_what_was_appended(run: Run) -> None:
    events: list[Event] = [STARTED, Validated(step=1, loss=2.0, best=True), Finished(seconds=3)]
    for event in events:
        run.events.append(event)
    assert list(run.events.read()) == events


def test_the_last_event_is_told_without_reading_the_whole_log(run: Run) -> None:
    assert run.events.last() is None
    run.events.append(STARTED)
    long = Sampled(step=1, answers=(("q", "a", "x" * 40_000),))
    run.events.append(long)
    assert run.events.last() == long, "also one that is longer than the tail that is looked at"
    for step in range(300):
        run.events.append(Validated(step=step, loss=2.0, best=True))
    with run.events.path.open("ab") as file:
        file.write(b'{"event":"finis')
    assert run.events.last() == run.events.read()[-1]
    with run.events.path.open("ab") as file:
        file.write(b'hed"}\n')
    last = run.events.last()
    assert isinstance(last, Validated), "a damaged line is nobody's last word"
    assert last.step == 299


def test_a_line_still_being_written_is_left_for_the_next_read(run: Run) -> None:
    run.events.append(STARTED)
    with run.events.path.open("ab") as file:
        file.write(b'{"event":"finis')
    assert [event.event for event in run.events.read()] == ["started"]


def test_what_is_damaged_or_half_made_is_left_out_and_harms_nothing_else(
    runs: Runs, run: Run, corpora: Corpora, corpus: Corpus, caplog: pytest.LogCaptureFixture
) -> None:
    damaged, half = runs.root / "2026-01-01-000000-x", runs.root / ".2026-01-02-000000-x"
    for folder, text in ((damaged, '{"base": "m", "renamed": 1}'), (half, "{}")):
        folder.mkdir()
        (folder / "config.json").write_text(text)
    (corpora.root / "broken" / "1").mkdir(parents=True)
    (corpora.root / "broken" / "1" / "corpus.json").write_text("{")
    run.events.append(STARTED)
    with run.events.path.open("a") as file:
        file.write('{"event": "from a later Tandem"}\n')
    run.events.append(Failed(reason="no"))
    assert runs.list() == [run]
    assert runs.find(damaged.name) is None
    assert corpora.list() == [corpus]
    assert [event.event for event in run.events.read()] == ["started", "failed"]
    for said in ("cannot be read; the run is left out", "line 2 is not an event", "this version"):
        assert said in caplog.text


def test_a_stop_reaches_the_run_or_else_its_evaluation(run: Run) -> None:
    assert run.unfinished() == run
    run.events.append(Finished(seconds=1, step=9))
    assert run.unfinished() is None
    evaluation = run.create_evaluation()
    assert run.unfinished() == evaluation


def test_a_full_disk_is_told_in_words_and_tears_no_line(run: Run, tmp_path: Path) -> None:
    run.events.path.symlink_to("/dev/full")
    with pytest.raises(DiskFull, match=r"The disk is full. Free some space"), disk_full_told():
        run.events.append(STARTED)
    with pytest.raises(DiskFull), disk_full_told():
        raise RuntimeError("I/O error: No space left on device (os error 28)")  # safetensors
    with pytest.raises(FileNotFoundError), disk_full_told():
        (tmp_path / "absent").read_text()


def test_what_waits_in_a_run_that_is_gone_waits_no_longer(runs: Runs, run: Run) -> None:
    evaluation = run.create_evaluation()
    (evaluation.path / "queued").write_text("1")
    assert runs.waiting() == [evaluation]
    assert evaluation.state() is State.QUEUED
    run.path.rename(run.path.with_name(f".deleted-{run.id}"))
    assert runs.waiting() == []


@pytest.mark.parametrize(
    ("last", "state"),
    [
        (Finished(seconds=1, step=9), State.FINISHED),
        (Stopped(seconds=1, step=3), State.STOPPED),
        (Failed(reason="no"), State.FAILED),
    ],
)
def test_the_last_word_decides_the_state(run: Run, last: Event, state: State) -> None:
    run.events.append(STARTED)
    run.events.append(last)
    assert run.state() is state
    with run.lock.claim():
        assert run.state() is state, "what comes after the last word does not change the run"


def test_a_run_is_running_while_its_lock_is_held_and_lost_after(run: Run) -> None:
    assert run.state() is State.CREATED
    with run.lock.claim():
        assert run.state() is State.RUNNING
    assert run.state() is State.LOST


def test_an_evaluation_never_changes_its_runs_state(run: Run) -> None:
    run.events.append(Finished(seconds=1, step=9))
    evaluation = run.create_evaluation()
    evaluation.events.append(Failed(reason="no"))
    assert evaluation.state() is State.FAILED
    assert run.state() is State.FINISHED
    assert run.evaluation() is None, "only a report makes an evaluation count"


def test_a_look_at_a_lock_never_makes_a_claim_fail(run: Run) -> None:
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            _ = run.lock.held
            time.sleep(0)

    lookers = [threading.Thread(target=look) for _ in range(4)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(200):
            with run.lock.claim():
                pass
    finally:
        done.set()
        for looker in lookers:
            looker.join()


def test_a_held_lock_is_not_claimed_twice(run: Run) -> None:
    with run.lock.claim(), pytest.raises(LockHeld), Lock(run.lock.path).claim():
        pass


def test_runs_are_listed_newest_first(runs: Runs, config: RunConfig, corpus: Corpus) -> None:
    older = runs.create(config, corpus.split, now=datetime(2026, 1, 1))
    newer = runs.create(config, corpus.split, now=datetime(2026, 1, 2))
    assert runs.list() == [newer, older]
    assert runs.get("latest") == newer


def test_a_run_copies_the_split_it_was_created_with(run: Run, corpus: Corpus) -> None:
    assert run.split == corpus.split
    assert run.corpus == corpus


@pytest.mark.parametrize("name", ["nope", "../runs", "", "latest"])
def test_an_unknown_run_is_refused_by_name(runs: Runs, name: str) -> None:
    with pytest.raises(NotFound, match=f"no run called '{name}'"):
        runs.get(name)


def test_a_config_names_every_setting_that_is_wrong() -> None:
    with pytest.raises(ConfigError) as caught:
        RunConfig.parse({"base": "m", "corpus": "c", "version": 1, "epochs": 0, "learning_rat": 1})
    first, second = str(caught.value).splitlines()
    assert first == "epochs: should be greater than 0 (got 0)."
    assert second.startswith("learning_rat: no such setting. There are: base, corpus,")


def test_a_small_base_gets_settings_that_suit_it_and_the_user_has_the_last_word() -> None:
    given = {"base": "bundled:pocket", "corpus": "c", "version": 1}
    assert (
        RunConfig.parse(given).learning_rate
        > RunConfig.parse(given | {"base": "a/b"}).learning_rate
    )
    assert RunConfig.parse(given | {"epochs": "2"}).epochs == 2


def test_the_scores_of_a_run_are_the_newest_readable_ones_and_a_test_files_only_without_others(
    run: Run,
) -> None:
    def scored(name: str, *, file: str | None = None, text: str = "") -> Evaluation:
        made = run.create_evaluation(EvaluationConfig(file=file))
        made = Evaluation(made.path.rename(made.path.with_name(name)))
        report = Report(embedder="m", adapter="", rows=()).model_dump_json()
        made.report_path.write_text(text or report)
        return made

    of_file = scored("2026-11-20-100001-aaaa", file="more.csv")
    assert run.evaluation() == of_file
    old = scored("2026-11-19-100001-aaaa")
    assert run.evaluation() == old
    new = scored("2026-11-21-100001-aaaa")
    scored("2026-11-22-100001-aaaa", text="{}")
    assert run.evaluation() == new
