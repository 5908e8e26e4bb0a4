"""What every command needs: the workspace, and ways to say something in a terminal."""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.errors import ConfigError, NotFound

if TYPE_CHECKING:
    from trainer.corpus.library import Corpora, Corpus
    from trainer.corpus.near import Judge
    from trainer.export.kinds import Kind
    from trainer.runs import Run, Runs
    from trainer.scoring import Embedder

BUNDLED = "bundled:pocket"
FAILED = 1  # exit code
Command = Callable[..., argparse.ArgumentParser]


def workspace_of(arguments: argparse.Namespace) -> Path:
    """The workspace as a whole path, so that what is written down there holds anywhere."""
    folder: Path = arguments.workspace.expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be the workspace: {error.strerror}. Choose another with --workspace."
        ) from None
    return folder


def corpora_of(arguments: argparse.Namespace, *, by_words: bool = False) -> "Corpora":
    """The corpora of the workspace; questions are compared by meaning unless told otherwise."""
    from trainer.corpus.library import Corpora

    workspace = workspace_of(arguments)
    judge = None if by_words else lambda: open_judge(workspace)
    return Corpora(workspace / "corpora", judge)


def open_judge(workspace: Path) -> "Judge":
    """What compares questions by meaning; the embedding model loads when it is first needed."""
    from trainer.meaning import Meaning

    def load() -> "Embedder":
        from trainer.scoring import load_embedder

        hush_libraries()
        return load_embedder()

    return Meaning(workspace / "cache", load=load)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Let a command take settings, as every command that starts a run does."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting, such as epochs=4; may be given several times",
    )


def runs_of(arguments: argparse.Namespace, *, start: bool = True) -> "Runs":
    """The runs of the workspace; what waits begins where a device is free, also after a crash."""
    from trainer.launch import start_waiting
    from trainer.runs import Runs

    runs = Runs(workspace_of(arguments) / "runs")
    if start:
        start_waiting(runs, worker=worker_of(arguments))
    return runs


def worker_of(arguments: argparse.Namespace) -> Sequence[str]:
    """The module that does the work; tests have one of their own."""
    from trainer.launch import WORKER

    return getattr(arguments, "worker", None) or WORKER


def corpus_of(arguments: argparse.Namespace, given: str) -> "Corpus":
    """A corpus by name, or a file taken in."""
    corpora = corpora_of(arguments)
    is_path = "/" in given or "." in given or os.path.isfile(given)
    corpus: Corpus = corpora.add(Path(given)) if is_path else corpora.get(given)
    return corpus


def base_of(given: str) -> str:
    """A folder is written down whole, so that the worker and later sessions find it."""
    folder = Path(given).expanduser()
    return str(folder.resolve()) if folder.is_dir() else given


def settings_of(arguments: argparse.Namespace) -> dict[str, object]:
    """The settings of `--set`; raises `ConfigError`."""
    return pairs_of(arguments.set, "--set")


def pairs_of(given: Sequence[str], option: str) -> dict[str, object]:
    """What an option was given, as often as it was; raises `ConfigError`."""
    found: dict[str, object] = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(f"{option} takes key=value, not '{pair}'.")
        found[key.strip()] = value.strip()
    return found


def kept_export(run: "Run", kind: "Kind") -> Path:
    """The export that is kept with a run; made, where it is not there or the run learnt more."""
    from trainer.export.making import export_folder, is_current

    folder = export_folder(run, kind)
    if not (run.has_adapter and is_current(run, kind)):
        share_cores()
        hush_libraries()
        from trainer.devices import chat_lock
        from trainer.export.exporting import export

        shutil.rmtree(folder, ignore_errors=True)
        device = chat_lock(run.path.parent.parent)
        checked = export(run, {kind: folder}, tell=tell_progress, device=device)[kind]
        say("\n".join(checked.sentences))
    return folder


def say(text: str) -> None:
    """Say something to the person, apart from what a command prints."""
    print(text, file=sys.stderr, flush=True)


def tell_progress(what: str, share: float) -> None:
    """Show on a terminal how far long work has come; say nothing into a file."""
    if sys.stderr.isatty():
        print(f"\r\033[K{what}: {share:.0%}", end="", file=sys.stderr, flush=True)
        if share >= 1:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def whole_id(given: str, ids: Iterable[str], what: str) -> str:
    """The id that begins as somebody typed it."""
    found = [id_ for id_ in ids if given and id_.startswith(given)]
    if len(found) > 1:
        raise ConfigError(f"{len(found)} ids begin with '{given}'. Give more of it.")
    if not found:
        raise NotFound(f"There is no {what} '{given}'. Without options they are listed.")
    return found[0]


def ask_password(question: str) -> str:
    """Ask for a password: unseen at a terminal, a line from a pipe."""
    from getpass import getpass

    return getpass(question) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def ask_yes(question: str) -> bool:
    """Ask before something is gone; only an explicit yes is one."""
    if not sys.stdin.isatty():
        raise ConfigError(f"{question} Say --yes, since nobody can be asked here.")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def print_json(found: Mapping[str, object]) -> None:
    """Print one line of JSON on stdout."""
    print(json.dumps(found, ensure_ascii=False), flush=True)


def share_cores() -> None:
    """Let the models of this process leave cores to others; call it before torch is loaded.

    By GNU's default a step of the bundled base takes a hundred times as long beside two busy
    programs on two cores, because threads of OpenMP wait by turning; so much waiting costs nothing
    when it is quiet. A worker, who works for minutes, waits less: see `devices.environment`.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def hush_libraries() -> None:
    """Keep what libraries say while a model loads out of a terminal; errors still show."""
    import logging
    import warnings

    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    warnings.simplefilter("ignore", FutureWarning)
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
