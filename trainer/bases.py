"""Where the files of a base model are, and what they are, without loading any of it."""

import hashlib
import json
import re
from pathlib import Path

from trainer.bundled import PREFIX, bundled_bases
from trainer.config import HUB_ID
from trainer.errors import ModelError


def find_base(name: str) -> Path:
    """The folder of a base model, fetched from the Hub if need be; raises `ModelError`."""
    if name.startswith(PREFIX):
        bases = bundled_bases()
        if name not in bases:
            raise ModelError(f"No base is called '{name}'. Bundled: {', '.join(bases)}.")
        return bases[name]
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise ModelError(f"{folder} is not a model: it has no config.json.")
        return folder
    if not re.fullmatch(HUB_ID, name):
        raise ModelError(
            f"There is no base '{name}'. Give {', '.join(bundled_bases())}, the path of a folder, "
            "or a Hub id such as HuggingFaceTB/SmolLM2-135M-Instruct."
        )
    return fetch(name)


def fetch(hub_id: str) -> Path:
    """Download a model from the Hub, or find it in the Hub's cache; raises `ModelError`."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - only where the Hub is meant

    wanted = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt"]
    try:
        return Path(snapshot_download(hub_id, allow_patterns=wanted))
    except Exception as error:  # the Hub's client raises a dozen kinds; all mean the same here
        raise ModelError(
            f"'{hub_id}' could not be fetched from the Hub ({first_line(error)}). Check the name "
            "and the network; for a private or gated model, log in with `hf auth login`."
        ) from error


def fingerprint(folder: Path) -> str:
    """Name a base by its files: a sha256 over its configuration, tokenizer and weights.

    Of weights it reads the header, which lists every tensor, and a mebibyte in the middle and at
    the end: whoever changes a checkpoint changes these, and a large one answers at once.
    """
    digest = hashlib.sha256()
    for file in sorted([*folder.glob("*.json"), *folder.glob("*.jinja")]):
        digest.update(file.name.encode() + file.read_bytes())
    for file in sorted(folder.glob("*.safetensors")):
        size = file.stat().st_size
        digest.update(f"{file.name} {size}".encode())
        with file.open("rb") as opened:
            for place in (0, size // 2, max(0, size - 2**20)):
                opened.seek(place)
                digest.update(opened.read(2**20))
    return digest.hexdigest()


def shape(folder: Path) -> dict[str, int]:
    """The numbers of a base's config.json: hidden_size, num_hidden_layers, vocab_size, ..."""
    config = json.loads((folder / "config.json").read_text())
    text = config.get("text_config", config)
    return {key: value for key, value in text.items() if isinstance(value, int)}


def first_line(error: Exception) -> str:
    """What an error says, as far as fits into a sentence."""
    return str(error).strip().split("\n")[0][:300]
