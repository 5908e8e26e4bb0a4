"""The corpora of a workspace, each in versions that never change.

corpora/banking/1/
    corpus.json       where it came from, how it was read and cleaned, what changed
    uploads/          the files as they were given, byte for byte
    examples.jsonl    what was read from them
    split.json        who is taught and who is asked
    neighbours.json   which questions and answers say nearly the same
    audit.json        what was found wrong
corpora/banking/kept.json   findings a person decided to keep as they are
"""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import pydantic

from trainer.bundled import sample_corpora
from trainer.config import NAME
from trainer.corpus.changes import describe_change
from trainer.corpus.examining import Tell, examine
from trainer.corpus.examples import Example, distinct, identify
from trainer.corpus.findings import Audit, Choice, Item, Problem, apply_choice
from trainer.corpus.near import Judge, Neighbours
from trainer.corpus.origin import Origin, Upload
from trainer.corpus.reading import Choices, read_corpus
from trainer.corpus.split import Pile, Split
from trainer.errors import CorpusError, NotFound, disk_full_told, warn_once


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

    @cached_property
    def neighbours(self) -> Neighbours:
        """Which questions and answers say nearly the same."""
        return Neighbours.model_validate_json((self.path / "neighbours.json").read_bytes())

    @property
    def audit(self) -> Audit:
        """What is wrong with it, less what a person decided to keep."""
        found = Audit.model_validate_json((self.path / "audit.json").read_bytes())
        return found.without(_kept(self.path.parent))

    def pile(self, pile: Pile, split: Split | None = None) -> tuple[Example, ...]:
        """The examples of one pile, repeats left out."""
        ids = set(getattr(split or self.split, pile))
        return distinct(e for e in self.examples if e.id in ids)


