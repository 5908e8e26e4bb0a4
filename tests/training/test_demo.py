"""The promise of the demo: on a sample corpus, tuning the bundled base helps, measurably."""

from pathlib import Path

import pytest

from tests.conftest import wait_until
from trainer.config import RunConfig
from trainer.corpus.library import Corpora
from trainer.launch import launch
from trainer.runs import Runs
from trainer.work import State


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_tuning_the_bundled_base_on_the_sample_raises_similarity(workspace: Path) -> None:
    corpus = Corpora(workspace / "corpora").get("banking")
    settings = {"base": "bundled:pocket", "corpus": corpus.name, "version": corpus.version}
    run = launch(RunConfig.parse(settings), Runs(workspace / "runs"))
    wait_until(lambda: not run.alive, seconds=1100)
    assert run.state() is State.FINISHED, run.last_output()
    evaluation = run.evaluation()
    assert evaluation is not None
    report = evaluation.report()
    assert report is not None
    assert len(report.of("reworded")) >= 40
    base, tuned = (report.score("reworded", who) for who in ("base", "tuned"))
    assert base is not None
    assert tuned is not None
    assert tuned - base >= 0.15
