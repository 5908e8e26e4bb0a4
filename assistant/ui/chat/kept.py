"""The conversations that are kept: search, open, rename, delete, take away."""

import re
from typing import Any

import gradio as gr

from assistant.conversation import Side
from assistant.exporting_chat import as_jsonl, as_markdown
from assistant.store import MOST_SEARCHED, Summary
from assistant.ui.chat.columns import show
from assistant.ui.chat.files import hand_out
from assistant.ui.chat.room import Room, moved
from assistant.ui.chat.sides import short
from assistant.ui.errors import shown_to_user
from assistant.ui.wiring import PRIVATE, fill_when_open, trust_core
from trainer.errors import ConfigError

MOST_NAMED = 120  # characters


def kept_section(room: Room) -> None:
    """Lay out the section and wire it."""
    with gr.Accordion("Conversations", open=False) as section:
        search = gr.Textbox(
            placeholder="Find words in names, questions and answers, and press Enter",
            label="Find",
            show_label=False,
            max_length=MOST_SEARCHED,
        )
        told = gr.HTML()
        listed = gr.Radio([], show_label=False, label="Conversations", elem_classes="items")
        with gr.Column(visible=False) as one:
            with gr.Row(elem_classes="act"):
                name = gr.Textbox(
                    label="Name of the one shown", max_length=MOST_NAMED, min_width=240
                )
                rename = gr.Button("Rename", scale=0, min_width=120)
            with gr.Row(elem_classes="act"):
                files = [
                    gr.DownloadButton(f"Download as {kind}", size="sm", min_width=160)
                    for kind in ("Markdown", "JSONL")
                ]
                delete = gr.Button("Delete", size="sm", min_width=120)
            with gr.Row(visible=False, elem_classes="choices") as asking:
                sure = gr.Button("Delete for good", variant="stop", size="sm", min_width=150)
                keep = gr.Button("Keep it", size="sm", min_width=150)

    trust_core(listed)

    def fill(conversation: str, words: str) -> list[Any]:
        found = [s for s in room.store.conversations(words or "") if s.questions]
        known = room.find(conversation)
        value = known.id if known and any(s.id == known.id for s in found) else None
        said = "" if found else _NONE if words else _EMPTY
        radio = gr.Radio(choices=[(_label(s), s.id) for s in found], value=value)
        if known is None or not known.exchanges:
            return [said, radio, gr.Column(visible=False), *[gr.skip()] * 4]
        stem = re.sub(r"[^\w-]+", "-", known.name).strip("-")[:60] or "conversation"
        written = [(f"{stem}.md", as_markdown(known)), (f"{stem}.jsonl", as_jsonl(known))]
        paths = [gr.DownloadButton(value=hand_out(*file)) for file in written]
        hidden = gr.Row(visible=False)
        return [said, radio, gr.Column(visible=True), known.name, *paths, hidden]

    def open_conversation(id_: str) -> list[Any]:
        """Go on with a conversation that was kept."""
        with shown_to_user():
            known = room.store.conversation(str(id_))
        return show(room, known.sides, known)

    def rename_conversation(conversation: str, name: str) -> str:
        """Call the conversation shown otherwise."""
        words = " ".join((name or "").split())
        with shown_to_user():
            if not words or len(words) > MOST_NAMED:
                raise ConfigError(f"A name has between 1 and {MOST_NAMED} characters. Type one.")
            room.store.change(conversation, name=words)
        return moved()

    def delete_conversation(conversation: str) -> list[Any]:
        """Forget the conversation shown, with its votes."""
        with shown_to_user():
            known = room.store.conversation(conversation)
            room.store.delete(known.id)
        gr.Info("It is gone, with its votes.", title="Deleted")
        return show(room, known.sides, None, blind=known.blind)

    outputs = [told, listed, one, name, *files, asking]
    given = [room.conversation, search]
    fill_when_open(section, fill, given, outputs, also=[room.moved.change, search.submit])
    shown: dict[str, Any] = {"show_progress": "hidden"}
    listed.input(open_conversation, listed, room.shown, api_name="open_conversation", **shown)
    name_given = [room.conversation, name]
    gr.on(
        [rename.click, name.submit],
        rename_conversation,
        name_given,
        room.moved,
        api_name="rename_conversation",
        show_progress="hidden",
    )
    delete.click(lambda: gr.Row(visible=True), outputs=asking, **PRIVATE)
    keep.click(lambda: gr.Row(visible=False), outputs=asking, **PRIVATE)
    sure.click(
        delete_conversation,
        room.conversation,
        room.shown,
        api_name="delete_conversation",
        show_progress="hidden",
    )


_EMPTY = '<div class="empty">Nothing was asked yet. Every conversation will be kept here.</div>'
_NONE = '<div class="empty">No conversation has these words. Try fewer.</div>'


def _label(summary: Summary) -> str:
    count = f"{summary.questions} question{'s' * (summary.questions > 1)}"
    when = summary.updated.astimezone().strftime("%d %b %Y, %H:%M")
    sides = " and ".join(map(_who, summary.sides))
    return f"{summary.name} · {count} · {when} · {sides}"


def _who(side: Side) -> str:
    return f"◆ {side.run}" if side.run else f"○ {short(side.base)}"
