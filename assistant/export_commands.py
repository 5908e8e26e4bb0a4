"""The commands that take a tuned model away: export and push."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.terminal import (
    Command,
    hush_libraries,
    kept_export,
    print_json,
    runs_of,
    say,
    share_cores,
    tell_progress,
)
from trainer.errors import UserError

if TYPE_CHECKING:
    from trainer.export.kinds import Kind
    from trainer.runs import Run


def add_export_commands(command: Command, as_json: argparse.ArgumentParser) -> None:
    """Add `export` and `push` to the parser."""
    export = command(
        _export, "export", "write a tuned model for other tools, and check its answers", as_json
    )
    export.add_argument("run", help="a run's id, or `latest`")
    export.add_argument(
        "folder", type=Path, help="a new folder; `all` makes one inside it for each"
    )
    export.add_argument(
        "--as",
        dest="kind",
        choices=("adapter", "merged", "gguf", "4bit", "space", "all"),
        default="adapter",
        help="adapter: what was learnt, for PEFT; merged: a whole model for Transformers; gguf: "
        "one file for llama.cpp and Ollama; 4bit: the base in 4 bits, adapter beside it; "
        "space: a Hugging Face Space [adapter]",
    )
    export.add_argument(
        "--llama-cpp",
        metavar="PYTHON",
        help="a Python that has llama-cpp-python, to check a GGUF file with [this one, if it has]",
    )

    push = command(
        _push, "push", "put a tuned model on the Hub as a Space, with your own login", as_json
    )
    push.add_argument("run", help="a run's id, or `latest`")
    push.add_argument("name", metavar="OWNER/NAME", help="of the Space; it is made, or renewed")
    push.add_argument("--private", action="store_true", help="where it is new: only for you")


def _export(arguments: argparse.Namespace) -> int:
    run = runs_of(arguments).get(arguments.run)
    share_cores()
    hush_libraries()
    from trainer.devices import chat_lock
    from trainer.export.exporting import export
    from trainer.export.kinds import KINDS

    folder = arguments.folder.expanduser().resolve()
    every = arguments.kind == "all"
    folders = {arguments.kind: folder}
    if every:
        folders = {kind: folder / kind for kind in KINDS if is_possible(run, kind)}
    found = export(
        run,
        folders,
        tell=tell_progress,
        llama_cpp=arguments.llama_cpp,
        device=chat_lock(run.path.parent.parent),
    )
    for kind, checked in found.items():
        say(f"{folders[kind]}:")
        for sentence in checked.sentences:
            say(f"  {sentence}")
    if arguments.json:
        print_json(
            {
                kind: {
                    "folder": str(folders[kind]),
                    "asked": checked.asked,
                    "equal": checked.equal,
                    "unchecked": checked.unchecked or None,
                }
                for kind, checked in found.items()
            }
        )
    return 0


def is_possible(run: "Run", kind: "Kind") -> bool:
    """Whether `all` includes a kind for that run; says why not."""
    from trainer.export.exporting import refuse_kind

    try:
        refuse_kind(run, kind)
    except UserError as error:
        say(f"{kind} is left out: {error}")
        return False
    return True


def _push(arguments: argparse.Namespace) -> int:
    run = runs_of(arguments).get(arguments.run)
    from huggingface_hub import get_token

    from trainer.export.making import export_folder
    from trainer.export.pushing import push_space

    folder, token = export_folder(run, "space"), get_token()
    if token:
        folder = kept_export(run, "space")
    url = push_space(folder, arguments.name, token, private=arguments.private)
    if arguments.json:
        print_json({"url": url, "folder": str(folder)})
    else:
        print(f"{run.id} is at {url}; the Hub needs some minutes to start it.")
    return 0
