"""The Hub: what a model there is and how large, before a byte comes, and then with progress."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from trainer.cache import Cache
from trainer.errors import ModelError
from trainer.locks import Lock, LockHeld

WANTED = {".json", ".safetensors", ".jinja", ".model", ".txt"}
PIECE = 2**18  # bytes
BETWEEN = 0.2  # seconds from one word of progress to the next
PATIENCE = 15  # seconds until the Hub has to answer
SURE = 1  # seconds until its speed can be told
SPARE = 500e6  # bytes of the disk that a download leaves free


@dataclass(frozen=True)
class File:
    """A file of a model. `etag` names its content: a sha256, or git's sha1 of small files."""

    name: str
    size: int
    etag: str

    def digest(self) -> Any:
        """What to feed the content to, so that its hexdigest is the etag."""
        if len(self.etag) == 64:
            return hashlib.sha256()
        return hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)


@dataclass(frozen=True)
class Offer:
    """What the Hub has of a model, as far as it is of use here, at one commit; `here`: bytes."""

    hub_id: str
    commit: str
    files: Sequence[File]
    here: int

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Fetched:
    """How far a download has come."""

    done: int  # bytes, of all
    size: int
    speed: float  # bytes a second; 0 as long as nobody can know

    @property
    def share(self) -> float:
        """Of what is wanted, how much is here."""
        return self.done / max(1, self.size)

    @property
    def seconds_left(self) -> float | None:
        """None as long as nobody can know."""
        return (self.size - self.done) / self.speed if self.speed else None

    @property
    def sentence(self) -> str:
        """How far, how fast and how long still."""
        told = f"{self.done / 1e6:,.0f} of {self.size / 1e6:,.0f} MB"
        if self.seconds_left is None:
            return told
        return f"{told}, {self.speed / 1e6:.1f} MB/s, {_span(self.seconds_left)} left"


Refuse = Callable[[str, Sequence[str], Mapping[str, Any]], None]


