"""The whole step: the verdict, every answer, the checks; rate, score again, take away."""

from collections.abc import Sequence

import gradio as gr

from assistant.ui.bar import Bar
from assistant.ui.scores.again import again_section
from assistant.ui.scores.board import make_board
from assistant.ui.scores.files import files_section
from assistant.ui.scores.judge import judge_section
from assistant.ui.scores.rows import rows_section
from assistant.ui.scores.verdict import checks_section, verdict_section
from trainer.runs import Runs


def scores_tab(bar: Bar, runs: Runs, *, worker: Sequence[str]) -> None:
    """Lay out the tab and wire it; call inside the `gr.Tab` it belongs to."""
    gr.Markdown("## Did it help?")
    board = make_board(bar, runs)
    verdict_section(board)
    rows_section(board)
    checks_section(board)
    again_section(board, worker=worker)
    judge_section(board)
    files_section(board)
