"""What is said of a run in words, where it came from, and how two runs differ."""

import shlex
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from tests.reports import scored_row
from trainer.checkpoints import (
    TENSORS,
    CheckpointState,
    Origins,
    Point,
    checkpoint_path,
    finish_checkpoint,
)
from trainer.config import RunConfig
from trainer.corpus.library import Corpora, Corpus
from trainer.events import (
    Event,
    Failed,
    Finished,
    Measured,
    Progress,
    Resumed,
    Started,
    Stopped,
    Validated,
)
from trainer.history import command, differences, facts, lineage
from trainer.remarks import remarks
from trainer.report import Kind, Report
from trainer.runs import Run, Runs
from trainer.words import ending, turn

STARTED = Started(
    steps=40,
    examples=30,
    trainable_parameters=5,
    parameters=50,
    device="cpu",
    threads=2,
    libraries={"torch": "2.13.0"},
    base_sha256="b" * 64,
)


def progress(step: int, loss: float, *, steps_per_epoch: int = 10) -> Progress:
    return Progress(
        step=step,
        epoch=step / steps_per_epoch,
        loss=loss,
        learning_rate=1e-3,
        examples_per_second=21.5,
        seconds_left=83,
    )


def tell(run: Run, losses: Sequence[float], checks: Sequence[float] = (), every: int = 4) -> None:
    """Say what a run says that goes on: a loss a step, and a check after every few of them."""
    run.events.append(STARTED)
    lowest = float("inf")
    for step, loss in enumerate(losses, start=1):
        if step % every == 0 and step // every <= len(checks):
            now = checks[step // every - 1]
            run.events.append(Validated(step=step, loss=now, best=now < lowest))
            lowest = min(lowest, now)
        run.events.append(progress(step, loss))


def falling(steps: int) -> list[float]:
    return [3.0 * 0.95**step for step in range(steps)]


def checkpoint(run: Run, step: int) -> None:
    partial = run.path / "checkpoints" / ".partial"
    partial.mkdir(parents=True)
    for tensors in TENSORS:
        (partial / tensors).write_bytes(b"weights")
    point = Point(
        step=step,
        seen=8,
        tokens=80,
        seconds=1,
        best_loss=None,
        best_step=step,
        checks_since=0,
        random={},
    )
    state = CheckpointState(point=point, origins=Origins.of(run), scalars={}, sha256={})
    finish_checkpoint(partial, run, state)


def scored(run: Run, reworded: float, unseen: float = 0.3) -> None:
    run.adapter.mkdir(exist_ok=True)
    (run.adapter / "adapter_model.safetensors").write_bytes(run.id.encode())
    found: tuple[tuple[Kind, float], ...] = (("reworded", reworded), ("unseen", unseen))
    rows = tuple(
        scored_row(
            kind,
            "A.",
            {"base": "b", "tuned": "t", "lookup": "l"},
            {"base": 0.1, "tuned": tuned, "lookup": 0.8},
        )
        for kind, tuned in found
    )
    report = Report(embedder="m", adapter=run.adapter_hash, rows=rows)
    run.create_evaluation().report_path.write_text(report.model_dump_json())


# Remarks.


def test_a_run_that_starts_to_memorise_is_told_so_with_the_step_that_will_be_kept(
    run: Run,
) -> None:
    tell(run, falling(20), checks=[2.0, 1.5, 1.4, 1.5, 1.6])
    with run.lock.claim():
        assert remarks(run) == [
            "Validation loss has risen for two checks while training loss falls: it is starting to "
            "memorise; the best checkpoint is step 12 and will be kept."
        ]
    run.events.append(Finished(seconds=60, step=40, kept_step=12))
    assert remarks(run) == [
        "Validation loss rose at the last two checks while training loss fell: it began to "
        "memorise; the best checkpoint, step 12, was kept."
    ]


def test_of_a_run_that_failed_it_is_not_said_that_anything_was_kept(run: Run) -> None:
    tell(run, falling(20), checks=[2.0, 1.5, 1.4, 1.5, 1.6])
    run.events.append(Failed(reason="The disk is full."))
    (said,) = remarks(run)
    assert said.endswith("it began to memorise; the best checkpoint is step 12.")


@pytest.mark.parametrize(
    ("losses", "checks"),
    [
        (falling(20), [2.0, 1.5, 1.4, 1.5, 1.3]),  # it went up and down
        (falling(20), [2.0, 1.5, 1.4, 1.3, 1.4]),  # one check may be chance
        ([*falling(12), *[3.0] * 8], [2.0, 1.5, 1.4, 1.5, 1.6]),  # training loss rises, too
    ],
)
def test_a_run_that_does_not_memorise_is_not_said_to(
    run: Run, losses: Sequence[float], checks: Sequence[float]
) -> None:
    tell(run, losses, checks)
    with run.lock.claim():
        assert not any("memorise" in said for said in remarks(run))


def test_an_early_stop_is_announced_one_check_before(run: Run) -> None:
    tell(run, falling(20), checks=[1.4, 1.5, 1.45, 1.42])
    with run.lock.claim():
        assert remarks(run) == [
            "Validation loss has not improved for 3 checks: the run ends at the next check unless "
            "it does."
        ]
    again = Run(run.path.with_name("2030-01-01-000000-returns-0000"))
    shutil.copytree(run.path, again.path)
    settings = run.config.model_copy(update={"early_stopping": False})
    (again.path / "config.json").write_text(settings.model_dump_json())
    with again.lock.claim():
        assert remarks(again) == [], "where it is off, nothing is announced"


def test_a_run_that_was_still_getting_better_is_told_to_go_on(run: Run) -> None:
    tell(run, falling(40), checks=[2.0, 1.8, 1.6, 1.45, 1.321])
    run.events.append(Finished(seconds=60, step=40, kept_step=40))
    assert remarks(run) == [
        "Validation loss was still falling at the end (from 1.450 to 1.321): more epochs may help, "
        f"or `tandem continue {run.id}`."
    ]


def test_a_run_that_levelled_off_or_was_ended_early_is_not_told_to_go_on(
    runs: Runs, config: RunConfig, corpus: Corpus
) -> None:
    for checks, step in (([2.0, 1.5, 1.5, 1.499], 40), ([2.0, 1.8, 1.6, 1.4], 30)):
        run = runs.create(config, corpus.split)
        tell(run, falling(30), checks)
        run.events.append(Finished(seconds=60, step=step, kept_step=step))
        assert remarks(run) == []


def test_a_loss_that_jumps_is_blamed_on_the_learning_rate_but_noise_is_not(
    runs: Runs, config: RunConfig, corpus: Corpus
) -> None:
    jumps = [*falling(20), 6.5, 7.0, 2.0]
    noise = [loss * (1.4 if n % 3 else 0.7) for n, loss in enumerate(falling(20))]
    for losses, expected in ((jumps, 1), (noise, 0)):
        run = runs.create(config, corpus.split)
        tell(run, losses)
        said = [s for s in remarks(run) if "jumps" in s]
        assert len(said) == expected
    run = runs.create(config.model_copy(update={"learning_rate": 0.05}), corpus.split)
    tell(run, jumps)
    assert remarks(run) == [
        "The loss jumps, first at step 21 from 1.43 to 6.50: a learning_rate of 0.05 is too high. "
        "Try a third of it."
    ]


def test_a_run_that_learns_nothing_is_told_so_after_a_pass(run: Run) -> None:
    tell(run, [3.4, 3.3, 3.5] * 3)
    for step in range(10, 20):
        run.events.append(progress(step, 3.4, steps_per_epoch=20))
    with run.lock.claim():
        assert remarks(run) == [], "it is early"
    run.events.append(progress(20, 3.4, steps_per_epoch=20))
    with run.lock.claim():
        assert remarks(run) == [
            "Nothing has been learnt yet: the loss was 3.40 at first and is 3.40 at step 20. A "
            "learning_rate of 0.0002 may be too low; try three times as much."
        ]
    run.events.append(Finished(seconds=60, step=20, kept_step=20))
    assert remarks(run)[0].startswith("Nothing was learnt:")


def test_a_resumed_run_says_from_where(run: Run) -> None:
    tell(run, falling(20))
    run.events.append(Resumed(step=12))
    with run.lock.claim():
        assert remarks(run) == ["It was resumed from step 12."]
    run.events.append(Resumed(step=0))
    with run.lock.claim():
        assert remarks(run)[0].startswith("It began again from its first step")


@pytest.mark.parametrize(
    ("took", "said"),
    [
        (200, "Estimated 3 min 00 s; it took 3 min 20 s, 11% more."),
        (90, "Estimated 3 min 00 s; it took 1 min 30 s, 50% less."),
        (180.5, "Estimated 3 min 00 s; it took 3 min 00 s, as estimated."),
    ],
)
def test_an_estimate_is_held_against_what_came(run: Run, took: float, said: str) -> None:
    measured = Measured(seconds_by_formula=180, seconds=190, bytes_by_formula=1, bytes=1)
    tell(run, falling(40))
    run.events.append(measured)
    with run.lock.claim():
        assert remarks(run) == [
            "Estimated 3 min 00 s; by its first steps it takes 3 min 10 s in all."
        ]
    run.events.append(Finished(seconds=took, step=40, kept_step=40))
    assert remarks(run) == [said]


def test_time_is_not_compared_where_a_run_was_interrupted_or_ended_early(
    runs: Runs, config: RunConfig, corpus: Corpus
) -> None:
    measured = Measured(seconds_by_formula=180, seconds=190, bytes_by_formula=1, bytes=1)
    for extra, step in ((Resumed(step=12), 40), (measured, 30)):
        run = runs.create(config, corpus.split)
        tell(run, falling(20))
        for event in (measured, extra, Finished(seconds=9, step=step, kept_step=step)):
            run.events.append(event)
        assert not any("Estimated" in said for said in remarks(run))


# What to do next.


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (None, "Tuning ended without a word after step 20"),
        (Failed(reason="The disk is full."), "Tuning failed. The disk is full."),
        (Stopped(seconds=9, step=20, kept_step=20), "Tuning was stopped."),
    ],
)
def test_a_run_that_did_not_finish_says_how_it_can_go_on(
    run: Run, last: Event | None, said: str
) -> None:
    tell(run, falling(20))
    run.lock.path.touch()
    if last:
        run.events.append(last)
    assert ending(run).startswith(said)
    assert f"`tandem resume {run.id}` begins it again with the same settings." in ending(run)
    checkpoint(run, 8)
    checkpoint(run, 16)
    assert f"It can go on from step 16: `tandem resume {run.id}`." in ending(run)
    assert "begins it again" not in ending(run)
    (checkpoint_path(run, 16) / "adapter.safetensors").write_bytes(b"w")
    assert "It can go on from step 8:" in ending(run), "a damaged checkpoint is no place to go on"


