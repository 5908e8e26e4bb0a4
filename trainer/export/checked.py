"""What came of asking an export, kept beside it; it is read without a framework."""

import math
from pathlib import Path

import pydantic
from pydantic import Field

from trainer.export.kinds import Kind

FILE = "check.json"
_NEAR = math.log(2)  # of two words, one no more than twice as likely: rounding may decide
_MOST_FAR = 0.25  # of the answers may part where rounding hardly decides


class Parting(pydantic.BaseModel, frozen=True):
    """A question to which an export answers otherwise, and the word at which the two part.

    The chances are the preview's for its own word and for the export's; None: hardly any.
    """

    question: str = Field("", exclude=True)  # it is of the corpus, which does not go along
    words: int  # that both begin with
    preview_says: str
    preview_chance: float
    export_says: str
    export_chance: float | None

    @property
    def near(self) -> bool:
        """Whether the preview itself was torn between the two words."""
        other = self.export_chance
        return bool(other) and math.log(self.preview_chance / (other or 1)) <= _NEAR

    @property
    def sentence(self) -> str:
        """Where the two part, and why."""
        other = f"{self.export_chance:.0%}" if self.export_chance else "next to nothing"
        why = "so near that rounding decides" if self.near else "so it is more than rounding"
        what = f"To '{self.question}'" if self.question else "To one question"
        return (
            f"{what} it parts after {self.words} "
            f"{'word' if self.words == 1 else 'words'}: the preview gave {self.preview_says!r} "
            f"{self.preview_chance:.0%} and {self.export_says!r} {other}, {why}."
        )


class Checked(pydantic.BaseModel, frozen=True):
    """What came of asking an export; written to `check.json` beside it.

    `unchecked` says why nobody could ask it here; the numbers are None then.
    """

    kind: Kind
    asked: int = 0
    partings: tuple[Parting, ...] = ()
    prompts_differ: int = 0
    spoke: str = ""
    load_seconds: float | None = None
    words_per_second: float | None = None
    unchecked: str = ""

    @property
    def equal(self) -> int:
        """How many answers are, word for word, the preview's."""
        return self.asked - len(self.partings)

    @property
    def strange(self) -> bool:
        """Whether it is another model than the preview, and not only rounded otherwise."""
        far = sum(not parting.near for parting in self.partings)
        return bool(self.prompts_differ) or far > _MOST_FAR * self.asked

    @property
    def public(self) -> "Checked":
        """The same without questions, as it goes along with an export."""
        return Checked.model_validate(self.model_dump())

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a person should know of it, the result first."""
        if self.unchecked:
            return (f"Not checked here: {self.unchecked}",)
        told = [
            f"Loaded again by {self.spoke}, it gave {self.equal} of {self.asked} answers word for "
            "word as the preview does."
        ]
        if self.prompts_differ:
            told.append(
                f"{self.prompts_differ} of the questions reach it in other tokens than in the "
                "preview: its template or its tokenizer is not the same."
            )
        return (*told, *(parting.sentence for parting in self.partings))


def read_checked(folder: Path) -> Checked | None:
    """What came of asking the export in a folder; None where there is no whole one."""
    try:
        return Checked.model_validate_json((folder / FILE).read_bytes())
    except (OSError, pydantic.ValidationError):
        return None