class Hub:
    """Whoever speaks as the Hub does, and the cache that keeps what comes from it."""

    def __init__(self, endpoint: str | None = None, cache: Cache | None = None) -> None:
        """Take huggingface.co, or what HF_ENDPOINT names."""
        self._endpoint, self.cache = endpoint, cache or Cache()

    def look_up(self, hub_id: str, refuse: Refuse) -> Offer:
        """Ask what there is to fetch; raises `ModelError` where there is nothing of use.

        `refuse` raises it for files or a config.json that are of no use here.
        """
        from huggingface_hub import HfApi  # noqa: PLC0415 - only where the Hub is meant

        with _told(hub_id):
            info = HfApi(self._endpoint).model_info(hub_id, files_metadata=True, timeout=PATIENCE)
            siblings = info.siblings or []
            config = (
                json.loads(self._read(hub_id, str(info.sha), "config.json"))
                if any(file.rfilename == "config.json" for file in siblings)
                else {}
            )
        refuse(hub_id, [file.rfilename for file in siblings], config)
        files = [
            File(s.rfilename, s.size or 0, s.lfs.sha256 if s.lfs else s.blob_id or "")
            for s in siblings
            if wanted(s.rfilename)
        ]
        here = sum(self._here(hub_id, file) for file in files)
        offer = Offer(hub_id, str(info.sha), files, here)
        self._check_room(offer)
        return offer

    def fetch(self, offer: Offer, stop: Callable[[], bool] = lambda: False) -> Iterator[Fetched]:
        """Download what is not here yet, and yield how far it has come; raises `ModelError`.

        Whatever ends it, what has come stays, and the next time goes on from there: the Hub's own
        client throws half a file away. config.json comes last, so that nobody takes a model for
        whole that is not.
        """
        self._check_room(offer)
        kept = self.cache.kept(offer.hub_id)
        (kept / "blobs").mkdir(parents=True, exist_ok=True)
        done = {file.name: self._here(offer.hub_id, file) for file in offer.files}
        began, here, shown = time.monotonic(), sum(done.values()), 0.0
        with _told(offer.hub_id), self._alone(offer.hub_id):
            for file in sorted(
                offer.files, key=lambda file: (file.name == "config.json", file.name)
            ):
                for count in self._pieces(offer, file):
                    done[file.name] = count
                    if stop():
                        return
                    now, have = time.monotonic(), sum(done.values())
                    if now - shown > BETWEEN or have == offer.size:
                        shown = now
                        speed = max(0, have - here) / (now - began) if now - began > SURE else 0.0
                        yield Fetched(have, offer.size, speed)
                self._place(offer, file)
        main = kept / "refs" / "main"
        main.parent.mkdir(exist_ok=True)
        main.write_text(offer.commit)

    def _pieces(self, offer: Offer, file: File) -> Iterator[int]:
        """Bring a file's content under its name in the cache; yields the bytes that are here.

        A broken line is taken up again as long as it brings something.
        """
        blob = self._blob(offer.hub_id, file)
        part = blob.with_name(f"{blob.name}.part")
        while not blob.exists():
            before = _size(part)
            try:
                yield from self._receive(offer, file, part)
            except OSError:
                raise
            except Exception:  # the client's dozen kinds; the last is told
                if _size(part) <= before:
                    raise
                continue
            digest = file.digest()
            with part.open("rb") as opened:
                while piece := opened.read(2**20):
                    digest.update(piece)
            if digest.hexdigest() != file.etag:
                part.unlink()
                raise ModelError(
                    f"{file.name} of '{offer.hub_id}' arrived damaged. Fetch it again."
                )
            part.rename(blob)
        yield file.size

    def _receive(self, offer: Offer, file: File, part: Path) -> Iterator[int]:
        from huggingface_hub import get_session  # noqa: PLC0415
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # noqa: PLC0415

        have = _size(part)
        if have >= file.size:
            part.touch()
            return
        headers = build_hf_headers() | {"Range": f"bytes={have}-", "Accept-Encoding": "identity"}
        url = self._url(offer.hub_id, offer.commit, file.name)
        with get_session().stream("GET", url, headers=headers, timeout=PATIENCE) as response:
            hf_raise_for_status(response)
            with part.open("ab" if response.status_code == 206 else "wb") as opened:
                for piece in response.iter_bytes(PIECE):
                    opened.write(piece)
                    yield opened.tell()

    def _place(self, offer: Offer, file: File) -> None:
        """Let the Hub's client put a blob that is here where it looks for the file."""
        from huggingface_hub import hf_hub_download  # noqa: PLC0415

        hf_hub_download(
            offer.hub_id,
            file.name,
            revision=offer.commit,
            cache_dir=self.cache.root,
            endpoint=self._endpoint,
        )

    def _read(self, hub_id: str, commit: str, name: str) -> bytes:
        from huggingface_hub import get_session  # noqa: PLC0415
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # noqa: PLC0415

        url = self._url(hub_id, commit, name)
        response = get_session().get(url, headers=build_hf_headers(), timeout=PATIENCE)
        hf_raise_for_status(response)
        content: bytes = response.content
        return content

    def _url(self, hub_id: str, commit: str, name: str) -> str:
        from huggingface_hub import hf_hub_url  # noqa: PLC0415

        return str(hf_hub_url(hub_id, name, revision=commit, endpoint=self._endpoint))

    def _blob(self, hub_id: str, file: File) -> Path:
        return self.cache.kept(hub_id) / "blobs" / file.etag

    def _here(self, hub_id: str, file: File) -> int:
        blob = self._blob(hub_id, file)
        return _size(blob) or _size(blob.with_name(f"{blob.name}.part"))

    def _check_room(self, offer: Offer) -> None:
        root = self.cache.root
        there = next(path for path in (root, *root.parents) if path.exists())
        free, needed = shutil.disk_usage(there).free, offer.size - offer.here
        if needed + SPARE > free:
            raise ModelError(
                f"'{offer.hub_id}' needs {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free "
                f"in {there}. Free some room, or set HF_HOME to a folder on a larger disk."
            )

    @contextmanager
    def _alone(self, hub_id: str) -> Iterator[None]:
        try:
            with Lock(self.cache.kept(hub_id) / "tandem.lock").claim():
                yield
        except LockHeld:
            raise ModelError(
                f"'{hub_id}' is being fetched already. Try again when it is here."
            ) from None


def wanted(name: str) -> bool:
    """Whether a file is of use: no other format, and no second copy of the weights.

    Weights in folders are copies, but for the numbered modules of an embedding model.
    """
    path = PurePosixPath(name)
    copy = path.suffix == ".safetensors" and (
        path.name.startswith("consolidated")
        or not all(part[:1].isdigit() for part in path.parts[:-1])
    )
    return path.suffix in WANTED and not copy


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


@contextmanager
def _told(hub_id: str) -> Iterator[None]:
    """Say what the Hub's client raises in words, and what to do about it."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # the Hub's client raises a dozen kinds
        if isinstance(error, OSError) and error.errno:
            raise  # of this machine: a full disk, a folder that cannot be written
        raise ModelError(_words(hub_id, error)) from error


def _words(hub_id: str, error: Exception) -> str:
    kind = type(error).__name__
    if kind == "GatedRepoError":
        return (
            f"'{hub_id}' is given only to who accepts its licence. Accept it on the model's page, "
            f"https://huggingface.co/{hub_id}, then log in here with `hf auth login` (or set "
            "HF_TOKEN) and fetch it again."
        )
    if kind == "RepositoryNotFoundError":
        return (
            f"The Hub has no model '{hub_id}', or it is private. Check the name; for a private "
            "one, log in with `hf auth login` (or set HF_TOKEN)."
        )
    said = str(error).strip().split("\n")[0][:300]
    return (
        f"'{hub_id}' could not be fetched from the Hub ({said}). Check the network and try again."
    )
