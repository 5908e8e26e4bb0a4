"""`tandem` as a shell sees it: what is on stdout, what on stderr, which exit code."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assistant.cli import main
from tests.conftest import returns_csv, wait_until
from tests.process.scripted_worker import SCRIPTS
from trainer.checkpoints import TENSORS, CheckpointState, Origins, Point, finish_checkpoint
from trainer.config import RunConfig, recommended
from trainer.events import Finished, Stopped
from trainer.launch import launch, launch_evaluation
from trainer.runs import Run, Runs
from trainer.work import State

ROOT = Path(__file__).parent.parent.parent


def tandem(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "assistant.cli", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def test_help_answers_without_loading_anything_heavy() -> None:
    script = (
        "import sys\nfrom assistant.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'gradio', 'pydantic', 'pandas', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    commands = "demo serve corpus tune resume continue follow stop queue runs show compare delete"
    for command in f"{commands} ablate ask evaluate password".split():
        assert f"  {command} " in done.stdout


def test_inspect_prints_one_line_that_tools_can_rely_on(tmp_path: Path) -> None:
    file = tmp_path / "faq.csv"
    file.write_text(returns_csv())
    done = tandem("corpus", "inspect", file, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    found = json.loads(done.stdout)
    assert found["examples"] == 36
    assert (found["format"], found["encoding"]) == ("csv", "utf-8")
    assert found["mapping"] == {"question": "question", "answer": "answer", "topic": "topic"}
    assert found["problems"] == []
    assert set(found["split"]) == {"train", "validation", "reworded", "unseen"}
    assert sum(found["split"].values()) == 36
    assert found["samples"][0] == {
        "question": "May I return item 1?",
        "answer": "Item 1 may come back within 1 days.",
    }


def test_inspect_needs_no_framework(tmp_path: Path) -> None:
    file = tmp_path / "faq.csv"
    file.write_text(returns_csv())
    script = (
        "import sys\nfrom assistant.cli import main\n"
        f"main(['corpus', 'inspect', {str(file)!r}])\n"
        "heavy = {'torch', 'gradio', 'transformers', 'pandas'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "36 examples in faq.csv" in done.stdout


def test_a_file_that_cannot_be_used_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    file = tmp_path / "faq.csv"
    file.write_text("question,answer\nHow?,\n")
    done = tandem("corpus", "inspect", file, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: faq.csv: no row has both a question and an answer. Fill in the empty cells, or "
        "choose other columns.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tune", "nope"], "error: There is no corpus called 'nope'"),
        (["tune", "absent.csv"], "error: absent.csv cannot be read: No such file"),
        (["tune", "banking", "--set", "epochs"], "error: --set takes key=value, not 'epochs'."),
        (["tune", "banking", "--set", "epochs=0"], "error: epochs: should be greater than 0"),
        (["tune", "banking", "--set", "epoch=1"], "error: epoch: no such setting."),
        (["ask", "nope", "Hello?"], "error: There is no run called 'nope'"),
        (["evaluate", "latest"], "error: There is no run called 'latest'"),
        (["stop", "nope"], "error: There is no run called 'nope'"),
        (["resume", "nope"], "error: There is no run called 'nope'"),
        (["continue", "nope"], "error: There is no run called 'nope'"),
        (["follow", "nope"], "error: There is no run called 'nope'"),
        (["show", "nope"], "error: There is no run called 'nope'"),
        (["compare", "nope", "nope"], "error: There is no run called 'nope'"),
        (["delete", "nope", "--yes"], "error: There is no run called 'nope'"),
        (["queue", "--up", "nope"], "error: There is no run called 'nope'"),
        (["queue", "--up", "a", "--down", "b"], "usage: tandem queue"),
        (["tune", "banking", "--preset", "best"], "usage: tandem tune"),
        (["ablate"], "error: Name an ablation to show, or a corpus with --name and --vary."),
        (["ablate", "nope"], "error: There is no ablation called 'nope'. In this workspace: none"),
        (["ablate", "banking", "--vary", "epochs=1,2"], "error: A new ablation takes a corpus and"),
        (
            ["ablate", "banking", "--name", "a", "--vary", "epochs"],
            "error: --vary takes each setting once, as key=value,value; not 'epochs'.",
        ),
        (
            ["ablate", "banking", "--name", "a", "--vary", "epochs=1,0"],
            "error: epochs: should be greater than 0 (got '0').",
        ),
        (["serve", "--host", "0.0.0.0"], "error: Serving on 0.0.0.0 needs a login."),
        (["demo", "--host", "0.0.0.0"], "error: Serving on 0.0.0.0 needs a login."),
        (["serve", "--port", "99999"], "usage: tandem serve"),
        (["tune", "banking", "--set", "base=x"], "error: base: say it with --base or name@version"),
        (["tune", "x" * 300], "error: There is no corpus called 'xxx"),
        (["runs", "--workspace", "/dev/null"], "error: /dev/null cannot be the workspace"),
        (["tune", "banking", "--workspace", "/proc/x"], "error: /proc/x cannot be the workspace"),
        (["serve", "--workspace", "/dev/null/x"], "error: /dev/null/x cannot be the workspace"),
        (["no-such-command"], "usage: tandem"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    done = tandem(*arguments, TANDEM_WORKSPACE=str(tmp_path / "workspace"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr


def test_runs_are_listed_newest_first_with_their_state(run: Run, workspace: Path) -> None:
    done = tandem("runs", "--json", "--workspace", workspace)
    assert json.loads(done.stdout) == {
        "runs": [
            {"run": run.id, "state": "created", "base": "bundled:pocket", "corpus": "returns@1"}
        ]
    }
    empty = tandem("runs", TANDEM_WORKSPACE=str(workspace / "empty"))
    assert empty.stdout == "No runs yet. Start one with `tandem tune banking`.\n"


# Runs, their queue and their history, with a worker that obeys a script.

WORKER = ("-m", "tests.process.scripted_worker")
Tandem = Callable[..., tuple[int, str, str]]


@pytest.fixture
def scripted(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Tandem:
    """Run a command in this process, on runs whose worker obeys a script."""

    def _scripted(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, "--workspace", str(workspace)], worker=WORKER)
        return (code, *capsys.readouterr())

    return _scripted


@contextmanager
def in_a_shell(workspace: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command with the scripted worker in a terminal of its own."""
    given = [*arguments, "--workspace", str(workspace)]
    # Whoever runs the tests in the background has them ignore Ctrl-C; a terminal does not.
    script = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"from assistant.cli import main; sys.exit(main({given}, worker={WORKER}))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as shell:
        patience = threading.Timer(60, shell.kill)  # what it should say may never come
        patience.start()
        try:
            yield shell
        finally:
            patience.cancel()
            shell.kill()


