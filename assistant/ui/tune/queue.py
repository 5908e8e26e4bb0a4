"""What waits for the device: a short list in which a person moves and cancels."""

from typing import Any

import gradio as gr

from assistant.ui.bar import Bar, run_choices
from assistant.ui.errors import shown_to_user
from assistant.ui.tune.views import key, queue_choices
from assistant.ui.wiring import PRIVATE
from trainer.errors import NotFound
from trainer.launch import cancel, move
from trainer.runs import Runs
from trainer.work import Work


def queue_section(bar: Bar, runs: Runs) -> None:
    """Lay out the list and wire it; it is there only while something waits."""
    with gr.Column(visible=False) as section:
        waiting = gr.Radio(
            [],
            label="Waiting for the device",
            info="The first starts by itself when the device is free.",
            elem_classes="items",
        )
        with gr.Row(elem_classes="choices"):
            earlier = gr.Button("↑ Earlier", size="sm", min_width=110)
            later = gr.Button("↓ Later", size="sm", min_width=110)
            drop = gr.Button("✕ Cancel", size="sm", min_width=110)

    def show(chosen: str | None) -> tuple[Any, Any]:
        choices = queue_choices(runs.waiting())
        kept = chosen if chosen in [value for _, value in choices] else None
        first = choices[0][1] if choices else None
        return gr.Column(visible=bool(choices)), gr.Radio(choices=choices, value=kept or first)

    def find(name: str | None) -> Work:
        found = next((work for work in runs.waiting() if key(work) == name), None)
        if found is None:
            raise NotFound(f"'{name}' does not wait any more. Choose one that is in the list.")
        return found

    def move_earlier(name: str | None) -> tuple[Any, Any]:
        """Let what waits change places with the one before it."""
        with shown_to_user():
            move(find(name), runs, by=-1)
        return show(name)

    def move_later(name: str | None) -> tuple[Any, Any]:
        """Let what waits change places with the one behind it."""
        with shown_to_user():
            move(find(name), runs, by=1)
        return show(name)

    def cancel_waiting(name: str | None, looked_at: str | None) -> tuple[Any, Any, Any]:
        """Take a run out of the queue; what had not begun leaves nothing behind."""
        with shown_to_user():
            cancel(find(name))
        choices = run_choices(runs)
        left = runs.find(looked_at) or next(iter(runs.list()), None)
        run = gr.Dropdown(choices=choices, value=left.id if left else None, visible=bool(choices))
        return *show(None), run

    # What is named is looked for in the queue as it is now, not in what one session was sent.
    now: dict[str, Any] = {"preprocess": False, "show_progress": "hidden"}
    shown: list[Any] = [section, waiting]
    earlier.click(move_earlier, waiting, shown, api_name="move_earlier", **now)
    later.click(move_later, waiting, shown, api_name="move_later", **now)
    dropping: list[Any] = [waiting, bar.run]
    drop.click(cancel_waiting, dropping, [*shown, bar.run], api_name="cancel_waiting", **now)
    bar.results.change(show, waiting, shown, preprocess=False, **PRIVATE)
