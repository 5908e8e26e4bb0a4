"""The tuned model to take away: a card for each kind of export, made here and asked again."""

import atexit
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.ui.bar import Bar
from assistant.ui.errors import shown_to_user
from assistant.ui.present import bar as progress_bar
from assistant.ui.present import sentence
from assistant.ui.wiring import PRIVATE, fill_when_open
from trainer.errors import ConfigError, NotFound, disk_full_told
from trainer.export.checked import Checked, read_checked
from trainer.export.kinds import KINDS, MEANINGS, Kind
from trainer.export.making import Making, Makings, export_folder, is_current
from trainer.runs import Run, Runs

# A press on a card's button names what to do and with which kind.
_PRESS = """
element.addEventListener('click', (event) => {
    const button = event.target.closest('button[data-press]');
    if (button) trigger('select', { value: button.dataset.press });
});
"""
_SMALL = """
button { padding: 4px 16px; margin: 8px 8px 0 0; border-radius: 4px; min-height: 32px;
    font-size: 0.85rem; }
.pair { display: flex; flex-direction: column; } .pair > div:last-child { margin-top: auto; }
"""


def exports_section(bar: Bar, runs: Runs, *, make_room: Callable[[], None] = lambda: None) -> None:
    """Lay out the section and wire it; `make_room` takes the chat's base off a GPU."""
    makings = Makings()
    with gr.Accordion("Take the model with you", open=False) as section:
        cards = gr.HTML(js_on_load=_PRESS, css_template=_SMALL)
        packed = gr.DownloadButton(visible=False, size="sm", min_width=160)
        gr.Markdown(
            "Each is loaded again as other tools load it, and asked twenty questions, before it is "
            "offered. What answers otherwise than the preview is thrown away.",
            elem_classes="quiet",
        )
        with gr.Accordion("The same on the command line", open=False):
            command = gr.Code(language="shell", interactive=False)
    watch = gr.Timer(1, active=False)
    shown = [cards, packed, watch, command]

    def show(run_id: str | None) -> list[Any]:
        run = runs.find(run_id)
        going_on = bool(run) and any(m.going_on for m in _made(makings, run).values())
        name = run.id if run else "RUN"
        typed = f"tandem export {name} FOLDER --as all\ntandem push {name} OWNER/NAME"
        return [cards_view(run, makings), gr.skip(), gr.Timer(active=going_on), typed]

    def press(run_id: str | None, event: gr.EventData) -> list[Any]:
        """Make an export, stop making it, or pack it for a download."""
        with shown_to_user():
            what, _, named = str(getattr(event, "value", "")).partition(" ")
            packed_into = act(runs.find(run_id), what, named, makings, make_room)
        found = show(run_id)
        if packed_into:
            label = f"Download {packed_into.name}"
            found[1] = gr.DownloadButton(label, value=str(packed_into), visible=True)
        return found

    def show_anew(run_id: str | None) -> list[Any]:
        found = show(run_id)
        found[1] = gr.DownloadButton(visible=False)  # it was of another run
        return found

    cards.select(press, bar.run, shown, **PRIVATE)
    watch.tick(show, bar.run, shown, **PRIVATE | {"trigger_mode": "once"})
    fill_when_open(section, show_anew, [bar.run], shown, also=[bar.run.change, bar.results.change])


def act(
    run: Run | None, what: str, named: str, makings: Makings, make_room: Callable[[], None]
) -> Path | None:
    """Do what a button says; the file, where one was packed. Raises `UserError`."""
    kind = next((kind for kind in KINDS if kind == named), None)
    if run is None or kind is None:
        raise NotFound("That run or that kind of export is not here. Reload the page.")
    if what == "make":
        make_room()
        makings.begin(run, kind)
    elif what == "stop" and (making := makings.last(run, kind)):
        making.stop()
    elif what == "pack":
        return pack(run, kind)
    else:
        raise ConfigError("That cannot be done now. Reload the page.")
    return None


def pack(run: Run, kind: Kind) -> Path:
    """Put an export into one file, where the server may hand it out from."""
    folder = export_folder(run, kind)
    if read_checked(folder) is None:
        raise NotFound("That export is not here any more. Make it again.")
    file = _folder() / f"{run.id}-{kind}.zip"
    with disk_full_told(), zipfile.ZipFile(file, "w") as packed:  # weights hardly shrink
        for path in sorted(folder.rglob("*")):
            packed.write(path, Path(kind) / path.relative_to(folder))
    return file


def cards_view(run: Run | None, makings: Makings) -> str:
    """The cards of a run, or what to do first."""
    if run is None or not run.has_adapter:
        return '<div class="empty">Nothing to take away yet. Tune first: step 2, <b>Tune</b>.</div>'
    made = _made(makings, run)
    return f'<div class="pairs">{"".join(_card(run, kind, made.get(kind)) for kind in KINDS)}</div>'


def _card(run: Run, kind: Kind, making: Making | None) -> str:
    head = f"<b>{kind}</b><span>{escape(MEANINGS[kind])}</span>"
    if making and making.going_on:
        told = f"<p>{escape(making.doing)}: {making.share:.0%}</p>{progress_bar(making.share)}"
        return _whole(head + told, _button("Stop", "stop", kind))
    folder = export_folder(run, kind)
    checked = read_checked(folder)
    if making and making.error:
        failed = f'<p class="failed">{sentence(making.error)}</p>'
        return _whole(head + failed, _button("Try again", "make", kind))
    if checked is None:
        return _whole(head, _button("Make", "make", kind))
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    told = f"<p>{result(checked)}</p>"
    if not is_current(run, kind):
        told += '<p class="quiet">The run has learnt more since.</p>'
    told += f'<p class="quiet">{size / 1e6:,.1f} MB in {escape(str(folder))}</p>'
    buttons = _button("Pack for download", "pack", kind) + _button("Make again", "make", kind)
    return _whole(head + told, buttons)


def result(checked: Checked) -> str:
    """How an export answered beside the preview, in a line; why it differs, folded."""
    if checked.unchecked:
        return sentence(checked.sentences[0])
    line = f"{checked.equal} of {checked.asked} answers equal the preview's."
    if not checked.partings:
        return f"✓ {line}"
    why = "".join(f"<li>{sentence(said)}</li>" for said in checked.sentences[1:])
    return f"{line}<details><summary>Why not all</summary><ul>{why}</ul></details>"


def _made(makings: Makings, run: Run | None) -> dict[Kind, Making]:
    found = {kind: makings.last(run, kind) for kind in KINDS} if run else {}
    return {kind: making for kind, making in found.items() if making}


def _whole(text: str, buttons: str) -> str:
    return f'<div class="pair"><div>{text}</div><div>{buttons}</div></div>'


def _button(label: str, what: str, kind: Kind) -> str:
    return (
        f'<button type="button" data-press="{what} {kind}" aria-label="{label}: {kind}">'
        f"{label}</button>"
    )


@cache
def _folder() -> Path:
    """A folder of this process alone, for what Gradio hands out from a copy of its own."""
    folder = Path(tempfile.mkdtemp(prefix="tandem-exports-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
