"""Leave a tuned model in a folder for other tools: whole and asked again, or not at all.

FOLDER/
    ...               the files of that kind of export
    README.md         the model card, with how to use it
    check.json        how it answered beside the preview
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from trainer.checkpoints import flush
from trainer.errors import ConfigError, DeviceBusy, ModelError, NotFound, disk_full_told
from trainer.export.adapter import write_adapter
from trainer.export.asking import find_llama_cpp
from trainer.export.card import write_card
from trainer.export.check import check
from trainer.export.checked import FILE, Checked
from trainer.export.four_bit import refuse_four_bit, write_four_bit
from trainer.export.gguf import refuse_gguf, write_gguf
from trainer.export.kinds import Kind
from trainer.export.merged import write_merged
from trainer.export.preview import Preview, preview
from trainer.export.space import write_space
from trainer.locks import Lock, LockHeld
from trainer.runs import Run, Runs
from trainer.words import at_work

Tell = Callable[[str, float], None]  # what is done, and how far it all is, from 0 to 1
_WRITE: Mapping[Kind, Callable[[Run, Path], None]] = {
    "adapter": write_adapter,
    "merged": write_merged,
    "gguf": write_gguf,
    "4bit": write_four_bit,
    "space": write_space,
}


def export(
    run: Run,
    folders: Mapping[Kind, Path],
    *,
    tell: Tell = lambda what, share: None,
    llama_cpp: str | None = None,
    device: Lock | None = None,
) -> dict[Kind, Checked]:
    """Write exports of a run, each into a folder of its own, and say how each answered.

    `llama_cpp` is a Python that has llama-cpp-python, to try GGUF files with; `device` is the lock
    of a GPU, which chat and workers use in turns. Raises `UserError`, and leaves what is not whole
    or answers otherwise nowhere.
    """
    if not run.has_adapter:
        raise NotFound(f"Run '{run.id}' has no adapter: it is {run.state()}.")
    for kind, folder in folders.items():
        refuse_full(folder)
        refuse_kind(run, kind)
    llama_cpp = llama_cpp or find_llama_cpp()
    found: dict[Kind, Checked] = {}
    with _turn(run, device):
        tell("asking the preview", 0.0)
        said = preview(run)
        for place, (kind, folder) in enumerate(folders.items()):

            def told(what: str, share: float, place: int = place) -> None:
                tell(what, (1 + place + share) / (1 + len(folders)))

            found[kind] = _export(run, kind, folder, said, told, llama_cpp)
    tell("done", 1.0)
    return found


def refuse_kind(run: Run, kind: Kind) -> None:
    """Raise `UserError` for a kind of export that cannot be made of a run."""
    if kind == "gguf":
        refuse_gguf(run.config.base)
    elif kind == "4bit":
        refuse_four_bit(run)


def refuse_full(folder: Path) -> None:
    """Raise `ConfigError` for a folder that has something in it."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(
            f"{folder} is there already and not an empty folder. Name a new one, so that nothing "
            "is written over."
        )


@contextmanager
def _turn(run: Run, device: Lock | None) -> Iterator[None]:
    with ExitStack() as held:
        if device is not None:
            try:
                held.enter_context(device.claim())
            except LockHeld:
                busy = at_work(Runs(run.path.parent).active())
                raise DeviceBusy(f"{busy} Export again when that is over.") from None
        yield


def _export(
    run: Run, kind: Kind, folder: Path, said: Preview, tell: Tell, llama_cpp: str | None
) -> Checked:
    with whole_or_nothing(folder) as partial:
        tell(f"writing {kind}", 0.0)
        _WRITE[kind](run, partial)
        tell(f"asking {kind} again", 0.5)
        checked = check(run, kind, partial, said, llama_cpp=llama_cpp)
        _refuse_strange(kind, checked)
        (partial / FILE).write_text(checked.public.model_dump_json(indent=1), encoding="utf-8")
        write_card(run, kind, partial, checked.public)
    return checked


def _refuse_strange(kind: Kind, checked: Checked) -> None:
    """Throw away what answers otherwise than rounding explains."""
    if checked.strange:
        raise ModelError(
            f"The {kind} export answers otherwise than the preview, so it was thrown away. "
            + " ".join(checked.sentences)
        )


@contextmanager
def whole_or_nothing(folder: Path) -> Iterator[Path]:
    """A folder to write into that gets its name once all is in it, and is gone otherwise."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # of one that was killed
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with disk_full_told():
            yield partial
            for path in partial.rglob("*"):
                path.chmod(
                    0o755 if path.is_dir() else 0o644
                )  # safetensors are for their owner only
                flush(path)
            partial.rename(folder)
            flush(folder.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
