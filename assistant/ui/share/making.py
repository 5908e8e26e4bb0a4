"""A new link: what its page says, how it looks, who may come in and how much they may ask."""

import re
from html import escape
from typing import Any
from uuid import uuid4

import gradio as gr

from assistant.access import hash_password
from assistant.hosted.door import Door
from assistant.hosted.serving import Hosting
from assistant.link_store import Links
from assistant.links import Limits, Look, encode_logo
from assistant.sharing import MOST_DAYS, make_link, suggest_look
from assistant.ui.bar import Bar
from assistant.ui.errors import shown_to_user
from assistant.ui.wiring import PRIVATE
from trainer.errors import ConfigError, UserError
from trainer.runs import Run, Runs


def making_section(
    bar: Bar, runs: Runs, links: Links, hosting: Hosting | None, changed: gr.State
) -> None:
    """Lay out the form beside the preview of the visitor's page, and wire both."""
    none = gr.HTML(visible=False)
    with gr.Row(equal_height=False) as both:
        with gr.Column(min_width=320):
            look = _look_form()
            with gr.Row():
                days = gr.Number(
                    30, label="Open for, days", minimum=1, maximum=MOST_DAYS, precision=0
                )
                password = gr.Textbox(
                    label="Password (optional)", type="password", max_length=72, min_width=160
                )
            with gr.Accordion("More", open=False):
                logo = gr.File(
                    label="Logo (PNG, JPEG or WebP)",
                    file_types=[".png", ".jpg", ".jpeg", ".webp"],
                    type="binary",
                    height=100,
                )
                with_base = gr.Checkbox(label="Let the untuned base model answer beside it")
                unsure = gr.Checkbox(
                    True, label="Say so where an answer strays from every approved one"
                )
                limits = _limits_form()
            make = gr.Button("Create link", variant="primary")
        with gr.Column(min_width=320):
            preview = gr.HTML(label="Preview", elem_classes="share-preview")
    made = gr.Textbox(
        label="The link", interactive=False, visible=False, buttons=["copy"], elem_id="made-link"
    )
    with gr.Accordion("The same on the command line", open=False):
        command = gr.Code(language="shell", interactive=False)

    def fill(run_id: str | None, shown: str) -> list[Any]:
        """What the page may say, as suggested from the corpus of the run; what was typed stays."""
        run = runs.find(run_id)
        if run and run.id == shown:
            return [gr.skip()] * len(filled)
        suggested: dict[str, Any] = {}
        if run and run.has_adapter:
            try:
                suggested = suggest_look(run)
            except UserError:  # its corpus was deleted: there is nothing to suggest
                suggested = {"title": run.config.corpus}
        title, greeting, about, examples = (
            _as_text(suggested.get(name, "")) for name in ("title", "greeting", "about", "examples")
        )
        seen = show(title, greeting, about, examples, Look().colour)
        typed = f"tandem share {run.id if run else 'RUN'}\ntandem links"
        empty = _empty(run)
        return [
            gr.HTML(empty, visible=bool(empty)),
            gr.Row(visible=not empty),
            *(title, greeting, about, examples, seen, typed),
            run.id if run and not empty else "",
        ]

    def show(title: str, greeting: str, about: str, examples: str, colour: str) -> str:
        return preview_html(title, greeting, about, _lines(examples), as_hex(colour))

    def create_link(
        run_id: str,
        title: str,
        greeting: str,
        about: str,
        examples: str,
        colour: str,
        days: float,
        password: str,
        logo: bytes | None,
        with_base: bool,
        unsure: bool,
        *numbers: float,
    ) -> list[Any]:
        """Make a link to the tuned model of a run, and serve its page from now on."""
        with shown_to_user():
            if hosting is None:
                raise ConfigError("Links cannot be served from here: use `tandem share`.")
            given: dict[str, object] = {"title": title, "greeting": greeting, "about": about}
            given |= {"examples": _lines(examples), "colour": as_hex(colour)}
            given["logo"] = encode_logo(logo or b"")
            link = make_link(
                runs.get(run_id or ""),
                look=given,
                limits=dict(zip(Limits.model_fields, numbers, strict=True)),
                with_base=with_base,
                unsure=unsure,
                password=hash_password(password) if password else "",
                days=days or 0,
            )
            address = f"{hosting.address()}/c/{Door(links).token(links.add(link))}/"
        return [gr.Textbox(address, visible=True), uuid4().hex]

    of_run = gr.State("")
    filled = [none, both, *look[:-1], preview, command, of_run]
    gr.on([bar.run.change, bar.results.change], fill, [bar.run, of_run], filled, **PRIVATE)
    for field in look:
        field.input(show, look, preview, **PRIVATE | {"trigger_mode": "always_last"})
    make.click(
        create_link,
        [bar.run, *look, days, password, logo, with_base, unsure, *limits],
        [made, changed],
        api_name="create_link",
    )


def _look_form() -> list[Any]:
    said = {name: field.description or "" for name, field in Look.model_fields.items()}
    return [
        gr.Textbox(label="Title", info=said["title"], max_length=80),
        gr.Textbox(label="Greeting", info=said["greeting"], max_length=500),
        gr.Textbox(label="About", info=said["about"], max_length=500, lines=2),
        gr.Textbox(label="Example questions", info="One a line, six at most.", lines=3),
        gr.ColorPicker(Look().colour, label="Colour", info=said["colour"]),
    ]


def _limits_form() -> list[gr.Number]:
    shown = Limits()
    return [
        gr.Number(getattr(shown, name), label=(field.description or "").rstrip("."), precision=0)
        for name, field in Limits.model_fields.items()
    ]


def preview_html(
    title: str, greeting: str, about: str, examples: tuple[str, ...], colour: str
) -> str:
    """What a visitor sees first, as a small picture of the page."""
    buttons = "".join(f"<span>{escape(text)}</span>" for text in examples[:6])
    return (
        f'<div class="visitor" style="--bot: {escape(colour)}"><h3>{escape(title) or "&nbsp;"}</h3>'
        f"<p>{escape(greeting)}</p><div>{buttons}</div>"
        f'<div class="box">Your question <b>Ask</b></div><small>{escape(about)}</small></div>'
    )


def as_hex(colour: str) -> str:
    """A colour as #rrggbb: the browser's picker writes rgba(...)."""
    numbers = re.findall(r"[\d.]+", colour) if (colour or "").startswith("rgb") else []
    if len(numbers) >= 3:
        return "#" + "".join(f"{min(255, round(float(n))):02x}" for n in numbers[:3])
    return colour or Look().colour


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in (text or "").splitlines() if line.strip())


def _as_text(value: Any) -> str:
    return "\n".join(value) if isinstance(value, tuple) else str(value)


def _empty(run: Run | None) -> str:
    if run is None or not run.has_adapter:
        return (
            '<div class="empty">Nothing is tuned yet, or the run chosen above has not ended. A '
            "tuned model can be shared as soon as its run has an adapter.</div>"
        )
    return ""
