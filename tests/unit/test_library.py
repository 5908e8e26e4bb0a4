"""Corpora in a workspace: versions, names, samples."""

import threading
from pathlib import Path

import pytest

from tests.conftest import returns_csv
from trainer.bundled import sample_corpora
from trainer.corpus.examples import group_examples
from trainer.corpus.library import Corpora, Corpus
from trainer.errors import CorpusError, NotFound


def test_a_corpus_keeps_the_upload_byte_for_byte(corpus: Corpus) -> None:
    assert (corpus.path / "upload").read_text() == returns_csv()
    assert corpus.label == "returns@1"
    assert len(corpus.examples) == corpus.origin.examples == 36


def test_the_same_bytes_are_the_same_version(corpora: Corpora, tmp_path: Path) -> None:
    file = tmp_path / "returns.csv"
    file.write_text(returns_csv())
    assert corpora.add(file) == corpora.add(file)


def test_a_changed_file_is_a_new_version_and_examples_keep_their_side(
    corpora: Corpora, corpus: Corpus, tmp_path: Path
) -> None:
    file = tmp_path / "returns.csv"
    file.write_text(returns_csv(answers=20, wordings=3))
    later = corpora.add(file)
    assert later.label == "returns@2"
    assert corpora.get("returns") == later
    assert corpora.get("returns@1") == corpus
    old, new = corpus.split.side_of(), later.split.side_of()
    assert {id_: new[id_] for id_ in old} == old


def test_two_tabs_that_take_in_one_file_make_one_version(corpora: Corpora) -> None:
    labels: list[str] = []
    tabs = [
        threading.Thread(target=lambda: labels.append(corpora.get("banking").label))
        for _ in range(4)
    ]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert labels == ["banking@1"] * 4


def test_a_refused_file_leaves_nothing_and_harms_nothing(
    corpora: Corpora, corpus: Corpus, tmp_path: Path
) -> None:
    before = sorted(corpora.root.rglob("*"))
    bad = tmp_path / "returns.csv"
    bad.write_text("question,answer\nHow?,\n")
    with pytest.raises(CorpusError):
        corpora.add(bad)
    assert sorted(corpora.root.rglob("*")) == before


@pytest.mark.parametrize("name", ["nope", "returns@9", "../returns", "returns@../1", ""])
def test_an_unknown_corpus_is_refused_by_name(corpora: Corpora, corpus: Corpus, name: str) -> None:
    with pytest.raises(NotFound, match=r"no corpus called .* In this workspace: returns@1"):
        corpora.get(name)


@pytest.mark.parametrize(
    ("file", "name"), [("Our FAQ (v2).csv", "our-faq-v2"), ("常見問題.csv", "corpus-f92d99")]
)
def test_a_corpus_is_named_after_its_file(
    corpora: Corpora, tmp_path: Path, file: str, name: str
) -> None:
    (tmp_path / file).write_text(returns_csv(), encoding="utf-8")
    assert corpora.add(tmp_path / file).name == name


def test_repeats_are_dealt_but_taught_and_asked_once(corpora: Corpora, tmp_path: Path) -> None:
    file = tmp_path / "twice.csv"
    text = returns_csv()
    file.write_text(text + text.split("\n", 1)[1])
    corpus = corpora.add(file)
    assert sum(corpus.split.sizes().values()) == 72
    assert len(corpus.pile("train")) == corpus.split.sizes()["train"] / 2


@pytest.mark.parametrize("name", ["banking", "healthcare"])
def test_a_sample_is_taken_in_at_first_use_and_is_what_it_promises(
    corpora: Corpora, name: str
) -> None:
    corpus = corpora.get(name)
    assert (corpus.path / "upload").read_bytes() == sample_corpora()[name].read_bytes()
    groups = group_examples(corpus.examples)
    assert len(groups) >= 120
    assert all(len({e.question for e in group}) >= 3 for group in groups)
    assert all(len({e.answer for e in group}) == 1 for group in groups)
    assert all(e.topic for e in corpus.examples)
    assert len(corpus.split.reworded) >= 40
