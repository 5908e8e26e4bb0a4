"""What stands above the steps: which FAQ, which base, start; and which run to look at."""

from dataclasses import dataclass
from pathlib import Path
from re import fullmatch

import gradio as gr

from assistant.ui.present import run_label
from trainer.bundled import bundled_bases, sample_corpora
from trainer.cache import Cache
from trainer.config import HUB_ID
from trainer.corpus.library import Corpora, Corpus
from trainer.errors import ModelError
from trainer.here import bases_here
from trainer.runs import Run, Runs


@dataclass(frozen=True)
class Bar:
    """The controls every step listens to.

    `label` is the corpus version the page shows, as name@version; a new version changes it, and
    whoever shows something of the corpus redraws. `fetched` changes when a base has come from the
    Hub. `run` holds the id of the run that Tune, Chat and Scores show. `progress` changes when
    that run has said something, `results` when there is an adapter, a report or another run;
    whoever shows these redraws then, and only then.
    """

    corpus: gr.Dropdown
    label: gr.State
    base: gr.Dropdown
    fetched: gr.State
    start: gr.Button
    run: gr.Dropdown
    progress: gr.State
    results: gr.State


def make_bar(corpora: Corpora, runs: Runs, models: Path) -> Bar:
    """Lay out the bar: three decisions from left to right, then the run to look at."""
    with gr.Row(equal_height=False, elem_classes="decisions"):
        corpus = gr.Dropdown(
            corpus_choices(corpora),
            value=corpus_choices(corpora)[0][1],
            label="Which FAQ",
            min_width=200,
        )
        base = gr.Dropdown(
            base_choices(models),
            value=next(iter(bundled_bases())),
            label="Which base model (or type a Hub id)",
            allow_custom_value=True,
            min_width=240,
        )
        start = gr.Button("Start tuning", variant="primary", scale=0, min_width=200)
        run = gr.Dropdown(
            run_choices(runs),
            value=None,
            label="Run to look at",
            min_width=240,
            visible=bool(runs.list()),
            interactive=True,
        )
    for dropdown in (corpus, run):
        # The core checks what a browser names. Gradio would check it against the choices this one
        # session was sent, which a run started from a terminal or a restarted server has outgrown.
        dropdown.preprocess = lambda payload: payload
    return Bar(corpus, gr.State(""), base, gr.State(0), start, run, gr.State(0), gr.State(""))


def corpus_choices(corpora: Corpora) -> list[tuple[str, str]]:
    """The corpora of the workspace, then the samples not taken in yet, as (shown, value)."""
    known = [(_corpus_label(corpus), corpus.name) for corpus in corpora.list()]
    names = {name for _, name in known}
    samples = [(f"{name} (sample)", name) for name in sample_corpora() if name not in names]
    return known + samples


def _corpus_label(corpus: Corpus) -> str:
    kind = "texts" if corpus.origin.task == "labels" else "questions"
    return f"{corpus.name} ({corpus.origin.examples:,} {kind})"


def last_used(corpora: Corpora, run: Run | None) -> str:
    """The corpus of that run, or the one changed since; the first sample where there is none.

    A sample that was only looked at is younger than an upload it was compared beside: it waits.
    """
    samples = sample_corpora()
    newest = max(
        corpora.list(),
        key=lambda corpus: (corpus.name not in samples, corpus.origin.created),
        default=None,
    )
    if newest is None:
        return corpus_choices(corpora)[0][1]
    changed = newest.origin.created.astimezone().strftime("%Y-%m-%d-%H%M%S")
    used = corpora.versions(run.config.corpus) if run and run.id > changed else ()
    return used[-1].name if used else newest.name


def run_choices(runs: Runs) -> list[tuple[str, str]]:
    """The runs, newest first, as (shown, id)."""
    return [(run_label(run), run.id) for run in runs.list()]


def base_choices(models: Path, cache: Cache | None = None) -> list[tuple[str, str]]:
    """The bases that are here, as (shown, value): bundled, of the workspace, fetched."""
    return [(base.shown, base.name) for base in bases_here(models, cache)]


def base_from_page(given: str, models: Path, cache: Cache | None = None) -> str:
    """What a browser may name as a base: one of the list, or a Hub id; never a path."""
    if given in (value for _, value in base_choices(models, cache)):
        return given
    given = (given or "").strip()
    if fullmatch(HUB_ID, given) and not Path(given).exists():
        return given
    raise ModelError(
        f"'{given[:80]}' is not a base model of the list nor a Hub id such as "
        "HuggingFaceTB/SmolLM2-135M-Instruct. To use a folder, put it into the workspace's "
        "'models' folder."
    )
