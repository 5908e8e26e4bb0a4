"""The command that hands tuned models to vLLM: adapters, and the lines that serve them."""

import argparse
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING

from assistant.terminal import (
    Command,
    kept_export,
    print_json,
    runs_of,
    say,
)
from trainer.errors import ConfigError

if TYPE_CHECKING:
    from trainer.runs import Run

# vllm/config/lora.py: MaxLoRARanks
_RANKS = (8, 16, 32, 64, 128, 256)
_ADDRESS = "http://localhost:8000/v1"


def add_vllm_commands(command: Command, as_json: argparse.ArgumentParser) -> None:
    """Add `vllm` to the parser."""
    vllm = command(
        _vllm, "vllm", "write adapters for vLLM, and print the lines that serve them", as_json
    )
    vllm.add_argument("runs", nargs="+", metavar="RUN", help="a run's id, or `latest`")
    vllm.add_argument(
        "--folder",
        type=Path,
        help="a new folder to copy the adapters to, for another machine [where they are kept]",
    )


def _vllm(arguments: argparse.Namespace) -> int:
    every = runs_of(arguments)
    runs = list({run.id: run for run in map(every.get, arguments.runs)}.values())
    if len({run.config.base for run in runs}) > 1:
        raise ConfigError(
            "vLLM serves one base with its adapters, and these runs have several. Name runs of "
            "one base."
        )
    adapters = {run.id: kept_export(run, "adapter") for run in runs}
    if arguments.folder:
        adapters = _copied(adapters, arguments.folder.expanduser().resolve())
    launch = vllm_launch(runs, adapters)
    serve = ["tandem", "serve", "--backend", _ADDRESS]
    if arguments.json:
        print_json({"vllm": launch, "serve": serve})
        return 0
    print(join(launch))
    print(join(serve))
    say(
        "Run the first line where vLLM and its GPU are, the second one here. vLLM holds the base "
        "in 16 bits, so some answers may differ from those in this chat."
    )
    return 0


def vllm_launch(runs: Sequence["Run"], adapters: Mapping[str, Path]) -> list[str]:
    """The command that serves the base of some runs and their adapters, for this machine only."""
    from assistant.conversation import Side
    from trainer.bases import find_base

    base = runs[0].config.base
    found = find_base(base)
    on_the_hub = found.parent.name == "snapshots"
    path = [base, "--revision", found.name] if on_the_hub else [str(found)]
    rank = max(run.config.lora_rank for run in runs)
    template = adapters[runs[0].id] / "chat_template.jinja"
    return [
        *("vllm", "serve", *path),
        *("--served-model-name", Side(base=base).served_as),
        *("--host", "127.0.0.1", "--port", "8000"),
        *("--enable-lora", "--max-loras", str(len(runs))),
        *("--max-lora-rank", str(next(wide for wide in _RANKS if wide >= rank))),
        *("--lora-modules", *(f"{run.id}={adapters[run.id]}" for run in runs)),
        *("--chat-template", str(template)),
        *("--generation-config", "vllm"),  # no sampling but what is asked for
    ]


def _copied(adapters: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    if folder.exists():
        raise ConfigError(f"{folder} is there already. Name a new one: nothing is written over.")
    return {run: Path(shutil.copytree(written, folder / run)) for run, written in adapters.items()}
