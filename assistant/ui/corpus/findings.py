"""What was found, in order of harm, each with its rows and what can be done in one click."""

from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from assistant.ui.corpus.desk import PROGRESS, Desk, tell_with
from assistant.ui.errors import shown_to_user
from assistant.ui.findings_view import (
    CHOICES,
    choice_label,
    choices_view,
    item_label,
    languages_view,
    mentions_title,
    mentions_view,
    no_findings,
    problem_title,
    problem_view,
)
from assistant.ui.wiring import PRIVATE
from trainer.corpus.examining import Tell
from trainer.corpus.findings import Problem
from trainer.corpus.library import Corpus
from trainer.errors import CorpusError

LISTED = 50  # items of one finding that a browser is sent
_DONE = {"drop": "dropped", "merge": "given one answer", "mask": "masked", "keep": "kept as it is"}


def findings_section(desk: Desk) -> None:
    """Lay out the section and wire it; it is drawn anew for every version and decision."""
    gr.Markdown("### What was found")
    said = gr.HTML(visible=False)

    def act(
        label: str,
        kind: str,
        choice: str,
        ticked: Sequence[int],
        decided: tuple[int, str],
        progress: gr.Progress = PROGRESS,
    ) -> tuple[Any, ...]:
        with shown_to_user():
            before = desk.to_change(label)
            after, count = decide(desk, before, kind, choice, ticked, tell_with(progress))
        told = f'<p class="done">{escape(_told(before, after, kind, choice, count))}</p>'
        return *desk.select(after), (decided[0] + 1, kind), gr.HTML(told, visible=True)

    def decide_over_http(
        corpus: str, kind: str, choice: str, items: list[int]
    ) -> dict[str, str | int]:
        """Act on a finding of a corpus: on the items of these places, or on all that are listed."""
        with shown_to_user():
            before = desk.to_change(corpus)
            after, count = decide(desk, before, kind, choice, items, None)
        return {"corpus": after.label, "items": count}

    gr.api(decide_over_http, api_name="decide")

    def draw(label: str, decided: tuple[int, str]) -> None:
        corpus = desk.shown(label)
        if corpus is None:
            gr.HTML(
                '<div class="empty">Drop a file above; what is wrong with it is said here.</div>'
            )
            return
        audit = corpus.audit
        if not audit.problems:
            gr.HTML(no_findings())
        for problem in audit.problems:
            with gr.Accordion(
                problem_title(problem),
                open=problem.level == "stop" or problem.kind == decided[1],
                elem_classes=["finding", problem.level],
            ):
                _draw_problem(desk, problem, act, said)
        if audit.mentions and audit.mentions.groups:
            with gr.Accordion(mentions_title(audit.mentions), open=False):
                gr.HTML(mentions_view(audit.mentions))
        gr.HTML(languages_view(audit))

    gr.render(
        [desk.bar.label, desk.decided],
        triggers=[desk.bar.label.change, desk.decided.change],
        show_progress="hidden",
    )(draw)
    desk.bar.corpus.change(lambda: gr.HTML(visible=False), outputs=said, **PRIVATE)


def decide(
    desk: Desk, corpus: Corpus, kind: str, choice: str, ticked: Sequence[int], tell: Tell | None
) -> tuple[Corpus, int]:
    """Act on the ticked items of a finding, or on all listed ones; returns how many those were."""
    problem = next((p for p in corpus.audit.problems if p.kind == kind), None)
    if problem is None:
        raise CorpusError(f"'{corpus.label}' has no finding '{kind[:40]}'. Reload the page.")
    if choice not in problem.choices:
        raise CorpusError(f"'{str(choice)[:40]}' is no choice for '{problem.kind}'.")
    listed = problem.items[:LISTED]
    if not all(isinstance(at, int) and 0 <= at < len(listed) for at in ticked):
        raise CorpusError(f"'{problem.kind}' has {len(listed)} listed items, counted from 0.")
    items = [listed[at] for at in sorted(set(ticked))] or list(listed)
    after = desk.corpora.decide(corpus, problem, items, choice, tell=tell)
    return after, len(items)


def _draw_problem(desk: Desk, problem: Problem, act: Any, said: gr.HTML) -> None:
    listed = problem.items[:LISTED]
    gr.HTML(problem_view(problem, len(listed)))
    if not problem.choices:
        return
    ticked = gr.CheckboxGroup(
        [(item_label(item), at) for at, item in enumerate(listed)],
        show_label=False,
        container=False,
        elem_classes="items",
    )
    with gr.Row(elem_classes="choices"):
        buttons = {
            choice: gr.Button(choice_label(choice, problem), size="sm", min_width=180, scale=0)
            for choice in CHOICES
            if choice in problem.choices
        }
    gr.HTML(choices_view(problem))
    for choice, button in buttons.items():
        button.click(
            _acting(act, problem.kind, choice),
            [desk.bar.label, ticked, desk.decided],
            [desk.bar.corpus, desk.bar.label, desk.decided, said],
            api_visibility="private",
            show_progress_on=[ticked],
        )


def _acting(act: Any, kind: str, choice: str) -> Any:
    def click(
        label: str, ticked: list[int], decided: tuple[int, str], progress: gr.Progress = PROGRESS
    ) -> Any:
        return act(label, kind, choice, ticked, decided, progress)

    return click


def _told(before: Corpus, after: Corpus, kind: str, choice: str, count: int) -> str:
    what = f"{kind.capitalize()}: {count:,} {_DONE[choice]}."
    if choice == "keep":
        return f"{what} It will not be listed again."
    return (
        f"{what} This is version {after.version} now, with {after.origin.examples:,} examples. To "
        f"undo it, go back to version {before.version} under 'Versions and files'."
    )
