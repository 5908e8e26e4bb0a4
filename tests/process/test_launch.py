"""Runs in processes of their own: they start, end, die and stop as the directory says."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.conftest import wait_until
from tests.process.scripted_worker import SCRIPTS
from trainer.config import RunConfig
from trainer.corpus.library import Corpora
from trainer.errors import CorpusError, NotFound, UserError
from trainer.launch import cancel, launch, launch_evaluation
from trainer.runs import Run, Runs
from trainer.words import ending
from trainer.work import State

WORKER = ("-m", "tests.process.scripted_worker")


def launched(runs: Runs, config: RunConfig, script: str) -> Run:
    return launch(config.model_copy(update={"max_length": SCRIPTS[script]}), runs, worker=WORKER)


def test_a_run_is_alive_from_the_moment_launch_returns(runs: Runs, config: RunConfig) -> None:
    run = launched(runs, config, "finish")
    assert run.state() in (State.RUNNING, State.FINISHED)
    wait_until(lambda: not run.alive)
    assert run.state() is State.FINISHED
    assert "loud" in (run.path / "output.log").read_text()
    assert "the adapter of step 7 was kept" in ending(run)


def test_a_killed_worker_leaves_a_lost_run_that_says_what_to_do(
    runs: Runs, config: RunConfig
) -> None:
    run = launched(runs, config, "die")
    wait_until(lambda: not run.alive)
    assert run.state() is State.LOST
    assert "after step 1" in ending(run)
    assert "start again" in ending(run)
    assert str(run.path / "output.log") in ending(run)
    launched(runs, config, "finish")  # and the device is free again


def test_a_stop_is_obeyed_between_steps(runs: Runs, config: RunConfig) -> None:
    run = launched(runs, config, "wait")
    wait_until(run.events.read)
    run.ask_to_stop()
    wait_until(lambda: not run.alive)
    assert run.state() is State.STOPPED


def test_a_second_run_waits_and_starts_by_itself(runs: Runs, config: RunConfig) -> None:
    first = launched(runs, config, "wait")
    second = launched(runs, config, "finish")
    assert second.state() is State.QUEUED
    assert ending(second) == "Tuning waits for its turn."
    assert runs.active() == first
    first.ask_to_stop()
    wait_until(lambda: second.state().over)
    assert second.state() is State.FINISHED, "it started by itself"


def test_of_launches_at_one_moment_one_goes_through(runs: Runs, config: RunConfig) -> None:
    barrier = threading.Barrier(6)

    def race() -> None:
        barrier.wait()
        launched(runs, config, "wait")

    racers = [threading.Thread(target=race) for _ in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    (winner,) = [run for run in runs.list() if run.alive]
    assert len(runs.waiting()) == 5
    for run in runs.waiting():
        cancel(run)
    assert runs.list() == [winner], "what never began leaves nothing behind"
    winner.ask_to_stop()
    wait_until(lambda: not winner.alive)


def test_a_run_outlives_whoever_started_it(workspace: Path, runs: Runs, config: RunConfig) -> None:
    config = config.model_copy(update={"max_length": SCRIPTS["wait"]})
    script = (
        "import sys, time; from pathlib import Path\n"
        "from trainer.config import RunConfig; from trainer.launch import launch\n"
        "from trainer.runs import Runs\n"
        f"config = RunConfig.model_validate_json({config.model_dump_json()!r})\n"
        f"launch(config, Runs(Path({str(runs.root)!r})), worker={WORKER!r})\n"
        "print('started', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True
    ) as page:
        assert page.stdout is not None
        page.stdout.readline()
        os.killpg(page.pid, signal.SIGKILL)  # as when a terminal is closed
    (run,) = runs.list()
    wait_until(run.events.read)
    assert run.state() is State.RUNNING
    assert runs.active() == run
    run.ask_to_stop()
    wait_until(lambda: not run.alive)
    assert run.state() is State.STOPPED


def test_an_evaluation_has_a_life_of_its_own(runs: Runs, config: RunConfig) -> None:
    run = launched(runs, config, "finish")
    wait_until(lambda: not run.alive)
    evaluation = launch_evaluation(run, worker=WORKER)
    wait_until(lambda: not evaluation.alive)
    assert evaluation.state() is State.FINISHED
    assert run.evaluation() == evaluation
    report = evaluation.report()
    assert report is not None
    assert report.adapter == run.adapter_hash


def test_what_cannot_work_is_refused_before_anything_starts(
    runs: Runs, run: Run, config: RunConfig, corpora: Corpora, tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match="no adapter to score: it is created"):
        launch_evaluation(run, worker=WORKER)
    small = tmp_path / "small.csv"
    small.write_text("question,answer\n" + "".join(f"Q{n}?,A{n}.\n" for n in range(19)))
    corpus = corpora.add(small)
    config = config.model_copy(update={"corpus": corpus.name})
    with pytest.raises(CorpusError, match=r"has 19 examples.* needs at least 20"):
        launched(runs, config, "finish")
    with pytest.raises(UserError, match="no corpus called"):
        launched(runs, config.model_copy(update={"corpus": "gone"}), "finish")
    assert runs.list() == [run]
