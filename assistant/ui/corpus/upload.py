"""The drop zone: files become a corpus at once, or a sentence about why not."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.ui.corpus.desk import PROGRESS, Desk, tell_with
from assistant.ui.corpus.sheets import have_columns
from assistant.ui.corpus_view import trouble_view
from assistant.ui.errors import shown_to_user
from trainer.errors import CorpusError

_FORMATS = (
    "CSV, Excel, ODS, JSON, JSONL, YAML, XML, Parquet, Word, PDF, web pages, Markdown, text, or a "
    "ZIP of them. Columns are found, whatever they are called."
)


def upload_zone() -> gr.File:
    """Lay out the drop zone; no format is turned away by its name."""
    zone = gr.File(
        label="Drop your FAQ here: one file or several", file_count="multiple", height=150
    )
    gr.Markdown(_FORMATS, elem_classes="quiet")
    return zone


def wire_upload(
    desk: Desk, zone: gr.File, lead: gr.HTML, trouble: gr.HTML, pending: gr.State
) -> Any:
    """Keep what is dropped as a corpus and show it; returns the event, for what follows on it.

    `pending` is left with the files where only their columns have to be chosen.
    """

    def take(
        files: Sequence[str] | None, label: str, progress: gr.Progress = PROGRESS
    ) -> Iterator[Any]:
        paths = [Path(file) for file in files or ()]
        try:
            with shown_to_user():
                _check(paths)
                corpus = desk.corpora.add(*paths, tell=tell_with(progress))
        except gr.Error as error:
            mappable = have_columns(paths)
            said = gr.HTML(
                trouble_view(str(error.__cause__), columns=mappable, still=label), visible=True
            )
            yield None, gr.skip(), gr.skip(), said, tuple(map(str, paths)) if mappable else ()
            error.visible = False  # it stands beside the drop zone already
            raise
        yield None, *desk.select(corpus), gr.HTML(visible=False), ()

    return zone.upload(
        take,
        [zone, desk.bar.label],
        # The zone is emptied, so that a file can be given again when it is mended.
        [zone, desk.bar.corpus, desk.bar.label, trouble, pending],
        api_name="upload_corpus",
        show_progress_on=[lead],
    )


def _check(paths: Sequence[Path]) -> None:
    if not paths:
        raise CorpusError("No file was given. Drop one, or several that belong together.")
    names = [path.name for path in paths]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise CorpusError(
            f"Two files are called '{twice}'. Rename one of them and drop both again."
        )
