"""Choosing the base: what is to be fetched and how far it is, and other bases worth trying."""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.downloads import Downloads
from assistant.ui.bar import Bar, base_choices, base_from_page
from assistant.ui.errors import shown_to_user
from assistant.ui.present import bar as progress_bar
from assistant.ui.present import sentence
from assistant.ui.wiring import PRIVATE, fill_when_open
from trainer.bases import refuse
from trainer.cache import Cache
from trainer.errors import ModelError, UserError
from trainer.here import count
from trainer.hub import Hub, Offer
from trainer.machine import Machine
from trainer.suggested import SUGGESTED, Suggestion

# A press on a row's button names its base.
_USE = """
element.addEventListener('click', (event) => {
    const button = event.target.closest('button[data-base]');
    if (button) trigger('select', { value: button.dataset.base });
});
"""
_SMALL = """
button { padding: 2px 12px; font-size: 0.85rem; border-radius: 4px; float: right;
    margin-left: 8px; }
td:nth-child(1) { min-width: 270px; }
td:nth-child(2) { min-width: 220px; max-width: 280px; }
td:last-child { max-width: 180px; }
"""


def base_section(bar: Bar, models: Path, hub: Hub | None = None) -> None:
    """Lay out what stands under the bar about bases, and wire it."""
    downloads = Downloads(hub or Hub())
    cache = downloads.hub.cache
    with gr.Row(visible=False, elem_classes="run-head") as row:
        line = gr.HTML(elem_classes="grow")
        fetch = gr.Button("Fetch", variant="primary", scale=0, min_width=120)
        stop = gr.Button("Stop", scale=0, min_width=120, visible=False)
    with gr.Accordion("Other bases", open=False) as others:
        table = gr.HTML(js_on_load=_USE, css_template=_SMALL)

    def show(said: str, button: gr.Button | None = None) -> list[Any]:
        buttons = [gr.Button(visible=each is button) for each in (fetch, stop)]
        return [gr.Row(visible=bool(said)), said, *buttons]

    def look(base: str) -> Iterator[list[Any]]:
        """Say how large a base is that is not here, or how far it is on its way."""
        try:
            named = base_from_page(base, models, cache)
        except ModelError:
            yield show("")  # whoever uses the base says what is wrong with it
            return
        if named in _values(models, cache):
            yield show("")
        elif downloads.find(named):
            yield from watch(named)
        else:
            yield show(f'<p class="quiet">Asking the Hub about {escape(named)}.</p>')
            try:
                yield show(offer_view(named, downloads.hub.look_up(named, refuse)), fetch)
            except UserError as error:
                yield show(_failed(error), fetch)

    def watch(named: str) -> Iterator[list[Any]]:
        download = downloads.begin(named)
        yield show(progress_view(named, None, ""), stop)
        try:
            for said in download.watch():
                if said:
                    yield show(progress_view(named, said.share, said.sentence), stop)
        except UserError as error:
            yield show(_failed(error), fetch)
            return
        if cache.folder(named):
            yield show(f'<p class="done">{escape(named)} is here and ready.</p>')
        else:
            told = f"Stopped. What has come of {escape(named)} stays; Fetch goes on from there."
            yield show(f"<p>{told}</p>", fetch)

    def fetch_base(base: str, fetched: int) -> Iterator[list[Any]]:
        """Download a base from the Hub, and show how far it is."""
        with shown_to_user():
            named = base_from_page(base, models, cache)
            if named in _values(models, cache):
                raise ModelError(f"'{named}' is on this machine already.")
            for shown in watch(named):
                yield [*shown, gr.skip(), gr.skip()]
        if cache.folder(named):
            yield [gr.skip()] * 4 + [gr.Dropdown(choices=base_choices(models, cache)), fetched + 1]

    def stop_fetch(base: str) -> None:
        """End a download; what has come stays."""
        with shown_to_user():
            download = downloads.find(base_from_page(base, models, cache))
            if download is None:
                raise ModelError("Nothing is being fetched under that name.")
            download.stop()

    def use(event: gr.EventData) -> str:
        """Choose a base of the table; what is not in it is not chosen."""
        with shown_to_user():
            return base_from_page(str(getattr(event, "value", "")), models, cache)

    shown = [row, line, fetch, stop]
    bar.base.change(look, bar.base, shown, **PRIVATE)
    fetch.click(
        fetch_base,
        [bar.base, bar.fetched],
        [*shown, bar.base, bar.fetched],
        api_name="fetch_base",
        show_progress="hidden",
        concurrency_limit=None,
    )
    stop.click(stop_fetch, bar.base, None, api_name="stop_fetch", show_progress="hidden")
    table.select(use, None, bar.base, **PRIVATE)

    def fill() -> list[str]:
        return [table_view(_values(models, cache), Machine.here())]

    fill_when_open(others, fill, [], [table], also=[bar.fetched.change])


