"""The whole step: one question, two answers side by side, and what can be done with them."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from assistant.conversation import Side
from assistant.talk import Talk
from assistant.ui.bar import Bar, base_from_page
from assistant.ui.chat.ask import ask_section, lay_out_box
from assistant.ui.chat.columns import lay_out_columns, show_columns
from assistant.ui.chat.room import Room
from assistant.ui.chat.settings import settings_section
from assistant.ui.chat.sides import parse_sides, usual_sides
from assistant.ui.errors import shown_to_user
from assistant.ui.wiring import PRIVATE
from trainer.corpus.library import Corpora
from trainer.errors import UserError
from trainer.runs import Runs

FIRST_BASE = "bundled:pocket"


def chat_tab(
    loaded: Any,
    bar: Bar,
    tabs: gr.Tabs,
    corpora: Corpora,
    runs: Runs,
    talk: Talk,
    *,
    unload: Callable[[], None],
) -> None:
    """Lay out the tab and wire it; call inside the `gr.Tab` it belongs to.

    `loaded` is the event that chooses a run when the page is opened.
    """
    gr.Markdown("## Ask both")
    alone = gr.HTML(visible=False)
    columns = lay_out_columns()
    room = Room(bar, corpora, runs, talk, columns, gr.State(""), gr.State(""), gr.State(""))
    box = lay_out_box()
    with gr.Row(elem_classes="act"):
        again = gr.Button("Regenerate", size="sm", min_width=120, visible=False)
        new = gr.Button("New conversation", size="sm", min_width=120)
        freeing = gr.Button("Unload the model", size="sm", min_width=120)
        onward = gr.Button("Next: did it help?  →", size="sm", min_width=160)
    form = settings_section()
    ask_section(room, form, box, again)
    last = gr.BrowserState("", storage_key="tandem-conversation", secret="an id, no secret")
    met = gr.State("")  # the run that was last met in the bar

    def reopen(last: str | None, run_id: str | None, base: str) -> list[Any]:
        """Show the conversation this browser had last, or whom the bar suggests."""
        known = room.find(last if isinstance(last, str) else None)
        sides = known.sides if known else suggested(run_id, base)
        shown = show_columns(room, sides, known)
        return [*shown, known.id if known else "", known.id if known else "", run_id or ""]

    def suggested(run_id: str | None, base: str) -> tuple[Side, ...]:
        try:
            return usual_sides(runs.find(run_id), base_from_page(base, room.models))
        except UserError:  # a base that is half typed
            return usual_sides(None, FIRST_BASE)

    def meet(run_id: str | None, base: str, conversation: str, met: str) -> list[Any]:
        """Another run in the bar is another conversation; a list that was refreshed is not."""
        run = runs.find(run_id)
        if (run_id or "") == met or (run and not run.has_adapter and room.find(conversation)):
            return [gr.skip()] * (len(columns.all) + 3)
        return [*show_columns(room, suggested(run_id, base), None), "", "", run_id or ""]

    def begin_anew(left: str, right: str, blind: bool) -> list[Any]:
        """Show the same sides with nothing asked; the conversation before is kept."""
        with shown_to_user():
            sides = parse_sides(left, right, runs, room.models)
        return [*show_columns(room, sides, None, blind=blind), "", ""]

    def tell(run_id: str | None) -> Any:
        run = runs.find(run_id)
        return gr.HTML(_ALONE, visible=run is None or not run.has_adapter)

    def unload_model() -> None:
        """Free the memory of the chat's model; the next question loads it again."""
        with shown_to_user():
            unload()
        gr.Info("Its memory is free. The next question loads it again.", title="Unloaded")

    shown = [*columns.all, room.conversation, room.moved]
    here = [bar.run, bar.base]
    loaded.then(reopen, [last, *here], [*shown, met], **PRIVATE)
    changes = [bar.run.change, bar.results.change, bar.base.change]
    gr.on(changes, meet, [*here, room.conversation, met], [*shown, met], **PRIVATE)
    gr.on(changes, tell, bar.run, alone, **PRIVATE)
    changes = [new.click, columns.blind.input, *(who.input for who in columns.who)]
    gr.on(changes, begin_anew, [*columns.who, columns.blind], shown, **PRIVATE)
    room.conversation.change(lambda id_: id_, room.conversation, last, **PRIVATE)
    freeing.click(unload_model, api_name="unload_model")
    onward.click(lambda: gr.Tabs(selected="scores"), outputs=tabs, **PRIVATE)


_ALONE = (
    '<div class="empty">There is no tuned model yet: you talk to the base alone. Base and tuned '
    "answer side by side here once a run has an adapter. Start one above; the samples take about "
    "five minutes on two cores.</div>"
)
