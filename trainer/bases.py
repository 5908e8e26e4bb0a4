"""Where the files of a base model are, and what they are, without loading any of it."""

import hashlib
import importlib.util
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer.bundled import PREFIX, bundled_bases
from trainer.cache import Cache, has_tokenizer, missing_weights
from trainer.config import HUB_ID
from trainer.errors import ModelError
from trainer.hub import Hub, wanted


def find_base(name: str, *, chat: bool = False) -> Path:
    """The folder of a model, fetched from the Hub if need be; raises `ModelError`.

    `chat` refuses what is no chat model, before its weights are fetched. What is here is taken as
    it is: nobody asks the Hub whether there is a newer one, under which adapters would not fit.
    """
    folder = base_here(name)
    if folder is None:
        return fetch(name, chat=chat)
    if chat:
        files = [file.name for file in folder.iterdir()]
        refuse(name, files, _config(folder))
        if missing := missing_weights(folder):
            raise ModelError(f"'{name}' cannot be loaded: {missing[0]} is missing from {folder}.")
    return folder


def base_here(name: str) -> Path | None:
    """The folder of a model that is on this machine, None for one on the Hub alone."""
    if name.startswith(PREFIX):
        bases = bundled_bases()
        if name not in bases:
            raise ModelError(f"No base is called '{name}'. Bundled: {', '.join(bases)}.")
        return bases[name]
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            told = _no_config(folder)
            raise ModelError(f"{folder} is not a model: it has no config.json{told}.")
        return folder
    if not re.fullmatch(HUB_ID, name):
        raise ModelError(
            f"There is no base '{name}'. Give {', '.join(bundled_bases())}, the path of a folder, "
            "or a Hub id such as HuggingFaceTB/SmolLM2-135M-Instruct."
        )
    return Cache().folder(name)


def fetch(hub_id: str, *, chat: bool = False) -> Path:
    """Download a model from the Hub, without a word of how far it is; raises `ModelError`."""
    hub = Hub()
    for _ in hub.fetch(hub.look_up(hub_id, refuse if chat else refuse_files)):
        pass
    folder = hub.cache.folder(hub_id)
    if folder is None:
        raise ModelError(f"'{hub_id}' came from the Hub in parts only. Fetch it again.")
    return folder


def refuse(name: str, files: Sequence[str], config: Mapping[str, Any]) -> None:
    """Raise `ModelError` for a model that cannot be a base, as its files and config.json tell."""
    refuse_files(name, files, config)
    kind = " ".join(config.get("architectures") or [])
    packed = (config.get("quantization_config") or {}).get("quant_method")
    why = None
    if any(f"{sense}_config" in config for sense in ("vision", "audio")):
        why = "it sees or hears besides reading. Choose a model of text alone"
    elif packed:
        why = (
            f"its weights are packed already ({packed}). Choose the original model; Tandem packs "
            "it into 4 bits itself"
        )
    elif "auto_map" in config and not _known(str(config.get("model_type"))):
        why = (
            "it needs program code that comes with it, and such code is never run here. Choose a "
            "model of a kind that Transformers knows"
        )
    elif kind and (
        config.get("is_encoder_decoder")
        or kind.startswith("Bert")
        or not kind.endswith(("ForCausalLM", "LMHeadModel"))
    ):
        why = (
            f"it is a {kind}, which holds no chat. Choose one whose name says 'instruct' or 'chat'"
        )
    elif not has_tokenizer(files):
        why = "it has no tokenizer. Choose a model that comes with one"
    if why:
        raise ModelError(f"'{name}' cannot be loaded: {why}.")


def refuse_files(name: str, files: Sequence[str], config: Mapping[str, Any]) -> None:
    """Raise `ModelError` unless there are weights in safetensors, and what describes them."""
    if "adapter_config.json" in files and "config.json" not in files:
        why = "it is an adapter, not a base. Choose the base that it was made for"
    elif any(file.endswith(".safetensors") and wanted(file) for file in files):
        if "config.json" in files:
            return
        why = "it has no config.json"
    elif any(file.endswith(".gguf") for file in files):
        why = "it comes as GGUF alone, which cannot be tuned. Choose the model it was made from"
    elif pickled := next((file for file in files if file.endswith(_PICKLED)), None):
        why = (
            f"its weights are in {pickled}, a format that can hide a program, so only safetensors "
            "are read. Choose a version in safetensors"
        )
    else:
        why = "it has no weights in safetensors"
    raise ModelError(f"'{name}' cannot be loaded: {why}.")


_PICKLED = (".bin", ".pt", ".pth", ".ckpt")


def _config(folder: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{folder / 'config.json'} cannot be read: {error}.") from None
    return config


def _no_config(folder: Path) -> str:
    """What a folder without a config.json is instead."""
    if (folder / "adapter_config.json").is_file():
        return " but an adapter's. Choose the base that it was made for"
    if any(folder.glob("*.gguf")):
        return ", and GGUF files cannot be tuned. Choose the model they were made from"
    return ""


def _known(kind: str) -> bool:
    """Whether Transformers has code of its own for a kind of model, without loading it."""
    package = importlib.util.find_spec("transformers")
    if package is None or package.origin is None:
        return False
    models = Path(package.origin).parent / "models"
    return (models / kind.replace("-", "_").removesuffix("_text")).is_dir()


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
    config = _config(folder)
    text = config.get("text_config", config)
    return {key: value for key, value in text.items() if isinstance(value, int)}


def first_line(error: Exception) -> str:
    """What an error says, as far as fits into a sentence."""
    return str(error).strip().split("\n")[0][:300]
