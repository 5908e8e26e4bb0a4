"""Stop, resume, end with the same weights; checkpoints kept, passed over, refused."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from trainer.checkpoints import Checkpoint, changed_since, newest_checkpoint
from trainer.config import RunConfig
from trainer.corpus.library import Corpora, Corpus
from trainer.errors import ConfigError
from trainer.events import Event, Finished, Progress, Resumed, Started, Stopped, Validated
from trainer.finetune import PATIENCE, finetune
from trainer.launch import resume
from trainer.runs import Run, Runs
from trainer.team import Team
from trainer.work import State

Create = Callable[..., Run]


@pytest.fixture
def create(runs: Runs, corpus: Corpus, tiny_model: Path) -> Create:
    def _create(**settings: object) -> Run:
        given = {"base": str(tiny_model), "corpus": corpus.name, "version": 1, "epochs": 3}
        given |= {"learning_rate": 1e-2, "batch_size": 4, "lora_rank": 8} | settings
        return runs.create(RunConfig.parse(given), corpus.split)

    return _create


class StoppingAt(Team):
    """A team of one that asks for a stop once a step is told of; it is obeyed after the next."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step

    def say(self, run: Run, event: Event) -> None:
        super().say(run, event)
        if isinstance(event, Progress) and event.step == self.step - 1:
            run.ask_to_stop()


def go_on(run: Run, team: Team | None = None) -> None:
    """What `resume` and the worker do, in this process."""
    (run.path / "stop").unlink(missing_ok=True)
    found = newest_checkpoint(run)
    run.events.append(Resumed(step=found.step if found else 0))
    finetune(run, team)


def of(kind: type, run: Run) -> list:
    return [event for event in run.events.read() if isinstance(event, kind)]


def last_step(run: Run) -> int:
    return of(Progress, run)[-1].step


def steps_kept(run: Run) -> list[int]:
    return sorted(Checkpoint(path).step for path in (run.path / "checkpoints").iterdir())


@pytest.mark.parametrize("optimizer", [pytest.param("adamw", marks=pytest.mark.slow), "adamw8bit"])
def test_a_run_stopped_again_and_again_ends_with_the_weights_of_one_that_was_not(
    create: Create, optimizer: str
) -> None:
    """64 wide, because bitsandbytes keeps the memory of small weights in 32 bits."""
    settings = {"optimizer": optimizer, "lora_dropout": 0.2, "accumulation": 2, "lora_rank": 64}
    settings |= {"epochs": 6}
    whole, broken = create(**settings), create(**settings)
    finetune(whole)
    for step in (2, 5, 7):
        go = finetune if step == 2 else go_on
        go(broken, StoppingAt(step))
        assert broken.state() is State.STOPPED
        assert last_step(broken) == step
        assert broken.has_adapter
    go_on(broken)

    assert broken.state() is State.FINISHED
    assert broken.adapter_hash == whole.adapter_hash
    curve = {e.step: e.loss for e in of(Progress, whole)}
    assert {e.step: e.loss for e in of(Progress, broken)} == curve
    checks = {e.step: e.loss for e in of(Validated, whole)}
    assert {e.step: e.loss for e in of(Validated, broken)}.items() >= checks.items()
    memory = [
        load_file(newest_checkpoint(run).path / "optimizer.safetensors")  # type: ignore[union-attr]
        for run in (whole, broken)
    ]
    assert all(torch.equal(memory[0][name], memory[1][name]) for name in memory[0])
    assert any(t.dtype == torch.uint8 for t in memory[0].values()) == (optimizer == "adamw8bit")


def test_a_stop_just_before_an_early_end_changes_neither_the_end_nor_the_adapter(
    create: Create,
) -> None:
    settings = {"epochs": 60, "learning_rate": 3e-2}
    whole, broken = create(**settings), create(**settings)
    finetune(whole)
    end = last_step(whole)
    (finished,) = of(Finished, whole)
    assert finished.kept_step < finished.step < of(Started, whole)[0].steps

    assert end - 1 not in {check.step for check in of(Validated, whole)}
    finetune(broken, StoppingAt(end - 4))
    go_on(broken, StoppingAt(end - 1))
    go_on(broken)
    assert last_step(broken) == end
    assert broken.adapter_hash == whole.adapter_hash
    assert of(Finished, broken)[0].kept_step == finished.kept_step

    # Killed between its last checkpoint and its last word: nothing is left to train.
    shutil.rmtree(broken.adapter)
    go_on(broken)
    assert last_step(broken) == end
    assert broken.adapter_hash == whole.adapter_hash


