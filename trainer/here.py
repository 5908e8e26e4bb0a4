"""The bases on this machine: those that travel with Tandem, folders, and what was fetched."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from trainer.bases import refuse
from trainer.bundled import PREFIX, bundled_bases
from trainer.cache import Cache
from trainer.errors import UserError
from trainer.workload import read_shape


@dataclass(frozen=True)
class Here:
    """A base on this machine. `name` is how a run names it; `weights` are None if it is broken."""

    name: str
    kind: Literal["bundled", "folder", "fetched"]
    folder: Path
    weights: int | None

    @property
    def shown(self) -> str:
        """What to call it in a list."""
        short = self.folder.name if self.kind == "folder" else self.name.removeprefix(PREFIX)
        size = f", {count(self.weights)}" if self.weights else ""
        return f"{short} ({self.kind}{size})"


def bases_here(models: Path, cache: Cache | None = None) -> list[Here]:
    """The bundled bases, the folders of a workspace's `models`, and chat models of the Hub."""
    cache = cache or Cache()
    found = [_look(name, "bundled", folder) for name, folder in bundled_bases().items()]
    folders = sorted(config.parent for config in models.glob("*/config.json"))
    found += [_look(str(folder), "folder", folder) for folder in folders]
    fetched = ((hub_id, cache.folder(hub_id)) for hub_id in cache.models())
    return found + [
        _look(hub_id, "fetched", folder) for hub_id, folder in fetched if folder and _chats(folder)
    ]


def count(weights: int) -> str:
    """A number of weights as people say it: 9M, 1.2B."""
    if weights >= 999.5e6:
        return f"{weights / 1e9:.1f}B"
    return f"{round(weights / 1e6)}M"


def _look(name: str, kind: Literal["bundled", "folder", "fetched"], folder: Path) -> Here:
    return Here(name, kind, folder, _weights(folder, (folder / "config.json").stat().st_mtime))


@lru_cache
def _weights(folder: Path, changed: float) -> int | None:
    """Count them once, not at every look at the page; what is broken is told when it is used."""
    try:
        base = read_shape(folder)
    except (UserError, OSError, ValueError, KeyError, AttributeError):
        return None
    return base.linear + base.other


def _chats(folder: Path) -> bool:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        refuse(folder.name, [file.name for file in folder.iterdir()], config)
    except (UserError, OSError, ValueError):
        return False
    return True
