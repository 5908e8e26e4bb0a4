"""A few real steps before a run: what they show of the whole, and how far the formula is off."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from trainer.config import RunConfig
from trainer.corpus.library import Corpora, Corpus
from trainer.errors import CorpusError, UserError
from trainer.estimate import Estimate, estimate
from trainer.machine import Machine
from trainer.trial import Trial, measure, try_steps


@pytest.fixture
def settled(corpus: Corpus, tiny_model: Path) -> Callable[..., RunConfig]:
    def _settled(**settings: object) -> RunConfig:
        given = {"base": str(tiny_model), "corpus": corpus.name, "version": 1, "lora_rank": 8}
        return RunConfig.parse(given | {"batch_size": 4, "epochs": 2} | settings)

    return _settled


@pytest.fixture(scope="module")
def tried(
    returns: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Trial, Estimate, Path]:
    """One trial, and what the formula said, for all that look at it: each takes a process."""
    workspace = tmp_path_factory.mktemp("workspace")
    shutil.copytree(returns, workspace / "corpora" / "returns")
    given = {"base": str(tiny_model), "corpus": "returns", "version": 1, "lora_rank": 8}
    config = RunConfig.parse(given | {"batch_size": 4, "epochs": 2})
    said = estimate(config, Corpora(workspace / "corpora").get("returns"), Machine.here())
    return measure(config, workspace), said, workspace


@pytest.mark.slow
def test_a_trial_speaks_for_the_whole_run(tried: tuple[Trial, Estimate, Path]) -> None:
    trial, said, _ = tried
    assert trial.steps == said.steps
    assert trial.seconds > trial.load_seconds + trial.check_seconds > trial.load_seconds > 0
    assert trial.tokens_per_second > trial.examples_per_second > 0


@pytest.mark.slow
def test_the_formula_knows_the_memory_of_a_process(tried: tuple[Trial, Estimate, Path]) -> None:
    trial, said, _ = tried
    assert said.peak_bytes == pytest.approx(trial.peak_bytes, rel=0.2)


@pytest.mark.slow
def test_a_trial_leaves_nothing_behind_but_the_cache(tried: tuple[Trial, Estimate, Path]) -> None:
    assert sorted(path.name for path in tried[2].iterdir()) == ["cache", "corpora"]


def test_more_passes_take_more_time_of_the_same_steps(
    settled: Callable[..., RunConfig], corpus: Corpus, tmp_path: Path
) -> None:
    few, many = (
        try_steps(settled(epochs=epochs, accumulation=2), corpus, tmp_path, steps=2)
        for epochs in (1, 40)
    )
    assert many.steps == 40 * few.steps
    assert many.seconds - many.load_seconds > 5 * (few.seconds - few.load_seconds)


@pytest.mark.slow
def test_a_trial_that_cannot_be_made_gives_its_reason(
    settled: Callable[..., RunConfig], corpus: Corpus, workspace: Path, tmp_path: Path
) -> None:
    with pytest.raises(CorpusError, match="No answer is left to learn"):
        _ = try_steps(settled(max_length=32), _long(corpus), tmp_path)
    with pytest.raises(UserError, match="There is no base 'nowhere'"):
        measure(settled(base="nowhere"), workspace)


def _long(corpus: Corpus) -> Corpus:
    file = corpus.path / "examples.jsonl"
    file.write_text(file.read_text().replace("item", "this very dear item"))
    return Corpus(corpus.path)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os; os.kill(os.getpid(), 9)", "ran out of memory. Halve the batch size"),
        ("raise ValueError('odd')", "could not be tried: ValueError: odd"),
    ],
)
def test_a_trial_that_dies_says_how(
    settled: Callable[..., RunConfig], workspace: Path, code: str, reason: str
) -> None:
    with pytest.raises(UserError, match=reason):
        measure(settled(), workspace, command=("-c", code))
