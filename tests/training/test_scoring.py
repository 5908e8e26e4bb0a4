"""Embedding models: which there are, what they read, and that nothing is cut off or done twice."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from trainer import scoring
from trainer.corpus.reading import read_corpus
from trainer.errors import ModelError
from trainer.meaning import cached_embedder
from trainer.scoring import (
    CHUNKED,
    MINILM,
    MINILM_SHA256,
    SUGGESTED,
    Embedder,
    identify_embedder,
    load_embedder,
    reads,
    split_text,
)

CARD = "How do I block my card when it was stolen from me?"
PIE = "Peel the apples, slice them thinly and bake the pie for an hour. "


@pytest.fixture(scope="module")
def minilm() -> Embedder:
    return load_embedder()


@pytest.fixture
def copy_of_minilm(tmp_path: Path) -> Path:
    folder = scoring.packaged_minilm()
    assert folder is not None
    return Path(shutil.copytree(folder, tmp_path / "my-embedder"))


# texts longer than a model reads ------------------------------------------------------------------


def words(texts: Sequence[str]) -> list[int]:
    """Count a word as a token for every five letters it has."""
    return [sum(-(-len(word) // 5) for word in text.split()) for text in texts]


@pytest.mark.parametrize(
    ("text", "chunks"),
    [
        ("One two. Three four.", ["One two. Three four."]),
        ("One two. Three four. Five six!", ["One two. Three four.", " Five six!"]),
        ("a b c d e f g. h.", ["a b c d", " e f g. h."]),
        ("a\nb c d\ne", ["a\nb c d\n", "e"]),
        ("一二三四五六七八九十甲乙丙丁。戊己庚辛壬癸子丑寅卯。", None),
        ("x" * 64, ["x" * 16] * 4),
        ("", [""]),
    ],
)
def test_a_long_text_is_split_at_sentences_then_words_and_nothing_is_lost(
    text: str, chunks: list[str] | None
) -> None:
    found = split_text(text, 4, words)
    assert "".join(chunk for chunk, _ in found) == text
    assert all(length <= 4 and words([chunk]) == [length] for chunk, length in found)
    if chunks is not None:
        assert [chunk for chunk, _ in found] == chunks


def test_the_end_of_a_long_text_counts(minilm: Embedder) -> None:
    long = PIE * 25 + CARD * 5
    assert minilm.chunked([CARD, PIE * 25 + CARD * 5, PIE]) == [False, True, False]
    alone, card, pie, short = minilm.encode([long, CARD, PIE * 25, PIE])
    assert np.linalg.norm(alone) == pytest.approx(1, abs=1e-5)
    assert alone @ card > pie @ card + 0.1
    assert pie @ short > pie @ card + 0.5


def test_a_chunk_weighs_as_much_as_it_is_long(minilm: Embedder) -> None:
    """The mean over chunks of 15 sentences and of 1 is much like that of the 15."""
    most = 15  # of 17 tokens fit into 254
    tail = "The weather is nice."
    whole, body, end = minilm.encode([PIE * (most - 1) + tail * 8, PIE * (most - 1), tail * 8])
    assert whole @ body > whole @ end + 0.1


def test_texts_in_one_call_are_embedded_as_each_by_itself(minilm: Embedder) -> None:
    texts = [PIE * 40, CARD, "", PIE * 20 + CARD, "x" * 3000]
    together = minilm.encode(texts)
    assert together.shape == (5, 384)
    for text, row in zip(texts, together, strict=True):
        assert minilm.encode([text])[0] == pytest.approx(row, abs=1e-5)


# languages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "How do I block my card?",
        "José García Müller",
        "Zürich Hauptbahnhof",
        "Château de Chambord",
        "Eric Cartman, Kenny McCormick, Butters Stotch, Stan Marsh, Kyle Broflovski",
        "555 0142",
        "",
        "18.50 EUR",
        "Yes.",
    ],
)
def test_english_names_and_numbers_are_not_called_foreign(text: str) -> None:
    assert reads(MINILM, text)


@pytest.mark.parametrize(
    "text",
    [
        "Wie kann ich meine verlorene Karte sperren lassen?",
        "Comment puis-je bloquer ma carte perdue ?",
        "Bagaimana cara saya membuka rekening baru di cabang terdekat",
        "Zgubiłam kartę i nie wiem, co teraz zrobić.",
        "Как заблокировать карту?",
        "你好",
        "Let's Encrypt 是一家全球性的憑證頒發機構 (CA)。",
        "כרטיס אבוד",
    ],
)
def test_other_languages_are_noticed_and_left_to_models_that_read_them(text: str) -> None:
    assert not reads(MINILM, text)
    assert not reads("/models/all-MiniLM-L6-v2/", text)
    assert not reads("BAAI/bge-small-en-v1.5", text)
    assert reads("intfloat/multilingual-e5-small", text)
    assert reads("/models/my-own", text)


def test_english_corpora_of_others_are_read_and_foreign_ones_are_not(shared: Path) -> None:
    files = {
        "banking_mrjay10/BankFAQs.csv": (0.99, 1),
        "letsencrypt_faq_md_multilang/ru_faq.md": (0, 0),
        "letsencrypt_faq_md_multilang/de_faq.md": (0, 0.1),
    }
    for file, (least, most) in files.items():
        examples = read_corpus(shared / "corpora" / file).examples
        texts = {text for e in examples for text in (e.question, e.answer)}
        assert least <= np.mean([reads(MINILM, text) for text in texts]) <= most, file


# which model --------------------------------------------------------------------------------------


def test_every_suggestion_is_a_hub_id_with_a_line_about_it() -> None:
    assert SUGGESTED[0].name == MINILM
    for suggestion in SUGGESTED:
        assert suggestion.name.count("/") == 1
        assert suggestion.languages
        assert "tokens" in suggestion.about
    assert any(reads(suggestion.name, "Wie geht es dir heute?") for suggestion in SUGGESTED)


def test_a_model_is_known_by_its_weights_its_pooling_or_its_commit(copy_of_minilm: Path) -> None:
    assert identify_embedder(MINILM) == f"{MINILM}@{MINILM_SHA256} {CHUNKED}"
    name = str(copy_of_minilm)
    first = identify_embedder(name)
    assert first == identify_embedder(name)
    pooling = copy_of_minilm / "1_Pooling" / "config.json"
    told = json.loads(pooling.read_text())
    pooling.write_text(json.dumps(told | {"pooling_mode_cls_token": True}))
    second = identify_embedder(name)
    with (copy_of_minilm / "model.safetensors").open("r+b") as weights:
        weights.seek(-4, 2)
        weights.write(b"\x00\x00\x00\x01")
    assert len({first, second, identify_embedder(name)}) == 3
    snapshot = copy_of_minilm.parent / "snapshots" / ("ab" * 20)
    snapshot.parent.mkdir()
    copy_of_minilm.rename(snapshot)
    assert identify_embedder(str(snapshot)) == f"{snapshot}@{'ab' * 20} {CHUNKED}"


def test_a_folder_without_an_embedding_model_is_refused(tmp_path: Path, tiny_model: Path) -> None:
    with pytest.raises(ModelError, match="has no config"):
        cached_embedder(tmp_path, str(tmp_path))
    bare = Path(shutil.copytree(tiny_model, tmp_path / "bare"))
    (bare / "model.safetensors").rename(bare / "pytorch_model.bin")
    with pytest.raises(ModelError, match="Only weights in safetensors are loaded"):
        load_embedder(str(bare))


# the cache ---------------------------------------------------------------------------------------


def test_an_evaluation_embeds_a_text_once_for_each_model(
    workspace: Path, copy_of_minilm: Path
) -> None:
    texts = [CARD, PIE * 40]
    first = cached_embedder(workspace)
    rows = first.encode(texts)
    assert first.chunked(texts) == [False, True]
    assert (workspace / "cache" / "embeddings" / "embeddings.sqlite").is_file()
    again = cached_embedder(workspace)
    assert np.array_equal(again.encode(texts), rows)
    assert again._embedder is None  # nothing was loaded for it
    other = cached_embedder(workspace, str(copy_of_minilm))
    assert other.encode(texts) == pytest.approx(rows, abs=1e-5)
    assert other._embedder is not None
    assert other.can_judge("Wie kann ich meine verlorene Karte sperren lassen?")
    assert not again.can_judge("Wie kann ich meine verlorene Karte sperren lassen?")