def hear(shell: subprocess.Popen[str], what: str) -> str:
    """Read what a command says up to the line with these words."""
    assert shell.stderr is not None
    heard = ""
    for line in shell.stderr:
        heard += line
        if what in line:
            return line
    raise AssertionError(f"never said {what!r}, but:\n{heard}")


def rest(shell: subprocess.Popen[str]) -> tuple[str, str]:
    """What a command still says, on stdout and stderr, until it is over."""
    assert shell.stdout is not None
    assert shell.stderr is not None
    err, out = shell.stderr.read(), shell.stdout.read()
    shell.wait(timeout=30)
    return out, err


def script(name: str) -> str:
    return f"--set=max_length={SCRIPTS[name]}"


@pytest.fixture
def waiting(runs: Runs, config: RunConfig) -> Iterator[list[Run]]:
    """A run at work until it is asked to stop, and two that wait."""
    scripts = ("wait", "finish", "finish")
    settings = [config.model_copy(update={"max_length": SCRIPTS[name]}) for name in scripts]
    made = [launch(setting, runs, worker=WORKER) for setting in settings]
    wait_until(made[0].events.read)
    yield made
    for run in made:
        if run.path.exists():
            run.ask_to_stop()
    wait_until(lambda: not runs.waiting() and not runs.active(), 60)


def test_a_run_waits_its_turn_and_the_one_who_follows_starts_it(
    corpus: object, runs: Runs, workspace: Path
) -> None:
    """Whoever started the first is gone, so nobody but the follower can start the second."""
    with in_a_shell(workspace, "tune", "returns", script("wait"), "--queue") as first:
        out, _ = rest(first)
    assert (first.returncode, out) == (0, "")
    (at_work,) = runs.list()
    wait_until(at_work.events.read)
    with in_a_shell(workspace, "tune", "returns", script("finish"), "--json") as second:
        said = hear(second, "waits for its turn")
        assert said == (
            f"It waits for its turn, place 1 of 1: '{at_work.id}' is at work and it is next.\n"
        )
        (waits,) = runs.waiting()
        at_work.ask_to_stop()
        hear(second, "30 examples, 9 steps on cpu")
        out, err = rest(second)
    assert second.returncode == 0, err
    assert out.count("\n") == 1
    told = json.loads(out)
    assert (told["run"], told["state"]) == (waits.id, "finished")
    assert "the adapter of step 7 was kept" in err


