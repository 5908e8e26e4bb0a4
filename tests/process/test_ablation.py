"""An ablation as it is run: a grid in the queue, one after the other, and a table at the end."""

import json
from pathlib import Path

import pytest

from assistant.cli import main
from tests.conftest import wait_until
from tests.process.scripted_worker import SCRIPTS
from trainer.ablation import notes, table
from trainer.corpus.library import Corpora, Corpus
from trainer.errors import NotFound
from trainer.grid import ablations, create_ablation
from trainer.launch import launch_evaluation
from trainer.runs import Runs
from trainer.work import State

WORKER = ("-m", "tests.process.scripted_worker")
FINISH = {"max_length": SCRIPTS["finish"]}


@pytest.mark.slow
def test_a_grid_goes_through_the_queue_and_fills_its_table(
    corpora: Corpora, corpus: Corpus, runs: Runs
) -> None:
    ablation = create_ablation(
        corpora,
        corpus,
        "rank",
        base="bundled:pocket",
        varied={"lora_rank": ["8", "16"], "cleaning": ["on", "off"]},
        fixed=FINISH,
        seeds=2,
        worker=WORKER,
    )
    plan = ablation.plan
    assert [(one.settings["lora_rank"], one.settings["cleaning"]) for one in plan.runs[:4]] == [
        (8, "on"),
        (8, "off"),
        (16, "on"),
        (16, "off"),
    ]
    assert [one.seed for one in plan.runs] == [17] * 4 + [18] * 4, "seeds come last"
    made = [run for one in plan.runs if (run := ablation.run(one))]
    assert [run.config.corpus for run in made[:2]] == ["returns", "returns-uncleaned"]
    assert [run.config.lora_rank for run in made[:4]] == [8, 8, 16, 16]
    assert {run.config.max_length for run in made} == {SCRIPTS["finish"]}
    wait_until(lambda: all(run.state() is State.FINISHED and not run.alive for run in made), 60)
    starts = [run.events.read()[0].at for run in made]
    assert starts == sorted(starts), "in the order of the grid, one at a time"
    first = ", ".join(run.id for run in made[:3])
    assert notes(ablation)[0] == f"8 of 8 runs have no scores: {first} and 5 more."
    for run in made:
        launch_evaluation(run, worker=WORKER)
    wait_until(lambda: all(run.evaluation() for run in made), 60)
    assert [(row.done, row.score) for row in table(ablation)] == [(2, pytest.approx(0.9))] * 4
    assert notes(ablation) == []


def test_a_grid_that_breaks_off_leaves_nothing_in_the_queue(
    corpora: Corpora, corpus: Corpus, runs: Runs, workspace: Path
) -> None:
    """The second run cannot be created: the run it shall continue is not there any more."""
    with pytest.raises(NotFound, match="no run called 'gone'"):
        create_ablation(
            corpora,
            corpus,
            "rank",
            base="bundled:pocket",
            varied={"lora_rank": ["8", "16"]},
            fixed=FINISH | {"continues": "gone"},
            worker=WORKER,
        )
    assert not runs.waiting()
    assert ablations(workspace) == []
    create_ablation(
        corpora,
        corpus,
        "rank",
        base="bundled:pocket",
        varied={"lora_rank": ["8", "16"]},
        fixed=FINISH,
        worker=WORKER,
    )  # the name is free again
    wait_until(lambda: not runs.waiting() and not runs.active(), 30)


def test_the_command_line_makes_an_ablation_lists_it_and_shows_its_table(
    corpus: Corpus, runs: Runs, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--workspace", str(workspace))
    grid = ("--vary", "lora_rank=8,16", "--set", f"max_length={SCRIPTS['finish']}")
    made = main(["ablate", "returns", "--name", "rank", *grid, "--json", *where], worker=WORKER)
    out, err = capsys.readouterr()
    assert (made, out.count("\n")) == (0, 1)
    ids = json.loads(out)["runs"]
    assert "2 runs of 'rank' are in the queue" in err
    wait_until(lambda: not runs.waiting() and not runs.active(), 30)
    for id_ in ids:
        assert main(["evaluate", id_, *where], worker=WORKER) == 0
    capsys.readouterr()

    assert main(["ablate", "--list", *where], worker=WORKER) == 0
    assert "returns@1" in (listed := capsys.readouterr().out)
    assert "2 runs  lora_rank=8,16" in listed
    assert main(["ablate", "rank", *where], worker=WORKER) == 0
    shown = capsys.readouterr().out
    head = next(line for line in shown.splitlines() if line.startswith("lora_rank "))
    assert " ".join(head.split()) == "lora_rank seeds score over seeds over questions unseen time"
    assert "lora_rank=8: 0.90, 1 run\n" in shown
    assert "The best is also the cheapest that is as good: lora_rank=8" in shown
    assert main(["ablate", "rank", "--json", *where], worker=WORKER) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["settings"] for row in told["rows"]] == [{"lora_rank": 8}, {"lora_rank": 16}]
    assert told["cheapest"]["row"]["settings"] == {"lora_rank": 8}
