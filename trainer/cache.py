"""The Hub's own cache on this machine: where every program that uses the Hub keeps its models."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


def _usual_root() -> Path:
    """Where the Hub's client looks, without loading it."""
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface"))
    return Path(os.environ.get("HF_HUB_CACHE", home / "hub")).expanduser()


@dataclass(frozen=True)
class Cache:
    """The folder of all models that were fetched, by this program or by another."""

    root: Path = field(default_factory=_usual_root)

    def kept(self, hub_id: str) -> Path:
        """Where all versions of a model are kept, if there are any."""
        return self.root / f"models--{hub_id.replace('/', '--')}"

    def folder(self, hub_id: str) -> Path | None:
        """The model's folder, if all of it is here: the newest version. Asks nobody."""
        kept = self.kept(hub_id)
        newest = kept / "refs" / "main"
        named = [kept / "snapshots" / newest.read_text().strip()] if newest.is_file() else []
        return next((path for path in (*named, *kept.glob("snapshots/*")) if whole(path)), None)

    def models(self) -> list[str]:
        """The Hub ids of all models that are here."""
        named = (path.name.split("--", 2) for path in self.root.glob("models--*--*"))
        ids = sorted(f"{owner}/{name}" for _, owner, name in named)
        return [hub_id for hub_id in ids if self.folder(hub_id)]


def whole(folder: Path) -> bool:
    """Whether a folder holds all of a model: config, tokenizer and every file of weights."""
    names = [file.name for file in folder.glob("*") if file.exists()]
    return "config.json" in names and has_tokenizer(names) and not missing_weights(folder)


def has_tokenizer(names: Iterable[str]) -> bool:
    """Whether one of the files holds a tokenizer's words."""
    return any(name.startswith(("tokenizer.", "vocab.", "spiece.")) for name in names)


def missing_weights(folder: Path) -> list[str]:
    """The files of weights that a folder should hold and does not."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        listed = set(json.loads(index.read_text())["weight_map"].values())
        return sorted(name for name in listed if not (folder / name).is_file())
    return [] if any(folder.glob("*.safetensors")) else ["model.safetensors"]
