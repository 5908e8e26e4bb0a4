"""`tandem`: everything the page can do, from a terminal.

Nothing heavy is imported before a command needs it, so that `tandem --help` answers at once.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from assistant.base_commands import add_base_commands
from assistant.chat_commands import add_chat_commands
from assistant.corpus_commands import add_corpus_commands
from assistant.export_commands import add_export_commands
from assistant.history_commands import add_history_commands
from assistant.run_commands import add_run_commands
from assistant.score_commands import add_score_commands
from assistant.share_commands import (
    add_hosting,
    add_share_commands,
    engine_of,
    hosting_of,
    store_of,
)
from assistant.talk_commands import add_talk_commands
from assistant.terminal import (
    BUNDLED,
    FAILED,
    ask_password,
    corpora_of,
    print_json,
    runs_of,
    say,
    share_cores,
    worker_of,
    workspace_of,
)
from assistant.vllm_commands import add_vllm_commands
from trainer.errors import UserError, disk_full_told

MISTAKE = 2  # exit code


def main(argv: Sequence[str] | None = None, *, worker: Sequence[str] = ()) -> int:
    """Run one command. What the user can mend is one sentence on stderr and exit code 2.

    `worker` names the module that does the work of runs, where it is not our own.
    """
    arguments = _parser().parse_args(argv)
    arguments.worker = worker
    try:
        with disk_full_told():
            code: int = arguments.command(arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return FAILED
    return code


# The commands, in the order a user meets them.


def _demo(arguments: argparse.Namespace) -> int:
    _login(arguments)  # a mistake in it should not show after minutes of tuning
    say("Tandem demo: tune the bundled base on the sample FAQ of a bank, score it, open the page.")
    from trainer.bundled import sample_corpora

    runs, corpus = runs_of(arguments), corpora_of(arguments).add(sample_corpora()["banking"])
    done = next(
        (
            run
            for run in runs.list()
            if (run.corpus.label, run.config.base) == (corpus.label, BUNDLED) and run.evaluation()
        ),
        None,
    )
    if done:
        say(f"Run {done.id} has done it before; `tandem tune banking` would tune again.")
    else:
        from assistant.follow import follow_run
        from trainer.config import RunConfig
        from trainer.launch import launch

        settings = {"base": BUNDLED, "corpus": corpus.name, "version": corpus.version}
        done = launch(RunConfig.parse(settings), runs, worker=worker_of(arguments))
        follow_run(done, say, worker=worker_of(arguments))
        if not done.has_adapter:
            return FAILED
    evaluation = done.evaluation()
    report = evaluation.report() if evaluation else None
    return _serve(arguments, run=done.id, evaluation=report.summary() if report else None)


def _serve(arguments: argparse.Namespace, **done: object) -> int:
    login, workspace = _login(arguments), workspace_of(arguments)
    share_cores()
    store, engine = store_of(arguments), engine_of(arguments)
    from assistant.link_store import Links
    from assistant.ui.app import serve  # seconds; not before the login is known to be right

    say(f"Workspace: {workspace}")

    def announce(url: str) -> None:
        if arguments.json:
            print_json({"url": url, "workspace": str(workspace), **done})
        else:
            print(f"Tandem is at {url} (Ctrl-C ends the page; runs go on)", flush=True)

    hosting = hosting_of(arguments, engine, store)
    if arguments.share or Links(store).open():
        say(f"Shared links open at {hosting.address()}")
    serve(
        workspace,
        engine,
        store=store,
        hosting=hosting,
        host=arguments.host,
        port=arguments.port,
        root_path=arguments.root_path,
        login=login,
        announce=announce,
    )
    return 0


def _fsdp(arguments: argparse.Namespace) -> int:
    from trainer.fsdp import write_fsdp_config

    write_fsdp_config(arguments.file, arguments.processes)
    say(f"{arguments.file} is written for {arguments.processes} GPUs. Nobody has tried it yet.")
    return 0


def _password(arguments: argparse.Namespace) -> int:
    from assistant.access import password_line

    print(password_line(arguments.user, ask_password(f"Password for {arguments.user}: ")))
    return 0


# What the commands share.


def _login(arguments: argparse.Namespace) -> Any:
    from assistant.access import login_for

    return login_for(
        arguments.host,
        arguments.auth_file,
        os.environ,
        public=arguments.share or arguments.public_url,
    )


def _port(given: str) -> int:
    if not given.isdigit() or not 0 < int(given) < 65536:
        raise argparse.ArgumentTypeError(f"'{given}' is not a port: 1 to 65535")
    return int(given)


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--workspace",
        type=Path,
        default=Path(os.environ.get("TANDEM_WORKSPACE") or "workspace"),
        metavar="DIR",
        help="the folder everything is kept in [TANDEM_WORKSPACE, or ./workspace]",
    )
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="print one line of JSON on stdout")
    served = argparse.ArgumentParser(add_help=False)
    served.add_argument("--host", default="127.0.0.1", help="address to serve on [127.0.0.1]")
    served.add_argument("--port", type=_port, help="port to serve on [the first free from 7860]")
    served.add_argument(
        "--root-path", default="", help="the prefix under which a proxy shows the page"
    )
    add_hosting(served)
    served.add_argument("--auth-file", type=Path, help="logins: lines of `tandem password USER`")

    parser = argparse.ArgumentParser(
        prog="tandem",
        description="Tune a chat model on your FAQ, chat with base and tuned side by side, "
        "and know whether it helped.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        run: Callable[[argparse.Namespace], int],
        name: str,
        text: str,
        *parents: argparse.ArgumentParser,
        to: Any = commands,
    ) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = to.add_parser(
            name, help=text, description=text, parents=[shared, *parents]
        )
        added.set_defaults(command=run)
        return added

    command(
        _demo, "demo", "tune the bundled base on a sample, score it, open the page", served, as_json
    )
    command(_serve, "serve", "open the page", served, as_json)
    add_corpus_commands(command, commands, as_json)
    add_base_commands(command, as_json)
    add_run_commands(command, as_json)
    add_history_commands(command, as_json)
    add_score_commands(command, as_json)
    add_export_commands(command, as_json)
    add_talk_commands(command, as_json)
    add_vllm_commands(command, as_json)
    add_chat_commands(command, as_json)
    add_share_commands(command, as_json)
    fsdp = command(_fsdp, "fsdp", "write an accelerate configuration that shards a large base")
    fsdp.add_argument("file", type=Path, help="where to, such as fsdp.yaml")
    fsdp.add_argument("--processes", type=int, default=2, help="one a GPU [2]")
    password = command(_password, "password", "print a line for an --auth-file")
    password.add_argument("user")
    return parser


if __name__ == "__main__":
    sys.exit(main())