def test_a_run_in_the_queue_does_not_hold_the_terminal(
    scripted: Tandem, waiting: list[Run]
) -> None:
    code, out, err = scripted("tune", "returns", script("finish"), "--queue", "--json")
    told = json.loads(out)
    assert (code, told["state"], told["place"]) == (0, "queued", 3)
    assert f"place 3 of 3: '{waiting[0].id}' is at work, 2 before it." in err
    assert f"Watch it with `tandem follow {told['run']}`." in err


def test_a_preset_gives_settings_and_what_is_set_by_hand_goes_before_it(
    scripted: Tandem, corpus: object, runs: Runs
) -> None:
    by_hand = (script("finish"), "--set=lora_alpha=20")
    code, _, err = scripted("tune", "returns", "--preset", "thorough", *by_hand)
    assert code == 0
    config, usual = runs.get("latest").config, recommended("bundled:pocket")
    assert config.epochs == 2 * usual["epochs"]
    assert (config.lora_rank, config.lora_alpha) == (2 * usual["lora_rank"], 20)
    assert err.startswith("Thorough: 16 passes and an adapter twice as wide;")


def test_the_queue_is_listed_and_its_order_changed(scripted: Tandem, waiting: list[Run]) -> None:
    at_work, first, second = (run.id for run in waiting)
    code, out, _ = scripted("queue")
    assert code == 0
    assert out == f"now  {at_work}\n  1  {first}  tuning\n  2  {second}  tuning\n"
    _, out, _ = scripted("queue", "--up", second, "--json")
    assert json.loads(out) == {
        "at_work": [at_work],
        "waiting": [{"run": second, "what": "tuning"}, {"run": first, "what": "tuning"}],
    }
    _, out, _ = scripted("queue", "--down", second)
    assert out.splitlines()[1:] == [f"  1  {first}  tuning", f"  2  {second}  tuning"]
    code, _, err = scripted("queue", "--up", at_work)
    assert (code, err) == (2, f"error: '{at_work}' does not wait: it is running.\n")


def test_a_waiting_run_is_cancelled_and_leaves_nothing(
    scripted: Tandem, waiting: list[Run]
) -> None:
    _, first, second = waiting
    code, out, err = scripted("stop", first.id, "--json")
    assert (code, json.loads(out)) == (0, {"run": first.id, "state": "cancelled"})
    assert err == f"'{first.id}' waited and is taken out of the queue.\n"
    _, out, _ = scripted("queue", "--cancel", second.id)
    assert out.endswith("Nothing waits.\n")
    assert not first.path.exists()
    assert not second.path.exists()


def test_a_scoring_that_waits_is_cancelled_and_leaves_the_run_as_it_was(
    scripted: Tandem, waiting: list[Run], runs: Runs, config: RunConfig
) -> None:
    done = runs.create(config, waiting[0].split)
    done.adapter.mkdir()
    done.events.append(Finished(seconds=1, step=9, kept_step=9))
    evaluation = launch_evaluation(done, worker=WORKER)
    _, out, _ = scripted("queue")
    assert out.splitlines()[-1] == f"  3  {done.id}  scoring"
    assert scripted("stop", done.id)[0] == 0
    assert not evaluation.path.exists()
    assert done.state() is State.FINISHED


def test_a_run_cancelled_elsewhere_lets_its_follower_go(
    scripted: Tandem, waiting: list[Run], workspace: Path
) -> None:
    with in_a_shell(workspace, "follow", waiting[1].id, "--json") as follower:
        hear(follower, "waits for its turn")
        assert scripted("queue", "--cancel", waiting[1].id)[0] == 0
        out, err = rest(follower)
    assert (follower.returncode, json.loads(out)["state"]) == (1, "cancelled")
    assert err == f"'{waiting[1].id}' was taken out of the queue.\n"


def test_a_queue_goes_on_after_a_crash_when_somebody_looks(
    scripted: Tandem, runs: Runs, run: Run
) -> None:
    settings = run.config.model_copy(update={"max_length": SCRIPTS["finish"]})
    (run.path / "config.json").write_text(settings.model_dump_json())
    (run.path / "queued").write_text("1")  # and nobody is there to start it
    _, out, _ = scripted("runs")
    wait_until(lambda: run.state() is State.FINISHED)
    assert f"{run.id}  " in out
    wait_until(lambda: not run.alive)


