"""What the chat is made of, with no interface and no framework in sight."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import PurePath
from typing import Literal, Protocol, Self, TypedDict
from uuid import uuid4

import pydantic
from pydantic import Field

from trainer.config import explain
from trainer.corpus.library import Corpus
from trainer.errors import ConfigError
from trainer.facts.flag import Flag
from trainer.runs import Run, Runs
from trainer.sampling import Sampling

MOST_CHARACTERS = 2_000  # of a question
Why = Literal[
    "far", "rated down", "flagged"
]  # that a question is open: by us, a visitor, its owner


class Message(TypedDict):
    """One message, in the shape that chat templates and Gradio's Chatbot both speak."""

    role: Literal["system", "user", "assistant"]
    content: str


class Kept(pydantic.BaseModel, frozen=True, extra="forbid"):
    """What the store keeps."""


class Side(Kept):
    """Who answers in a column: a base, or a base with the adapter of a run."""

    base: str
    quantization: str = "nf4"
    run: str | None = None

    @property
    def name(self) -> str:
        """What to call it on the screen."""
        return self.run or self.base

    @property
    def served_as(self) -> str:
        """Its name as a model of an API, which tells no folder of the machine."""
        return self.run or (PurePath(self.base).name if PurePath(self.base).root else self.base)

    @property
    def bare(self) -> "Side":
        """The base of this side."""
        return self.model_copy(update={"run": None})


class ChatSettings(Sampling):
    """How a conversation is held."""

    system: str = Field("", max_length=4_000, description="Said to the model before everything.")
    remember: bool = Field(
        False,
        description="Let each side see its own answers before. Off, each question stands alone, "
        "as in tuning and in the scores.",
    )

    @classmethod
    def parse(cls, settings: Mapping[str, object]) -> Self:
        """Build settings from a form or a command line; raises `ConfigError`."""
        try:
            return cls.model_validate(settings)
        except pydantic.ValidationError as error:
            raise ConfigError(explain(error, cls)) from None


class Proof(Kept):
    """What produced an answer, and how fast. `proven`: the weights were checked before it began."""

    base: str
    quantization: str
    held: str  # how the base is in memory: "4-bit", "bfloat16", ...
    run: str | None
    adapter: str | None  # the sha256 of the adapter's weights; None: the bare base
    settings: ChatSettings
    proven: bool
    together: bool  # in one batch with others: the other side, or other people's questions
    ended: Literal["by itself", "at the limit", "stopped"]
    tokens: int
    prompt: int = 0  # tokens that were read before the first one was said
    waited: float  # seconds until it was its turn, loading included
    first_word: float  # seconds from then to the first word
    seconds: float  # from then to the last word

    def words_per_second(self, text: str) -> float:
        """How fast the words of its answer came, after the first."""
        words, writing = len(text.split()), self.seconds - self.first_word
        return (words - 1) / writing if words > 1 and writing > 0 else 0.0


class Beside(Kept):
    """The approved answer that comes nearest to an answer, and where the two part.

    `asked` is set where looking the question up finds another approved answer than this one.
    """

    question: str
    answer: str
    similarity: float  # cosine of the two answers
    flags: tuple[Flag, ...]  # where they part
    asked: str | None = None
    far: bool = False  # no approved question or answer is near the question


class Reply(Kept):
    """What one side answered."""

    text: str
    proof: Proof
    beside: Beside | None = None


class Exchange(Kept):
    """One question and the reply of each side. `swapped`: shown right to left, in a blind vote."""

    id: str = Field(default_factory=lambda: uuid4().hex)
    question: str
    replies: tuple[Reply, ...]
    swapped: bool = False


