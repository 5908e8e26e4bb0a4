"""Other programs are told what the log is told, or are asked for by name."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from trainer.config import RunConfig
from trainer.corpus.library import Corpus
from trainer.errors import ConfigError
from trainer.events import Progress, Validated
from trainer.finetune import finetune
from trainer.runs import Run, Runs
from trainer.trackers import Tracker


class Scripted:
    """Notes what a callback of Transformers is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int, dict[str, float]]] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any) -> None:
        self.heard.append((f"begin {args.run_name}", state.global_step, {}))

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float]) -> None:
        assert state.is_world_process_zero
        self.heard.append(("log", state.global_step, logs))

    def on_train_end(self, args: Any, state: Any, control: Any) -> None:
        self.heard.append(("end", state.global_step, {}))


@pytest.fixture
def tuned(runs: Runs, corpus: Corpus, tiny_model: Path) -> Run:
    given = {"base": str(tiny_model), "corpus": corpus.name, "version": 1, "epochs": 1}
    return runs.create(RunConfig.parse(given | {"batch_size": 4}), corpus.split)


def test_a_tracker_hears_what_the_log_says(tuned: Run) -> None:
    scripted = Scripted()
    finetune(tuned, tracker=Tracker(tuned, scripted))
    events = tuned.events.read()
    assert scripted.heard[0] == (f"begin {tuned.id}", 0, {})
    assert scripted.heard[-1][0] == "end"
    logs = [(step, told) for kind, step, told in scripted.heard if kind == "log"]
    assert [(s, t["loss"]) for s, t in logs if "loss" in t] == [
        (e.step, e.loss) for e in events if isinstance(e, Progress)
    ]
    assert [(s, t["eval_loss"]) for s, t in logs if "eval_loss" in t] == [
        (e.step, e.loss) for e in events if isinstance(e, Validated)
    ]


@pytest.mark.parametrize("program", ["trackio", "tensorboard", "wandb"])
def test_one_that_is_not_installed_is_named_before_a_model_loads(
    runs: Runs, corpus: Corpus, program: str
) -> None:
    assert importlib.util.find_spec(program) is None, "it is no dependency of Tandem or its tests"
    given = {"base": "no such base", "corpus": corpus.name, "version": 1, "report_to": program}
    run = runs.create(RunConfig.parse(given), corpus.split)
    with pytest.raises(ConfigError, match=rf"Install it with `pip install {program}`"):
        finetune(run)
    assert not run.events.read()
