"""The form of a run's settings: every setting of `RunConfig` in its group, with its help text."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

import gradio as gr

from trainer.config import RunConfig
from trainer.errors import ConfigError

CHOSEN_ELSEWHERE = ("base", "corpus", "version", "continues")
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Passes and steps": (
        *("epochs", "early_stopping", "learning_rate", "schedule", "warmup"),
        *("batch_size", "accumulation"),
    ),
    "Adapter": ("lora_rank", "lora_alpha", "lora_dropout", "lora_targets"),
    "Memory and speed": ("method", "max_length", "recompute", "frozen_weights", "processes"),
    "Optimiser": ("optimizer", "weight_decay", "label_smoothing"),
}
OTHER = "Other"
Form = dict[str, Any]


def groups() -> dict[str, list[str]]:
    """The names of the settings by group; one that has no group is in the last."""
    known = {name for names in GROUPS.values() for name in names}
    other = [n for n in RunConfig.model_fields if n not in known and n not in CHOSEN_ELSEWHERE]
    return {title: list(names) for title, names in GROUPS.items()} | {OTHER: other}


def settings_form(base: str) -> tuple[Form, dict[str, Any]]:
    """Lay out the form with what suits a base.

    Returns its fields and, for each group, where its mistakes are told.
    """
    defaults = parse_form(base, {})
    form: Form = {}
    troubles = {}
    for title, names in groups().items():
        gr.Markdown(f"### {title}")
        troubles[title] = gr.HTML(visible=False)
        with gr.Row(elem_classes="settings"):
            form |= {name: _field(name, getattr(defaults, name)) for name in names}
    return form, troubles


def form_names() -> list[str]:
    """The names of the form's fields, in its order."""
    return [name for names in groups().values() for name in names]


def values_of(config: RunConfig) -> list[Any]:
    """The values of the form's fields, in its order."""
    return [getattr(config, name) for name in form_names()]


def parse_form(base: str, settings: Mapping[str, object], **named: object) -> RunConfig:
    """What the form says, as settings of a run; raises `ConfigError`."""
    return RunConfig.parse({"corpus": "any", "version": 1, **settings, **named, "base": base})


def troubles_by_group(error: ConfigError) -> dict[str, str]:
    """What a `ConfigError` says of the settings of each group; of none, where it names none."""
    said: dict[str, str] = {}
    for title, names in groups().items():
        lines = [line for line in str(error).split("\n") if line.partition(":")[0] in names]
        if lines:
            said[title] = "\n".join(lines)
    return said


def choices_of(name: str) -> Sequence[str]:
    """What a setting may be, where it is one of a few words."""
    kind = RunConfig.model_fields[name].annotation
    return get_args(kind) if get_origin(kind) is not None and _worded(kind) else ()


def _worded(kind: Any) -> bool:
    return all(isinstance(choice, str) for choice in get_args(kind))


def _field(name: str, value: Any) -> Any:
    shown: dict[str, Any] = {
        "label": name.replace("_", " ").capitalize().replace("Lora", "LoRA"),
        "info": RunConfig.model_fields[name].description,
        "min_width": 260,
        "interactive": True,
    }
    if isinstance(value, bool):
        return gr.Checkbox(value, **shown)
    if choices := choices_of(name):
        return (gr.Radio if len(choices) < 4 else gr.Dropdown)(list(choices), value=value, **shown)
    if isinstance(value, int):
        return gr.Number(value, precision=0, **shown)
    return gr.Number(value, step=0.0001 if value < 0.01 and value else 0.05, **shown)
