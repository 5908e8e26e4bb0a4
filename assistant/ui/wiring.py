"""How handlers are wired: out of the endpoints' list, and where it costs only while it is seen."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

# Of a handler that answers to the page alone and shows no clock while it works. Gradio's usual way
# with changes, "always_last", repeats an event for all who listen to it where one of them was
# busy: with a dozen listeners that never ends.
PRIVATE: dict[str, Any] = {
    "api_visibility": "private",
    "show_progress": "hidden",
    "trigger_mode": "multiple",
}


def fill_when_open(
    section: gr.Accordion,
    show: Callable[..., Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    *,
    also: Sequence[Any],
    slow: bool = False,
) -> None:
    """Fill a folded section when it is opened, and again when what it shows has changed.

    `slow` shows that it is being filled.
    """
    is_open = gr.State(False)

    def fill(opened: bool, *given: Any) -> Any:
        return show(*given) if opened else [gr.skip()] * len(outputs)

    section.expand(lambda: True, outputs=is_open, **PRIVATE)
    section.collapse(lambda: False, outputs=is_open, **PRIVATE)
    looks = PRIVATE | {"show_progress": "minimal"} if slow else PRIVATE
    gr.on([is_open.change, *also], fill, [is_open, *inputs], list(outputs), **looks)


def trust_core(*choices: Any) -> None:
    """Let the core check what a browser names, as in `bar`: the choices it was sent grow old."""
    for choice in choices:
        choice.preprocess = lambda payload: payload
