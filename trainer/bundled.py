"""What travels with Tandem: a base, corpora and probes, in a checkout and in a wheel alike."""

from collections.abc import Mapping
from pathlib import Path

PREFIX = "bundled:"


def bundled_bases() -> Mapping[str, Path]:
    """The bundled base models: `bundled:NAME` to the folder that holds the checkpoint."""
    models = sorted((data_folder() / "models").glob("*/config.json"))
    return {PREFIX + config.parent.name: config.parent for config in models}


def sample_corpora() -> Mapping[str, Path]:
    """The sample corpora: name to CSV file."""
    return {file.stem: file for file in sorted((data_folder() / "corpora").glob("*.csv"))}


def probe_files() -> Path:
    """The folder of general questions and of groups of people."""
    return data_folder() / "probes"


def data_folder() -> Path:
    """All of it."""
    installed = Path(__file__).with_name("data")  # pyproject.toml puts it there in a wheel
    return installed if installed.is_dir() else Path(__file__).parent.parent / "data"
