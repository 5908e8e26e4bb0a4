"""What each setting is worth: a run for every combination, and what came of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from assistant.ui.bar import Bar, base_from_page, run_choices
from assistant.ui.errors import shown_to_user
from assistant.ui.plots import points_plot
from assistant.ui.tune.settings import Form, form_names, parse_form
from assistant.ui.tune.views import ablation_view
from assistant.ui.wiring import PRIVATE, fill_when_open
from trainer.ablation import points
from trainer.corpus.library import Corpora
from trainer.errors import ConfigError, CorpusError, UserError
from trainer.grid import ablations, create_ablation, find_ablation
from trainer.runs import Runs

MOST_VARIED = 3
NOT_VARIED = ("seed", "evaluate", "report_to", "processes")
PROGRESS = gr.Progress()  # a default of handlers; each call fills it with its own event


def ablation_section(
    bar: Bar, form: Form, corpora: Corpora, runs: Runs, *, worker: Sequence[str]
) -> None:
    """Lay out the section and wire it; what is not varied is as the form of settings says."""
    workspace = runs.root.parent
    models = workspace / "models"
    names = [name for name in form_names() if name not in NOT_VARIED]
    with gr.Accordion("What is each setting worth? (ablation)", open=False) as section:
        gr.Markdown(
            "A run for every combination of the values, all asked the same questions. Everything "
            "else is as the settings above say. A second seed tells chance from the settings."
        )
        grid: list[Any] = []
        for place in range(1, MOST_VARIED + 1):
            with gr.Row():
                grid.append(
                    gr.Dropdown(
                        [("(none)", ""), *((name, name) for name in names)],
                        value="",
                        label=f"Setting {place}",
                        min_width=200,
                    )
                )
                grid.append(
                    gr.Textbox(
                        label=f"Values of setting {place}",
                        placeholder="8, 16, 32",
                        max_length=200,
                        min_width=240,
                    )
                )
        with gr.Row(elem_classes="act"):
            seeds = gr.Number(1, precision=0, label="Seeds", minimum=1, min_width=100)
            cleaning = gr.Checkbox(False, label="With and without cleaning", min_width=220)
            name = gr.Textbox(label="Name", placeholder="rank", max_length=60, min_width=180)
            queue = gr.Button("Queue the runs", min_width=180)
        known = gr.Dropdown([], label="Ablation to look at", visible=False, interactive=True)
        found = gr.HTML()
        plots = [gr.Plot(show_label=False, visible=False) for _ in range(MOST_VARIED + 1)]

    def count(seeds: float | None, cleaning: bool, *grid: str | None) -> Any:
        number = max(1, int(seeds or 1)) * (2 if cleaning else 1)
        for setting, values in zip(grid[::2], grid[1::2], strict=True):
            number *= len(_listed(values)) if setting else 1
        return gr.Button(f"Queue {number} runs" if number > 1 else "Queue the runs")

    def queue_ablation(
        label: str,
        base: str,
        name: str,
        seeds: float,
        cleaning: bool,
        setting_1: str,
        values_1: str,
        setting_2: str,
        values_2: str,
        setting_3: str,
        values_3: str,
        progress: gr.Progress = PROGRESS,
        **settings: object,
    ) -> tuple[Any, Any]:
        """Put a run for every combination of the values, with every seed, into the queue."""
        with shown_to_user():
            if not label:
                raise CorpusError("The corpus is still being read. Try again in a moment.")
            pairs = [(setting_1, values_1), (setting_2, values_2), (setting_3, values_3)]
            varied = _varied(pairs, cleaning=cleaning)
            base = base_from_page(base, models)
            made = create_ablation(
                corpora,
                corpora.get(label),
                (name or "").strip(),
                base=base,
                varied=varied,
                fixed=_fixed(base, settings, varied),
                seeds=_seeds(seeds),
                worker=worker,
                tell=lambda what, share: progress(min(share, 1.0), desc=what),
            )
        gr.Info(f"{len(made.plan.runs)} runs are in the queue.", title=made.name)
        choices = run_choices(runs)
        return offered(made.name)[0], gr.Dropdown(
            choices=choices, value=choices[0][1], visible=True
        )

    def there() -> list[str]:
        newest = sorted(ablations(workspace), key=lambda one: one.plan.created, reverse=True)
        return [ablation.name for ablation in newest]

    def offered(chosen: str | None) -> tuple[Any, str]:
        names = there()
        kept = chosen if chosen in names else next(iter(names), "")
        return gr.Dropdown(choices=names, value=kept or None, visible=bool(names)), kept

    def show(chosen: str | None) -> list[Any]:
        hidden = [gr.Plot(visible=False)] * len(plots)
        try:
            ablation = find_ablation(workspace, chosen or "")
        except UserError:
            return [_EMPTY, *hidden]
        drawn = [points_plot(n, points(ablation, n)) for n in ablation.plan.varied]
        figures = [figure for figure in drawn if figure is not None][: len(plots)]
        shown = [gr.Plot(figure, visible=True) for figure in figures]
        return [ablation_view(ablation), *shown, *hidden[len(shown) :]]

    def fill(chosen: str | None) -> list[Any]:
        box, kept = offered(chosen)
        return [box, *show(kept)]

    given: dict[str, Any] = {"label": bar.label, "base": bar.base, "name": name, "seeds": seeds}
    given |= {"cleaning": cleaning}
    for place in range(MOST_VARIED):
        given[f"setting_{place + 1}"] = grid[2 * place]
        given[f"values_{place + 1}"] = grid[2 * place + 1]
    queue.click(
        queue_ablation,
        inputs_kwargs=given | form,
        outputs=[known, bar.run],
        api_name="queue_ablation",
        show_progress_on=[queue],
    )
    counted = [seeds, cleaning, *grid]
    changes = [box.input for box in counted]
    gr.on(changes, count, counted, queue, **PRIVATE | {"trigger_mode": "always_last"})
    known.input(show, known, [found, *plots], preprocess=False, **PRIVATE)
    fill_when_open(section, fill, [known], [known, found, *plots], also=[bar.results.change])


_EMPTY = (
    '<div class="empty">Nothing has been compared yet. Choose a setting, give two values or more, '
    "give it a name and queue the runs.</div>"
)


def _listed(values: str | None) -> list[str]:
    return [value.strip() for value in (values or "").split(",") if value.strip()]


def _varied(
    pairs: Sequence[tuple[str | None, str | None]], *, cleaning: bool
) -> dict[str, list[str]]:
    varied: dict[str, list[str]] = {}
    for setting, given in pairs:
        values = _listed(given)
        if values and not setting:
            raise ConfigError(f"Choose the setting that '{given}' are values of.")
        if not setting:
            continue
        if setting in varied or setting in NOT_VARIED or setting not in form_names():
            raise ConfigError(f"'{setting}' cannot be varied here, or is chosen twice.")
        if len(values) < 2:
            raise ConfigError(f"{setting}: give two values or more, with commas between them.")
        varied[setting] = values
    return varied | ({"cleaning": ["on", "off"]} if cleaning else {})


def _fixed(
    base: str, settings: Mapping[str, object], varied: Mapping[str, object]
) -> dict[str, object]:
    """What the form says otherwise than is recommended, less what is varied."""
    chosen, usual = parse_form(base, settings), parse_form(base, {})
    names = (name for name in form_names() if name not in varied)
    return {n: getattr(chosen, n) for n in names if getattr(chosen, n) != getattr(usual, n)}


def _seeds(given: float | None) -> int:
    if given is None or not 1 <= given <= 16:
        raise ConfigError(f"Seeds: between 1 and 16 (got {given}).")
    return int(given)
