"""Sections that are filled only while they are open."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def fill_when_open(
    section: gr.Accordion,
    show: Callable[..., Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    *,
    also: Sequence[Any],
) -> None:
    """Fill a folded section when it is opened, and again when what it shows has changed."""
    is_open = gr.State(False)

    def fill(opened: bool, *given: Any) -> Any:
        return show(*given) if opened else [gr.skip()] * len(outputs)

    section.expand(lambda: True, outputs=is_open, **PRIVATE)
    section.collapse(lambda: False, outputs=is_open, **PRIVATE)
    gr.on([is_open.change, *also], fill, [is_open, *inputs], list(outputs), **PRIVATE)