def test_the_last_two_checkpoints_and_the_best_are_kept(create: Create) -> None:
    run = create(epochs=60, learning_rate=3e-2)
    finetune(run)
    checks = of(Validated, run)
    best = min(checks, key=lambda check: check.loss).step
    assert best == checks[-1 - PATIENCE].step
    assert steps_kept(run) == [best, checks[-2].step, checks[-1].step]
    files = {p.name for p in (run.path / "checkpoints").rglob("*") if p.is_file()}
    assert files == {"adapter.safetensors", "optimizer.safetensors", "state.json"}
    kept = load_file(run.path / "checkpoints" / f"step-{best:06}" / "adapter.safetensors")
    adapter = load_file(run.adapter / "adapter_model.safetensors")
    assert {k.replace(".default", ""): v for k, v in kept.items()}.keys() == adapter.keys()
    assert all(torch.equal(v, adapter[k.replace(".default", "")]) for k, v in kept.items())


@pytest.mark.parametrize(
    "file",
    [
        "adapter.safetensors",
        pytest.param("optimizer.safetensors", marks=pytest.mark.slow),
        pytest.param("state.json", marks=pytest.mark.slow),
    ],
)
def test_a_damaged_checkpoint_is_passed_over_and_the_end_is_the_same(
    create: Create, file: str
) -> None:
    whole, broken = create(), create()
    finetune(whole)
    finetune(broken, StoppingAt(12))
    before, newest = [Checkpoint(p) for p in sorted((broken.path / "checkpoints").iterdir())][-2:]
    content = bytearray((newest.path / file).read_bytes())
    at = content.rindex(b"7") if file == "state.json" else len(content) // 2
    content[at] ^= 1  # one bit: still JSON, still safetensors
    (newest.path / file).write_bytes(content)
    assert newest_checkpoint(broken) == before
    go_on(broken)
    assert of(Resumed, broken)[-1].step == before.step
    assert broken.adapter_hash == whole.adapter_hash


def test_where_the_best_checkpoint_is_damaged_a_later_one_is_the_adapter(create: Create) -> None:
    run = create(epochs=60, learning_rate=3e-2)
    finetune(run)
    (finished,) = of(Finished, run)
    best = run.path / "checkpoints" / f"step-{finished.kept_step:06}"
    (best / "adapter.safetensors").write_bytes(b"")
    go_on(run)
    assert run.state() is State.FINISHED
    assert of(Finished, run)[-1].kept_step != finished.kept_step
    assert load_file(run.adapter / "adapter_model.safetensors")


def test_without_a_whole_checkpoint_a_run_begins_again(create: Create) -> None:
    whole, broken = create(epochs=1), create(epochs=1)
    finetune(whole)
    finetune(broken)
    for checkpoint in (broken.path / "checkpoints").iterdir():
        (checkpoint / "state.json").write_text("{")
    go_on(broken)
    assert [e.step for e in of(Progress, broken)] == [e.step for e in of(Progress, whole)]
    assert len(of(Started, broken)) == 1
    assert broken.adapter_hash == whole.adapter_hash


@pytest.fixture
def stopped(create: Create, tiny_model: Path, tmp_path: Path) -> Run:
    base = tmp_path / "base"
    shutil.copytree(tiny_model, base)
    run = create(base=str(base), epochs=1)
    run.ask_to_stop()
    finetune(run)
    assert run.state() is State.STOPPED
    return run