def offer_view(named: str, offer: Offer) -> str:
    """How large a base is that could be fetched."""
    before = f", of which {offer.here / 1e9:.2f} have come already" if offer.here else ""
    return (
        f"<p><b>{escape(named)}</b> is not on this machine: {offer.size / 1e9:.2f} GB to fetch"
        f"{before}. "
        f'<span class="quiet">The same in a terminal: <code>tandem fetch {escape(named)}</code>'
        "</span></p>"
    )


def progress_view(named: str, share: float | None, said: str) -> str:
    """How far a download is."""
    told = f"{share:.0%}, {escape(said)}" if share is not None else "asking the Hub"
    return f"<p>Fetching <b>{escape(named)}</b>: {told}</p>{progress_bar(share or 0)}"


def table_view(here: set[str], machine: Machine) -> str:
    """The bases worth trying, a row each, with a button to choose it."""
    heads = "".join(f"<th>{head}</th>" for head in _HEADS)
    rows = "".join(_row(base, base.hub_id in here, machine) for base in SUGGESTED)
    return (
        f'<p class="quiet">Small bases of the Hub. Memory is that of 4 bit, on a processor; this '
        f"machine has {machine.memory_bytes / 1e9:.0f} GB. Any other chat model of the Hub can be "
        "typed above by its id, and a folder be put into the workspace's <code>models</code>. "
        "Where a licence is to be accepted, log in afterwards with <code>hf auth login</code>.</p>"
        f'<div class="sheet"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


_HEADS = ("Base", "Good for", "To fetch", "Memory", "Reads", "Licence")


def _row(base: Suggestion, here: bool, machine: Machine) -> str:
    owner, _, name = map(escape, base.hub_id.partition("/"))
    large = not machine.gpus and base.tune_bytes > machine.memory_bytes
    terms = escape(base.business)
    if base.gated:
        terms += "; accept it on its page"
    cells = [
        f'<button type="button" data-base="{escape(base.hub_id)}" '
        f'aria-label="Use {escape(base.hub_id)}">Use</button><b>{name}</b><br>'
        f"{_quiet(f'{owner}, {count(base.weights)} weights')}",
        f"{escape(base.good_for)}<br>{_quiet(escape(base.languages))}",
        "<b>here</b>" if here else f"{base.download / 1e9:.1f} GB",
        f"{base.chat_bytes / 1e9:.1f} GB to chat<br>{base.tune_bytes / 1e9:.0f} GB to tune"
        f"{' (too much here)' if large else ''}",
        f"{base.reads:,} tokens",
        f"{escape(base.licence)}<br>{_quiet(terms)}",
    ]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _quiet(html: str) -> str:
    return f'<span class="quiet">{html}</span>'


def _failed(error: UserError) -> str:
    return f'<p class="failed">{sentence(str(error))}</p>'


def _values(models: Path, cache: Cache) -> set[str]:
    return {value for _, value in base_choices(models, cache)}
