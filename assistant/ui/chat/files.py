"""Files to take away, where Gradio may hand them out from a copy of its own."""

import atexit
import hashlib
import shutil
import tempfile
from functools import cache
from pathlib import Path

from trainer.errors import disk_full_told


def hand_out(name: str, text: str) -> str:
    """Write a file and return its path; what says the same is the same file."""
    folder = _folder() / hashlib.sha256(text.encode()).hexdigest()[:16]
    with disk_full_told():
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return str(folder / name)


@cache
def _folder() -> Path:
    """A folder of this process alone."""
    folder = Path(tempfile.mkdtemp(prefix="tandem-chat-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
