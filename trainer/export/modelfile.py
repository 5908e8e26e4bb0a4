"""How Ollama is told to talk to a model: its own kind of template, stop words and settings.

Ollama's templates are Go's, so a chat template cannot be copied. It is taken apart by asking it for
a few conversations, put together in Go's words, and compared with the original.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.chat_format import ChatFormat
from trainer.models import Base
from trainer.sampling import GREEDY

_ASKED, _SAID, _NEXT, _SYSTEM = "QUESTION-1", "ANSWER-1", "QUESTION-2", "SYSTEM-1"


@dataclass(frozen=True)
class Parts:
    """What a chat template writes before and after what is said."""

    begin: str
    system: tuple[str, str] | None  # in place of `begin`
    user: tuple[str, str]
    assistant: tuple[str, str]
    ask: str
    faithful: bool  # whether longer conversations come out as the template writes them

    @property
    def go(self) -> str:
        """The same as a template of Go's."""
        begin = self.begin
        if self.system:
            before, after = self.system
            begin = f"{{{{ if .System }}}}{before}{{{{ .System }}}}{after}"
            begin += f"{{{{ else }}}}{self.begin}{{{{ end }}}}"
        asked, said = ("{{ .Content }}".join(pair) for pair in (self.user, self.assistant))
        return (
            f'{begin}{{{{ range .Messages }}}}{{{{ if eq .Role "user" }}}}{asked}'
            f'{{{{ else if eq .Role "assistant" }}}}{said}{{{{ end }}}}{{{{ end }}}}{self.ask}'
        )

    def render(self, messages: Sequence[Mapping[str, str]]) -> str:
        """What `go` writes for a conversation."""
        system = "".join(m["content"] for m in messages if m["role"] == "system")
        text = system.join(self.system) if self.system and system else self.begin
        for message in messages:
            if message["role"] != "system":
                text += message["content"].join(
                    self.user if message["role"] == "user" else self.assistant
                )
        return text + self.ask


def take_apart(chat_format: ChatFormat) -> Parts:
    """Find what a template writes around a question, an answer and a system message."""

    def write(*messages: Mapping[str, str], ask: bool = True) -> str:
        tokenizer: Any = chat_format.tokenizer
        return str(
            tokenizer.apply_chat_template(
                list(messages),
                tokenize=False,
                add_generation_prompt=ask,
                chat_template=chat_format.template,
            )
        )

    asked, said = {"role": "user", "content": _ASKED}, {"role": "assistant", "content": _SAID}
    more, told = {"role": "user", "content": _NEXT}, {"role": "system", "content": _SYSTEM}
    before, after = write(asked).split(_ASKED)
    closed = write(asked, ask=False).split(_ASKED)[1]
    closed = closed if after.startswith(closed) else ""
    ask = after.removeprefix(closed)
    starts, between = [before], ("", "")
    if chat_format.memory:
        _, between_text, rest = _cut(write(asked, said, more), _ASKED, _SAID, _NEXT)[:3]
        between = between_text.removeprefix(closed), rest
        starts.append(rest)
    if chat_format.system_role:
        opened, follows = _cut(write(told, asked), _SYSTEM, _ASKED)[:2]
        starts.append(follows)
    opens = _shared_end(starts)
    parts = Parts(
        begin=before.removesuffix(opens),
        system=(opened, follows.removesuffix(opens)) if chat_format.system_role else None,
        user=(opens, closed),
        assistant=(between[0], between[1].removesuffix(opens)),
        ask=ask,
        faithful=True,
    )
    talks = [[asked], *([[asked, said, more]] if chat_format.memory else [])]
    talks += [[told, *talk] for talk in talks] if chat_format.system_role else []
    faithful = all(parts.render(talk) == write(*talk) for talk in talks)
    return Parts(**{**vars(parts), "faithful": faithful})


def write_modelfile(base: Base, file: Path, weights: str) -> bool:
    """Write a Modelfile; whether its template writes just what the model's own does."""
    parts = take_apart(base.format)
    stops: Any = base.model.generation_config.eos_token_id
    words = [base.format.tokenizer.convert_ids_to_tokens(number) for number in stops]
    lines = [
        f"FROM ./{weights}",
        f'TEMPLATE """{parts.go}"""',
        *(f"PARAMETER stop {json.dumps(word, ensure_ascii=False)}" for word in words),
        "PARAMETER temperature 0",
        "PARAMETER repeat_penalty 1.0",
        f"PARAMETER num_predict {GREEDY.most_new_tokens}",
        f"PARAMETER num_ctx {min(base.model.config.max_position_embeddings, 4096)}",
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return parts.faithful


def _shared_end(texts: Sequence[str]) -> str:
    """The longest text that all of them end with."""
    shortest = min(texts, key=len)
    ends = (shortest[at:] for at in range(len(shortest)))
    return next((end for end in ends if all(text.endswith(end) for text in texts)), "")


def _cut(text: str, *marks: str) -> list[str]:
    """The text before each mark, after the one before it; and what is left."""
    pieces = []
    for mark in marks:
        piece, _, text = text.partition(mark)
        pieces.append(piece)
    return [*pieces, text]
