"""`tandem corpus`: look at files of questions and answers, take them in, and keep them in order."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.corpus_told import as_json, count_tokens, print_audit, print_reading
from assistant.terminal import (
    Command,
    ask_yes,
    corpora_of,
    open_judge,
    print_json,
    say,
    tell_progress,
    workspace_of,
)
from trainer.errors import ConfigError

if TYPE_CHECKING:
    from trainer.corpus.reading import Choices


def add_corpus_commands(command: Command, to: Any, as_json: argparse.ArgumentParser) -> None:
    """Add `inspect`, `import`, `list`, `export`, `rename`, `merge` and `delete` to the parser."""
    corpus = to.add_parser("corpus", help="look at files of questions and answers, and keep them")
    commands = corpus.add_subparsers(required=True, metavar="COMMAND")

    reading = argparse.ArgumentParser(add_help=False)
    reading.add_argument("files", type=Path, nargs="+", metavar="FILE")
    reading.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="ROLE=COLUMN",
        help="which column is what, where the guess is wrong: question=, answer=, topic=, "
        "wordings=A,B, context=, header=no, task=labels",
    )
    reading.add_argument(
        "--keep", action="append", default=[], metavar="STEP", help="a cleaning step not to take"
    )
    reading.add_argument(
        "--no-leak-check",
        action="store_true",
        help="split at random, to see how much that flatters; the scores mean nothing",
    )

    inspect = command(
        _inspect,
        "inspect",
        "say what files hold and how they would be split",
        as_json,
        reading,
        to=commands,
    )
    inspect.add_argument(
        "--by-meaning",
        action="store_true",
        help="compare questions with the embedding model, too, as `import` does",
    )
    inspect.add_argument(
        "--base", help="also count tokens as this base model would, and show what it would see"
    )
    take_in = command(
        _import,
        "import",
        "keep files as a corpus, or as its next version",
        as_json,
        reading,
        to=commands,
    )
    take_in.add_argument("--name", help="what to call it [the name of the first file]")
    take_in.add_argument(
        "--by-words",
        action="store_true",
        help="compare questions by their words alone, without the embedding model: quicker",
    )
    command(_list, "list", "list the corpora and their versions", as_json, to=commands)
    export = command(_export, "export", "write a corpus as CSV or JSONL", to=commands)
    export.add_argument("corpus", help="name[@version]")
    export.add_argument("file", type=Path, nargs="?", help="where to [the terminal]")
    export.add_argument("--format", choices=("csv", "jsonl"), help="[as FILE is called, or csv]")
    rename = command(_rename, "rename", "give a corpus another name", to=commands)
    rename.add_argument("corpus")
    rename.add_argument("new")
    merge = command(_merge, "merge", "add one corpus to another", as_json, to=commands)
    merge.add_argument("into", help="name of the corpus that grows by a version")
    merge.add_argument("other", help="name[@version] of the corpus to add")
    delete = command(_delete, "delete", "delete a corpus with all its versions", to=commands)
    delete.add_argument("corpus")
    delete.add_argument("--yes", action="store_true", help="do not ask")


def _inspect(arguments: argparse.Namespace) -> int:
    from trainer.corpus.examining import examine
    from trainer.corpus.reading import read_corpus

    choices = choices_of(arguments)
    reading = read_corpus(*arguments.files, choices=choices)
    found = examine(
        reading.examples,
        task=reading.task,
        judge=open_judge(workspace_of(arguments)) if arguments.by_meaning else None,
        leak_check=choices.leak_check,
        tell=tell_progress,
    )
    lengths = count_tokens(arguments.base, reading.examples) if arguments.base else None
    if arguments.json:
        print_json(as_json(reading, found) | ({"tokens": lengths} if lengths else {}))
        return 0
    print_reading(reading)
    print()
    print_audit(found.audit)
    print(f"\nSplit: {', '.join(f'{pile} {n}' for pile, n in found.split.sizes().items())}.")
    print(f"Questions were compared {found.neighbours.told}.")
    if lengths:
        print(
            f"Tokens an example with {arguments.base}: {lengths['median']} in the middle, "
            f"{lengths['longest']} at most; {lengths['cut']} lose their end beyond "
            f"{lengths['most']}, {lengths['untaught']} have no room for an answer."
        )
    for example in reading.examples[:3]:
        print(f"\nQ: {example.question}\nA: {example.answer}")
    return 0


def _import(arguments: argparse.Namespace) -> int:
    corpus = corpora_of(arguments, by_words=arguments.by_words).add(
        *arguments.files, name=arguments.name, choices=choices_of(arguments), tell=tell_progress
    )
    audit = corpus.audit
    if arguments.json:
        print_json(
            {
                "corpus": corpus.name,
                "version": corpus.version,
                "examples": len(corpus.examples),
                "ready": audit.ready,
                "reasons": list(audit.reasons),
                "split": corpus.split.sizes(),
            }
        )
        return 0
    print(f"{len(corpus.examples):,} examples are kept as {corpus.label}.")
    print_audit(audit)
    return 0


def _list(arguments: argparse.Namespace) -> int:
    corpora = corpora_of(arguments)
    found = [
        {
            "corpus": corpus.name,
            "version": corpus.version,
            "examples": corpus.origin.examples,
            "created": corpus.origin.created.isoformat(timespec="seconds"),
            "change": corpus.origin.change,
            "files": [upload.file for upload in corpus.origin.uploads],
            "sha256": corpus.origin.examples_sha256,
        }
        for latest in corpora.list()
        for corpus in corpora.versions(latest.name)
    ]
    if arguments.json:
        print_json({"corpora": found})
        return 0
    if not found:
        print("No corpus yet. Take one in with `tandem corpus import FILE`.")
    for line in found:
        label = f"{line['corpus']}@{line['version']}"
        print(f"{label:32} {line['examples']:>7,} examples  {line['change']}")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from trainer.corpus.exporting import Format, export

    corpus = corpora_of(arguments).get(arguments.corpus)
    suffix = arguments.file.suffix.lstrip(".").lower() if arguments.file else ""
    by_name: Format = "jsonl" if suffix == "jsonl" else "csv"
    chosen: Format = arguments.format or by_name
    data = export(corpus.examples, chosen)
    if arguments.file is None:
        sys.stdout.buffer.write(data)
        return 0
    try:
        arguments.file.write_bytes(data)
    except OSError as error:
        raise ConfigError(f"{arguments.file} cannot be written: {error.strerror}.") from None
    say(f"{len(corpus.examples):,} examples of {corpus.label} are in {arguments.file}.")
    return 0


def _rename(arguments: argparse.Namespace) -> int:
    corpora_of(arguments).rename(arguments.corpus, arguments.new)
    say(f"'{arguments.corpus}' is called '{arguments.new}' now.")
    return 0


def _merge(arguments: argparse.Namespace) -> int:
    corpora = corpora_of(arguments)
    other = corpora.get(arguments.other)
    merged = corpora.merge(corpora.get(arguments.into), other, tell=tell_progress)
    if arguments.json:
        print_json(
            {"corpus": merged.name, "version": merged.version, "examples": len(merged.examples)}
        )
    else:
        print(f"{merged.label} holds {len(merged.examples):,} examples.")
    return 0


def _delete(arguments: argparse.Namespace) -> int:
    from trainer.runs import Runs, delete_corpus

    if not arguments.yes and not ask_yes(f"Delete '{arguments.corpus}' with all its versions?"):
        say("Nothing was deleted.")
        return 1
    runs = Runs(workspace_of(arguments) / "runs")
    freed = delete_corpus(corpora_of(arguments), arguments.corpus, runs)
    say(f"'{arguments.corpus}' is deleted; {freed / 1e6:.1f} MB are free again.")
    return 0


def choices_of(arguments: argparse.Namespace) -> "Choices":
    """The choices about reading that a command line states; raises `ConfigError`."""
    from trainer.corpus.naming import ROLES, map_by_names
    from trainer.corpus.reading import Choices

    given: dict[str, str] = {}
    for pair in arguments.map:
        role, equals, column = pair.partition("=")
        if not equals or role not in ROLES:
            raise ConfigError(f"--map takes one of {'=, '.join(ROLES)}=, not '{pair}'.")
        given[role] = column
    choices = Choices(
        off=tuple(arguments.keep), leak_check=not arguments.no_leak_check, task=given.get("task")
    )
    return choices.model_copy(update={"mapping": map_by_names(arguments.files, given)})
