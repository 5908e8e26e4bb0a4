"""The commands for what chats leave behind: votes, conversations and questions."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.terminal import (
    FAILED,
    Command,
    ask_yes,
    corpora_of,
    print_json,
    runs_of,
    say,
    tell_progress,
    whole_id,
    workspace_of,
)
from trainer.errors import ConfigError

if TYPE_CHECKING:
    from assistant.store import OpenQuestion, Store, Summary

SHOWN = 8  # letters of an id


def add_chat_commands(command: Command, as_json: argparse.ArgumentParser) -> None:
    """Add `votes`, `conversations` and `questions` to the parser."""
    votes = command(_votes, "votes", "who won the votes, and how sure that is", as_json)
    votes.add_argument("run", nargs="?", help="a run's id, or `latest` [all runs]")
    votes.add_argument(
        "--export",
        type=Path,
        metavar="FILE.jsonl",
        help="write preference pairs, as TRL's DPO reads them",
    )
    votes.add_argument(
        "--unpaired",
        action="store_true",
        help="with --export: each answer with whether it was good, as TRL's KTO reads it",
    )

    kept = command(_conversations, "conversations", "list, export or delete conversations", as_json)
    kept.add_argument("search", nargs="?", default="", help="words in names, questions, answers")
    does = kept.add_mutually_exclusive_group()
    does.add_argument(
        "--export", nargs=2, metavar=("ID", "FILE"), help="write one to FILE.md or FILE.jsonl"
    )
    does.add_argument("--rename", nargs=2, metavar=("ID", "NAME"), help="give one another name")
    does.add_argument("--delete", metavar="ID", help="delete one with its votes")
    kept.add_argument("--yes", action="store_true", help="do not ask before deleting")

    questions = command(
        _questions, "questions", "questions nobody has approved answers to", as_json
    )
    questions.add_argument("corpus")
    does = questions.add_mutually_exclusive_group()
    does.add_argument("--answer", nargs=2, metavar=("ID", "TEXT"), help="write the right answer")
    does.add_argument("--dismiss", metavar="ID", help="take a question off the list")
    does.add_argument(
        "--teach", action="store_true", help="make a corpus version with all that are answered"
    )
    questions.add_argument(
        "--by-words",
        action="store_true",
        help="with --teach: compare questions by their words alone, as `corpus import` can",
    )


def _votes(arguments: argparse.Namespace) -> int:
    from assistant.votes import as_jsonl, count_votes, judged_answers, preference_pairs

    run = arguments.run
    if run == "latest":
        run = runs_of(arguments, start=False).get(run).id
    votes = _store(arguments).votes(run)
    if run and not votes:
        runs_of(arguments, start=False).get(run)  # votes outlive their run
    tallies = count_votes(votes, run)
    if arguments.unpaired and not arguments.export:
        raise ConfigError("--unpaired goes with --export FILE.jsonl.")
    written = None
    if arguments.export:
        pairs = judged_answers(votes) if arguments.unpaired else preference_pairs(votes)
        _write(arguments.export, as_jsonl(pairs))
        written = len(pairs)
        what = "judged answers" if arguments.unpaired else "preference pairs"
        say(
            f"{written:,} {what} from {len(votes):,} votes are in {arguments.export}. Left out: "
            "answers that are empty, alike, stopped, or good but cut off."
        )
    if arguments.json:
        found = [
            asdict(t) | {"share": t.share, "interval": t.interval, "verdict": t.verdict}
            for t in tallies
        ]
        print_json({"tallies": found} | ({} if written is None else {"exported": written}))
    elif not tallies:
        print("No votes yet. Cast some in `tandem chat`, or under the answers on the page.")
    else:
        for tally in tallies:
            print(f"{tally.run}: {tally.sentence}")
    return 0


def _conversations(arguments: argparse.Namespace) -> int:
    store = _store(arguments)
    if arguments.export:
        return _export(store, *arguments.export)
    if arguments.rename:
        given, name = arguments.rename
        if not name.strip():
            raise ConfigError("A conversation needs a name.")
        store.change(_conversation(store, given).id, name=name.strip())
        say(f"It is called '{name.strip()}' now.")
        return 0
    if arguments.delete:
        found = _conversation(store, arguments.delete)
        asked = f"Delete '{found.name}', {_many(found.questions, 'question')}, with its votes?"
        if not arguments.yes and not ask_yes(asked):
            say("Nothing was deleted.")
            return FAILED
        store.delete(found.id)
        say(f"'{found.name}' is deleted.")
        return 0
    listed = store.conversations(arguments.search)
    if arguments.json:
        print_json({"conversations": [_as_json(found) for found in listed]})
    elif not listed:
        searched = f" with '{arguments.search}' in it" if arguments.search else " yet"
        print(f"No conversation{searched}. Begin one with `tandem chat`.")
    for found in [] if arguments.json else listed:
        sides = " beside ".join(side.name for side in found.sides)
        about = f"{found.name} ({sides}, {_many(found.questions, 'question')})"
        print(f"{found.id[:SHOWN]}  {found.updated:%Y-%m-%d %H:%M}  {about}")
    return 0


def _export(store: "Store", given: str, to: str) -> int:
    from assistant.exporting_chat import WRITERS

    file = Path(to)
    if file.suffix.lower() not in WRITERS:
        raise ConfigError(f"{file}: call it .md to read it, or .jsonl for its messages.")
    conversation = store.conversation(_conversation(store, given).id)
    _write(file, WRITERS[file.suffix.lower()](conversation))
    say(f"'{conversation.name}' is in {file}.")
    return 0


def _questions(arguments: argparse.Namespace) -> int:
    from assistant.lessons import open_questions, teach
    from assistant.told import open_because

    store, corpora = _store(arguments), corpora_of(arguments, by_words=arguments.by_words)
    if arguments.teach:
        corpus = teach(store, corpora, arguments.corpus, tell=tell_progress)
        if arguments.json:
            print_json(
                {"corpus": corpus.name, "version": corpus.version, "change": corpus.origin.change}
            )
        else:
            print(f"{corpus.label} has them. Its last change: {corpus.origin.change}.")
            say("Teach it to a run that is there: `tandem continue RUN`; or tune anew.")
        return 0
    listed = open_questions(store, corpora, arguments.corpus)
    if arguments.answer:
        given, text = arguments.answer
        store.answer(_question(listed, given).id, text)
        say("Kept." if text.strip() else "The answer is taken back.")
    elif arguments.dismiss:
        store.dismiss(_question(listed, arguments.dismiss).id)
        say("It is off the list.")
    elif arguments.json:
        print_json({"questions": [question.model_dump(mode="json") for question in listed]})
    elif not listed:
        print(f"No open questions for '{arguments.corpus}'.")
    else:
        for question in listed:
            times = f"asked {_many(question.asked, 'time')}"
            print(f"{question.id[:SHOWN]}  {times}, {open_because(question.why)}")
            print(f"  Q: {question.question}\n  A: {question.answer or '(open)'}")
    return 0


def _store(arguments: argparse.Namespace) -> "Store":
    from assistant.store import Store

    return Store.in_workspace(workspace_of(arguments))


def _conversation(store: "Store", given: str) -> "Summary":
    """The conversation whose id begins as given."""
    found = {one.id: one for one in store.conversations(most=100_000)}
    return found[whole_id(given, found, "conversation")]


def _question(listed: Sequence["OpenQuestion"], given: str) -> "OpenQuestion":
    found = {one.id: one for one in listed}
    return found[whole_id(given, found, "open question")]


def _as_json(found: "Summary") -> dict[str, object]:
    sides = [side.model_dump() for side in found.sides]
    return asdict(found) | {"updated": found.updated.isoformat(timespec="seconds"), "sides": sides}


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}.") from None


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
