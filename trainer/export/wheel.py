"""Tandem as a wheel, put together from what runs here: a checkout or an installed wheel alike.

The format: https://packaging.python.org/en/latest/specifications/binary-distribution-format/. No
tool that builds wheels is asked, so it takes neither a network nor a checkout.
"""

import base64
import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import trainer
from trainer.bundled import data_folder

NAME = "tandem-assistant"
_PACKAGES = ("trainer", "assistant")  # as pyproject.toml lists them
_OF_HERE = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}


def write_wheel(folder: Path) -> Path:
    """Write the wheel into a folder and return its path."""
    installed = distribution(NAME)
    stem = f"{NAME.replace('-', '_')}-{installed.version}"
    file, recorded = folder / f"{stem}-py3-none-any.whl", io.StringIO()
    lines = csv.writer(recorded, lineterminator="\n")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as wheel:
        for name, content in _contents(installed, stem):
            wheel.writestr(name, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            lines.writerow([name, f"sha256={digest.decode()}", len(content)])
        lines.writerow([f"{stem}.dist-info/RECORD", "", ""])
        wheel.writestr(f"{stem}.dist-info/RECORD", recorded.getvalue())
    return file


def requirements() -> list[str]:
    """What Tandem needs, without what only its tests do."""
    return [one for one in distribution(NAME).requires or () if "extra ==" not in one]


def _contents(installed: Distribution, stem: str) -> Iterator[tuple[str, bytes]]:
    root = Path(trainer.__file__).parent.parent
    for package in _PACKAGES:
        for file in _files(root / package):
            if not file.is_relative_to(data_folder()):
                yield str(file.relative_to(root)), file.read_bytes()
    for file in _files(data_folder()):
        yield str("trainer/data" / file.relative_to(data_folder())), file.read_bytes()
    for one in installed.files or ():
        about, _, rest = str(one).partition("/")
        if about == f"{stem}.dist-info" and rest not in _OF_HERE:
            yield str(one), Path(str(one.locate())).read_bytes()


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file