def test_ctrl_c_leaves_the_run_going_and_says_how_to_come_back(
    corpus: object, runs: Runs, workspace: Path, scripted: Tandem
) -> None:
    with in_a_shell(workspace, "tune", "returns", script("wait"), "--json") as shell:
        hear(shell, "30 examples, 9 steps")
        os.killpg(shell.pid, signal.SIGINT)  # as a terminal does
        out, err = rest(shell)
    (run,) = runs.list()
    assert (shell.returncode, out) == (130, "")
    assert err.splitlines()[-1] == (
        f"It goes on without this terminal. Come back to it with `tandem follow {run.id}`, stop it "
        f"with `tandem stop {run.id}`."
    )
    assert run.state() is State.RUNNING
    with in_a_shell(workspace, "follow", run.id) as again:
        hear(again, "30 examples, 9 steps")
        assert scripted("stop", run.id)[0] == 0
        hear(again, "Tuning was stopped.")
        rest(again)


def test_a_run_that_died_begins_again_or_goes_on_from_its_checkpoint(
    scripted: Tandem, corpus: object, runs: Runs
) -> None:
    code, _, err = scripted("tune", "returns", script("die"))
    assert code == 1
    run = runs.get("latest")
    assert f"`tandem resume {run.id}` begins it again with the same settings." in err
    code, _, err = scripted("resume", run.id)
    assert code == 1, "it dies again"
    assert f"Run {run.id} begins again: it has no checkpoint." in err

    partial = run.path / "checkpoints" / ".partial"
    partial.mkdir(parents=True)
    for tensors in TENSORS:
        (partial / tensors).write_bytes(b"weights")
    about = {"step": 1, "seen": 8, "tokens": 9, "seconds": 1, "best_loss": None, "best_step": 1}
    point = Point.model_validate(about | {"checks_since": 0, "random": {}})
    state = CheckpointState(point=point, origins=Origins.of(run), scalars={}, sha256={})
    finish_checkpoint(partial, run, state)
    wait_until(lambda: not run.alive)
    code, _, err = scripted("resume", run.id)
    assert f"Run {run.id} goes on from step 1." in err
    assert err.count("It goes on from step 1.\n") == 1
    assert err.count("30 examples, 9 steps on cpu") == 1, "what was said before is not said again"
    assert f"It can go on from step 1: `tandem resume {run.id}`." in err
    wait_until(lambda: not run.alive)


def test_a_finished_run_is_not_resumed_but_continued(
    scripted: Tandem, corpus: object, runs: Runs
) -> None:
    assert scripted("tune", "returns", script("finish"), "--set", "lora_rank=8")[0] == 0
    first = runs.get("latest")
    wait_until(lambda: not first.alive)
    code, _, err = scripted("resume", first.id)
    assert code == 2
    assert f"there is nothing to resume. For more of it: tandem continue {first.id}." in err

    code, out, err = scripted("continue", first.id, "--set", "epochs=1", "--json")
    assert code == 0
    second = runs.get(json.loads(out)["run"])
    assert f"It goes on from the adapter of {first.id}." in err
    assert second.config.continues == first.id
    assert (second.config.lora_rank, second.config.epochs) == (8, 1)
    assert second.config.learning_rate == first.config.learning_rate
    code, _, err = scripted("continue", first.id, "--set", "lora_rank=4")
    assert code == 2
    assert (
        err == f"error: lora_rank: '{first.id}' has 8, so a run that continues it cannot have 4.\n"
    )
    code, _, err = scripted("continue", first.id, "--set", "base=x")
    assert (code, err) == (2, "error: base: not a setting of a run that goes on.\n")
    assert len(runs.list()) == 2
    assert f"--set continues={first.id}" in scripted("show", second.id)[1]


