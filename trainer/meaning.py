"""How close the meanings of texts are, by an embedding model whose work is kept on disk."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from trainer.corpus.near import Pairs, Progress
from trainer.corpus.wording import speaks_english
from trainer.errors import warn_once
from trainer.scoring import (
    CHUNKED,
    MINILM,
    MINILM_SHA256,
    Embedder,
    Matrix,
    identify_embedder,
    load_embedder,
    reads,
)

CHUNK = 256  # texts embedded before they are written down
BLOCK = 1024  # rows compared with all others at once
MOST_CLOSE = 50  # pairs of one text that are reported when all pairs are compared


class Meaning:
    """The meanings of texts: embedded once, kept in `embeddings.sqlite`, compared by cosine.

    The model loads when a text is not in the cache. A vector is found by the model and the text's
    hash; what was embedded before a kill is there after it, and several processes may share the
    file. `reads` says which texts the model can judge: all-MiniLM-L6-v2 reads English only, so
    other texts are left to their words.
    """

    def __init__(
        self,
        cache: Path,
        *,
        model: str = f"{MINILM}@{MINILM_SHA256} {CHUNKED}",
        load: Callable[[], Embedder] = load_embedder,
        reads: Callable[[str], bool] = speaks_english,
    ) -> None:
        self.file = cache / "embeddings" / "embeddings.sqlite"
        self.model = model
        self._load = load
        self._reads = reads
        self._embedder: Embedder | None = None

    def can_judge(self, text: str, /) -> bool:
        """Whether the model reads the language of this text."""
        return self._reads(text)

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Matrix:
        """Embed each text as one row of length 1, from the cache where it is there.

        `progress` hears how many different texts are done, of how many.
        """
        keys = [self._key(text) for text in texts]
        first = {key: text for key, text in zip(reversed(keys), reversed(texts), strict=True)}
        found = self._recall(list(first))
        missing = sorted((key for key in first if key not in found), key=lambda k: len(first[k]))
        for at in range(0, len(missing), CHUNK):
            if progress:
                progress(len(found), len(first))
            chunk = missing[at : at + CHUNK]
            rows = self._loaded().encode([first[key] for key in chunk])
            new = dict(zip(chunk, np.asarray(rows, np.float32), strict=True))
            self._keep(new)
            found |= new
        if progress:
            progress(len(first), len(first))
        return np.stack([found[key] for key in keys]) if keys else np.zeros((0, 0), np.float32)

    def chunked(self, texts: Sequence[str], /) -> list[bool]:
        """Whether each text is longer than the model reads; loads the model."""
        return self._loaded().chunked(texts) if texts else []

    def close_pairs(
        self,
        texts: Sequence[str],
        *,
        candidates: Sequence[tuple[int, int]] | None,
        threshold: float,
        progress: Progress | None = None,
    ) -> Pairs:
        """Find pairs (i < j) of texts with at least this cosine, among the candidates or all.

        Without candidates a text is in at most `MOST_CLOSE` pairs as their first. Only texts that
        are in a candidate are embedded.
        """
        if candidates is None:
            return list(_compare_all(self.encode(texts, progress=progress), threshold))
        used = sorted({i for pair in candidates for i in pair})
        place = {i: at for at, i in enumerate(used)}
        rows = self.encode([texts[i] for i in used], progress=progress)
        left = np.array([place[i] for i, _ in candidates], np.intp)
        right = np.array([place[j] for _, j in candidates], np.intp)
        close: Pairs = []
        for at in range(0, len(left), BLOCK):
            products = rows[left[at : at + BLOCK]] * rows[right[at : at + BLOCK]]
            for pair, cosine in zip(candidates[at:], products.sum(axis=1), strict=False):
                if cosine >= threshold:
                    close.append((min(pair), max(pair), float(cosine)))
        return close

    def _loaded(self) -> Embedder:
        self._embedder = self._embedder or self._load()
        return self._embedder

    def _key(self, text: str) -> bytes:
        content = f"{self.model}\x00{text}".encode(errors="surrogatepass")
        return hashlib.sha256(content).digest()

    def _recall(self, keys: Sequence[bytes]) -> dict[bytes, Matrix]:
        found: dict[bytes, Matrix] = {}
        try:
            with closing(self._open()) as kept:
                for at in range(0, len(keys), 500):  # SQLite's limit of parameters
                    some = keys[at : at + 500]
                    marks = ",".join("?" * len(some))
                    query = f"SELECT key, vector FROM vectors WHERE key IN ({marks})"
                    for key, vector in kept.execute(query, some):
                        found[key] = np.frombuffer(vector, np.float32)
        except sqlite3.Error as error:
            self._tell(error)
        return found

    def _keep(self, rows: dict[bytes, Matrix]) -> None:
        """Write rows down in one transaction; a cache that fails costs time, never the work."""
        try:
            with closing(self._open()) as kept, kept:
                kept.executemany(
                    "INSERT OR IGNORE INTO vectors VALUES (?, ?)",
                    [(key, np.ascontiguousarray(row).tobytes()) for key, row in rows.items()],
                )
        except sqlite3.Error as error:
            self._tell(error)

    def _open(self) -> sqlite3.Connection:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        kept = sqlite3.connect(self.file, timeout=60)
        kept.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB)")
        return kept

    def _tell(self, error: sqlite3.Error) -> None:
        warn_once(f"{self.file} cannot be used ({error}); embeddings are worked out again.")


def cached_embedder(workspace: Path, name: str = MINILM) -> Meaning:
    """An embedding model, by Hub id or folder, whose work is kept in the workspace.

    Raises `ModelError` where there is none of that name.
    """
    return Meaning(
        workspace / "cache",
        model=identify_embedder(name),
        load=lambda: load_embedder(name),
        reads=partial(reads, name),
    )


def _compare_all(rows: Matrix, threshold: float) -> Iterator[tuple[int, int, float]]:
    """Every pair of rows at least this close, in blocks, the closest of each row."""
    for at in range(0, len(rows), BLOCK):
        cosines = rows[at : at + BLOCK] @ rows[at:].T
        cosines[np.tril_indices(len(cosines), m=cosines.shape[1])] = -1
        for i in np.flatnonzero((cosines >= threshold).any(axis=1)):
            close = np.flatnonzero(cosines[i] >= threshold)
            for j in sorted(close, key=lambda j: -cosines[i, j])[:MOST_CLOSE]:
                yield int(at + i), int(at + j), float(cosines[i, j])
