"""The links there are: what they open, until when, how much they were used; taken back here."""

from typing import Any
from uuid import uuid4

import gradio as gr

from assistant.hosted.door import Door
from assistant.hosted.serving import Hosting
from assistant.link_store import Links
from assistant.links import Link
from assistant.sharing import link_told, use_told
from assistant.ui.bar import Bar
from assistant.ui.errors import shown_to_user
from assistant.ui.wiring import PRIVATE, fill_when_open, trust_core

_LISTED = 50


def given_section(bar: Bar, links: Links, hosting: Hosting | None, changed: gr.State) -> None:
    """Lay out the section and wire it."""
    with gr.Accordion("Links given out", open=False) as section:
        none = gr.HTML('<div class="empty">No link was made yet.</div>')
        listed = gr.Radio(label="Links", show_label=False, visible=False)
        with gr.Column(visible=False) as one:
            address = gr.Textbox(label="The link", interactive=False, buttons=["copy"])
            back = gr.Button("Take it back", variant="stop", size="sm")

    def fill() -> list[Any]:
        found = links.list()[:_LISTED]
        choices = [
            (f"{link_told(link)} · {use_told(links.use(link.id))}", link.id) for link in found
        ]
        return [
            gr.HTML(visible=not found),
            gr.Radio(choices=choices, value=None, visible=bool(found)),
            gr.Column(visible=False),
        ]

    def choose(id_: str) -> list[Any]:
        with shown_to_user():
            link = links.get(id_ or "")
            return [gr.Column(visible=True), _address(link), gr.Button(visible=not link.over)]

    def _address(link: Link) -> str:
        if link.over or hosting is None:
            return link.over
        return f"{hosting.address()}/c/{Door(links).token(link)}/"

    def revoke_link(id_: str) -> str:
        """Take a link back: it opens nothing any more."""
        with shown_to_user():
            links.revoke(id_ or "")
        return uuid4().hex

    trust_core(listed)
    fill_when_open(section, fill, [], [none, listed, one], also=[changed.change, bar.run.change])
    listed.input(choose, listed, [one, address, back], **PRIVATE)
    back.click(revoke_link, listed, changed, api_name="revoke_link", show_progress="hidden")
