"""`tandem corpus`: look at files of questions and answers, take them in, and keep them in order."""

import argparse
import codecs
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.terminal import (
    ask_yes,
    corpora_of,
    open_judge,
    print_json,
    say,
    tell_progress,
    workspace_of,
)
from trainer.errors import ConfigError, CorpusError

if TYPE_CHECKING:
    from trainer.corpus.examining import Examined
    from trainer.corpus.examples import Example
    from trainer.corpus.findings import Audit
    from trainer.corpus.mapping import Mapping as Columns
    from trainer.corpus.reading import Choices, Reading

ROLES = ("question", "answer", "topic", "wordings", "context", "header", "task")
Command = Callable[..., argparse.ArgumentParser]


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
    lengths = _lengths(arguments.base, reading.examples) if arguments.base else None
    if arguments.json:
        print_json(_as_json(reading, found) | ({"tokens": lengths} if lengths else {}))
        return 0
    _print_reading(reading)
    print()
    _print_audit(found.audit)
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
    _print_audit(audit)
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
    return choices.model_copy(update={"mapping": _mappings(arguments.files, given)})


def _mappings(files: Sequence[Path], given: Mapping[str, str]) -> dict[str, Any]:
    """The mapping of every part that has the columns named, the guess filling in the rest."""
    from trainer.corpus.column_names import read_name
    from trainer.corpus.columns import find_columns, measure_column
    from trainer.corpus.mapping import Mapping as Columns
    from trainer.corpus.reading import Choices, open_file

    if not given:
        return {}
    roles: dict[str, Any] = {role: column or None for role, column in given.items()}
    if "wordings" in roles:
        roles["wordings"] = tuple((roles["wordings"] or "").split(",")) if roles["wordings"] else ()
    if "header" in roles:
        roles["header"] = str(roles["header"]).lower() not in ("no", "false", "0")
    named = {
        name
        for role, value in roles.items()
        if role not in ("header", "task") and value
        for name in ([value] if isinstance(value, str) else value)
    }
    mappings: dict[str, Columns] = {}
    seen: list[str] = []
    for path in files:
        for part in open_file(path, Choices(), alone=len(files) == 1):
            guess = part.mapping.model_dump() if part.mapping else {}
            guessed = guess.get("header", True)
            before, _ = find_columns(part.table, header=roles.get("header", guessed))
            seen += before
            before, _ = find_columns(part.table, header=guessed)
            for header in (roles["header"],) if "header" in roles else (guessed, not guessed):
                columns, rows = find_columns(part.table, header=header)
                wanted = _rename_columns(guess, before, columns, free_of=named)
                wanted |= roles | {"header": header}
                if not named <= set(columns) or not {"question", "answer"} <= _filled(wanted):
                    continue
                if "task" not in roles and "answer" in roles:
                    at = columns.index(wanted["answer"])
                    cells = [cells[at] for _, cells in rows]
                    answer = measure_column(at, columns[at], read_name(columns[at]), cells)
                    if not answer.labelled and answer.says("label") < 60:
                        wanted["task"] = "answers"
                mappings[part.name] = Columns.model_validate(wanted)
                break
    if not mappings:
        shown = ", ".join(f"'{name}'" for name in dict.fromkeys(seen)) or "none"
        raise CorpusError(
            f"No table has {' and '.join(repr(n) for n in sorted(named)) or 'such columns'}, with "
            f"a question and an answer. The columns are {shown}."
        )
    return mappings


def _rename_columns(
    guess: Mapping[str, Any], before: Sequence[str], after: Sequence[str], *, free_of: set[str]
) -> dict[str, Any]:
    """A guess with the names that its columns have once another row is taken for the names.

    Columns that a person named for something else are `free_of` it.
    """
    pairs = zip(before, after, strict=False)
    names = {old: new for old, new in pairs if new not in free_of}
    renamed = dict(guess)
    for role in ("question", "answer", "topic", "context"):
        renamed[role] = names.get(guess.get(role) or "")
    renamed["wordings"] = tuple(names[n] for n in guess.get("wordings", ()) if n in names)
    return renamed


def _filled(wanted: Mapping[str, Any]) -> set[str]:
    return {role for role, column in wanted.items() if column}