def test_a_waiting_run_says_its_place(runs: Runs, config: RunConfig, corpus: Corpus) -> None:
    one, two = (runs.create(config, corpus.split, now=datetime(2026, 1, day)) for day in (1, 2))
    active = runs.create(config, corpus.split, now=datetime(2026, 1, 3))
    for place, run in enumerate((one, two)):
        (run.path / "queued").write_text(str(place))
    with active.lock.claim():
        assert turn(two, runs) == (
            f"It waits for its turn, place 2 of 2: '{active.id}' is at work, 1 before it."
        )
        assert turn(one, runs).endswith(f"'{active.id}' is at work and it is next.")


# History.


def test_the_command_repeats_a_run_with_all_that_is_not_the_default(
    runs: Runs, config: RunConfig, corpus: Corpus, run: Run
) -> None:
    changed = {"epochs": 2.5, "lora_targets": "attention", "evaluate": False, "continues": run.id}
    again = runs.create(config.model_copy(update=changed), corpus.split)
    words = shlex.split(command(again))
    assert words[:5] == ["tandem", "tune", "returns@1", "--base", "bundled:pocket"]
    settings = dict(word.split("=", 1) for word in words if "=" in word)
    given = {"base": "bundled:pocket", "corpus": "returns", "version": 1}
    assert RunConfig.parse(settings | given) == again.config
    plain = runs.create(RunConfig.parse(given), corpus.split)
    assert command(plain) == "tandem tune returns@1 --base bundled:pocket"
    spaced = runs.create(config.model_copy(update={"base": "/a model"}), corpus.split)
    assert "--base '/a model'" in command(spaced)


