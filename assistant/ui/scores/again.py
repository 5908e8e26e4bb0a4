"""Score again: by another embedding model, for another task, on another file; or go on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from re import fullmatch
from typing import Any

import gradio as gr

from assistant.ui.errors import shown_to_user
from assistant.ui.scores.board import RAW, Board
from trainer.config import HUB_ID
from trainer.errors import ConfigError, ModelError, NotFound
from trainer.launch import launch_evaluation, resume_evaluation
from trainer.runs import EvaluationConfig
from trainer.scoring import MINILM, SUGGESTED

TASKS = (
    ("found out from the corpus", "auto"),
    ("answers to questions", "answers"),
    ("labels", "labels"),
    ("summaries", "summaries"),
    ("translations", "translations"),
)


def again_section(board: Board, *, worker: Sequence[str]) -> None:
    """Lay out the buttons and the folded settings, and wire them."""
    with gr.Row(elem_classes="act", visible=False) as row:
        score = gr.Button("Score again", size="sm", min_width=160)
        go_on = gr.Button("Let the scoring go on", size="sm", visible=False, min_width=160)
    with gr.Accordion("How to score: embedding model, task, other questions", open=False):
        embedder = gr.Dropdown(
            [(f"{s.name.partition('/')[2]}: {s.languages}; {s.about}", s.name) for s in SUGGESTED],
            value=MINILM,
            label="Embedding model that judges similarity (or type a Hub id)",
            info="Choose one that reads the language of the answers.",
            allow_custom_value=True,
        )
        task = gr.Dropdown(list(TASKS), value="auto", label="What the answers are")
        checks = gr.Checkbox(
            True, label="Check overfitting, forgetting and bias too (about twice the time)"
        )
        file = gr.File(label="Ask the questions of another file (else: those held out)", height=120)

    def score_run(
        run_id: str,
        embedder: str = MINILM,
        task: str = "auto",
        checks: bool = True,
        file: Mapping[str, Any] | None = None,
    ) -> None:
        """Score a run again; its former scores are kept."""
        with shown_to_user():
            if task not in [value for _, value in TASKS]:
                raise ConfigError(f"'{str(task)[:80]}' is no task. Choose one from the list.")
            config = EvaluationConfig.model_validate(
                {"embedder": embedder_from_page(embedder), "task": task, "checks": bool(checks)}
            )
            asked = Path(file["path"]) if file else None  # Gradio saw to it that it was uploaded
            launch_evaluation(board.runs.get(run_id), config, file=asked, worker=worker)

    def resume_scoring(run_id: str) -> None:
        """Let the newest scoring of a run go on that was stopped or cut off."""
        with shown_to_user():
            newest = next(iter(board.runs.get(run_id).evaluations()), None)
            if newest is None:
                raise NotFound("Nothing was scored yet. Press Score again.")
            resume_evaluation(newest, worker=worker)

    def show(run_id: str | None) -> tuple[Any, Any]:
        run = board.runs.find(run_id)
        newest = next(iter(run.evaluations()), None) if run else None
        cut_off = newest is not None and newest.cut_off
        return gr.Row(visible=run is not None and run.has_adapter), gr.Button(visible=cut_off)

    run, given = board.bar.run, [board.bar.run, embedder, task, checks, file]
    score.click(score_run, given, api_name="score_run", preprocess=False)
    go_on.click(resume_scoring, run, api_name="resume_scoring", preprocess=False)
    gr.on([run.change, board.bar.results.change], show, run, [row, go_on], **RAW)


def embedder_from_page(given: str) -> str:
    """What a browser may name as an embedding model: a suggested one or a Hub id; never a path."""
    given = str(given or "").strip() or MINILM
    if given in (s.name for s in SUGGESTED):
        return given
    if fullmatch(HUB_ID, given) and not Path(given).exists():
        return given
    raise ModelError(
        f"'{given[:80]}' is not an embedding model of the list nor a Hub id such as {MINILM}."
    )