def test_a_run_is_shown_compared_and_deleted(scripted: Tandem, corpus: object, runs: Runs) -> None:
    for rank in (8, 4):
        assert scripted("tune", "returns", script("finish"), f"--set=lora_rank={rank}")[0] == 0
    wait_until(lambda: not runs.active())
    small, wide = sorted(runs.list(), key=lambda run: run.config.lora_rank)
    assert scripted("evaluate", wide.id)[0] == 0

    code, out, _ = scripted("show", wide.id)
    assert code == 0
    first, ending, *rest = out.splitlines()
    assert (first, ending[:25]) == (wide.id, "Tuning finished after 1 s")
    assert any(line.split() == ["adapter", "sha256", wide.adapter_hash] for line in rest)
    assert rest[-1].startswith("Again: tandem tune returns@1 --base bundled:pocket --set ")
    _, out, _ = scripted("show", wide.id, "--json")
    told = json.loads(out)
    assert told["facts"]["lora_rank"] == "8"
    assert told["remarks"] == []
    assert told["command"] == rest[-1].removeprefix("Again: ")

    _, out, _ = scripted("compare", small.id, wide.id)
    assert ["lora_rank", "4", "8"] in [line.split() for line in out.splitlines()]
    assert ["reworded,", "tuned:", "similarity", "-", "0.90"] in [
        line.split() for line in out.splitlines()
    ]
    assert scripted("evaluate", small.id)[0] == 0
    _, out, _ = scripted("compare", small.id, wide.id)
    assert "questions that both were asked, the second run is too close to the first to tell" in out
    _, out, _ = scripted("compare", small.id, wide.id, "--json")
    assert json.loads(out)["scores"]["reworded"]["mean"] == 0
    code, _, err = scripted("compare", small.id, small.id)
    assert (code, err) == (2, f"error: That is '{small.id}' twice. Name two runs.\n")

    code, out, err = scripted("delete", small.id, "--yes", "--json")
    assert code == 0
    assert json.loads(out)["freed_bytes"] > 1000
    assert f"'{small.id}' is deleted; 0." in err
    assert "MB are free again." in err
    assert runs.list() == [wide]


def test_nothing_is_deleted_unasked_or_at_work(scripted: Tandem, waiting: list[Run]) -> None:
    at_work = waiting[0]
    code, _, err = scripted("delete", at_work.id, "--yes")
    assert (code, err) == (
        2,
        f"error: Run '{at_work.id}' is at work. Stop it first: tandem stop {at_work.id}.\n",
    )
    code, _, err = scripted("delete", waiting[1].id)
    assert code == 2
    assert "It frees 0.0 MB. Say --yes, since nobody can be asked here." in err
    assert waiting[1].path.exists()


def test_what_ended_has_nothing_to_stop(scripted: Tandem, run: Run) -> None:
    run.events.append(Stopped(seconds=1, step=0))
    code, _, err = scripted("stop", run.id)
    assert (code, err) == (2, f"error: Run '{run.id}' is stopped; there is nothing to stop.\n")


def test_a_password_becomes_a_line_for_the_auth_file() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "assistant.cli", "password", "ada"],
        cwd=ROOT,
        input="secret\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("ada:$2b$")


@pytest.mark.slow
def test_the_main_job_on_the_command_line(tmp_path: Path) -> None:
    """Tune, list, ask and score for real, with the bundled base and a handful of steps."""
    file = tmp_path / "returns.csv"
    file.write_text(returns_csv())
    workspace = tmp_path / "workspace"
    done = tandem(
        *("tune", file, "--json", "--workspace", workspace),
        *("--set", "epochs=1", "--set", "lora_rank=8"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    tuned = json.loads(done.stdout)
    assert tuned["state"] == "finished"
    assert tuned["examples_per_second"] > 0
    assert (Path(tuned["adapter"]) / "adapter_model.safetensors").is_file()
    kinds = tuned["evaluation"]
    assert kinds["reworded"]["n"] > 0
    told = {"n", "base", "tuned", "retrieval", "lookup", "difference", "verdict"}
    assert {*kinds["reworded"]} == told == {*kinds["unseen"]}
    assert {*kinds["reworded"]["difference"]} == {"mean", "low", "high", "p"}
    assert -1 <= kinds["unseen"]["tuned"]["similarity"] <= 1
    assert "validation loss" in done.stderr

    listed = json.loads(tandem("runs", "--json", "--workspace", workspace).stdout)
    assert [line["run"] for line in listed["runs"]] == [tuned["run"]]
    asked = tandem("ask", tuned["run"], "May I return item 3?", "--json", "--workspace", workspace)
    answers = json.loads(asked.stdout)
    assert answers["base"]["adapter"] is None
    assert answers["tuned"]["adapter"] == Run(workspace / "runs" / tuned["run"]).adapter_hash
    assert answers["base"]["text"] != answers["tuned"]["text"]
    again = tandem("evaluate", "latest", "--json", "--workspace", workspace)
    assert json.loads(again.stdout) == kinds, "greedy answers do not change from one day to another"
    over = tandem("stop", "latest", "--workspace", workspace)
    assert over.returncode == 2
    assert "there is nothing to stop" in over.stderr
