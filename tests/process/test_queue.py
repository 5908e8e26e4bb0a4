"""Work that waits its turn: who is next, who starts it, and that no two share a device."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.conftest import wait_until
from tests.process.scripted_worker import SCRIPTS, WORKER, worker_of
from trainer.config import RunConfig
from trainer.devices import CPU, device_lock, devices, environment
from trainer.errors import ConfigError
from trainer.events import Failed, Progress, Resumed, Started
from trainer.launch import (
    cancel,
    launch,
    launch_evaluation,
    move,
    resume,
    resume_evaluation,
    start_waiting,
)
from trainer.runs import Run, Runs
from trainer.work import State, Work

Start = Callable[..., Run]


@pytest.fixture
def start(runs: Runs, config: RunConfig) -> Start:
    def _start(script: str, **settings: object) -> Run:
        given = {"max_length": SCRIPTS[script]} | settings
        return launch(config.model_copy(update=given), runs, worker=WORKER)

    return _start


@pytest.fixture
def two_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_DEVICES", "cuda-0,cuda-1")


def over(*works: Work) -> Callable[[], bool]:
    return lambda: all(work.state().over and not work.alive for work in works)


def began(run: Run) -> datetime:
    return next(e.at for e in run.events.read() if isinstance(e, Started))


def elsewhere(script: str) -> "subprocess.Popen[str]":
    """Another process that has the runs at hand and does what the script says."""
    head = (
        "import sys, time; from pathlib import Path\n"
        "from tests.process.scripted_worker import SCRIPTS, WORKER\n"
        "from trainer.config import RunConfig; from trainer.runs import Runs\n"
        "from trainer.launch import launch, start_waiting\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", head + script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def launching(runs: Runs, config: RunConfig, script: str) -> str:
    told = config.model_copy(update={"max_length": SCRIPTS[script]}).model_dump_json()
    return (
        f"runs = Runs(Path({str(runs.root)!r}))\n"
        f"config = RunConfig.model_validate_json({told!r})\n"
        "launch(config, runs, worker=WORKER)\n"
    )


def test_runs_wait_in_the_order_they_came_and_can_be_moved_and_cancelled(
    runs: Runs, start: Start
) -> None:
    first = start("wait")
    a, b, c, d = (start("finish") for _ in range(4))
    assert [first.state(), *(run.state() for run in (a, b, c, d))] == [
        State.RUNNING,
        *[State.QUEUED] * 4,
    ]
    assert runs.waiting() == [a, b, c, d]
    move(d, runs, by=-3)
    assert runs.waiting() == [d, a, b, c]
    move(d, runs, by=1)
    assert runs.waiting() == [a, d, b, c]
    move(a, runs, by=99)
    assert runs.waiting() == [d, b, c, a]
    cancel(b)
    assert b not in runs.list()
    assert not [path for path in runs.root.iterdir() if b.id in path.name], "not a trace"
    with pytest.raises(ConfigError, match="does not wait: it is running"):
        cancel(first)
    with pytest.raises(ConfigError, match="does not wait: it is running"):
        move(first, runs, by=1)
    first.ask_to_stop()
    wait_until(over(a, c, d))
    assert {run.state() for run in (a, c, d)} == {State.FINISHED}
    assert began(d) < began(c) < began(a)


def test_runs_queued_at_one_moment_can_still_be_moved(runs: Runs, start: Start) -> None:
    first = start("wait")
    a, b = sorted((start("finish"), start("finish")), key=lambda run: run.id)
    for run in (a, b):
        shutil.copy(a.path / "queued", run.path / "queued.copy")
        (run.path / "queued.copy").rename(run.path / "queued")
    assert runs.waiting() == [a, b]
    move(a, runs, by=1)
    assert runs.waiting() == [b, a]
    for run in (a, b):
        cancel(run)
    first.ask_to_stop()
    wait_until(over(first))


@pytest.mark.slow
def test_processes_that_launch_at_once_never_run_two(runs: Runs, config: RunConfig) -> None:
    script = "sys.stdin.readline()\n" + launching(runs, config, "nap") * 2 + "time.sleep(60)\n"
    processes = [elsewhere(script) for _ in range(3)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("now\n")
        process.stdin.flush()
    wait_until(lambda: len(runs.list()) == 6, 60)
    wait_until(over(*runs.list()), 60)
    for process in processes:
        process.kill()
        process.communicate()
    # A scripted worker that is not alone on its device dies, and its run is lost.
    assert [run.state() for run in runs.list()] == [State.FINISHED] * 6


def test_the_next_starts_when_the_one_before_is_killed(start: Start) -> None:
    first, second = start("wait"), start("finish")
    wait_until(first.events.read)
    os.kill(worker_of(first), signal.SIGKILL)
    wait_until(over(second))
    assert (first.state(), second.state()) == (State.LOST, State.FINISHED)


def test_the_next_starts_also_when_whoever_launched_both_is_gone(
    runs: Runs, config: RunConfig
) -> None:
    script = launching(runs, config, "wait") + launching(runs, config, "finish")
    page = elsewhere(script + "print('launched', flush=True); time.sleep(60)\n")
    assert page.stdout is not None
    assert page.stdout.readline() == "launched\n"
    os.killpg(page.pid, signal.SIGKILL)
    page.communicate()
    (first,) = [run for run in runs.list() if run.alive]
    (second,) = runs.waiting()
    wait_until(first.events.read)
    first.ask_to_stop()
    wait_until(over(first, second))
    assert (first.state(), second.state()) == (State.STOPPED, State.FINISHED)


def test_a_server_that_restarts_carries_on_with_the_queue(runs: Runs, config: RunConfig) -> None:
    """Server and worker are killed together, as by a power cut; the next server only looks."""
    script = launching(runs, config, "wait") + launching(runs, config, "finish")
    server = elsewhere(script + "print('launched', flush=True); time.sleep(60)\n")
    assert server.stdout is not None
    assert server.stdout.readline() == "launched\n"
    (first,) = [run for run in runs.list() if run.alive]
    os.killpg(server.pid, signal.SIGKILL)
    server.communicate()
    os.kill(worker_of(first), signal.SIGKILL)
    wait_until(over(first))
    (second,) = runs.waiting()
    assert second.state() is State.QUEUED
    again = elsewhere(f"start_waiting(Runs(Path({str(runs.root)!r})), worker=WORKER)\n")
    assert again.wait(60) == 0
    again.communicate()
    wait_until(over(second))
    assert second.state() is State.FINISHED
    assert first.state() is State.LOST


def test_work_outlives_a_starter_that_dies_at_the_start(runs: Runs, start: Start) -> None:
    """It is killed after the worker is there and before the mark of waiting is gone."""
    run = start("wait")
    wait_until(run.events.read)
    (run.path / "queued").write_text("1")
    assert run.state() is State.RUNNING
    start_waiting(runs, worker=WORKER)
    assert len([e for e in run.events.read() if isinstance(e, Started)]) == 1
    (run.path / "queued").unlink()
    run.ask_to_stop()
    wait_until(over(run))


def test_an_evaluation_waits_its_turn_and_can_be_cancelled(runs: Runs, start: Start) -> None:
    scored = start("finish")
    wait_until(over(scored))
    first = start("wait")
    cancelled, evaluation = (launch_evaluation(scored, worker=WORKER) for _ in range(2))
    last = start("finish")
    assert evaluation.state() is State.QUEUED
    assert scored.state() is State.FINISHED
    assert runs.waiting() == [cancelled, evaluation, last]
    cancel(cancelled)
    assert list(scored.evaluations()) == [evaluation]
    assert not cancelled.path.exists()
    first.ask_to_stop()
    wait_until(over(evaluation, last))
    assert evaluation.state() is State.FINISHED
    assert evaluation.report() is not None


def test_a_scoring_that_was_cut_off_goes_on_once_its_worker_is_gone(start: Start) -> None:
    scored = start("finish")
    wait_until(over(scored))
    evaluation = scored.create_evaluation()
    with evaluation.lock.claim():
        evaluation.events.append(Failed(reason="The disk is full."))
        with pytest.raises(ConfigError, match="just ending"):
            resume_evaluation(evaluation, worker=WORKER)
    assert evaluation.cut_off
    resume_evaluation(evaluation, worker=WORKER)
    wait_until(over(evaluation))
    assert evaluation.state() is State.FINISHED
    assert isinstance(evaluation.events.read()[0], Resumed), "and its end before is forgotten"
    with pytest.raises(ConfigError, match="is finished; it cannot go on"):
        resume_evaluation(evaluation, worker=WORKER)


def test_of_several_scorings_the_one_at_work_is_stopped_first(start: Start) -> None:
    scored = start("finish")
    wait_until(over(scored))
    at_work, later = scored.create_evaluation(), scored.create_evaluation(place=1.0)
    with at_work.lock.claim():
        assert scored.unfinished() == at_work
    assert scored.unfinished() == later


def test_each_device_has_one_run(two_devices: None, workspace: Path, start: Start) -> None:
    first, second, third = (start("wait") for _ in range(3))
    wait_until(first.events.read)
    wait_until(second.events.read)
    assert (first.state(), second.state(), third.state()) == (
        State.RUNNING,
        State.RUNNING,
        State.QUEUED,
    )
    second.ask_to_stop()
    wait_until(lambda: third.events.read())
    assert first.state() is third.state() is State.RUNNING
    for run in (first, third):
        run.ask_to_stop()
    wait_until(over(first, third))
    assert {p.name for p in (workspace / "devices").iterdir()} == {"cuda-0.lock", "cuda-1.lock"}


def test_a_device_that_someone_else_holds_is_left_alone(
    two_devices: None, workspace: Path, start: Start
) -> None:
    with device_lock(workspace, "cuda-0").claim():  # as the chat does on a GPU
        first = start("wait")
        wait_until(first.events.read)
        assert (workspace / "at-work-on-1").exists()
        assert not (workspace / "at-work-on-0").exists()
        second = start("wait")
        assert second.state() is State.QUEUED
    for run in (first, second):
        run.ask_to_stop()
    wait_until(over(first, second))


def test_a_run_of_more_processes_than_gpus_is_refused(
    two_devices: None, runs: Runs, start: Start
) -> None:
    with pytest.raises(ConfigError, match="processes: 3 is more than the 2 GPUs of this machine"):
        start("finish", processes=3)
    assert runs.list() == []


def test_a_worker_knows_of_devices_it_may_not_use(two_devices: None) -> None:
    told = environment(("cuda-1",))
    assert told["CUDA_VISIBLE_DEVICES"] == "1"
    assert told["TANDEM_DEVICES"] == "cuda-0,cuda-1"
    assert devices() == ("cuda-0", "cuda-1")


def test_a_machine_without_a_gpu_has_its_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TANDEM_DEVICES", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert devices() == (CPU,)


def test_a_resumed_run_waits_with_all_it_said(runs: Runs, start: Start) -> None:
    lost = start("die")
    wait_until(over(lost))
    said = lost.events.read()
    first = start("wait")
    assert resume(lost, worker=WORKER) is None, "it left no checkpoint"
    assert lost.state() is State.QUEUED
    assert lost.events.read() == said
    with pytest.raises(ConfigError, match="is queued; there is nothing to resume"):
        resume(lost, worker=WORKER)
    cancel(lost)
    assert lost.state() is State.LOST
    assert lost.events.read() == said, "what had begun stays when it is taken out of the queue"
    resume(lost, worker=WORKER)
    first.ask_to_stop()
    wait_until(lambda: lost.state() is State.LOST and not lost.alive)
    kinds = [type(event) for event in lost.events.read()]
    assert kinds == [Resumed, Started, Progress], "what it said before holds no longer"


def test_a_line_torn_by_a_power_cut_does_not_swallow_the_next(start: Start) -> None:
    lost = start("die")
    wait_until(over(lost))
    with lost.events.path.open("ab") as file:
        file.write(b'{"at":"2026-')
    resume(lost, worker=WORKER)
    wait_until(over(lost))
    assert isinstance(lost.events.read()[0], Resumed)


def test_only_what_ended_before_its_time_is_resumed(start: Start) -> None:
    done = start("finish")
    wait_until(over(done))
    with pytest.raises(ConfigError, match=rf"For more of it: tandem continue {done.id}"):
        resume(done, worker=WORKER)
    done.events.append(Failed(reason="later"))
    with done.lock.claim(), pytest.raises(ConfigError, match="is being scored"):
        resume(done, worker=WORKER)


def test_a_run_that_cannot_be_read_does_not_hold_the_others_up(runs: Runs, start: Start) -> None:
    first, damaged, second = start("wait"), start("finish"), start("finish")
    (damaged.path / "config.json").write_text("{")
    first.ask_to_stop()
    wait_until(over(second))
    assert second.state() is State.FINISHED
