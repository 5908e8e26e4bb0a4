"""Two processes that tune together: they end with the weights of one, and one of them writes."""

import os
import signal
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from tests.conftest import wait_until
from trainer.config import RunConfig
from trainer.corpus.library import Corpus
from trainer.events import Finished, Progress, Started, Stopped, Validated
from trainer.fsdp import write_fsdp_config
from trainer.launch import launch
from trainer.runs import Run, Runs
from trainer.work import State

SECONDS = 200.0


def start(runs: Runs, corpus: Corpus, base: Path, **settings: object) -> Run:
    given = {"base": str(base), "corpus": corpus.name, "version": 1, "evaluate": False}
    given |= {"epochs": 3, "learning_rate": 3e-3, "batch_size": 4, "lora_rank": 8} | settings
    return launch(RunConfig.parse(given), runs)


def workers(run: Run) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(run.path) in (process / "cmdline").read_text().split("\0"):
                found.append(int(process.name))
        except OSError:
            continue
    return found


@pytest.mark.slow
def test_two_processes_end_with_the_weights_of_one(
    runs: Runs, corpus: Corpus, tiny_model: Path
) -> None:
    """Tolerance: a thousandth of the loss and a hundredth of the largest weight.

    Gradients are added up in another order, over rows packed otherwise, in bfloat16.
    """
    alone = start(runs, corpus, tiny_model)
    together = start(runs, corpus, tiny_model, processes=2)
    assert together.state() is State.QUEUED, "a team waits like anybody"
    wait_until(lambda: together.state().over and not together.alive, SECONDS)
    assert alone.state() is State.FINISHED, alone.last_output()
    assert together.state() is State.FINISHED, together.last_output()

    for kind in (Started, Finished):
        assert sum(isinstance(e, kind) for e in together.events.read()) == 1, "one of them writes"
    curves = [
        [e.loss for e in r.events.read() if isinstance(e, Progress)] for r in (alone, together)
    ]
    assert curves[1] == pytest.approx(curves[0], rel=0.01)
    assert curves[0][0] / curves[0][-1] > 1.1, "and there was something to learn"
    checks = [
        [e.loss for e in r.events.read() if isinstance(e, Validated)] for r in (alone, together)
    ]
    assert checks[1] == pytest.approx(checks[0], rel=0.01)
    weights = [load_file(r.adapter / "adapter_model.safetensors") for r in (alone, together)]
    before = load_file(sorted((alone.path / "checkpoints").iterdir())[0] / "adapter.safetensors")
    assert len(before) == len(weights[0])
    for name, weight in weights[0].items():
        largest = weight.abs().max().item()
        apart = (weights[1][name] - weight).abs().mean().item()
        assert apart < 0.02 * largest, f"{name}: {apart} of {largest}"
    assert any(not torch.equal(weights[0][n], weights[1][n]) for n in weights[0])


@pytest.mark.slow
def test_a_stop_and_a_kill_reach_both(runs: Runs, corpus: Corpus, tiny_model: Path) -> None:
    run = start(runs, corpus, tiny_model, processes=2, epochs=90, early_stopping=False)
    wait_until(lambda: any(isinstance(e, Progress) for e in run.events.read()), SECONDS)
    assert len(workers(run)) == 4, "who starts the team, the launcher, and two workers"
    run.ask_to_stop()
    wait_until(lambda: not run.alive, SECONDS)
    assert run.state() is State.STOPPED, run.last_output()
    (stopped,) = [e for e in run.events.read() if isinstance(e, Stopped)]
    assert stopped.step is not None
    assert run.has_adapter
    wait_until(lambda: not workers(run))

    run = start(runs, corpus, tiny_model, processes=2, epochs=90, early_stopping=False)
    wait_until(lambda: any(isinstance(e, Progress) for e in run.events.read()), SECONDS)
    os.kill(min(workers(run)), signal.SIGKILL)  # who starts the team and holds the locks
    wait_until(lambda: not run.alive)
    wait_until(lambda: not workers(run))
    assert run.state() is State.LOST


def test_a_configuration_for_fsdp_is_written_and_says_that_nobody_tried_it(tmp_path: Path) -> None:
    write_fsdp_config(tmp_path / "fsdp.yaml", 2)
    text = (tmp_path / "fsdp.yaml").read_text()
    assert text.startswith("# UNTRIED: no machine with two GPUs has run this yet,")
    told = yaml.safe_load(text)
    assert told["distributed_type"] == "FSDP"
    assert told["num_processes"] == 2


def test_accelerate_reads_the_configuration_for_fsdp(tmp_path: Path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    write_fsdp_config(tmp_path / "fsdp.yaml", 2)
    config = load_config_from_file(str(tmp_path / "fsdp.yaml"))
    assert config.num_processes == 2
    assert config.fsdp_config["fsdp_auto_wrap_policy"] == "TRANSFORMER_BASED_WRAP"
