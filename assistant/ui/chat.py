"""Step 3: one question, two answers, side by side."""

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from assistant.conversation import ChatModel, Message, write
from assistant.ui.bar import Bar
from assistant.ui.errors import shown_to_user
from assistant.ui.present import side_head
from assistant.ui.wiring import PRIVATE
from trainer.errors import NotFound
from trainer.runs import Run, Runs

MOST_CHARACTERS = 2_000

Sides = Callable[[Run], tuple[ChatModel, ChatModel]]


def chat_tab(bar: Bar, tabs: gr.Tabs, runs: Runs, sides: Sides) -> None:
    """Lay out the tab and wire it; each side keeps its own conversation."""
    gr.Markdown("## Ask both")
    empty, talked_with = gr.HTML(_EMPTY), gr.State("")
    looks: dict[str, Any] = {"show_label": False, "height": 380, "buttons": ["copy"]}
    with gr.Column(visible=False) as room:
        with gr.Row():
            with gr.Column(min_width=300):
                left_head = gr.HTML()
                left = gr.Chatbot(placeholder="The base answers here", **looks)
            with gr.Column(min_width=300):
                right_head = gr.HTML()
                right = gr.Chatbot(placeholder="The tuned model answers here", **looks)
        question = gr.Textbox(
            placeholder="Ask a question and press Enter",
            show_label=False,
            submit_btn="Ask",
            max_length=MOST_CHARACTERS,
            autofocus=True,
        )
        with gr.Row():
            samples = [gr.Button(size="sm", visible=False) for _ in range(3)]
            clear = gr.Button("Clear", size="sm", scale=0, min_width=100)
        remember = gr.Checkbox(
            False,
            label="Remember the questions before",
            info="Off, each question stands alone, as in tuning and in the scores.",
        )
        onward = gr.Button("Next: did it help?  →")

    def ask(
        text: str,
        run_id: str,
        for_base: list[Message],
        for_tuned: list[Message],
        remember: bool = False,
    ) -> Iterator[tuple[Any, Any, str]]:
        text = (text or "").strip()[:MOST_CHARACTERS]
        if not text:
            return
        asked = Message(role="user", content=text)
        for_base, for_tuned = [*_plain(for_base), asked], [*_plain(for_tuned), asked]
        waiting = Message(role="assistant", content="… (a first answer loads the model)")
        yield [*for_base, waiting], [*for_tuned, waiting], ""
        try:
            with shown_to_user():
                if not run_id:
                    raise NotFound("There is no tuned model yet. Tune one first, in step 2.")
                base, tuned = sides(runs.get(run_id))
                answered = for_base
                for answer in write(base, for_base if remember else [asked]):
                    answered = [*for_base, answer]
                    yield answered, [*for_tuned, waiting], ""
                for answer in write(tuned, for_tuned if remember else [asked]):
                    yield answered, [*for_tuned, answer], ""
        except gr.Error:
            yield for_base[:-1], for_tuned[:-1], text  # nothing typed is lost
            raise

    def show(run_id: str | None) -> list[Any]:
        run = runs.find(run_id)
        ready = run is not None and run.has_adapter
        offered = _questions(run) if run and ready else []
        buttons = [gr.Button(text, visible=True) for text in offered]
        buttons += [gr.Button(visible=False)] * (len(samples) - len(buttons))
        heads = [side_head("base", run), side_head("tuned", run)]
        return [gr.HTML(visible=not ready), gr.Column(visible=ready), *heads, *buttons]

    def leave(run_id: str | None, before: str | None) -> tuple[Any, Any, Any]:
        """Another run is another conversation; a list that was only refreshed is not."""
        return (gr.skip(),) * 3 if run_id == before else ([], [], run_id)

    def forget() -> tuple[list[Message], list[Message]]:
        return [], []

    asking: dict[str, Any] = {
        "inputs": [question, bar.run, left, right, remember],
        "outputs": [left, right, question],
        "show_progress": "hidden",
    }
    answering = [question.submit(ask, **asking, api_name="ask")]
    for sample in samples:
        asked = sample.click(lambda text: text, sample, question, **PRIVATE)
        answering.append(asked.then(ask, **asking, api_visibility="private"))
    onward.click(lambda: gr.Tabs(selected="scores"), outputs=tabs, **PRIVATE)
    gr.on([clear.click, bar.run.input], forget, outputs=[left, right], cancels=answering, **PRIVATE)
    bar.run.change(leave, [bar.run, talked_with], [left, right, talked_with], **PRIVATE)
    gr.on(
        [bar.run.change, bar.results.change],
        show,
        bar.run,
        [empty, room, left_head, right_head, *samples],
        **PRIVATE,
    )


_EMPTY = (
    '<div class="empty">Base and tuned will answer side by side here, once a run has an adapter. '
    "Start one above; the samples take about five minutes on two cores.</div>"
)


def _questions(run: Run) -> list[str]:
    """A few held-out questions: worth asking, because nobody taught these words."""
    piles = (run.corpus.pile(kind, run.split) for kind in run.split.kinds)
    pile = next(filter(None, piles), ())
    return [example.question for example in pile[:: max(1, len(pile) // 3)][:3]]


def _plain(conversation: list[Any]) -> list[Message]:
    """What a browser sends back, as messages; Gradio wraps texts in content blocks."""
    messages = []
    for message in conversation:
        content = message["content"]
        if not isinstance(content, str):
            content = "".join(block.get("text", "") for block in content)
        messages.append(Message(role=message["role"], content=content))
    return messages
