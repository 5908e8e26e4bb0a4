"""What a shared link is: the bot it opens, how its page looks, until when, and for how much."""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal, Self
from uuid import uuid4

import pydantic
from pydantic import Field, field_validator

from assistant.conversation import MOST_CHARACTERS, ChatSettings, Kept, Side
from trainer.config import explain
from trainer.errors import ConfigError

MOST_LOGO = 200_000  # bytes
_PICTURES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}

Needs = Literal["nothing", "password", "login"]


class Look(Kept):
    """What a visitor sees around the answers."""

    title: str = Field("", max_length=80, description="The name of the bot.")
    greeting: str = Field("", max_length=500, description="What it says first.")
    about: str = Field("", max_length=500, description="A line on what it is and isn't.")
    examples: tuple[str, ...] = Field((), max_length=6, description="Questions to begin with.")
    colour: str = Field(
        "#2f6f8f", pattern=r"^#[0-9a-fA-F]{6}$", description="Of the buttons and the upper line."
    )
    logo: str = Field("", max_length=MOST_LOGO * 4 // 3 + 4, description="A picture, in base64.")

    @field_validator("examples")
    @classmethod
    def _short(cls, examples: tuple[str, ...]) -> tuple[str, ...]:
        if any(not example.strip() or len(example) > 200 for example in examples):
            raise ValueError("an example question has between 1 and 200 characters")
        return examples

    @field_validator("logo")
    @classmethod
    def _picture(cls, logo: str) -> str:
        if logo and picture(logo) is None:
            raise ValueError("the logo is not a PNG, JPEG or WebP picture")
        return logo


class Limits(Kept):
    """How much may be asked through a link."""

    per_minute: int = Field(10, ge=1, le=600, description="Questions of one visitor a minute.")
    per_minute_of_all: int = Field(120, ge=1, le=10_000, description="Of all visitors a minute.")
    per_day: int = Field(2_000, ge=1, le=1_000_000, description="Of all visitors a day (UTC).")
    characters: int = Field(500, ge=20, le=MOST_CHARACTERS, description="Of a question.")


class Link(Kept):
    """A way to a tuned bot that can be taken back. `with_base`: the untuned model answers, too.

    `password` is a bcrypt hash; `people` are lines of `tandem password`, whoever logs in so may
    come in; without either, whoever has the link. `unsure_below` is the similarity to the nearest
    approved answer from which on an answer counts as sure; None where there is nothing to compare.
    """

    id: str = Field(default_factory=lambda: uuid4().hex)
    sides: tuple[Side, ...] = Field(min_length=1, max_length=2)
    look: Look = Look()
    limits: Limits = Limits()
    settings: ChatSettings = ChatSettings()
    unsure_below: float | None = None
    password: str = ""
    people: tuple[str, ...] = ()
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))
    expires: datetime = Field(default_factory=lambda: datetime.now(UTC) + timedelta(days=30))
    revoked: datetime | None = None

    @classmethod
    def parse(cls, given: Mapping[str, object]) -> Self:
        """Build a link from a form or a command line; raises `ConfigError`."""
        try:
            return cls.model_validate(given)
        except pydantic.ValidationError as error:
            raise ConfigError(explain(error, cls)) from None

    @property
    def run(self) -> str | None:
        """The run whose adapter answers."""
        return self.sides[-1].run

    @property
    def needs(self) -> Needs:
        """What a visitor has to know beside the link."""
        return "login" if self.people else "password" if self.password else "nothing"

    @property
    def over(self) -> str:
        """Why it opens nothing any more, in a sentence; empty while it does."""
        if self.revoked:
            return "This link was taken back. Ask whoever gave it to you for another one."
        if self.expires <= datetime.now(UTC):
            return "This link has run out. Ask whoever gave it to you for another one."
        return ""


class Use(Kept):
    """What was done with a link, counted; nobody's words and nobody's address."""

    day: str = ""  # of UTC, as 2026-11-26; empty for all days together
    asked: int = 0
    unsure: int = 0
    up: int = 0
    down: int = 0
    refused: int = 0  # by a limit


def encode_logo(content: bytes) -> str:
    """A picture as a link keeps it; raises `ConfigError` for one that is too large."""
    if len(content) > MOST_LOGO:
        raise ConfigError(
            f"The logo has {len(content):,} bytes, and at most {MOST_LOGO:,} are taken. Make it "
            "smaller."
        )
    return base64.b64encode(content).decode()


def picture(logo: str) -> tuple[bytes, str] | None:
    """The bytes of a logo and their media type; None for anything but a known kind of picture."""
    try:
        content = base64.b64decode(logo, validate=True)
    except (binascii.Error, ValueError):
        return None
    kind = next((kind for mark, kind in _PICTURES.items() if content.startswith(mark)), None)
    webp = kind != "image/webp" or content[8:12] == b"WEBP"
    return (content, kind) if kind and webp else None
