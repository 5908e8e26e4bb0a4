"""The whole step: a link to the tuned bot, those there are, and the model to take away."""

from collections.abc import Callable

import gradio as gr

from assistant.hosted.serving import Hosting
from assistant.link_store import Links
from assistant.ui.bar import Bar
from assistant.ui.share.exports import exports_section
from assistant.ui.share.given import given_section
from assistant.ui.share.making import making_section
from trainer.runs import Runs


def share_tab(
    bar: Bar,
    runs: Runs,
    links: Links,
    hosting: Hosting | None,
    *,
    make_room: Callable[[], None],
) -> None:
    """Lay out the tab and wire it; call inside the `gr.Tab` it belongs to."""
    gr.Markdown("## Who should talk to it?")
    changed = gr.State("")
    making_section(bar, runs, links, hosting, changed)
    given_section(bar, links, hosting, changed)
    exports_section(bar, runs, make_room=make_room)