class Corpora:
    """The corpora of one workspace.

    `judge` opens the embedding model that finds questions of one meaning; without it, questions
    are compared by their words alone.
    """

    def __init__(self, root: Path, judge: Callable[[], Judge] | None = None) -> None:
        self.root = root
        self._judge = judge

    def list(self) -> Sequence[Corpus]:
        """The latest version of every corpus, by name."""
        names = sorted(
            {
                folder.name
                for folder in self.root.glob("*/")
                if re.match(NAME, folder.name) and not folder.is_symlink()
            }
        )
        return [found[-1] for name in names if (found := self.versions(name))]

    def versions(self, name: str) -> Sequence[Corpus]:
        """Every version of a corpus that can be read, oldest first."""
        folder = (self.root / _check_name(name)).resolve()
        found = [Corpus(f.parent) for f in folder.glob("*/corpus.json") if f.parent.name.isdigit()]
        return sorted(filter(_readable, found), key=lambda corpus: corpus.version)

    def get(self, label: str) -> Corpus:
        """Find a corpus by `name` or `name@version`; a sample is taken in at its first use."""
        name, _, version = label.partition("@")
        versions = self.versions(name) if re.match(NAME, name) else []
        if not versions and not version and name in sample_corpora():
            return self.add(sample_corpora()[name])
        for corpus in reversed(versions):
            if not version or str(corpus.version) == version:
                return corpus
        known = ", ".join(c.label for c in self.list()) or "none yet"
        samples = ", ".join(sample_corpora())
        raise NotFound(
            f"There is no corpus called '{label}'. In this workspace: {known}; samples: {samples}. "
            "Or give the path of a file of questions and answers."
        )

    def add(
        self,
        *files: Path,
        name: str | None = None,
        choices: Choices | None = None,
        tell: Tell | None = None,
    ) -> Corpus:
        """Read files and keep them as a new version of a corpus; raises `CorpusError`.

        Files whose latest version was read from the same bytes in the same way are that version.
        """
        choices = choices or Choices()
        if twice := {f.name for f in files if [g.name for g in files].count(f.name) > 1}:
            raise CorpusError(f"Two files are called '{twice.pop()}'. Rename one of them.")
        name = _check_name(name or _slug(files[0].stem))
        if tell:
            tell("Reading", 0)
        reading = read_corpus(*files, choices=choices)
        uploads = tuple(
            Upload(file=f.name, sha256=hashlib.sha256(f.read_bytes()).hexdigest()) for f in files
        )
        before = next(iter(self.versions(name)[-1:]), None)
        if before and (before.origin.uploads, before.origin.choices) == (uploads, choices):
            return before
        origin = Origin.of(reading, uploads, choices, f"read from {_and(f.name for f in files)}")
        return self._keep(name, origin, reading.examples, before, files, tell)

    def revise(
        self,
        corpus: Corpus,
        examples: Sequence[Example],
        change: str = "",
        *,
        tell: Tell | None = None,
    ) -> Corpus:
        """Keep an edited list of examples as the next version; `change` says what was done."""
        if not examples:
            raise CorpusError("Nothing would be left of the corpus. Delete it instead.")
        latest = self.versions(corpus.name)[-1]
        change = change or describe_change(corpus.examples, examples)
        if corpus != latest:
            change += f" (from version {corpus.version})"
        origin = corpus.origin.model_copy(update={"change": change, "notes": ()})
        return self._keep(corpus.name, origin, examples, latest, (), tell)

    def decide(
        self,
        corpus: Corpus,
        problem: Problem,
        items: Sequence[Item],
        choice: Choice,
        *,
        tell: Tell | None = None,
    ) -> Corpus:
        """Act on findings: `keep` is remembered, everything else makes a new version."""
        if choice not in problem.choices:
            raise CorpusError(f"'{choice}' is no choice for '{problem.kind}'.")
        if choice == "keep":
            folder = corpus.path.parent
            kept = _kept(folder) | {item.key(problem.kind) for item in items}
            _write_whole(folder / "kept.json", json.dumps(sorted(kept)))
            return corpus
        examples = apply_choice(corpus.examples, problem, items, choice)
        done = {"drop": "dropped", "merge": "merged", "mask": "masked"}[choice]
        return self.revise(corpus, examples, f"{problem.kind}: {len(items)} {done}", tell=tell)

    def merge(self, into: Corpus, other: Corpus, *, tell: Tell | None = None) -> Corpus:
        """Add another corpus's examples to a corpus, as its next version."""
        if into.origin.task != other.origin.task:
            raise CorpusError(
                f"'{into.name}' holds {into.origin.task} and '{other.name}' {other.origin.task}; "
                "they cannot be one corpus."
            )
        added = [replace(e, part=e.part or other.name) for e in other.examples]
        examples = identify((*into.examples, *added))
        return self.revise(into, examples, f"merged with {other.label}", tell=tell)

    def rename(self, name: str, new: str) -> None:
        """Give a corpus another name; runs and commands find it under its old one as well."""
        folder = self.get(name).path.parent
        _check_name(new)
        if (self.root / new).exists() or new in sample_corpora():
            raise CorpusError(f"There is a corpus called '{new}' already. Choose another name.")
        for alias in self._aliases(folder):
            alias.unlink()
            alias.symlink_to(new)
        folder.rename(self.root / new)
        folder.symlink_to(new)

    def delete(self, name: str) -> int:
        """Delete a corpus with all its versions; returns the bytes that are free now.

        Whether runs still need it is for `runs.delete_corpus` to check.
        """
        folder = self.get(name).path.parent
        freed = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        for alias in self._aliases(folder):
            alias.unlink()
        gone = Path(tempfile.mkdtemp(dir=self.root, prefix=".deleted-"))
        folder.rename(gone / folder.name)
        shutil.rmtree(gone)
        return freed

    def names(self, name: str) -> Sequence[str]:
        """The name of a corpus and those it had before."""
        folder = self.get(name).path.parent
        return [folder.name, *(alias.name for alias in self._aliases(folder))]

    def _aliases(self, folder: Path) -> Sequence[Path]:
        return [a for a in self.root.iterdir() if a.is_symlink() and a.resolve() == folder]

    def _keep(
        self,
        name: str,
        origin: Origin,
        examples: Sequence[Example],
        before: Corpus | None,
        files: Sequence[Path],
        tell: Tell | None,
    ) -> Corpus:
        """Find neighbours, split, audit, and rename the whole version into place at the end."""
        found = examine(
            examples,
            task=origin.task,
            judge=self._judge() if self._judge else None,
            leak_check=origin.choices.leak_check,
            before=before.split if before else None,
            tell=tell,
        )
        lines = "".join(json.dumps(asdict(e), ensure_ascii=False) + "\n" for e in examples)
        origin = origin.model_copy(
            update={
                "created": datetime.now(UTC),
                "examples": len(examples),
                "examples_sha256": hashlib.sha256(lines.encode()).hexdigest(),
            }
        )
        folder = (self.root / name).resolve()
        with disk_full_told(), _fresh_folder(folder) as into:
            (into / "uploads").mkdir()
            for file in files:
                shutil.copyfile(file, into / "uploads" / file.name)
            (into / "examples.jsonl").write_bytes(lines.encode())
            (into / "split.json").write_text(found.split.model_dump_json(indent=1))
            (into / "neighbours.json").write_text(found.neighbours.model_dump_json())
            (into / "audit.json").write_text(found.audit.model_dump_json(indent=1))
            (into / "corpus.json").write_text(origin.model_dump_json(indent=1))
            return self._place(into, folder, origin, before.version + 1 if before else 1)

    def _place(self, into: Path, folder: Path, origin: Origin, version: int) -> Corpus:
        while True:
            try:
                into.rename(folder / str(version))
                return Corpus(folder / str(version))
            except OSError:
                if not (folder / str(version)).exists():
                    raise
                there = Corpus(folder / str(version))
                if there.origin.examples_sha256 == origin.examples_sha256:
                    return there  # two tabs took in one file
                version += 1


@contextmanager
def _fresh_folder(beside: Path) -> Iterator[Path]:
    beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=beside, prefix=".partial-") as partial:
        into = Path(partial) / "version"
        into.mkdir()
        yield into


def _kept(folder: Path) -> set[str]:
    try:
        return set(json.loads((folder / "kept.json").read_bytes()))
    except FileNotFoundError:
        return set()


def _write_whole(path: Path, text: str) -> None:
    with disk_full_told():
        partial = path.with_suffix(".partial")
        partial.write_text(text)
        partial.rename(path)


def _readable(corpus: Corpus) -> bool:
    try:
        return bool(corpus.origin)
    except (OSError, pydantic.ValidationError):
        warn_once(f"{corpus.path / 'corpus.json'} cannot be read; this version is left out.")
        return False


def _check_name(name: str) -> str:
    if not re.match(NAME, name):
        raise CorpusError(f"'{name}' cannot be a name: use a-z, 0-9 and hyphens.")
    return name


def _slug(stem: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:50]
    return slug or "corpus-" + hashlib.sha256(stem.encode()).hexdigest()[:6]


def _and(names: Iterator[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
