"""A run is a directory. Everything there is to know about it is in there.

runs/2026-11-20-141530-banking-3f9a/
    config.json     the settings, fixed at creation
    split.json      who is taught and who is asked, copied from the corpus version
    events.jsonl    what happened, appended by the worker
    output.log      the worker's stdout and stderr
    lock            held by the worker for as long as it lives
    queued          present while it waits for a device; holds its place
    room            held free on the disk for the last word, while a worker lives
    stop            present once someone has asked for a stop
    checkpoints/    where it can go on after a stop or a crash
    adapter/        the result, renamed into place only when complete
    evaluations/    each a directory of the same kind, with report.json as its result
"""

import json
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

import pydantic
from pydantic import Field

from trainer.config import RunConfig
from trainer.corpus.examples import Example
from trainer.corpus.library import Corpora, Corpus
from trainer.corpus.split import Split
from trainer.errors import CorpusError, DeviceBusy, NotFound, warn_once
from trainer.fingerprint import WEIGHTS, fingerprint
from trainer.report import Report, Task
from trainer.work import State, Work, write_place


class EvaluationConfig(pydantic.BaseModel, frozen=True, extra="forbid"):
    """What decides the outcome of an evaluation, fixed when it is created."""

    embedder: str = Field(
        "sentence-transformers/all-MiniLM-L6-v2",
        description="Hub id or folder of the embedding model that judges similarity.",
    )
    task: Task | Literal["auto"] = Field(
        "auto", description="What the corpus is for; auto: recognised from its texts."
    )
    file: str | None = Field(
        None, description="The test file whose questions are asked, not those of the split."
    )
    checks: bool = Field(
        True, description="Ask what shows overfitting, forgetting and bias, too: twice the time."
    )
    most_new_tokens: int = Field(160, ge=1, le=2048)
    batch_size: int = Field(64, ge=1, le=256)
    seed: int = Field(17, ge=0, lt=2**32, description="Fixes which questions the checks draw.")


@dataclass(frozen=True)
class Evaluation(Work):
    """The scores of base, tuned, retrieval and lookup on the held-out questions of one run."""

    @property
    def run(self) -> "Run":
        """The run whose adapter is scored."""
        return Run(self.path.parent.parent)

    @property
    def config(self) -> EvaluationConfig:
        """The settings it was created with."""
        return EvaluationConfig.model_validate_json((self.path / "config.json").read_bytes())

    @property
    def cut_off(self) -> bool:
        """Whether it ended before its end, so that it can go on with the answers it has."""
        return self.state() in (State.STOPPED, State.FAILED, State.LOST)

    @property
    def report_path(self) -> Path:
        """Where the report is, once there is one."""
        return self.path / "report.json"

    def report(self) -> Report | None:
        """The result, once it is complete."""
        try:
            found = self.report_path.stat()
        except FileNotFoundError:
            return None
        return _read_report(self.report_path, found.st_mtime_ns)

    @property
    def examples(self) -> tuple[Example, ...]:
        """The questions of the test file it was created with; none where the split is asked."""
        if not self.config.file:
            return ()
        lines = (self.path / "questions.jsonl").read_text(encoding="utf-8").split("\n")
        return tuple(Example(**json.loads(line)) for line in lines if line)


@dataclass(frozen=True)
class Run(Work):
    """One tuning, from settings to adapter."""

    @property
    def config(self) -> RunConfig:
        """The settings the run was created with."""
        return RunConfig.model_validate_json((self.path / "config.json").read_bytes())

    @property
    def split(self) -> Split:
        """The split the run was created with."""
        return Split.model_validate_json((self.path / "split.json").read_bytes())

    @property
    def corpus(self) -> Corpus:
        """The corpus version the run learns from, in the workspace the run belongs to."""
        config = self.config
        return Corpus(self.path.parent.parent / "corpora" / config.corpus / str(config.version))

    @property
    def adapter(self) -> Path:
        """Where the adapter is, once there is one.

        Whoever was killed while an adapter took the place of another left the other beside it.
        """
        place, before = self.path / "adapter", self.path / "adapter.before"
        return before if before.is_dir() and not place.is_dir() else place

    @property
    def has_adapter(self) -> bool:
        """Whether there is a complete adapter."""
        return self.adapter.is_dir()

    @property
    def adapter_hash(self) -> str:
        """The sha256 of the adapter's weights and of how they are added to a base.

        It names the tuned model without doubt: weights alone do not say how much they count.
        """
        if not (self.adapter / WEIGHTS).is_file():
            raise NotFound(f"Run '{self.id}' has no adapter: it is {self.state()}.")
        return fingerprint(self.adapter)

    @property
    def size(self) -> int:
        """How much disk it takes, with all it left, in bytes."""
        return sum(file.lstat().st_size for file in self.path.rglob("*") if file.is_file())

    @property
    def parent(self) -> "Run | None":
        """The run whose adapter this one began with, if it did and if that is still there."""
        return Runs(self.path.parent).find(self.config.continues)

    def unfinished(self) -> Work | None:
        """The run itself or an evaluation of it, whichever is at work, or else waits."""
        left = [w for w in (self, *self.evaluations()) if not w.state().over]
        return min(left, key=lambda work: not work.alive, default=None)

    def create_evaluation(
        self,
        config: EvaluationConfig | None = None,
        *,
        place: float | None = None,
        examples: Sequence[Example] = (),
    ) -> Evaluation:
        """Make the directory of a new evaluation and fix its settings; with a place, it waits.

        `examples` are what a test file holds, where the settings name one.
        """
        folder, files = self.path / "evaluations", {}
        if examples:
            lines = (json.dumps(asdict(example), ensure_ascii=False) for example in examples)
            files["questions.jsonl"] = "".join(line + "\n" for line in lines)
        config = config or EvaluationConfig()
        return Evaluation(_create(folder, _stamp(), config, files, place=place))

    def evaluations(self) -> Sequence[Evaluation]:
        """Every evaluation of this run, newest first."""
        configs = self.path.glob("evaluations/[!.]*/config.json")
        return sorted((Evaluation(c.parent) for c in configs), key=lambda e: e.id, reverse=True)

    def evaluation(self) -> Evaluation | None:
        """The newest evaluation that has a report; one on a test file only where there is no other.

        What was asked of a file is another thing than the scores of the run.
        """
        wanted = sorted(self.evaluations(), key=lambda e: e.config.file is not None)
        return next((e for e in wanted if e.report()), None)


