"""The report to take away: HTML, CSV, JSON; and the command line that does the same."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.report_file import FORMATS, write_report
from assistant.ui.scores.board import RAW, Board, Shown
from assistant.ui.wiring import fill_when_open
from trainer.errors import disk_full_told
from trainer.runs import Evaluation


def files_section(board: Board) -> None:
    """Lay out the section and wire it."""
    with gr.Accordion("Take the report with you", open=False) as section:
        none = gr.HTML()
        with gr.Row():
            files = [
                gr.DownloadButton(f"Download as {format_.upper()}", size="sm", min_width=160)
                for format_ in FORMATS
            ]
        gr.Markdown(
            "HTML: one file with everything above, to look at without a network. CSV: a line for "
            "every answer. JSON: all of it, to compute with.",
            elem_classes="quiet",
        )
    with gr.Accordion("The same on the command line", open=False):
        command = gr.Code(language="shell", interactive=False)

    def fill(shown: Shown) -> list[Any]:
        found = board.find(shown)
        if found is None:
            empty = '<div class="empty">No scores yet. Press <b>Score again</b> first.</div>'
            return [empty, *[gr.DownloadButton(interactive=False)] * len(FORMATS)]
        paths = write_files(found[0])
        return ["", *(gr.DownloadButton(value=path, interactive=True) for path in paths)]

    def type_out(run_id: str | None) -> str:
        run = board.runs.find(run_id)
        name = run.id if run else "RUN"
        return f"tandem evaluate {name}\ntandem report {name} report.html"

    outputs, changes = [none, *files], [board.shown.change]
    fill_when_open(section, fill, [board.shown], outputs, also=changes, slow=True)
    run = board.bar.run
    gr.on([run.change, board.bar.results.change], type_out, run, command, **RAW)


def write_files(evaluation: Evaluation) -> list[str]:
    """Write a file of each format where the server may hand it out from."""
    folder = _folder() / evaluation.run.id / evaluation.id
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for format_ in FORMATS:
        path = folder / f"scores-{evaluation.run.id}.{format_}"
        if not path.exists():
            with disk_full_told():
                path.write_text(write_report(evaluation, format_), encoding="utf-8", newline="")
        paths.append(str(path))
    return paths


@cache
def _folder() -> Path:
    """A folder of this process alone, for what Gradio hands out from a copy of its own."""
    folder = Path(tempfile.mkdtemp(prefix="tandem-report-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