def test_what_changed_is_named_and_refused(stopped: Run, corpora: Corpora) -> None:
    checkpoint = newest_checkpoint(stopped)
    assert checkpoint is not None
    assert changed_since(checkpoint, stopped) == []

    def refusal() -> str:
        with pytest.raises(ConfigError) as caught:
            resume(stopped, worker=("-c", "raise SystemExit"))
        assert stopped.state() is State.STOPPED, "and it does not wait"
        return str(caught.value)

    for file, change, named in [
        (stopped.path / "config.json", ('"seed": 17', '"seed": 18'), "the setting seed changed"),
        (stopped.path / "split.json", ("reworded", "reworded "), "the split changed"),
        (Path(stopped.config.base) / "config.json", ("{", "{ "), "the base .*/base changed"),
        (Path(stopped.config.base) / "chat_template.jinja", ("<|", "<| "), "the base .* changed"),
    ]:
        before = file.read_text()
        assert change[0] in before
        file.write_text(before.replace(*change, 1))
        if file.name == "split.json":
            file.write_text(before + " ")
        with pytest.raises(ConfigError, match=rf"cannot go on from step 1: since then {named}"):
            resume(stopped, worker=("-c", "raise SystemExit"))
        assert stopped.state() is State.STOPPED, "and it does not wait"
        file.write_text(before)
    assert changed_since(checkpoint, stopped) == []

    settings = (stopped.path / "config.json").read_text()
    (stopped.path / "config.json").write_text(
        settings.replace('"seed": 17', '"seed": 18').replace('"epochs": 1.0', '"epochs": 2.0')
    )
    assert "since then the setting epochs and the setting seed changed" in refusal()
    (stopped.path / "config.json").write_text(settings)

    origin = stopped.corpus.path / "corpus.json"
    told = origin.read_text()
    sha = stopped.corpus.origin.examples_sha256
    origin.write_text(told.replace(sha, sha[::-1]))
    assert "since then the corpus changed" in refusal()
    origin.write_text(told)

    Path(stopped.config.base).rename(Path(stopped.config.base).with_name("elsewhere"))
    assert f"There is no base '{stopped.config.base}'" in refusal()


def test_a_continued_run_goes_on_after_its_parent_was_deleted(create: Create, runs: Runs) -> None:
    parent = create(epochs=1)
    finetune(parent)
    whole, broken, begun = (create(epochs=1, continues=parent.id) for _ in range(3))
    finetune(whole)
    broken.ask_to_stop()
    finetune(broken)
    runs.delete(parent)
    go_on(broken)
    assert broken.adapter_hash == whole.adapter_hash

    with begun.lock.claim():
        pass
    assert begun.state() is State.LOST
    with pytest.raises(ConfigError, match=f"it continues '{parent.id}', which is no longer there"):
        resume(begun, worker=("-c", "raise SystemExit"))
    with pytest.raises(ConfigError, match="which is no longer there"):
        finetune(begun)


def test_two_batches_of_four_teach_what_one_of_eight_does(create: Create) -> None:
    one = create(batch_size=8, method="lora")
    two = create(batch_size=4, accumulation=2, method="lora")
    for run in (one, two):
        finetune(run)
    losses = [[e.loss for e in of(Progress, run)] for run in (one, two)]
    assert losses[0] == pytest.approx(losses[1], rel=0.02), "bfloat16, added in another order"
    assert losses[0] != losses[1]
    other = create(batch_size=4, method="lora")
    finetune(other)
    assert [e.loss for e in of(Progress, other)][: len(losses[0])] != pytest.approx(
        losses[0], rel=0.02
    )


def test_computing_activations_twice_gives_the_same_curve(create: Create) -> None:
    kept, again = create(lora_dropout=0.1), create(lora_dropout=0.1, recompute=True)
    for run in (kept, again):
        finetune(run)
    assert [e.loss for e in of(Progress, again)] == [e.loss for e in of(Progress, kept)]
    assert again.adapter_hash == kept.adapter_hash


def test_a_stop_keeps_the_better_of_its_own_step_and_the_best_before(create: Create) -> None:
    run = create()
    finetune(run, StoppingAt(5))
    (stopped,) = of(Stopped, run)
    best = min(of(Validated, run), key=lambda check: check.loss)
    assert of(Validated, run)[-1].step == stopped.step, "it was checked where it stopped"
    assert stopped.kept_step == best.step
