"""Versions and files: go back, take away, rename, merge, delete."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.ui.bar import corpus_choices
from assistant.ui.corpus.desk import PROGRESS, Desk, tell_with
from assistant.ui.corpus_view import version_choices, versions_view
from assistant.ui.errors import shown_to_user
from assistant.ui.wiring import fill_when_open
from trainer.corpus.exporting import FORMATS, export
from trainer.corpus.library import Corpus
from trainer.errors import CorpusError, disk_full_told
from trainer.runs import delete_corpus


def versions_section(desk: Desk) -> None:
    """Lay out the section and wire it."""
    with gr.Accordion("Versions and files", open=False) as section:
        listed = gr.HTML()
        with gr.Row(equal_height=False, elem_classes="act"):
            former = gr.Dropdown(label="Go back to version", min_width=240, visible=False)
            back = gr.Button("Go back", scale=0, min_width=160, visible=False)
        with gr.Row():
            files = [
                gr.DownloadButton(f"Download as {format_.upper()}", size="sm", min_width=200)
                for format_ in FORMATS
            ]
        with gr.Row(equal_height=False, elem_classes="act"):
            new = gr.Textbox(label="New name (a-z, 0-9 and hyphens)", max_length=63, min_width=240)
            rename = gr.Button("Rename", scale=0, min_width=160)
        with gr.Row(equal_height=False, elem_classes="act"):
            other = gr.Dropdown(label="Add the examples of another corpus", min_width=240)
            merge = gr.Button("Merge", scale=0, min_width=160)
        with gr.Row(equal_height=False, elem_classes="act"):
            typed = gr.Textbox(
                label="To delete it with all its versions, type its name",
                max_length=63,
                min_width=240,
            )
            delete = gr.Button("Delete", variant="stop", scale=0, min_width=160)

    def fill(label: str) -> list[Any]:
        corpus = desk.shown(label)
        if corpus is None:
            return ['<div class="empty">No corpus is shown. Drop a file above.</div>'] + [
                gr.skip()
            ] * 7
        versions = desk.corpora.versions(corpus.name)
        several = len(versions) > 1
        others = [pair for pair in corpus_choices(desk.corpora) if pair[1] != corpus.name]
        return [
            versions_view(versions),
            gr.Dropdown(choices=version_choices(versions), value=None, visible=several),
            gr.Button(visible=several),
            gr.Dropdown(choices=others, value=None),
            "",
            "",
            *write_files(corpus),
        ]

    def go_back(label: str, version: int, progress: gr.Progress = PROGRESS) -> Any:
        """Make the examples of a former version the newest version; nothing in between is lost."""
        with shown_to_user():
            corpus = desk.to_change(label)
            if not isinstance(version, int) or not 0 < version < corpus.version:
                raise CorpusError("Choose a former version to go back to.")
            wanted = desk.corpora.get(f"{corpus.name}@{version}")
            tell = tell_with(progress)
            return desk.select(desk.corpora.revise(wanted, wanted.examples, "restored", tell=tell))

    def rename_corpus(label: str, new: str) -> Any:
        """Give the corpus another name; runs find it under its old one as well."""
        with shown_to_user():
            corpus = desk.corpora.get(label)
            name = (new or "").strip()
            desk.corpora.rename(corpus.name, name)
            return desk.select(desk.corpora.get(f"{name}@{corpus.version}"))

    def merge_corpora(label: str, other: str, progress: gr.Progress = PROGRESS) -> Any:
        """Add the examples of another corpus as the next version; the other one stays."""
        with shown_to_user():
            corpus = desk.to_change(label)
            if not other or other == corpus.name:
                raise CorpusError("Choose another corpus to add to this one.")
            added = desk.corpora.get(other)
            return desk.select(desk.corpora.merge(corpus, added, tell=tell_with(progress)))

    def delete_whole(label: str, typed: str) -> Any:
        """Delete the corpus with all its versions, unless a run needs it."""
        with shown_to_user():
            name = desk.corpora.get(label).name
            if (typed or "").strip() != name:
                raise CorpusError(f"Type '{name}' into the field to delete it with all versions.")
            freed = delete_corpus(desk.corpora, name, desk.runs)
        gr.Info(f"'{name}' is deleted; {freed / 1e6:.1f} MB are free again.", title="Deleted")
        if left := desk.corpora.list():
            return desk.select(left[0])
        choices = corpus_choices(desk.corpora)
        return gr.Dropdown(choices=choices, value=choices[0][1]), ""  # a sample is taken in next

    outputs = [listed, former, back, other, new, typed, *files]
    fill_when_open(section, fill, [desk.bar.label], outputs, also=desk.changes, slow=True)
    shown = [desk.bar.corpus, desk.bar.label]
    # What is named is checked here, not against the choices one session was sent.
    working: dict[str, Any] = {"show_progress_on": [listed], "preprocess": False}
    back.click(go_back, [desk.bar.label, former], shown, api_name="go_back", **working)
    rename.click(rename_corpus, [desk.bar.label, new], shown, api_name="rename_corpus", **working)
    merge.click(merge_corpora, [desk.bar.label, other], shown, api_name="merge_corpora", **working)
    delete.click(delete_whole, [desk.bar.label, typed], shown, api_name="delete_corpus", **working)


def write_files(corpus: Corpus) -> list[str]:
    """Write a file of each format where the server may hand it out from."""
    folder = _folder() / corpus.origin.examples_sha256[:16]
    folder.mkdir(exist_ok=True)
    paths = []
    for format_ in FORMATS:
        path = folder / f"{corpus.name}-{corpus.version}.{format_}"
        if not path.exists():
            with disk_full_told():
                path.write_bytes(export(corpus.examples, format_))
        paths.append(str(path))
    return paths


@cache
def _folder() -> Path:
    """A folder of this process alone, for what Gradio hands out from a copy of its own."""
    folder = Path(tempfile.mkdtemp(prefix="tandem-export-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
