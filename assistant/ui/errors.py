"""The one bridge between the errors of the core and the messages of the page."""

from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from trainer.errors import UserError, disk_full_told


@contextmanager
def shown_to_user() -> Iterator[None]:
    """Show a `UserError` to the user in its own words; let a bug be a bug.

    A `with` block and not a decorator, because half of our handlers are generators and a
    wrapper hides that from Gradio.
    """
    try:
        with disk_full_told():
            yield
    except UserError as error:
        title = "That did not work"
        raise gr.Error(str(error), title=title, duration=None, print_exception=False) from error
