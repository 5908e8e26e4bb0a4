"""The commands about bases: bases, fetch."""

import argparse
import sys
from typing import TYPE_CHECKING

from assistant.terminal import Command, print_json, say, workspace_of

if TYPE_CHECKING:
    from trainer.hub import Fetched


def add_base_commands(command: Command, as_json: argparse.ArgumentParser) -> None:
    """Add `bases` and `fetch` to the parser."""
    command(_bases, "bases", "list the bases that are here, and small ones worth trying", as_json)
    fetch = command(_fetch, "fetch", "download a base from the Hub", as_json)
    fetch.add_argument("base", help="a Hub id, such as HuggingFaceTB/SmolLM2-135M-Instruct")


def _bases(arguments: argparse.Namespace) -> int:
    from trainer.here import bases_here, count
    from trainer.suggested import SUGGESTED

    here = bases_here(workspace_of(arguments) / "models")
    names = {base.name for base in here}
    if arguments.json:
        print_json(
            {
                "here": [
                    {
                        "base": base.name,
                        "kind": base.kind,
                        "folder": str(base.folder),
                        "weights": base.weights,
                    }
                    for base in here
                ],
                "suggested": [
                    {
                        "base": base.hub_id,
                        "here": base.hub_id in names,
                        "weights": base.weights,
                        "download_bytes": round(base.download),
                        "chat_bytes": round(base.chat_bytes),
                        "tune_bytes": round(base.tune_bytes),
                        "reads_tokens": base.reads,
                        "languages": base.languages,
                        "licence": base.licence,
                        "business": base.business,
                        "gated": base.gated,
                        "good_for": base.good_for,
                    }
                    for base in SUGGESTED
                ],
            }
        )
        return 0
    print("Here:")
    for base in here:
        print(f"  {base.name}  {count(base.weights) if base.weights else 'broken'}, {base.kind}")
    print("Small bases worth trying (weights; download; memory to chat and to tune, in 4 bit):")
    for suggestion in SUGGESTED:
        mark = ", here" if suggestion.hub_id in names else ""
        print(f"  {suggestion.hub_id}{mark}\n      {suggestion.sentence}")
    print("Fetch one with `tandem fetch HUB_ID`; use it with `tandem tune FAQ --base HUB_ID`.")
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
    from trainer.bases import find_base, refuse
    from trainer.hub import Hub

    hub = Hub()
    offer = hub.look_up(arguments.base, refuse)
    before = f", of which {offer.here / 1e9:.2f} are here" if offer.here else ""
    say(f"{arguments.base} is {offer.size / 1e9:.2f} GB{before}.")
    try:
        for fetched in hub.fetch(offer):
            _tell(fetched)
    except KeyboardInterrupt:
        say(f"\nStopped. What has come stays; `tandem fetch {arguments.base}` goes on from there.")
        raise
    folder = find_base(arguments.base, chat=True)
    if arguments.json:
        print_json({"base": arguments.base, "folder": str(folder), "bytes": offer.size})
    say(f"It is here: {folder}")
    return 0


def _tell(fetched: "Fetched") -> None:
    """Show on a terminal how far it is; say nothing into a file."""
    if sys.stderr.isatty():
        end = "\n" if fetched.done == fetched.size else ""
        print(f"\r\033[K{fetched.sentence}", end=end, file=sys.stderr, flush=True)
