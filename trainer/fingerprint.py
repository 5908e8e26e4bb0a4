"""What names an adapter without doubt: its weights, and how they are added to a base."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path

WEIGHTS, SETTINGS = "adapter_model.safetensors", "adapter_config.json"  # as PEFT calls them


def fingerprint(adapter: Path) -> str:
    """The sha256 of an adapter's weights and settings; adapters tuned alike have the same.

    A file is read again when it has changed. Its time of change, unlike that of a modification,
    cannot be set back.
    """
    files = adapter / WEIGHTS, adapter / SETTINGS
    times = [file.stat().st_ctime_ns if file.is_file() else 0 for file in files]
    return _read(*files, *times)


@lru_cache(maxsize=64)
def _read(weights: Path, settings: Path, *changed_ns: int) -> str:
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256")
    if settings.is_file():
        found.update(_in_order(settings.read_bytes()))
    return found.hexdigest()


def _in_order(settings: bytes) -> bytes:
    """What PEFT writes, but for where the base lay and the order of what has none."""
    try:
        known = json.loads(settings)
        known.pop("base_model_name_or_path", None)
    except (ValueError, AttributeError):  # damaged: PEFT will say so
        return settings
    known = {key: sorted(v, key=str) if isinstance(v, list) else v for key, v in known.items()}
    return json.dumps(known, sort_keys=True).encode()
