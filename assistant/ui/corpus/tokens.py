"""What the model will see: an example in its template, how long examples are, what is cut."""

from functools import lru_cache
from typing import Any

import gradio as gr

from assistant.ui.bar import base_from_page
from assistant.ui.corpus.desk import Desk
from assistant.ui.corpus_view import rendered_view, topics_of
from assistant.ui.errors import shown_to_user
from assistant.ui.plots import characters_plot, tokens_plot, topics_plot
from assistant.ui.wiring import fill_when_open
from trainer.config import RunConfig
from trainer.corpus.library import Corpus

MOST_MEASURED = 2_000  # examples whose tokens are counted for the page; spread over the corpus
_LIMIT = RunConfig.model_fields["max_length"]


def tokens_section(desk: Desk) -> None:
    """Lay out the section and wire it."""
    models = desk.runs.root.parent / "models"
    with gr.Accordion("What the model will see", open=False) as section:
        with gr.Row():
            number = gr.Slider(1, 2, value=1, step=1, label="Example number")
            limit = gr.Number(
                _LIMIT.default,
                precision=0,
                label="Most tokens an example may have",
                info="The setting max_length of a run; what is longer is cut.",
            )
        example = gr.HTML()
        tokens = gr.Plot(show_label=False, visible=False)
        with gr.Row():
            topics = gr.Plot(show_label=False, visible=False, min_width=300)
            characters = gr.Plot(show_label=False, visible=False, min_width=300)

    def render(label: str, base: str, number: float, limit: float) -> str:
        corpus = desk.shown(label)
        if corpus is None:
            return ""
        with shown_to_user():
            return _rendered(corpus, base_from_page(base, models), number, _most(limit))

    def fill(label: str, base: str, number: float, limit: float) -> list[Any]:
        corpus = desk.shown(label)
        if corpus is None:
            return [gr.skip(), *[gr.skip()] * 4]
        with shown_to_user():
            named, most = base_from_page(base, models), _most(limit)
            count = len(corpus.examples)
            number = min(max(1, int(number or 1)), count)
            figures = (
                _measured(corpus, named, most),
                topics_plot(topics_of(corpus.examples, corpus.origin.task), corpus.origin.task),
                characters_plot(corpus.examples, corpus.origin.task),
            )
            return [
                gr.Slider(maximum=max(2, count), value=number),
                _rendered(corpus, named, number, most),
                *(gr.Plot(figure, visible=figure is not None) for figure in figures),
            ]

    given = [desk.bar.label, desk.bar.base, number, limit]
    fill_when_open(
        section,
        fill,
        given,
        [number, example, tokens, topics, characters],
        also=[*desk.changes, desk.bar.base.change, limit.submit, limit.blur],
        slow=True,
    )
    number.change(render, given, example, api_name="render_example", show_progress="hidden")


def _rendered(corpus: Corpus, base: str, number: float, most: int) -> str:
    from trainer.rendering import render_example  # noqa: PLC0415 - transformers takes seconds

    at = min(max(1, int(number or 1)), len(corpus.examples)) - 1
    return rendered_view(render_example(_format(base), corpus.examples[at], most))


def _measured(corpus: Corpus, base: str, most: int) -> Any:
    from trainer.rendering import measure_lengths  # noqa: PLC0415 - transformers takes seconds

    examples = corpus.examples
    some = examples[:: -(-len(examples) // MOST_MEASURED)]
    return tokens_plot(measure_lengths(_format(base), some, most), most, of=len(examples))


def _most(limit: float | None) -> int:
    """The limit as the settings of a run allow it."""
    given = {"base": "none", "corpus": "any", "version": 1}
    if limit is not None:
        given["max_length"] = int(limit)
    return RunConfig.parse(given).max_length


@lru_cache(maxsize=2)
def _format(base: str) -> Any:
    from trainer.models import load_format  # noqa: PLC0415 - torch takes seconds

    return load_format(base)
