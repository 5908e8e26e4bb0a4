"""Where a version of a corpus came from, and how it was read."""

from datetime import UTC, datetime

import pydantic

from trainer.corpus.mapping import Mapping, Task
from trainer.corpus.reading import Choices, Reading


class Upload(pydantic.BaseModel, frozen=True):
    """One file as it was given."""

    file: str
    sha256: str


class ReadPart(pydantic.BaseModel, frozen=True):
    """One table of an upload, as it was read."""

    file: str
    name: str
    format: str
    encoding: str
    unit: str
    mapping: Mapping
    sure: bool
    pairs: int


class CleaningStep(pydantic.BaseModel, frozen=True):
    """What one step of the cleaning did; samples are (row, before, after)."""

    name: str
    changed: int
    dropped: int
    samples: tuple[tuple[int, str, str], ...] = ()


class Origin(pydantic.BaseModel, frozen=True):
    """Where a corpus version came from; written to `corpus.json`."""

    uploads: tuple[Upload, ...]
    choices: Choices = Choices()
    task: Task = "answers"
    parts: tuple[ReadPart, ...] = ()
    cleaning: tuple[CleaningStep, ...] = ()
    notes: tuple[str, ...] = ()
    change: str
    created: datetime
    examples: int
    examples_sha256: str

    @classmethod
    def of(
        cls, reading: Reading, uploads: tuple[Upload, ...], choices: Choices, change: str
    ) -> "Origin":
        """The origin of what was just read, but for what is known only when it is kept."""
        return cls(
            uploads=uploads,
            choices=choices,
            task=reading.task,
            parts=tuple(
                ReadPart(
                    file=part.file,
                    name=part.name,
                    format=part.table.format,
                    encoding=part.table.encoding,
                    unit=part.table.unit,
                    mapping=part.mapping,
                    sure=part.sure,
                    pairs=len(part.pairs),
                )
                for part in reading.used
                if part.mapping
            ),
            cleaning=tuple(
                CleaningStep(name=s.name, changed=s.changed, dropped=s.dropped, samples=s.samples)
                for s in reading.cleaning
            ),
            notes=reading.notes,
            change=change,
            created=datetime.now(UTC),
            examples=len(reading.examples),
            examples_sha256="",
        )
