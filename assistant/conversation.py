"""What the chat is made of, with no interface and no framework in sight."""

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol, TypedDict


class Message(TypedDict):
    """One message, in the shape that chat templates and Gradio's Chatbot both speak."""

    role: Literal["system", "user", "assistant"]
    content: str


class ChatModel(Protocol):
    """Anything that can answer: a base model, a tuned one, or a test's script."""

    @property
    def name(self) -> str:
        """What to call it on the screen."""

    @property
    def adapter(self) -> str | None:
        """The sha256 of the adapter that answers, None for the base alone."""

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        """Yield the answer piece by piece; the pieces joined are the whole answer."""


def write(model: ChatModel, messages: Sequence[Message]) -> Iterator[Message]:
    """Answer a conversation, yielding the answer as it grows."""
    answer = ""
    for piece in model.stream(messages):
        answer += piece
        yield Message(role="assistant", content=answer)
