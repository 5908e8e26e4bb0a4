"""Corpora in a workspace: versions, names, samples."""

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import returns_csv
from trainer.bundled import sample_corpora
from trainer.corpus.examples import group_examples, identify
from trainer.corpus.library import Corpora, Corpus
from trainer.corpus.mapping import Mapping
from trainer.corpus.reading import Choices
from trainer.errors import CorpusError, NotFound
from trainer.runs import Run, Runs, delete_corpus


def test_a_corpus_keeps_the_upload_byte_for_byte(corpus: Corpus) -> None:
    assert (corpus.path / "uploads" / "returns.csv").read_text() == returns_csv()
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
        for _ in range(2)
    ]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert labels == ["banking@1"] * 2


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
    assert (corpus.path / "uploads" / f"{name}.csv").read_bytes() == sample_corpora()[
        name
    ].read_bytes()
    groups = group_examples(corpus.examples)
    assert len(groups) >= 120
    assert all(len({e.question for e in group}) >= 3 for group in groups)
    assert all(len({e.answer for e in group}) == 1 for group in groups)
    assert all(e.topic for e in corpus.examples)
    assert len(corpus.split.reworded) >= 40


def test_an_edit_is_a_new_version_that_says_what_changed(corpora: Corpora, corpus: Corpus) -> None:
    edited = identify([replace(corpus.examples[0], answer="Never."), *corpus.examples[2:]])
    later = corpora.revise(corpus, edited)
    assert later.label == "returns@2"
    assert later.origin.change == "1 removed, 1 edited"
    assert later.origin.uploads == corpus.origin.uploads
    assert [v.version for v in corpora.versions("returns")] == [1, 2]
    assert corpora.get("returns@1").examples == corpus.examples


def test_going_back_is_a_version_too(corpora: Corpora, corpus: Corpus) -> None:
    corpora.revise(corpus, corpus.examples[5:])
    back = corpora.revise(corpus, corpus.examples, "back to version 1")
    assert (back.version, back.examples) == (3, corpus.examples)


def test_nothing_left_is_refused(corpora: Corpora, corpus: Corpus) -> None:
    with pytest.raises(CorpusError, match="Nothing would be left"):
        corpora.revise(corpus, [])


def test_a_decision_makes_a_version_and_a_kept_finding_is_remembered(
    corpora: Corpora, tmp_path: Path
) -> None:
    file = tmp_path / "returns.csv"
    file.write_text(returns_csv() + "May I return item 3?,Never.,returns\n")
    corpus = corpora.add(file)
    problem = next(p for p in corpus.audit.problems if p.kind == "contradiction")
    later = corpora.decide(corpus, problem, problem.items, "keep")
    assert later == corpus
    assert "contradiction" not in [p.kind for p in corpora.get("returns").audit.problems]
    merged = corpora.decide(corpus, problem, problem.items, "merge")
    assert merged.origin.change == "contradiction: 1 merged"
    assert "Never." not in {e.answer for e in merged.examples}
    with pytest.raises(CorpusError, match="'mask' is no choice for 'contradiction'"):
        corpora.decide(corpus, problem, problem.items, "mask")


def test_a_renamed_corpus_is_found_under_both_names(corpora: Corpora, corpus: Corpus) -> None:
    corpora.rename("returns", "shop")
    corpora.rename("shop", "store")
    assert [c.name for c in corpora.list()] == ["store"]
    for name in ("returns", "shop", "store"):
        assert corpora.get(name).examples == corpus.examples
    assert set(corpora.names("store")) == {"store", "shop", "returns"}
    with pytest.raises(CorpusError, match="'Our Shop' cannot be a name"):
        corpora.rename("store", "Our Shop")
    with pytest.raises(CorpusError, match="called 'banking' already"):
        corpora.rename("store", "banking")


def test_a_deleted_corpus_is_gone_under_all_names(corpora: Corpora, corpus: Corpus) -> None:
    corpora.rename("returns", "shop")
    assert corpora.delete("shop") > 1000
    assert list(corpora.root.iterdir()) == []
    with pytest.raises(NotFound):
        corpora.get("returns")


def test_a_corpus_that_a_run_needs_is_not_deleted(corpora: Corpora, run: Run, runs: Runs) -> None:
    corpora.rename("returns", "shop")
    with pytest.raises(CorpusError, match=rf"'shop' is needed by {run.id}"):
        delete_corpus(corpora, "shop", runs)
    assert run.corpus.examples
    shutil.rmtree(run.path)
    assert delete_corpus(corpora, "shop", runs) > 0


def test_merging_adds_the_other_corpus_and_says_where_it_came_from(
    corpora: Corpora, corpus: Corpus
) -> None:
    merged = corpora.merge(corpus, corpora.get("banking"))
    assert len(merged.examples) == 36 + len(corpora.get("banking").examples)
    assert merged.examples[:36] == corpus.examples
    assert {e.part for e in merged.examples[36:]} == {"banking"}
    assert merged.origin.change == "merged with banking@1"


def test_several_files_are_one_corpus_and_rows_name_their_file(
    corpora: Corpora, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(returns_csv())
    (tmp_path / "b.json").write_text('[{"question": "Open on Sunday?", "answer": "No, never."}]')
    corpus = corpora.add(tmp_path / "a.csv", tmp_path / "b.json", name="shop")
    assert len(corpus.examples) == 37
    assert corpus.examples[-1].part == "b.json"
    assert sorted(f.name for f in (corpus.path / "uploads").iterdir()) == ["a.csv", "b.json"]


def test_other_choices_about_the_same_bytes_are_another_version(
    corpora: Corpora, corpus: Corpus
) -> None:
    file = corpus.path / "uploads" / "returns.csv"
    backwards = Choices(mapping={"": Mapping(question="answer", answer="question")})
    later = corpora.add(file, choices=backwards)
    assert later.version == 2
    assert later.examples[0].question == corpus.examples[0].answer


def test_without_the_leak_check_the_split_is_random_and_leaks(corpora: Corpora) -> None:
    honest = corpora.get("banking")
    flattering = corpora.add(sample_corpora()["banking"], choices=Choices(leak_check=False))
    assert honest.split.kinds == ("reworded", "unseen")
    assert flattering.split.kinds == ("test",)
    taught = {e.answer for e in flattering.pile("train")}
    asked = [e.answer for e in flattering.pile("test")]
    assert sum(answer in taught for answer in asked) > 0.9 * len(asked)
