"""The commands that let others talk to a tuned model: share and links."""

import argparse
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.terminal import (
    Command,
    ask_password,
    pairs_of,
    print_json,
    runs_of,
    say,
    share_cores,
    whole_id,
    workspace_of,
)
from trainer.errors import ConfigError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from assistant.conversation import Chat
    from assistant.engine import Engine
    from assistant.hosted.serving import Hosting
    from assistant.links import Link
    from assistant.store import Store

_BACKEND_KEY = "TANDEM_BACKEND_KEY"
SHOWN = 8  # letters of an id


def add_share_commands(command: Command, as_json: argparse.ArgumentParser) -> None:
    """Add `share` and `links` to the parser."""
    hosted = argparse.ArgumentParser(add_help=False)
    add_hosting(hosted)
    share = command(
        _share, "share", "make a link to a tuned model, and serve its page", hosted, as_json
    )
    share.add_argument("run", nargs="?", help="a run's id, or `latest` [serve the links there are]")
    share.add_argument("--host", default="127.0.0.1", help="address to serve on [127.0.0.1]")
    share.add_argument("--port", type=int, help="port to serve on [the first free from 7870]")
    share.add_argument("--title", help="the name of the bot [that of its corpus]")
    share.add_argument("--greeting", help="what it says first")
    share.add_argument("--about", help="a line on what it is and isn't")
    share.add_argument(
        "--example", action="append", metavar="QUESTION", help="to begin with; several times"
    )
    share.add_argument("--colour", metavar="#RRGGBB", help="of buttons")
    share.add_argument("--logo", type=Path, metavar="FILE", help="a PNG, JPEG or WebP picture")
    share.add_argument("--with-base", action="store_true", help="the untuned model answers, too")
    share.add_argument("--days", type=float, default=30, help="until the link runs out [30]")
    share.add_argument("--password", action="store_true", help="ask visitors for one")
    share.add_argument(
        "--people", type=Path, metavar="FILE", help="let in whoever logs in by this auth file"
    )
    share.add_argument(
        "--always-sure",
        action="store_true",
        help="do not say where an answer strays from every approved one",
    )
    share.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="KEY=NUMBER",
        help="per_minute, per_minute_of_all, per_day or characters",
    )
    share.add_argument("--api", action="store_true", help="print a key for /v1/chat/completions")
    share.add_argument("--no-serve", action="store_true", help="only make the link")

    links = command(_links, "links", "list the links there are, or take one back", as_json)
    links.add_argument("--revoke", metavar="ID", help="take a link back, at once")
    links.add_argument("--database", metavar="URL", help=_DATABASE)


def add_hosting(parser: argparse.ArgumentParser) -> None:
    """Let a command say who answers visitors, where that is kept, and how they come here."""
    parser.add_argument(
        "--backend",
        metavar="URL",
        help="answer from this OpenAI-compatible server, not from this process; its key in "
        f"{_BACKEND_KEY}",
    )
    parser.add_argument("--database", metavar="URL", help=_DATABASE)
    parser.add_argument(
        "--public-url", metavar="URL", help="the address that a proxy gives the shared links"
    )
    parser.add_argument(
        "--share", action="store_true", help="open a public tunnel to the shared links (Gradio's)"
    )


_DATABASE = "keep conversations and links there, such as postgresql+psycopg://... [tandem.db]"


def store_of(arguments: argparse.Namespace) -> "Store":
    """The database of the workspace, or the one that was named."""
    from assistant.store import Store

    if arguments.database:
        return Store(arguments.database)
    return Store.in_workspace(workspace_of(arguments))


def engine_of(arguments: argparse.Namespace) -> "Engine":
    """Whoever answers: this process, or a server elsewhere."""
    from assistant.engine import Engine

    elsewhere: Chat | None = None
    if arguments.backend:
        from assistant.remote import Remote

        elsewhere = Remote(arguments.backend, os.environ.get(_BACKEND_KEY, ""))
    return Engine(workspace_of(arguments), elsewhere)


