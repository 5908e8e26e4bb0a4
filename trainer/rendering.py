"""What the model will see of a corpus: the filled-in template, what is taught, what is cut."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainer.chat_format import ChatFormat
from trainer.corpus.examples import Example


@dataclass(frozen=True)
class Rendered:
    """One example in a model's template: read, then taught; `cut` is beyond the length."""

    read: str
    taught: str
    cut: str
    tokens: int
    tokens_taught: int


@dataclass(frozen=True)
class Lengths:
    """Tokens of each example, template included, in the order given.

    `cut` and `untaught` are ids: answers that lose their end, and those of which nothing is left.
    """

    tokens: tuple[int, ...]
    cut: tuple[str, ...]
    untaught: tuple[str, ...]


def render_example(chat_format: ChatFormat, example: Example, max_length: int) -> Rendered:
    """Fill in the template as tuning does."""
    prompt, answer = chat_format.example(example.question, example.answer)
    room = max(0, max_length - len(prompt))
    decode = chat_format.tokenizer.decode
    return Rendered(
        read=str(decode(prompt)),
        taught=str(decode(answer[:room])),
        cut=str(decode(answer[room:])),
        tokens=len(prompt) + len(answer),
        tokens_taught=min(room, len(answer)),
    )


def measure_lengths(
    chat_format: ChatFormat, examples: Sequence[Example], max_length: int
) -> Lengths:
    """Count the tokens of every example and find those that do not fit."""
    tokens: list[int] = []
    cut: list[str] = []
    untaught: list[str] = []
    for example in examples:
        prompt, answer = chat_format.example(example.question, example.answer)
        tokens.append(len(prompt) + len(answer))
        if tokens[-1] > max_length:
            (untaught if len(prompt) >= max_length else cut).append(example.id)
    return Lengths(tuple(tokens), tuple(cut), tuple(untaught))