def test_a_lineage_goes_back_to_the_first_adapter_and_shows_every_steps_scores(
    runs: Runs, config: RunConfig, corpus: Corpus
) -> None:
    line: list[Run] = []
    for day, score in ((1, 0.4), (2, 0.55), (3, 0.7)):
        before = {"continues": line[-1].id if line else None}
        run = runs.create(
            config.model_copy(update=before), corpus.split, now=datetime(2026, 1, day)
        )
        tell(run, falling(4), checks=[1.5])
        scored(run, score)
        line.append(run)
    assert lineage(line[2]) == line
    told = dict(facts(line[2]))
    assert told["continues"] == line[1].id
    for at, (run, score) in enumerate(zip(line, ("0.40", "0.55", "0.70"), strict=True), start=1):
        assert told[f"step {at} of 3"].startswith(f"{run.id}, returns@1: reworded, tuned")
        assert f"similarity {score}; unseen, tuned: similarity 0.30" in told[f"step {at} of 3"]
    runs.delete(line[0])
    assert lineage(line[2]) == line[1:]
    assert dict(facts(line[1]))["continues"] == f"{line[0].id} (deleted since)"


def test_the_facts_name_everything_that_decided_a_run(run: Run, corpus: Corpus) -> None:
    tell(run, falling(8), checks=[1.5, 1.4])
    scored(run, 0.5)
    run.events.append(Finished(seconds=61.23, step=40, kept_step=8, examples_per_second=21.5))
    told = dict(facts(run))
    expected = {
        "state": "finished",
        "corpus": "returns@1",
        "corpus sha256": corpus.origin.examples_sha256,
        "base": "bundled:pocket",
        "base sha256": "b" * 64,
        "epochs": "3.0",
        "early_stopping": "yes",
        "device": "cpu, 2 threads",
        "libraries": "torch 2.13.0",
        "adapter sha256": run.adapter_hash,
        "seconds": "61.2",
        "examples a second": "21.5",
        "kept step": "8 of 40",
        "reworded, tuned: similarity": "0.50",
        "lowest validation loss": "1.400",
    }
    assert {name: told.get(name) for name in expected} == expected
    settings = set(RunConfig.model_fields) - {"version", "continues"}
    assert settings <= set(told), "every setting is among the facts"


