"""The form of a conversation's settings: every field of `ChatSettings`, with its help text."""

from typing import Any

import gradio as gr

from assistant.conversation import ChatSettings

Form = dict[str, Any]


def settings_section() -> Form:
    """Lay out the settings, folded; they hold for the next question."""
    bounds = ChatSettings.model_json_schema()["properties"]
    with gr.Accordion("Settings", open=False), gr.Row(elem_classes="settings"):
        return {name: _field(name, bounds[name]) for name in ChatSettings.model_fields}


def values_of(settings: ChatSettings) -> list[Any]:
    """The values of the form's fields, in its order."""
    return [getattr(settings, name) for name in ChatSettings.model_fields]


def _field(name: str, bounds: dict[str, Any]) -> Any:
    shown: dict[str, Any] = {
        "label": name.replace("_", " ").capitalize(),
        "info": bounds["description"],
        "value": bounds["default"],
        "min_width": 260,
        "interactive": True,
    }
    match bounds["type"]:
        case "boolean":
            return gr.Checkbox(**shown)
        case "string":
            return gr.Textbox(lines=3, max_lines=8, max_length=bounds["maxLength"], **shown)
        case "integer":
            return gr.Number(precision=0, **shown)
    least = bounds.get("minimum", 0.05)  # where 0 itself is excluded
    return gr.Slider(minimum=least, maximum=bounds["maximum"], step=0.05, **shown)
