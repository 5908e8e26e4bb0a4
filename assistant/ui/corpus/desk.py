"""What the sections of the step share: the corpus that is shown, and how another is shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.ui.bar import Bar, corpus_choices
from trainer.corpus.examining import Tell
from trainer.corpus.library import Corpora, Corpus
from trainer.errors import CorpusError, NotFound
from trainer.runs import Runs

PROGRESS = gr.Progress()  # a default of handlers; each call fills it with its own event
Draft = Callable[[str, Sequence[str]], list[tuple[str, ...]]]


@dataclass(frozen=True)
class Desk:
    """What every section works on.

    `bar.label` is the corpus version this session was last shown, `decided` counts its
    decisions and names the finding of the last; a section redraws when one of them changes.
    """

    corpora: Corpora
    runs: Runs
    bar: Bar
    decided: gr.State

    @property
    def changes(self) -> list[Any]:
        """The triggers of whoever shows something of the corpus."""
        return [self.bar.label.change]

    def shown(self, label: str) -> Corpus | None:
        """The corpus version of that label, or None: what a page shows may be gone since."""
        try:
            corpus = self.corpora.get(label) if label else None
            if corpus is None:
                return None
            return _opened(corpus.path, (corpus.path / "corpus.json").stat().st_mtime_ns)
        except (NotFound, OSError):
            return None

    def to_change(self, label: str) -> Corpus:
        """The shown corpus, unless it has a newer version that the page has not shown."""
        if not label:
            raise CorpusError("No corpus is shown yet. Drop a file, or choose one above.")
        corpus = self.corpora.get(label)
        newest = self.corpora.versions(corpus.name)[-1]
        if newest.version != corpus.version:
            raise CorpusError(
                f"'{corpus.name}' has version {newest.version} by now, made elsewhere, and this "
                f"page shows version {corpus.version}; nothing was changed. Copy what you typed, "
                "then reload the page to see the newest."
            )
        return corpus

    def select(self, corpus: Corpus) -> tuple[Any, str]:
        """Updates for `bar.corpus` and `bar.label` that show another corpus or version."""
        choices = corpus_choices(self.corpora)
        return gr.Dropdown(choices=choices, value=corpus.name), corpus.label


def tell_with(progress: gr.Progress) -> Tell:
    """Tell the page how far long work has come."""
    return lambda what, share: progress(min(share, 1.0), desc=what)


@lru_cache(maxsize=2)
def _opened(path: Path, modified_ns: int) -> Corpus:
    """One handle for all sections, so that the examples are parsed once; versions never change."""
    return Corpus(path)
