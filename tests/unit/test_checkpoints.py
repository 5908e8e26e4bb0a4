"""Which checkpoints stay, which count, and which are refused; no framework, no training."""

from pathlib import Path

import pytest

from trainer.checkpoints import (
    TENSORS,
    Checkpoint,
    CheckpointState,
    Origins,
    Point,
    checkpoint_path,
    finish_checkpoint,
    newest_checkpoint,
)
from trainer.runs import Run

ORIGINS = Origins(settings={"seed": 17}, split="s", corpus="c", base="b")


def leave(run: Run, step: int, *, best: int) -> Checkpoint:
    partial = run.path / "checkpoints" / f".step-{step:06}.partial"
    partial.mkdir(parents=True)
    for name in TENSORS:
        (partial / name).write_bytes(b"%d" % step)
    point = Point(
        step=step,
        seen=step * 8,
        tokens=step * 99,
        seconds=0.1 * step,
        best_loss=1 / 3,
        best_step=best,
        checks_since=0,
        random={"cpu": "00ff"},
    )
    state = CheckpointState(point=point, origins=ORIGINS, scalars={"0.step": step}, sha256={})
    finish_checkpoint(partial, run, state)
    return Checkpoint(checkpoint_path(run, step))


def kept(run: Run) -> list[int]:
    return sorted(Checkpoint(path).step for path in (run.path / "checkpoints").iterdir())


def test_the_last_two_and_the_best_stay(run: Run) -> None:
    for step in (2, 4, 6, 8, 10):
        leave(run, step, best=2)
    assert kept(run) == [2, 8, 10]


def test_the_best_as_the_last_but_one_knew_it_stays_in_case_the_last_is_damaged(run: Run) -> None:
    for step, best in ((2, 2), (4, 2), (6, 2), (8, 8)):
        leave(run, step, best=best)
    assert kept(run) == [2, 6, 8]
    leave(run, 10, best=8)
    assert kept(run) == [8, 10]


def test_what_was_read_is_what_was_written(run: Run) -> None:
    checkpoint = leave(run, 3, best=3)
    assert checkpoint.whole
    assert checkpoint.state.point.best_loss == 1 / 3
    assert checkpoint.state.scalars == {"0.step": 3}
    assert isinstance(checkpoint.state.scalars["0.step"], int)
    assert newest_checkpoint(run) == checkpoint


@pytest.mark.parametrize("name", [*TENSORS, "state.json"])
def test_one_that_lacks_or_changed_anything_does_not_count(run: Run, name: str) -> None:
    older, newer = leave(run, 2, best=2), leave(run, 4, best=2)
    file = newer.path / name
    before = file.read_bytes()
    file.write_bytes(before.replace(b"4", b"5"))
    assert newest_checkpoint(run) == older
    file.write_bytes(before[:-1])
    assert newest_checkpoint(run) == older
    file.unlink()
    assert newest_checkpoint(run) == older
    file.write_bytes(before)
    assert newest_checkpoint(run) == newer


def test_strange_names_and_halves_are_no_checkpoints(run: Run) -> None:
    assert newest_checkpoint(run) is None
    checkpoint = leave(run, 2, best=2)
    for name in ("step-copy", ".step-000009.partial", "step-"):
        (run.path / "checkpoints" / name).mkdir()
    assert newest_checkpoint(run) == checkpoint
    leave(run, 1_000_000, best=2)
    assert newest_checkpoint(run) == Checkpoint(checkpoint_path(run, 1_000_000))


def test_a_checkpoint_that_cannot_be_finished_is_not_there(run: Run, tmp_path: Path) -> None:
    before = leave(run, 2, best=2)
    (run.path / "checkpoints" / ".step-000004.partial" / "state.json").mkdir(parents=True)
    (run.path / "checkpoints" / ".step-000004.partial").rename(tmp_path / "half")
    for name in TENSORS:
        (tmp_path / "half" / name).write_bytes(b"4")
    with pytest.raises(IsADirectoryError):
        finish_checkpoint(tmp_path / "half", run, before.state)
    assert kept(run) == [2]