def _as_json(reading: "Reading", found: "Examined") -> dict[str, object]:
    from trainer.corpus.split import find_leaks

    first = reading.used[0]
    assert first.mapping is not None
    return {
        "examples": len(reading.examples),
        "task": reading.task,
        "format": first.table.format.lower(),
        "encoding": _codec(first.table.encoding),
        "mapping": _short_mapping(first.mapping),
        "sure": all(part.sure for part in reading.used),
        "parts": [
            {
                "file": part.file,
                "part": part.table.part,
                "format": part.table.format.lower(),
                "encoding": _codec(part.table.encoding),
                "pairs": len(part.pairs),
                "mapping": _short_mapping(part.mapping) if part.mapping else None,
                "refused": part.refused,
            }
            for part in reading.parts
        ],
        "notes": list(reading.notes),
        "cleaning": [asdict(step) for step in reading.cleaning],
        "ready": found.audit.ready,
        "reasons": list(found.audit.reasons),
        "problems": [
            problem.model_dump() | {"where": list(problem.where)}
            for problem in found.audit.problems
        ],
        "languages": found.audit.languages,
        "mentions": asdict(found.audit.mentions) if found.audit.mentions else None,
        "compared": found.neighbours.told,
        "split": found.split.sizes(),
        "leaks": find_leaks(found.split, reading.examples, found.neighbours),
        "validation_is": found.split.validation_is,
        "samples": [{"question": e.question, "answer": e.answer} for e in reading.examples[:3]],
    }


def _codec(encoding: str) -> str:
    """An encoding as programs call it."""
    if encoding.endswith(" with BOM"):
        return f"{_codec(encoding.removesuffix(' with BOM'))}-sig"
    return codecs.lookup(encoding).name if encoding else ""


def _short_mapping(mapping: "Columns") -> dict[str, object]:
    """Question, answer and topic, and whatever else is not as usual."""
    usual: dict[str, object] = {"topic": mapping.topic}
    return mapping.model_dump(exclude_defaults=True) | usual


def _print_reading(reading: "Reading") -> None:
    from trainer.corpus.cleaning import STEPS

    kind = "texts with labels" if reading.task == "labels" else "examples"
    files = ", ".join(dict.fromkeys(part.file for part in reading.used))
    print(f"{len(reading.examples):,} {kind} in {files}.")
    for part in reading.used:
        mapping, table = part.mapping, part.table
        assert mapping is not None
        where = f"{part.file}, {table.part}" if table.part else part.file
        how = ", ".join(word for word in (table.format, table.encoding) if word)
        more = f", topics in '{mapping.topic}'" if mapping.topic else ""
        more += f", '{mapping.context}' put in front" if mapping.context else ""
        print(
            f"{where} ({how}): {len(part.pairs):,} pairs; questions in '{mapping.question}', "
            f"answers in '{mapping.answer}'{more}." + ("" if part.sure else " Please check.")
        )
    for note in reading.notes:
        print(f"- {note}")
    titles = {step.name: step.title for step in STEPS}
    for step in reading.cleaning:
        if step.changed or step.dropped:
            print(f"Cleaned, {titles[step.name]}: {step.changed} changed, {step.dropped} left out.")


def _print_audit(audit: "Audit") -> None:
    print(f"{audit.ready.capitalize()}.")
    for problem in audit.problems:
        places = "; ".join(where for where in problem.where[:3] if where)
        more = " ..." if places and problem.count > 3 else ""
        print(f"- {problem.kind}: {problem.count:,}. {problem.meaning} {places}{more}".rstrip())


def _lengths(base: str, examples: Sequence["Example"]) -> dict[str, int]:
    from trainer.config import RunConfig
    from trainer.models import load_format
    from trainer.rendering import measure_lengths

    most = int(RunConfig.model_fields["max_length"].default)
    lengths = measure_lengths(load_format(base), examples, most)
    tokens = sorted(lengths.tokens)
    return {
        "median": tokens[len(tokens) // 2],
        "longest": tokens[-1],
        "most": most,
        "cut": len(lengths.cut),
        "untaught": len(lengths.untaught),
    }
