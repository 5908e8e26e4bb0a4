"""What goes wrong for real: the worker of a run is killed, or loses its disk, memory or base.

Every run here is the same tuning of a tiny model; whatever happens to it, it ends in a true state
with a next step, and once resumed with the adapter of the run that nothing happened to.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import wait_until
from tests.process.scripted_worker import SCRIPTS, worker_of
from tests.process.scripted_worker import WORKER as SCRIPTED
from trainer.checkpoints import newest_checkpoint
from trainer.config import RunConfig
from trainer.corpus.library import Corpora
from trainer.errors import ConfigError
from trainer.events import Failed, Finished, Progress, Started, Validated
from trainer.launch import launch, resume
from trainer.runs import Run, Runs
from trainer.words import ending
from trainer.work import State

pytestmark = pytest.mark.slow

SECONDS = 120.0  # until a worker has imported and loaded, on a busy machine
SETTINGS = {"epochs": 4, "learning_rate": 1e-2, "batch_size": 4, "lora_rank": 32}
SETTINGS |= {"lora_dropout": 0.1, "version": 1, "evaluate": False}


def tune(workspace: Path, returns: Path, base: Path, **settings: object) -> Run:
    corpora = Corpora(workspace / "corpora")
    if not corpora.root.exists():
        shutil.copytree(returns, corpora.root / "returns")
    given = {**SETTINGS, "base": str(base), "corpus": "returns", **settings}
    return launch(RunConfig.parse(given), Runs(workspace / "runs"))


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory, returns: Path, tiny_model: Path) -> Run:
    """The run that nothing happens to."""
    run = tune(tmp_path_factory.mktemp("reference"), returns, tiny_model)
    wait_until(lambda: not run.alive, SECONDS)
    assert run.state() is State.FINISHED, run.last_output()
    return run


def finish(run: Run, reference: Run) -> None:
    resume(run)
    wait_until(lambda: not run.alive, SECONDS)
    assert run.state() is State.FINISHED, run.last_output()
    assert run.adapter_hash == reference.adapter_hash
    steps = [e.step for e in run.events.read() if isinstance(e, Progress)]
    assert steps == [e.step for e in reference.events.read() if isinstance(e, Progress)]
    assert not list(run.path.rglob("*.partial")), "nothing half-made is left"


def kill(run: Run) -> None:
    os.kill(worker_of(run), signal.SIGKILL)
    wait_until(lambda: not run.alive)
    assert run.state() is State.LOST
    assert "was killed" in ending(run)


def frozen(run: Run, there: Callable[[], object]) -> bool:
    """Freeze the worker the moment something is there; False if it was gone before."""
    deadline = time.monotonic() + SECONDS
    worker = worker_of(run)
    while run.alive:
        assert time.monotonic() < deadline
        if there():
            os.kill(worker, signal.SIGSTOP)
            time.sleep(0.05)
            if there():
                return True
            os.kill(worker, signal.SIGCONT)
    return False


def test_a_run_killed_at_every_bad_instant_ends_as_if_nothing_had_happened(
    workspace: Path, returns: Path, tiny_model: Path, reference: Run
) -> None:
    run = tune(workspace, returns, tiny_model)
    time.sleep(0.5)
    kill(run)
    assert not run.events.read(), "killed while it imported"

    assert resume(run) is None
    wait_until(run.events.read, SECONDS)
    kill(run)
    assert isinstance(run.events.read()[0], Started), "killed about the first step"

    resume(run)
    checkpoints = run.path / "checkpoints"
    assert frozen(run, lambda: newest_checkpoint(run) and [*checkpoints.glob(".step-*.partial")])
    kill(run)
    whole = newest_checkpoint(run)
    assert whole is not None, "the one before it is whole"
    assert list(checkpoints.glob(".step-*.partial")), "killed in the middle of the next"

    found = resume(run)
    assert found == whole
    if frozen(run, (run.path / "adapter.partial").exists):
        kill(run)
        assert not run.has_adapter, "half an adapter is none"
    else:
        pytest.fail("the adapter was written before this test looked; run it again")
    finish(run, reference)


def test_a_damaged_newest_checkpoint_costs_the_steps_behind_the_one_before(
    workspace: Path, returns: Path, tiny_model: Path, reference: Run
) -> None:
    run = tune(workspace, returns, tiny_model)
    assert frozen(run, lambda: len([*run.path.glob("checkpoints/step-*")]) > 1)
    kill(run)
    newest = newest_checkpoint(run)
    assert newest is not None
    with (newest.path / "optimizer.safetensors").open("r+b") as file:
        file.truncate(1000)  # as after a power cut
    found = resume(run)
    assert found is not None
    assert found.step < newest.step
    wait_until(lambda: not run.alive, SECONDS)
    assert run.adapter_hash == reference.adapter_hash


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A disk of any size, and another size later; root may mount one."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(*options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "none", str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
        return place

    yield lambda size: mount(*(["remount"] if place.is_mount() else []), f"size={size}")
    if place.is_mount():
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_too_small_for_the_next_checkpoint_fails_the_run_and_harms_nothing(
    small_disk: Callable[[str], Path], returns: Path, tiny_model: Path, reference: Run
) -> None:
    size = sum(f.stat().st_size for f in (reference.path / "checkpoints").rglob("*"))
    run = tune(small_disk(f"{size * 2 // 3 // 1024 + 600}k"), returns, tiny_model)
    wait_until(lambda: not run.alive, SECONDS)
    assert run.state() is State.FAILED
    assert "The disk is full. Free some space" in ending(run)
    assert newest_checkpoint(run), "what was saved before is whole"
    assert not list(run.path.glob("checkpoints/.step-*")), "and nothing half-made takes up room"
    small_disk("64m")
    finish(run, reference)


def test_a_disk_that_others_fill_up_leaves_room_for_the_last_word(
    small_disk: Callable[[str], Path], returns: Path, tiny_model: Path, reference: Run
) -> None:
    disk = small_disk("64m")
    run = tune(disk, returns, tiny_model)
    assert frozen(run, lambda: newest_checkpoint(run))
    filler = (disk / "filler").open("wb", 0)
    with filler, suppress(OSError):
        while True:
            filler.write(bytes(512))
    os.kill(worker_of(run), signal.SIGCONT)
    wait_until(lambda: not run.alive, SECONDS)
    assert run.state() is State.FAILED, run.last_output()
    assert "The disk is full. Free some space" in ending(run)
    (disk / "filler").unlink()
    finish(run, reference)


OUT_OF_MEMORY = """
import os, resource, sys
os.environ["OMP_NUM_THREADS"] = "1"
import trainer.finetune
from trainer.models import load_base
from trainer.runs import Run
from pathlib import Path
from trainer.worker import main
load_base(Run(Path(sys.argv[1])).config.base)
held = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(resource.RLIMIT_AS, (held + 40 * 2**20, resource.RLIM_INFINITY))
main(sys.argv[1])
"""


def test_a_run_out_of_memory_fails_with_advice(
    workspace: Path, returns: Path, tiny_model: Path
) -> None:
    shutil.copytree(returns, workspace / "corpora" / "returns")
    given = {**SETTINGS, "base": str(tiny_model), "corpus": "returns", "batch_size": 64}
    runs = Runs(workspace / "runs")
    run = launch(RunConfig.parse(given), runs, worker=("-c", OUT_OF_MEMORY))
    wait_until(lambda: not run.alive, SECONDS)
    assert run.state() is State.FAILED, run.last_output()
    assert "ran out of memory. Halve the batch size" in ending(run), run.last_output()


def test_a_base_that_is_deleted_is_named_and_one_in_memory_is_enough(
    workspace: Path, returns: Path, tiny_model: Path, reference: Run, tmp_path: Path
) -> None:
    base, away = tmp_path / "base", tmp_path / "away"
    shutil.copytree(tiny_model, base)
    run = tune(workspace, returns, base)
    assert frozen(run, lambda: newest_checkpoint(run))
    base.rename(away)
    kill(run)
    with pytest.raises(ConfigError, match=f"There is no base '{base}'"):
        resume(run)
    assert run.state() is State.LOST
    away.rename(base)
    found = resume(run)
    assert found is not None
    assert frozen(
        run, lambda: [e for e in run.events.read() if isinstance(e, Progress)][-1].step > found.step
    )
    shutil.rmtree(base)
    os.kill(worker_of(run), signal.SIGCONT)
    wait_until(lambda: not run.alive, SECONDS)
    assert run.state() is State.FINISHED, run.last_output()
    assert run.adapter_hash == reference.adapter_hash


def test_a_clock_that_is_set_back_changes_neither_state_nor_order(
    runs: Runs, config: RunConfig
) -> None:
    ahead = datetime(2031, 1, 1, tzinfo=UTC)
    config = config.model_copy(update={"max_length": SCRIPTS["die"]})
    run = launch(config, runs, worker=SCRIPTED)
    wait_until(lambda: not run.alive)
    said = [json.loads(line) for line in run.events.path.read_text().splitlines()]
    for event in said:
        event["at"] = ahead.isoformat()
    run.events.path.write_text("".join(json.dumps(event) + "\n" for event in said))
    run.events.append(Validated(step=1, loss=2.0, best=True))  # as of today
    run.events.append(Finished(seconds=3, step=1, kept_step=1))
    assert [e.event for e in run.events.read()] == [
        "started",
        "progress",
        "validated",
        "finished",
    ]
    assert run.state() is State.FINISHED
    assert "finished after 3 s" in ending(run)

    # Whose turn it is does not depend on the clock either, though names do.
    waits = config.model_copy(update={"max_length": SCRIPTS["wait"]})
    first = launch(waits, runs, worker=SCRIPTED)
    second = launch(config, runs, worker=SCRIPTED)
    renamed = Run(second.path.rename(second.path.with_name("2031-01-01-000000-returns-0000")))
    third = launch(config, runs, worker=SCRIPTED)
    assert third.id < renamed.id
    assert runs.waiting() == [renamed, third]
    first.ask_to_stop()
    wait_until(lambda: third.state().over and not third.alive)
    assert renamed.state() is State.LOST


def test_a_base_that_was_never_there_fails_the_run_by_name(
    workspace: Path, returns: Path, tiny_model: Path
) -> None:
    run = tune(workspace, returns, tiny_model / "nothing")
    wait_until(lambda: not run.alive, SECONDS)
    assert run.state() is State.FAILED
    (failed,) = [e for e in run.events.read() if isinstance(e, Failed)]
    assert failed.reason.startswith("There is no base")
    assert "Traceback" in (run.path / "output.log").read_text()
