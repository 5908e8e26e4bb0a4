"""The commands that ask models: chat and ask."""

import argparse
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.terminal import (
    BUNDLED,
    Command,
    add_settings,
    base_of,
    hush_libraries,
    print_json,
    runs_of,
    settings_of,
    share_cores,
    whole_id,
    workspace_of,
)
from trainer.errors import ConfigError

if TYPE_CHECKING:
    from assistant.conversation import Side
    from trainer.runs import Runs


def add_talk_commands(command: Command, as_json: argparse.ArgumentParser) -> None:
    """Add `chat` and `ask` to the parser."""
    setting = argparse.ArgumentParser(add_help=False)
    add_settings(setting)
    chat = command(_chat, "chat", "chat with base and tuned side by side, here", setting)
    chat.add_argument("run", nargs="?", help="a run's id, or `latest` [latest]")
    other = chat.add_mutually_exclusive_group()
    other.add_argument("--against", metavar="RUN", help="another run instead of the base")
    other.add_argument("--alone", action="store_true", help="the tuned model alone")
    other.add_argument("--base", metavar="BASE", help="a base alone, without any run")
    other.add_argument("--open", metavar="ID", help="go on with a conversation that was kept")
    ask = command(_ask, "ask", "ask base and tuned one question", as_json, setting)
    ask.add_argument("run", help="a run's id, or `latest`")
    ask.add_argument("question")
    ask.add_argument("--against", metavar="RUN", help="another run instead of the base")


def _chat(arguments: argparse.Namespace) -> int:
    runs = runs_of(arguments)
    from assistant.conversation import ChatSettings, Conversation
    from assistant.store import Store

    store = Store.in_workspace(workspace_of(arguments))
    settings = ChatSettings.parse(settings_of(arguments))
    if arguments.open:
        known = [one.id for one in store.conversations(most=100_000)]
        conversation = store.conversation(whole_id(arguments.open, known, "conversation"))
    else:
        conversation = Conversation.between(_sides(arguments, runs), runs, settings)
    share_cores()
    hush_libraries()
    from rich.console import Console

    from assistant.beside import Approved
    from assistant.host import ModelHost
    from assistant.talk import Talk
    from assistant.terminal_chat import TerminalChat

    workspace, console = workspace_of(arguments), Console()
    host, approved = ModelHost.in_workspace(workspace), Approved.in_workspace(workspace)
    console.print("Ask something. /help says what else can be typed; Ctrl-D ends.", style="dim")

    def read() -> str:
        return input("> " if sys.stdin.isatty() else "")

    if sys.stdin.isatty():
        import readline  # noqa: F401 - what was typed before can be edited
    talk = Talk(host, store, runs, approved)
    TerminalChat(talk, conversation, console, kept=bool(arguments.open)).hold(read)
    return 0


def _ask(arguments: argparse.Namespace) -> int:
    runs = runs_of(arguments)
    arguments.alone, arguments.base = False, None
    sides = _sides(arguments, runs)
    from assistant.conversation import ChatSettings, Conversation, checked

    settings, question = ChatSettings.parse(settings_of(arguments)), checked(arguments.question)
    conversation = Conversation.between(sides, runs, settings)
    share_cores()
    hush_libraries()
    from assistant.host import ModelHost
    from assistant.told import proof_log, proof_title

    host = ModelHost.in_workspace(workspace_of(arguments))
    *_, answers = host.answer(conversation.asks(question), threading.Event())
    told: dict[str, Any] = {}
    for side, answer in zip(sides, answers, strict=True):
        assert answer.proof
        who = ("tuned" if side.run else "base") if not arguments.against else side.name
        told[who] = {"text": answer.text, **answer.proof.model_dump(mode="json")}
        if not arguments.json:
            print(f"{who}: {answer.text}")
            print(f"    {proof_title(answer.proof)} · {proof_log(answer.proof, answer.text)}")
    if arguments.json:
        print_json(told)
    return 0


def _sides(arguments: argparse.Namespace, runs: "Runs") -> "Sequence[Side]":
    from assistant.conversation import Side, tuned

    if arguments.base:
        return [Side(base=base_of(arguments.base))]
    run = runs.get(arguments.run or "latest") if arguments.run or runs.list() else None
    if run is None:
        return [Side(base=BUNDLED)]
    _ = run.adapter_hash  # no adapter is known before torch is loaded
    own = tuned(run)
    if arguments.alone:
        return [own]
    if not arguments.against:
        return [own.bare, own]
    other = runs.get(arguments.against)
    _ = other.adapter_hash
    if tuned(other).bare != own.bare:
        raise ConfigError(
            f"'{other.id}' was tuned on {other.config.base} and '{run.id}' on {run.config.base}: "
            "two columns need one base."
        )
    return [tuned(other), own]
