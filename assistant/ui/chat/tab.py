"""The whole step: one question, two answers side by side, and what can be done with them."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from assistant.conversation import Conversation, Side
from assistant.talk import Talk
from assistant.ui.bar import Bar, base_from_page
from assistant.ui.chat.ask import ask_section, lay_out_box
from assistant.ui.chat.columns import lay_out_columns, offered, show
from assistant.ui.chat.correct import correct_row
from assistant.ui.chat.kept import kept_section
from assistant.ui.chat.lessons import lessons_section
from assistant.ui.chat.room import Room
from assistant.ui.chat.settings import settings_section
from assistant.ui.chat.sides import parse_sides, usual_sides
from assistant.ui.chat.vote import vote_row, votes_section
from assistant.ui.errors import shown_to_user
from assistant.ui.wiring import PRIVATE
from trainer.corpus.library import Corpora
from trainer.errors import UserError
from trainer.runs import Run, Runs

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
    conversation, about, changed = gr.State(""), gr.State(""), gr.State("")
    last = gr.BrowserState("", storage_key="tandem-conversation", secret="an id, no secret")
    states = (conversation, last, about, changed)
    voting = gr.Column()
    box, samples = lay_out_box()
    with gr.Row(elem_classes="doings"):
        again = gr.Button("Regenerate", size="sm", visible=False)
        wrong = gr.Button("Correct this answer", size="sm", visible=False)
        new = gr.Button("New conversation", size="sm")
        freeing = gr.Button("Unload the model", size="sm")
        onward = gr.Button("Next: did it help?  →", size="sm")
    correcting = gr.Column()
    room = Room(bar, corpora, runs, talk, columns, settings_section(), *states)
    ask_section(room, box, samples, again)
    with voting:
        vote_row(room)
    with correcting:
        correct_row(room, wrong)
    kept_section(room)
    lessons_section(room, tabs)
    votes_section(room)
    with gr.Accordion("The same on the command line", open=False):
        typed = gr.Code(language="shell", interactive=False)
    met = gr.State(None)  # the run that was last met in the bar

    def reopen(last: object, run_id: str | None, base: str) -> list[Any]:
        """Show the conversation this browser had last, or whom the bar suggests."""
        known = room.find(last if isinstance(last, str) else None)
        sides = known.sides if known else suggested(run_id, base)
        run = runs.find(run_id)  # one that is still being tuned is met when it has an adapter
        return [*show(room, sides, known), run.id if run and run.has_adapter else ""]

    def suggested(run_id: str | None, base: str) -> tuple[Side, ...]:
        try:
            return usual_sides(runs.find(run_id), base_from_page(base, room.models))
        except UserError:  # a base that is half typed
            return usual_sides(None, FIRST_BASE)

    def meet(
        run_id: str | None, base: str, left: str, right: str, conversation: str, met: str | None
    ) -> list[Any]:
        """Another run in the bar is another conversation; a list that was refreshed is not.

        Nor is no run at all, as while the page is being opened.
        """
        run, known = runs.find(run_id), room.find(conversation)
        waits = run is not None and not run.has_adapter
        skipped = [gr.skip()] * (len(room.shown) + 1)
        if met is None:  # the page is being opened
            return skipped
        another = (run_id or "") != met and not (known and (waits or run is None))
        if another or (run is None and known is None):
            return [*show(room, suggested(run_id, base), None), met if waits else run_id or ""]
        try:
            sides = known.sides if known else parse_sides(left, right, runs, room.models)
        except UserError:  # a run that was deleted since
            sides = suggested(run_id, base)
        # What is chosen stays: somebody may be choosing at this moment.
        skipped[1:3] = [gr.Dropdown(choices=choices) for choices in offered(room, sides)]
        return skipped

    def begin_anew(left: str, right: str, blind: bool) -> list[Any]:
        """Show the same sides with nothing asked; the conversation before is kept."""
        with shown_to_user():
            sides = parse_sides(left, right, runs, room.models)
        return show(room, sides, None, blind=blind)

    def tell(conversation: str, run_id: str | None) -> list[Any]:
        known, run = room.find(conversation), runs.find(run_id)
        nobody = known is None and (run is None or not run.has_adapter)
        return [gr.HTML(_ALONE, visible=nobody), commands(known, run)]

    def unload_model() -> None:
        """Free the memory of the chat's model; the next question loads it again."""
        with shown_to_user():
            unload()
        gr.Info("Its memory is free. The next question loads it again.", title="Unloaded")

    here = [bar.run, bar.base]
    loaded.then(reopen, [last, *here], [*room.shown, met], **PRIVATE)
    changes = [bar.run.change, bar.results.change, bar.base.change]
    given = [*here, *columns.who, room.conversation, met]
    gr.on(changes, meet, given, [*room.shown, met], **PRIVATE)
    changes = [room.moved.change, *changes]
    gr.on(changes, tell, [room.conversation, bar.run], [alone, typed], **PRIVATE)
    changes = [columns.blind.input, *(who.input for who in columns.who)]
    changes += [new.click, *(chat.clear for chat in columns.chats)]
    gr.on(changes, begin_anew, [*columns.who, columns.blind], room.shown, **PRIVATE)
    freeing.click(unload_model, api_name="unload_model")
    onward.click(lambda: gr.Tabs(selected="scores"), outputs=tabs, **PRIVATE)


def commands(conversation: Conversation | None, run: Run | None) -> str:
    """The same on the command line."""
    sides = [side.run for side in conversation.sides if side.run] if conversation else []
    names = sides or ([run.id] if run and run.has_adapter else [])
    corpus = conversation.corpus if conversation else run.config.corpus if run else None
    name = names[0] if names else "--base bundled:pocket"
    lines = [f"tandem chat {name}{f' --against {names[1]}' if len(names) > 1 else ''}"]
    if conversation:
        lines.append(f"tandem chat --open {conversation.id}")
        lines.append(f"tandem conversations --export {conversation.id} chat.md")
    if names:
        lines.append(f"tandem votes {names[0]} --export pairs.jsonl")
    if corpus:
        lines.append(f"tandem questions {corpus} --teach")
    return "\n".join(lines)


_ALONE = (
    '<div class="empty">There is no tuned model yet: you talk to the base alone. Base and tuned '
    "answer side by side here once a run has an adapter. Start one above; the samples take about "
    "five minutes on two cores.</div>"
)
