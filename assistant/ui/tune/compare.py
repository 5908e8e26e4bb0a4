"""Two runs side by side: only what differs."""

from typing import Any

import gradio as gr

from assistant.ui.bar import Bar, run_choices
from assistant.ui.errors import shown_to_user
from assistant.ui.tune.views import differences_view
from assistant.ui.wiring import PRIVATE
from trainer import comparing
from trainer.errors import NotFound
from trainer.history import differences
from trainer.runs import Run, Runs
from trainer.verdict import about_runs


def compare_section(bar: Bar, runs: Runs) -> None:
    """Lay out the section and wire it."""
    with gr.Accordion("Compare with another run", open=False):
        other = gr.Dropdown([], label="Compare with", interactive=True)
        shown = gr.HTML(_EMPTY)

    def offer(run_id: str | None, chosen: str | None) -> tuple[Any, str]:
        others = [choice for choice in run_choices(runs) if choice[1] != run_id]
        kept = chosen if chosen in [value for _, value in others] else None
        box = gr.Dropdown(choices=others, value=kept, interactive=bool(others))
        one, two = runs.find(run_id), runs.find(kept)
        if one and two:
            return box, _beside(one, two)
        return box, _CHOOSE if others else _EMPTY

    def compare_runs(run_id: str, other_id: str | None) -> str:
        """Say what differs between two runs: settings, corpus, base, results."""
        with shown_to_user():
            if not run_id or not other_id:
                raise NotFound("Choose a run above and another one to compare it with.")
            one, two = runs.get(run_id), runs.get(other_id)
            return _beside(one, two)

    # What is named is looked for among the runs, not in what one session was sent.
    pair: list[Any] = [bar.run, other]
    other.input(compare_runs, pair, shown, api_name="compare_runs", preprocess=False)
    changes = [bar.run.change, bar.results.change]
    gr.on(changes, offer, pair, [other, shown], preprocess=False, **PRIVATE)


def _beside(one: Run, other: Run) -> str:
    told = about_runs(comparing.compare_runs(one, other))
    return differences_view(one, other, differences(one, other)) + "".join(
        f"<p>{sentence}</p>" for sentence in told
    )


_EMPTY = '<div class="empty">There is no other run yet. Start one with other settings.</div>'
_CHOOSE = '<p class="quiet">Choose a run to see what differs from the one above.</p>'