class Conversation(Kept):
    """What was asked of one or two sides, in order. `corpus` is the name of the runs' corpus."""

    id: str = Field(default_factory=lambda: uuid4().hex)
    name: str
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))
    updated: datetime = Field(default_factory=lambda: datetime.now(UTC))
    corpus: str | None = None
    sides: tuple[Side, ...]
    settings: ChatSettings = ChatSettings()
    blind: bool = False
    exchanges: tuple[Exchange, ...] = ()

    @classmethod
    def between(
        cls,
        sides: Sequence[Side],
        runs: Runs,
        settings: ChatSettings,
        *,
        question: str = "",
        blind: bool = False,
    ) -> Self:
        """A conversation in which nothing was asked yet, named after the question to come."""
        tuned = [run for side in sides if (run := runs.find(side.run))]
        return cls(
            name=name_after(question),
            corpus=tuned[-1].config.corpus if tuned else None,
            sides=tuple(sides),
            settings=settings,
            blind=blind,
        )

    @property
    def swaps_next(self) -> bool:
        """Whether the next exchange is shown right to left: half of those in a blind vote are."""
        drawn = sha256(f"{self.id} {len(self.exchanges)}".encode()).digest()
        return self.blind and drawn[0] % 2 == 1

    def tuned_reply(self, exchange: Exchange) -> Reply | None:
        """What the tuned model said; of two, the one on the right."""
        told = zip(self.sides, exchange.replies, strict=True)
        return next((reply for side, reply in reversed([*told]) if side.run), None)

    def before(self, exchange: Exchange) -> Self:
        """This conversation as it was when one of its exchanges was asked."""
        place = [earlier.id for earlier in self.exchanges].index(exchange.id)
        settings = exchange.replies[0].proof.settings
        return self.model_copy(update={"exchanges": self.exchanges[:place], "settings": settings})

    def asks(self, question: str) -> tuple["Asked", ...]:
        """What each side is asked by the next question: with its own memory, if it has one."""
        told = self.exchanges if self.settings.remember else ()
        asked = []
        for place, side in enumerate(self.sides):
            messages: list[Message] = []
            if self.settings.system.strip():
                messages.append({"role": "system", "content": self.settings.system.strip()})
            for exchange in told:
                messages.append({"role": "user", "content": exchange.question})
                messages.append({"role": "assistant", "content": exchange.replies[place].text})
            messages.append({"role": "user", "content": question})
            asked.append(Asked(side, tuple(messages), self.settings))
        return tuple(asked)


@dataclass(frozen=True)
class Asked:
    """What one side is to answer. `stop` ends this answer alone, while those beside it go on."""

    side: Side
    messages: Sequence[Message]
    settings: ChatSettings
    stop: threading.Event | None = None


@dataclass(frozen=True)
class Answer:
    """How far an answer has come. Its proof comes with its end."""

    text: str = ""
    proof: Proof | None = None
    doing: str = ""  # what is done before the first word: waiting, loading, reading


class Chat(Protocol):
    """Whoever answers: a host of models, or a test's script."""

    def answer(self, asked: Sequence[Asked], stop: threading.Event) -> Iterator[tuple[Answer, ...]]:
        """Yield how far the answers are, each time one has grown; at last all have their proof.

        `stop` ends them after the next word; so does closing the iterator. Raises `UserError`.
        """


class FindBeside(Protocol):
    """Whoever knows the approved answers of a corpus."""

    def __call__(self, corpus: Corpus, question: str, answer: str) -> Beside | None:
        """The approved answer nearest to an answer; None where the corpus holds no answers."""


def checked(question: str, most: int = MOST_CHARACTERS) -> str:
    """A question as it is asked; raises `ConfigError` for none, and for more than is read."""
    question = question.strip().encode(errors="replace").decode()  # no half of a character
    if not question:
        raise ConfigError("There is no question. Type one.")
    if len(question) > most:
        raise ConfigError(
            f"The question has {len(question):,} characters, and at most {most:,} are read. "
            "Shorten it."
        )
    return question


def name_after(question: str, most: int = 60) -> str:
    """What to call a conversation that begins with a question."""
    words = " ".join(question.split())
    words = words if len(words) <= most else words[:most].rstrip() + "…"
    return words or "New conversation"


def tuned(run: Run) -> Side:
    """The tuned model of a run."""
    config = run.config
    return Side(base=config.base, quantization=config.quantization, run=run.id)
