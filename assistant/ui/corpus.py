"""Step 1: choose what the bot should know, and see how it was read and split."""

from pathlib import Path

import gradio as gr

from assistant.ui.bar import Bar, corpus_choices
from assistant.ui.errors import shown_to_user
from assistant.ui.present import corpus_view
from trainer.corpus.library import Corpora


def corpus_tab(app: gr.Blocks, bar: Bar, corpora: Corpora) -> None:
    """Lay out the tab and wire it; call inside the `gr.Tab` it belongs to."""
    gr.Markdown("## What should your bot know?")
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            upload = gr.File(
                label="Your own FAQ, a CSV", file_types=[".csv", ".tsv", ".txt"], height=150
            )
            gr.Markdown(
                "Columns *question* and *answer*, a row a question. Other wordings of a question "
                "stand in rows of their own with the same answer: they let Tandem measure "
                "whether the bot understood.",
                elem_classes="quiet",
            )
        with gr.Column(scale=3, min_width=300):
            view = gr.HTML()
            gr.Markdown("**Next:** press *Start tuning* above; every setting has a good default.")
    with gr.Accordion("The same on the command line", open=False):
        gr.Code("tandem corpus inspect FILE.csv", language="shell", interactive=False)

    def take(file: str) -> gr.Dropdown:
        with shown_to_user():
            corpus = corpora.add(Path(file))
        gr.Info(f"{corpus.origin.examples} questions, kept as '{corpus.label}'.", title="Read")
        return gr.Dropdown(choices=corpus_choices(corpora), value=corpus.name)

    def show(name: str) -> str:
        with shown_to_user():
            return corpus_view(corpora.get(name))

    upload.upload(take, upload, bar.corpus, api_name="upload_corpus").success(
        show,
        bar.corpus,
        view,
        api_visibility="private",  # also when the name stays the same
    )
    # Emptied at once, so that a file can be given again when it is mended.
    upload.upload(lambda: None, outputs=upload, api_visibility="private")
    gr.on([app.load, bar.corpus.change], show, bar.corpus, view, api_visibility="private")
