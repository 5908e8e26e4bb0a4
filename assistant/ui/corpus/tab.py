"""The whole step: drop a file, see how it was read, mend what was found, know the split."""

from typing import Any

import gradio as gr

from assistant.ui.bar import Bar, corpus_choices
from assistant.ui.corpus.columns import columns_section
from assistant.ui.corpus.desk import PROGRESS, Desk, Draft, tell_with
from assistant.ui.corpus.edit import edit_section
from assistant.ui.corpus.findings import findings_section
from assistant.ui.corpus.tokens import tokens_section
from assistant.ui.corpus.upload import upload_zone, wire_upload
from assistant.ui.corpus.versions import versions_section
from assistant.ui.corpus.wordings import wordings_section
from assistant.ui.corpus_view import corpus_commands, corpus_lead, split_view
from assistant.ui.errors import shown_to_user
from assistant.ui.wiring import PRIVATE
from trainer.bundled import sample_corpora
from trainer.corpus.library import Corpora
from trainer.runs import Runs


def corpus_tab(loaded: Any, bar: Bar, corpora: Corpora, runs: Runs, *, draft: Draft | None) -> None:
    """Lay out the tab and wire it; call inside the `gr.Tab` it belongs to.

    `loaded` is the event that chooses a corpus when the page is opened; `draft` lets a base
    propose other wordings of questions.
    """
    desk = Desk(corpora, runs, bar, decided=gr.State((0, "")))
    pending = gr.State(())  # files whose columns a person has to choose first
    gr.Markdown("## What should your bot know?")
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            zone = upload_zone()
        with gr.Column(scale=3, min_width=300):
            trouble = gr.HTML(visible=False)
            lead = gr.HTML(_READING)
            gr.Markdown("**Next:** press *Start tuning* above; every setting has a good default.")
    taken = wire_upload(desk, zone, lead, trouble, pending)
    columns_section(desk, pending, trouble, lead, taken)
    findings_section(desk)
    split = gr.HTML()
    tokens_section(desk)
    edit_section(desk)
    wordings_section(desk, draft)
    versions_section(desk)
    with gr.Accordion("The same on the command line", open=False):
        commands = gr.Code(language="shell", interactive=False)

    def take_in(name: str, progress: gr.Progress = PROGRESS) -> None:
        """Take in a sample at its first use, telling how far that is."""
        sample = sample_corpora().get(name)
        if sample and not corpora.versions(name):
            with shown_to_user():
                corpora.add(sample, tell=tell_with(progress))

    def choose(name: str) -> tuple[Any, str]:
        """Show the newest version of what is chosen by now, which an upload may have changed."""
        with shown_to_user():
            corpus = corpora.get(name)
        return gr.Dropdown(choices=corpus_choices(corpora)), corpus.label

    def show(label: str) -> tuple[str, str, str]:
        corpus = desk.shown(label)
        if corpus is None:
            return _EMPTY, "", "tandem corpus import FILE"
        return corpus_lead(corpus), split_view(corpus), corpus_commands(corpus)

    taking: dict[str, Any] = {"inputs": bar.corpus, "api_visibility": "private"}
    taking["show_progress_on"] = [lead]
    choosing: dict[str, Any] = {"inputs": bar.corpus, "outputs": [bar.corpus, bar.label]}
    loaded.then(take_in, **taking).then(choose, **choosing, **PRIVATE)
    bar.corpus.change(take_in, **taking).then(choose, **choosing, api_name="show_corpus")
    # Another choice takes with it what an upload left behind.
    bar.corpus.input(lambda: (gr.HTML(visible=False), ()), outputs=[trouble, pending], **PRIVATE)
    gr.on([*desk.changes, desk.decided.change], show, bar.label, [lead, split, commands], **PRIVATE)


_READING = '<div class="empty">Reading the corpus chosen above…</div>'
_EMPTY = (
    '<div class="empty">Nothing is shown. Drop a file of questions and answers, or choose a '
    "sample above.</div>"
)