def test_a_run_that_has_not_begun_has_facts_as_well(run: Run) -> None:
    told = dict(facts(run))
    assert told["state"] == "created"
    assert not {"device", "seconds", "adapter sha256"} & set(told)
    assert all(told.values())


def test_two_runs_differ_in_what_was_changed_and_their_scores_stand_side_by_side(
    runs: Runs, run: Run, config: RunConfig, corpora: Corpora, tmp_path: Path
) -> None:
    corpus = corpora.revise(corpora.get("returns"), corpora.get("returns").examples[:30])
    changed = {"lora_rank": 8, "version": corpus.version}
    other = runs.create(config.model_copy(update=changed), corpus.split)
    for one, score, seconds in ((run, 0.4, 60), (other, 0.55, 90)):
        tell(one, falling(4), checks=[score + 1])
        scored(one, score)
        one.events.append(Finished(seconds=seconds, step=40, kept_step=4))
    found = {name: pair for name, *pair in differences(run, other)}
    assert found["lora_rank"] == ["16", "8"]
    assert found["corpus"] == ["returns@1", "returns@2"]
    assert found["reworded, tuned: similarity"] == ["0.40", "0.55"]
    assert found["unseen, tuned: similarity"] == ["0.30", "0.30"], "scores are there if equal, too"
    assert found["lowest validation loss"] == ["1.400", "1.550"]
    assert found["time"] == ["1 min 00 s", "1 min 30 s"]
    assert not {"epochs", "base", "device"} & set(found), "what is equal is left out"
    unscored = runs.create(config, corpus.split)
    assert ("reworded, tuned: similarity", "0.40", "-") in differences(run, unscored)
