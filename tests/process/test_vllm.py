"""`tandem vllm`: lines that serve a base and its adapters by vLLM, which cannot run here itself."""

import argparse
import json
import shlex
import shutil
from pathlib import Path

import pytest

from assistant.remote import Remote
from assistant.vllm_commands import add_vllm_commands
from trainer.bundled import bundled_bases
from trainer.config import RunConfig
from trainer.corpus.library import Corpus
from trainer.errors import ConfigError, NotFound
from trainer.export.making import export_folder
from trainer.runs import Run, Runs

POCKET = bundled_bases()["bundled:pocket"]


@pytest.fixture
def tandem(workspace: Path, capsys: pytest.CaptureFixture[str]):
    """Run the command and hand out what it printed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, default=workspace)
    commands = parser.add_subparsers()
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true")

    def command(run, name: str, text: str, *parents) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, parents=parents)
        added.set_defaults(command=run)
        return added

    add_vllm_commands(command, as_json)

    def _tandem(*arguments: str | Path) -> str:
        asked = parser.parse_args([*map(str, arguments)])
        assert asked.command(asked) == 0
        return capsys.readouterr().out

    return _tandem


def finished(runs: Runs, corpus: Corpus, **settings) -> Run:
    """A run whose adapter was exported, its weights left out."""
    given = {"base": "bundled:pocket", "corpus": corpus.name, "version": 1} | settings
    run = runs.create(RunConfig.parse(given), corpus.split)
    for folder in (run.adapter, export_folder(run, "adapter")):
        folder.mkdir(parents=True)
        (folder / "adapter_model.safetensors").touch()
    (export_folder(run, "adapter") / "check.json").touch()
    return run


def test_the_lines_serve_the_base_and_each_run_by_the_name_the_chat_asks_for(
    tandem, runs: Runs, corpus: Corpus
) -> None:
    one = finished(runs, corpus, lora_rank=8)
    two = finished(runs, corpus, lora_rank=24)
    launch, serve = map(shlex.split, tandem("vllm", one.id, two.id, one.id).splitlines())
    assert serve == ["tandem", "serve", "--backend", "http://localhost:8000/v1"]
    assert Remote(serve[-1])
    assert launch[:3] == ["vllm", "serve", str(POCKET)]
    options = after(launch)
    assert options["--served-model-name"] == ["bundled:pocket"]
    assert options["--lora-modules"] == [
        f"{run.id}={export_folder(run, 'adapter')}" for run in (one, two)
    ]
    assert options["--max-lora-rank"] == ["32"], "vLLM knows no 24"
    assert options["--max-loras"] == ["2"]
    assert options["--host"] == ["127.0.0.1"], "without a key, for this machine only"
    assert options["--generation-config"] == ["vllm"]
    assert options["--chat-template"] == [
        str(export_folder(one, "adapter") / "chat_template.jinja")
    ]
    assert "--enable-lora" in launch
    assert "--revision" not in launch


def after(launch: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in launch[3:]:
        if word.startswith("--"):
            found[word] = []
        else:
            found[list(found)[-1]].append(word)
    return found


def test_adapters_are_copied_for_another_machine(
    tandem, runs: Runs, corpus: Corpus, tmp_path: Path
) -> None:
    run, folder = finished(runs, corpus), tmp_path / "for vllm"
    told = json.loads(tandem("vllm", run.id, "--folder", folder, "--json"))
    assert f"{run.id}={folder / run.id}" in told["vllm"]
    assert (folder / run.id / "adapter_model.safetensors").is_file()
    with pytest.raises(ConfigError, match="nothing is written over"):
        tandem("vllm", run.id, "--folder", folder)


def test_a_folder_with_a_blank_is_quoted(tandem, runs: Runs, corpus: Corpus, tmp_path) -> None:
    run, folder = finished(runs, corpus), tmp_path / "for vllm"
    line = tandem("vllm", run.id, "--folder", folder).splitlines()[0]
    assert f"{run.id}={folder / run.id}" in shlex.split(line)


def test_runs_of_several_bases_are_refused(tandem, runs: Runs, corpus: Corpus) -> None:
    one, other = finished(runs, corpus), finished(runs, corpus, base="some/other")
    with pytest.raises(ConfigError, match="Name runs of one base"):
        tandem("vllm", one.id, other.id)


def test_a_run_without_an_adapter_is_refused(tandem, run: Run) -> None:
    with pytest.raises(NotFound, match="has no adapter"):
        tandem("vllm", run.id)


@pytest.mark.slow
def test_what_is_printed_was_written_and_asked_again(
    tandem, workspace: Path, tiny_model: Path
) -> None:
    from transformers import AutoModelForCausalLM

    from tests.training.conftest import tune

    sure = workspace / tiny_model.name
    shutil.copytree(tiny_model, sure)
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    model.lm_head.weight.data.mul_(10)
    model.save_pretrained(sure)
    run = tune(workspace, sure, answer="Yes, {n}.")
    options = after(json.loads(tandem("vllm", run.id, "--json"))["vllm"])
    (module,) = options["--lora-modules"]
    folder = Path(module.removeprefix(f"{run.id}="))
    assert json.loads((folder / "adapter_config.json").read_text())["r"] == 8
    assert json.loads((folder / "check.json").read_text())["asked"] == 20
    assert Path(options["--chat-template"][0]).read_text()
    assert options["--served-model-name"] == [tiny_model.name]
