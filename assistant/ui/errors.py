"""The one bridge between the errors of the core and the messages of the page."""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

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
        # A message is drawn as HTML, and columns and sheets it may name are not ours.
        said, title = escape(str(error), quote=False), "That did not work"
        raise gr.Error(said, title=title, duration=None, print_exception=False) from error
