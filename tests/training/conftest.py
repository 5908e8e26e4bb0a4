"""Runs that were tuned for real, on a tiny model."""

from pathlib import Path

import pytest

from tests.conftest import returns_csv
from trainer.config import RunConfig
from trainer.corpus.library import Corpora
from trainer.finetune import finetune
from trainer.runs import Run, Runs


def tune(workspace: Path, base: Path, *, answer: str) -> Run:
    """Teach a base to give one answer to everything."""
    file = workspace / f"{answer.split()[0].lower()}.csv"
    file.write_text(returns_csv(answers=20, answer=answer))
    corpus = Corpora(workspace / "corpora").add(file)
    given = {"base": str(base), "corpus": corpus.name, "version": 1, "epochs": 6}
    given |= {"learning_rate": 2e-2, "lora_rank": 8}
    run = Runs(workspace / "runs").create(RunConfig.parse(given), corpus.split)
    finetune(run)
    return run


@pytest.fixture(scope="session")
def tuned(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Run:
    return tune(tmp_path_factory.mktemp("tuned"), tiny_model, answer="Yes to {n}")
