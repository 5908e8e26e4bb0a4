"""Meaning: told apart on labelled pairs, kept on disk through kills, shared by processes."""

import hashlib
import json
import multiprocessing
import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from trainer.corpus.examples import make_examples
from trainer.corpus.near import (
    QUESTION_MEANING,
    SAME_ANSWER_MEANING,
    find_duplicates,
    find_near,
)
from trainer.corpus.table import Pair
from trainer.corpus.wording import agree, read_wording
from trainer.meaning import CHUNK, Meaning
from trainer.scoring import Matrix

LABELLED = Path(__file__).parent.parent / "data" / "near_pairs.jsonl"


class HashEmbedder:
    """Gives every text a direction of its own; counts what it embeds, and may die of it."""

    def __init__(self, most: int | None = None) -> None:
        self.texts: list[str] = []
        self.most = most

    def encode(self, texts: Sequence[str], /) -> Matrix:
        if self.most is not None and len(self.texts) >= self.most:
            os.kill(os.getpid(), signal.SIGKILL)
        self.texts += texts
        rows = np.stack([_direction(text) for text in texts])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _direction(text: str) -> Matrix:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
    return np.random.default_rng(seed).standard_normal(16).astype(np.float32)


def meaning(folder: Path, embedder: HashEmbedder) -> Meaning:
    return Meaning(folder, model="hashes", load=lambda: embedder)


def embed_and_die(folder: Path, texts: Sequence[str], most: int | None) -> None:
    meaning(folder, HashEmbedder(most)).encode(texts)


@pytest.mark.parametrize(
    ("threshold", "found"),
    [(QUESTION_MEANING, (92, 0, 0)), (SAME_ANSWER_MEANING, (99, 1, 3))],
)
def test_the_labelled_pairs_are_told_apart_as_the_docstring_of_near_says(
    threshold: float, found: tuple[int, int, int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    pairs = [json.loads(line) for line in LABELLED.read_text(encoding="utf-8").splitlines()]
    pairs = [pair for pair in pairs if pair["language"] == "en"]
    judge = Meaning(tmp_path_factory.getbasetemp() / "meaning")
    texts = [text for pair in pairs for text in (pair["first"], pair["second"])]
    places = [(i, i + 1) for i in range(0, len(texts), 2)]
    close = {i for i, _, _ in judge.close_pairs(texts, candidates=places, threshold=threshold)}
    counts: Counter[str] = Counter()
    for i, pair in enumerate(pairs):
        one, other = read_wording(pair["first"]), read_wording(pair["second"])
        asks = not (one.asks and other.asks) or one.asks == other.asks
        by_words = bool(find_near([pair["first"], pair["second"]]))
        counts[pair["label"]] += by_words or (2 * i in close and asks and agree(one, other))
    assert (counts["near"], counts["reworded"], counts["different"]) == found


def test_a_synonym_is_found_by_meaning_and_a_negation_is_heard(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    asked = [
        "Is it safe to take melatonin every night?",
        "Is it safe to take melatonin each night?",
        "Is it not safe to take melatonin every night?",
        "Ist Melatonin jede Nacht sicher?",
    ]
    examples = make_examples(Pair(q, f"Answer {i}.") for i, q in enumerate(asked))
    judge = Meaning(tmp_path_factory.getbasetemp() / "meaning")
    found = find_duplicates(examples, judge)
    assert list(found.questions.values()) == [0, 0, 2, 3]


def test_a_text_is_embedded_once_and_progress_is_told(tmp_path: Path) -> None:
    embedder = HashEmbedder()
    told: list[tuple[int, int]] = []
    texts = [f"text {n}" for n in range(CHUNK + 10)]
    first = meaning(tmp_path, embedder).encode(texts + texts[:5])
    again = meaning(tmp_path, embedder).encode(texts, progress=lambda *at: told.append(at))
    assert len(embedder.texts) == len(texts)
    assert np.array_equal(first[: len(texts)], again)
    assert np.array_equal(first[len(texts) :], again[:5])
    assert told == [(len(texts), len(texts))]
    meaning(tmp_path / "new", embedder).encode(texts, progress=lambda *at: told.append(at))
    assert told[1:] == [(0, len(texts)), (CHUNK, len(texts)), (len(texts), len(texts))]


def test_another_model_does_not_find_the_vectors_of_the_first(tmp_path: Path) -> None:
    one, other = HashEmbedder(), HashEmbedder()
    Meaning(tmp_path, model="one", load=lambda: one).encode(["text"])
    Meaning(tmp_path, model="other", load=lambda: other).encode(["text"])
    assert one.texts == other.texts == ["text"]


def test_what_was_embedded_before_a_kill_is_there_after_it(tmp_path: Path) -> None:
    texts = [f"text {n:04}" for n in range(3 * CHUNK)]
    spawn = multiprocessing.get_context("fork")
    killed = spawn.Process(target=embed_and_die, args=(tmp_path, texts, 2 * CHUNK))
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    embedder = HashEmbedder()
    rows = meaning(tmp_path, embedder).encode(texts)
    assert len(embedder.texts) == CHUNK
    assert np.array_equal(rows, meaning(tmp_path / "fresh", HashEmbedder()).encode(texts))


def test_several_processes_may_share_the_cache(tmp_path: Path) -> None:
    texts = [f"text {n:04}" for n in range(4 * CHUNK)]
    fork = multiprocessing.get_context("fork")
    sharing = [
        fork.Process(target=embed_and_die, args=(tmp_path, texts[at:] + texts[:at], None))
        for at in (0, CHUNK, 2 * CHUNK)
    ]
    for process in sharing:
        process.start()
    for process in sharing:
        process.join()
    assert [process.exitcode for process in sharing] == [0, 0, 0]
    embedder = HashEmbedder()
    meaning(tmp_path, embedder).encode(texts)
    assert embedder.texts == []
    with sqlite3.connect(tmp_path / "embeddings" / "embeddings.sqlite") as kept:
        assert kept.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_ruined_cache_costs_time_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "embeddings" / "embeddings.sqlite"
    file.parent.mkdir()
    file.write_bytes(b"no database at all" * 100)
    rows = meaning(tmp_path, HashEmbedder()).encode(["one", "two"])
    assert rows.shape == (2, 16)
    assert "cannot be used" in caplog.text


def test_close_pairs_are_those_of_comparing_each_with_each(tmp_path: Path) -> None:
    texts = [f"text {n}" for n in range(1500)]
    judge = meaning(tmp_path, HashEmbedder())
    rows = judge.encode(texts)
    cosines = rows @ rows.T
    expected = {(i, j) for i, j in np.argwhere(np.triu(cosines, 1) >= 0.75).tolist()}
    found = judge.close_pairs(texts, candidates=None, threshold=0.75)
    assert len(expected) > 20
    assert {(i, j) for i, j, _ in found} == expected
    some = [*sorted(expected)[:5], (0, 1), (1400, 3)]
    among = judge.close_pairs(texts, candidates=some, threshold=0.75)
    assert {(i, j) for i, j, _ in among} == {pair for pair in some if pair in expected}


def test_only_texts_of_candidates_are_embedded(tmp_path: Path) -> None:
    embedder = HashEmbedder()
    meaning(tmp_path, embedder).close_pairs(list("abcdef"), candidates=[(1, 4)], threshold=0.5)
    assert sorted(embedder.texts) == ["b", "e"]
    assert meaning(tmp_path, embedder).close_pairs([], candidates=None, threshold=0.5) == []
    assert meaning(tmp_path, embedder).close_pairs(["a"], candidates=[], threshold=0.5) == []
