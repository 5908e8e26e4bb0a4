"""The corpora of a workspace, each in versions that never change.

corpora/banking/1/
    corpus.json       where it came from and how it was read
    upload            the file as it was given, byte for byte
    examples.jsonl    what was read from it
    split.json        who is taught and who is asked
"""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import pydantic

from trainer.bundled import sample_corpora
from trainer.config import NAME
from trainer.corpus.examples import Example, distinct
from trainer.corpus.reading import read_corpus
from trainer.corpus.split import Pile, Split, split_examples
from trainer.errors import CorpusError, NotFound, warn_once

SPLIT_SEED = 17


class Origin(pydantic.BaseModel, frozen=True):
    """Where a corpus version came from; written to `corpus.json`."""

    file: str
    sha256: str
    format: str
    encoding: str
    mapping: dict[str, str | None]
    created: datetime
    examples: int


@dataclass(frozen=True)
class Corpus:
    """A handle on one version of a corpus."""

    path: Path

    @property
    def name(self) -> str:
        """What it is called in the workspace."""
        return self.path.parent.name

    @property
    def version(self) -> int:
        """Which version this is; versions count from 1."""
        return int(self.path.name)

    @property
    def label(self) -> str:
        """Name and version, as the command line takes them."""
        return f"{self.name}@{self.version}"

    @cached_property
    def origin(self) -> Origin:
        """Where it came from."""
        return Origin.model_validate_json((self.path / "corpus.json").read_bytes())

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """Every example, in the order of the file."""
        lines = (self.path / "examples.jsonl").read_text(encoding="utf-8").split("\n")
        return tuple(Example(**json.loads(line)) for line in lines if line)

    @cached_property
    def split(self) -> Split:
        """Who is taught and who is asked."""
        return Split.model_validate_json((self.path / "split.json").read_bytes())

    def pile(self, pile: Pile, split: Split | None = None) -> tuple[Example, ...]:
        """The examples of one pile, repeats left out."""
        ids = set(getattr(split or self.split, pile))
        return distinct(e for e in self.examples if e.id in ids)


class Corpora:
    """The corpora of one workspace."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def list(self) -> Sequence[Corpus]:
        """The latest version of every corpus, by name."""
        names = sorted({path.parent.parent.name for path in self.root.glob("*/*/corpus.json")})
        return [versions[-1] for name in names if (versions := self._versions(name))]

    def get(self, label: str) -> Corpus:
        """Find a corpus by `name` or `name@version`; a sample is taken in at its first use."""
        name, _, version = label.partition("@")
        versions = self._versions(name) if re.match(NAME, name) else []
        if not versions and not version and name in sample_corpora():
            return self.add(sample_corpora()[name])
        for corpus in reversed(versions):
            if not version or str(corpus.version) == version:
                return corpus
        known = ", ".join(c.label for c in self.list()) or "none yet"
        samples = ", ".join(sample_corpora())
        raise NotFound(
            f"There is no corpus called '{label}'. In this workspace: {known}; samples: {samples}. "
            "Or give the path of a CSV file."
        )

    def add(self, file: Path, *, name: str | None = None) -> Corpus:
        """Read a file and keep it as a new version of a corpus; raises `CorpusError`.

        A file whose latest version holds the same bytes is that version.
        """
        reading = read_corpus(file)
        name = name or _slug(file.stem)
        if not re.match(NAME, name):
            raise CorpusError(f"'{name}' cannot be a name: use a-z, 0-9 and hyphens.")
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        before = next(iter(self._versions(name)[-1:]), None)
        if before and before.origin.sha256 == sha256:
            return before

        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".partial-") as partial:
            into = Path(partial) / "version"
            into.mkdir()
            shutil.copyfile(file, into / "upload")
            with (into / "examples.jsonl").open("w", encoding="utf-8", newline="\n") as lines:
                for example in reading.examples:
                    lines.write(json.dumps(asdict(example), ensure_ascii=False) + "\n")
            seed = before.split.seed if before else SPLIT_SEED
            split = split_examples(
                reading.examples, seed=seed, before=before.split if before else None
            )
            (into / "split.json").write_text(split.model_dump_json(indent=1))
            origin = Origin(
                file=file.name,
                sha256=sha256,
                format=reading.format,
                encoding=reading.encoding,
                mapping=asdict(reading.mapping),
                created=datetime.now(UTC),
                examples=len(reading.examples),
            )
            (into / "corpus.json").write_text(origin.model_dump_json(indent=1))
            version = before.version + 1 if before else 1
            while True:
                try:
                    into.rename(folder / str(version))
                    break
                except OSError:
                    if not (folder / str(version)).exists():
                        raise
                    there = Corpus(folder / str(version))
                    if there.origin.sha256 == sha256:
                        return there  # two tabs took in one file
                    version += 1
        return Corpus(folder / str(version))

    def _versions(self, name: str) -> Sequence[Corpus]:
        files = (self.root / name).glob("*/corpus.json")
        found = [Corpus(f.parent) for f in files if f.parent.name.isdigit()]
        return sorted(filter(_readable, found), key=lambda corpus: corpus.version)


def _readable(corpus: Corpus) -> bool:
    try:
        return bool(corpus.origin)
    except (OSError, pydantic.ValidationError):
        warn_once(f"{corpus.path / 'corpus.json'} cannot be read; this version is left out.")
        return False


def _slug(stem: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:50]
    return slug or "corpus-" + hashlib.sha256(stem.encode()).hexdigest()[:6]
