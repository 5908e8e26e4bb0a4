"""What the next run would take here, before it starts: base, presets, settings, a trial."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.ui.bar import Bar, base_choices, base_from_page
from assistant.ui.errors import shown_to_user
from assistant.ui.tune.ahead import ahead_view, changes_view, mistake_view, trial_view, trying_view
from assistant.ui.tune.settings import (
    Form,
    form_names,
    parse_form,
    settings_form,
    troubles_by_group,
    values_of,
)
from assistant.ui.wiring import PRIVATE
from trainer.config import RunConfig
from trainer.corpus.library import Corpora, Corpus
from trainer.errors import ConfigError, CorpusError, DeviceBusy, UserError
from trainer.estimate import estimate, this_machine
from trainer.fitting import make_it_fit, refuse
from trainer.presets import PRESETS, presets
from trainer.runs import Runs
from trainer.trial import measure
from trainer.workload import count_parameters

USUAL = "balanced"


def before_section(bar: Bar, corpora: Corpora, runs: Runs) -> Form:
    """Lay out the section and wire it; returns the fields of the form of settings."""
    workspace = runs.root.parent
    models = workspace / "models"
    line = gr.HTML(_READING)
    with gr.Row(elem_classes="act"):
        preset = gr.Radio(
            [(name.capitalize(), name) for name in PRESETS],
            value=USUAL,
            show_label=False,
            info="Each fills the settings below; change them as you like.",
            min_width=300,
        )
        fit = gr.Button("Make it fit", visible=False, variant="primary", scale=0, min_width=160)
        check = gr.Button("Check with a few real steps", size="md", scale=0, min_width=270)
    note = gr.HTML()
    with gr.Accordion("Settings", open=False):
        form, troubles = settings_form(bar.base.value)

    def find(label: str) -> Corpus | None:
        try:
            return _opened(corpora.get(label).path) if label else None
        except (UserError, OSError):
            return None

    def read(label: str, base: str, settings: Mapping[str, object]) -> tuple[RunConfig, Corpus]:
        corpus = find(label)
        if corpus is None:
            raise CorpusError("The corpus is still being read. Try again in a moment.")
        named = {"corpus": corpus.name, "version": corpus.version}
        return parse_form(base_from_page(base, models), settings, **named), corpus

    def look_ahead(label: str, base: str, **settings: object) -> list[Any]:
        """Say what the settings would take here, or what is wrong with them."""
        corpus = find(label)
        if corpus is None:
            return [_READING, gr.skip(), gr.Button(visible=False), *_told(troubles, {})]
        try:
            config, corpus = read(label, base, settings)
            here = this_machine(runs)
            unwise = refuse(config, corpus, here)
            known = count_parameters(config.base)
            found = estimate(config, corpus, here) if known else None
        except UserError as error:
            by_group = troubles_by_group(error) if isinstance(error, ConfigError) else {}
            too_large = isinstance(error, ConfigError) and not by_group
            fitting = gr.Button(visible=too_large)
            return [mistake_view(str(error)), None, fitting, *_told(troubles, by_group)]
        said = ahead_view(_shown(base, models), config, corpus, found, unwise if known else ())
        named = _matching(config, _presets(config.base, corpus))
        tight = found is not None and found.verdict != "fits"
        return [said, named, gr.Button(visible=tight), *_told(troubles, {})]

    def choose_preset(name: str, label: str, base: str) -> list[Any]:
        """Fill the form with the settings of a preset."""
        with shown_to_user():
            if name not in PRESETS:
                raise ConfigError(f"There is no preset called '{name}': {', '.join(PRESETS)}.")
            config, corpus = read(label, base, {})
            return values_of(parse_form(config.base, _presets(config.base, corpus)[name]))

    def refill(name: str | None, label: str, base: str) -> list[Any]:
        """Let the preset suit another corpus; settings of one's own stay as they are."""
        if name not in PRESETS or find(label) is None:
            return [gr.skip()] * len(form)
        return suit(name, label, base)

    def suit(name: str | None, label: str, base: str) -> list[Any]:
        """Let the settings suit another base, whose learning rates are others."""
        try:
            config, corpus = read(label, base, {})
            chosen = _presets(config.base, corpus)[name if name in PRESETS else USUAL]
            return values_of(parse_form(config.base, chosen))
        except UserError:
            return values_of(parse_form(base or "none", {}))

    def fit_here(label: str, base: str, **settings: object) -> list[Any]:
        """Change the settings so that the run fits into this machine's memory, and say how."""
        with shown_to_user():
            config, corpus = read(label, base, settings)
            made = make_it_fit(config, corpus, this_machine(runs))
            if made is None:
                raise ConfigError(
                    "No settings make this base fit here: it needs a machine with more memory. "
                    "Choose a smaller base above."
                )
        fitting, changes = made
        smaller = fitting.base if fitting.base != config.base else gr.skip()
        return [changes_view(changes), smaller, *values_of(fitting)]

    def try_steps(label: str, base: str, **settings: object) -> Any:
        """Take a few real steps in a process of their own, and hold them against the formula."""
        with shown_to_user():
            config, corpus = read(label, base, settings)
            if runs.active():
                raise DeviceBusy("The device is at work. Check again when it is free.")
            known = count_parameters(config.base)
            yield trying_view(estimate(config, corpus, this_machine(runs)) if known else None)
            measured = measure(config, workspace)
            yield trial_view(estimate(config, corpus, this_machine(runs)), measured)

    fields = list(form.values())
    given: dict[str, Any] = {"label": bar.label, "base": bar.base, **form}
    shown = [line, preset, fit, *troubles.values()]
    looking: dict[str, Any] = {"inputs_kwargs": given, "outputs": shown, **PRIVATE}
    choosing = [preset, bar.label, bar.base]
    gr.on(
        [field.input for field in fields], look_ahead, **looking | {"trigger_mode": "always_last"}
    )
    chosen = preset.input(choose_preset, choosing, fields, api_name="choose_preset")
    filled = bar.label.change(refill, choosing, fields, **PRIVATE)
    suited = bar.base.change(suit, choosing, fields, **PRIVATE)
    fitted = fit.click(
        fit_here, inputs_kwargs=given, outputs=[note, bar.base, *fields], api_name="make_it_fit"
    )
    for filling in (chosen, filled, suited, fitted):
        filling.then(look_ahead, **looking)
    bar.fetched.change(look_ahead, **looking)
    check.click(
        try_steps, inputs_kwargs=given, outputs=note, api_name="try_steps", show_progress="hidden"
    )
    return form


_READING = (
    '<p class="lead quiet">The corpus chosen above is being read; then this says how long.</p>'
)


def _told(troubles: Mapping[str, Any], said: Mapping[str, str]) -> list[Any]:
    return [
        gr.HTML(mistake_view(said[title]) if title in said else "", visible=title in said)
        for title in troubles
    ]


def _presets(base: str, corpus: Corpus) -> Mapping[str, Mapping[str, Any]]:
    found = presets(base, len(corpus.split.train), count_parameters(base))
    return {name: preset.settings for name, preset in found.items()}


def _matching(config: RunConfig, known: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The preset that would give these settings, if there is one."""
    for name, settings in known.items():
        wanted = parse_form(config.base, settings)
        if all(getattr(wanted, field) == getattr(config, field) for field in form_names()):
            return name
    return None


def _shown(base: str, models: Path) -> str:
    return {value: shown for shown, value in base_choices(models)}.get(base, base)


@lru_cache(maxsize=2)
def _opened(path: Path) -> Corpus:
    """One handle for all looks, so that the examples are parsed once; versions never change."""
    return Corpus(path)