class Runs:
    """The runs of one workspace, newest first."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(
        self,
        config: RunConfig,
        split: Split,
        *,
        place: float | None = None,
        now: datetime | None = None,
    ) -> Run:
        """Make the directory of a new run, fix its settings and split; with a place, it waits."""
        name = f"{_stamp(now)}-{config.corpus}"
        files = {"split.json": split.model_dump_json(indent=1)}
        return Run(_create(self.root, name, config, files, place=place))

    def get(self, run_id: str) -> Run:
        """Find a run by its id, or the newest by `latest`."""
        if run_id == "latest" and (runs := self.list()):
            return runs[0]
        if run := self.find(run_id):
            return run
        known = ", ".join(r.id for r in self.list()[:3]) or "none yet"
        raise NotFound(f"There is no run called '{run_id}'. The latest runs are: {known}.")

    def find(self, run_id: str | None) -> Run | None:
        """The run of that id, or None: what a page shows may have been deleted since."""
        if not run_id or Path(run_id).name != run_id:
            return None
        run = Run(self.root / run_id)
        return run if (run.path / "config.json").is_file() and _readable(run) else None

    def list(self) -> Sequence[Run]:
        """Every run, newest first; one that cannot be read is left out, with a warning."""
        found = (Run(path.parent) for path in self.root.glob("[!.]*/config.json"))
        return sorted(filter(_readable, found), key=_when, reverse=True)

    def of_corpus(self, name: str) -> Sequence[Run]:
        """The runs that learnt from a corpus, newest first."""
        return [run for run in self.list() if run.config.corpus == name]

    def active(self) -> Work | None:
        """The run or the evaluation whose worker is alive, if any; of several, the newest."""
        for run in self.list():
            if run.alive:
                return run
            if evaluation := next((e for e in run.evaluations() if e.alive), None):
                return evaluation
        return None

    def waiting(self) -> Sequence[Work]:
        """The runs and evaluations that wait for a device, the next one first."""
        runs = filter(_readable, [Run(mark.parent) for mark in self.root.glob("[!.]*/queued")])
        scorings = [Evaluation(m.parent) for m in self.root.glob("[!.]*/evaluations/[!.]*/queued")]
        places = [(work.place, work) for work in (*runs, *scorings)]
        waiting = [(place, work) for place, work in places if place is not None]
        return [work for _, work in sorted(waiting, key=lambda pair: (pair[0], pair[1].id))]

    def delete(self, run: Run) -> int:
        """Delete a run and all it left, unless it is at work; returns the bytes that are free."""
        if run.alive or any(evaluation.alive for evaluation in run.evaluations()):
            raise DeviceBusy(f"Run '{run.id}' is at work. Stop it first: tandem stop {run.id}.")
        free = run.size
        gone = run.path.rename(run.path.with_name(f".deleted-{run.id}"))
        shutil.rmtree(gone)
        return free


def delete_corpus(corpora: Corpora, name: str, runs: Runs) -> int:
    """Delete a corpus unless runs still need it; returns the bytes that are free now."""
    if needed := [run.id for known in corpora.names(name) for run in runs.of_corpus(known)]:
        more = f" and {len(needed) - 3} more" if len(needed) > 3 else ""
        raise CorpusError(
            f"'{name}' is needed by {', '.join(needed[:3])}{more}: their scores and chats go back "
            f"to it. Delete them first: tandem delete {needed[0]}."
        )
    return corpora.delete(name)


def _when(run: Run) -> tuple[str, int]:
    """The second in which it was created, by its name, and the order within that second."""
    try:
        return run.id[:17], (run.path / "config.json").stat().st_mtime_ns
    except FileNotFoundError:  # deleted while it was listed
        return run.id[:17], 0


def _readable(run: Run) -> bool:
    try:
        return bool(run.config)
    except (OSError, pydantic.ValidationError):
        warn_once(f"{run.path / 'config.json'} cannot be read; the run is left out.")
        return False


def _create(
    folder: Path,
    name: str,
    config: pydantic.BaseModel,
    files: Mapping[str, str],
    *,
    place: float | None,
) -> Path:
    while True:
        path = folder / f"{name}-{secrets.token_hex(2)}"
        if not path.exists():  # of 64 runs made in one second, two draw one number at times
            break
    partial = path.with_name(f".{path.name}")
    partial.mkdir(parents=True)
    try:
        (partial / "config.json").write_text(config.model_dump_json(indent=1))
        for file, text in files.items():
            (partial / file).write_text(text, encoding="utf-8")
        if place is not None:
            write_place(partial, place)
        return partial.rename(path)
    except OSError:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _stamp(now: datetime | None = None) -> str:
    return (now or datetime.now()).strftime("%Y-%m-%d-%H%M%S")


@lru_cache(maxsize=16)
def _read_report(path: Path, modified_ns: int) -> Report | None:
    try:
        return Report.model_validate_json(path.read_bytes())
    except pydantic.ValidationError:
        warn_once(f"{path} is of another version of Tandem or damaged; score the run again.")
        return None