def hosting_of(
    arguments: argparse.Namespace, engine: "Engine", store: "Store", port: int | None = None
) -> "Hosting":
    """The app behind shared links, not served yet."""
    from assistant.hosted.serving import Hosting
    from trainer.runs import Runs

    def build() -> "FastAPI":
        from assistant.crowd import Crowd
        from assistant.hosted.app import build_hosted
        from assistant.hosted.bot import Bot

        runs = Runs(workspace_of(arguments) / "runs")
        chat = engine if arguments.backend else Crowd(engine)  # another server has its own way
        return build_hosted(Bot(chat, store, runs, engine.beside))

    def public(here: str) -> AbstractContextManager[str]:
        if arguments.public_url:
            return nullcontext(arguments.public_url)
        if arguments.share:
            from assistant.ui.tunnel import tunnel

            return tunnel(here)
        return nullcontext(here)

    return Hosting(build, arguments.host, port, public=public)


def _share(arguments: argparse.Namespace) -> int:
    share_cores()
    store = store_of(arguments)
    from assistant.hosted.door import Door
    from assistant.link_store import Links

    links = Links(store)
    door, made = Door(links), _make(arguments) if arguments.run else None
    hosting = hosting_of(arguments, engine_of(arguments), store, arguments.port)
    address = "" if arguments.no_serve else hosting.address()
    for one in [links.add(made)] if made else links.open():
        shown = {"link": one.id, "url": f"{address}/c/{door.token(one)}/"}
        if arguments.api:
            shown |= {"api": f"{address}/v1", "key": door.key(one)}
        if arguments.json:
            print_json(shown | {"expires": one.expires.isoformat()})
        else:
            print("\n".join(f"{name}: {value}" for name, value in shown.items()), flush=True)
    if arguments.no_serve:
        return 0
    say("Ctrl-C ends the page; the link opens again with the next `tandem share` or `serve`.")
    try:
        hosting.wait()
    finally:
        hosting.close()
    return 0


def _make(arguments: argparse.Namespace) -> "Link":
    from assistant.access import hash_password, read_people
    from assistant.links import encode_logo
    from assistant.sharing import make_link

    look: dict[str, object] = {
        name: given
        for name in ("title", "greeting", "about", "colour")
        if (given := getattr(arguments, name)) is not None
    }
    if arguments.example:
        look["examples"] = tuple(arguments.example)
    if arguments.logo:
        look["logo"] = encode_logo(_read(arguments.logo))
    password = ask_password("Password for visitors: ") if arguments.password else ""
    if arguments.password and not password:
        raise ConfigError("The password is empty. Type one, or leave --password out.")
    return make_link(
        runs_of(arguments).get(arguments.run),
        look=look,
        limits=pairs_of(arguments.limit, "--limit"),
        with_base=arguments.with_base,
        unsure=not arguments.always_sure,
        password=hash_password(password) if password else "",
        people=read_people(arguments.people) if arguments.people else (),
        days=arguments.days,
    )


def _read(logo: Path) -> bytes:
    try:
        return logo.expanduser().read_bytes()
    except OSError as error:
        raise ConfigError(f"The logo {logo} cannot be read: {error.strerror}.") from None


def _links(arguments: argparse.Namespace) -> int:
    from assistant.hosted.door import Door
    from assistant.link_store import Links
    from assistant.sharing import link_told, use_told

    links = Links(store_of(arguments))
    if arguments.revoke:
        link = links.revoke(whole_id(arguments.revoke, [link.id for link in links.list()], "link"))
        say(f"Link {link.id[:SHOWN]} is taken back: it opens nothing any more.")
        return 0
    door, found = Door(links), [(link, links.use(link.id)) for link in links.list()]
    if arguments.json:
        shown = {"password", "people", "look"}
        print_json(
            {
                "links": [
                    link.model_dump(mode="json", exclude=shown)
                    | {"path": f"/c/{door.token(link)}/", "use": use.model_dump(exclude={"day"})}
                    for link, use in found
                ]
            }
        )
    elif not found:
        print("There are no links. `tandem share RUN` makes one.")
    else:
        for link, use in found:
            print(f"{link.id[:SHOWN]}  {link_told(link)}\n  {use_told(use)}")
            print(f"  /c/{door.token(link)}/")
    return 0
