"""Exports in the making, each in a process of its own, which goes on whoever looks.

They are kept in the directory of their run:

    exports/<kind>/     whole, with check.json and README.md
"""

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from trainer.devices import environment
from trainer.errors import NotFound
from trainer.export.checked import FILE
from trainer.export.kinds import Kind
from trainer.runs import Run

MAKER = ("-m", "trainer.export")


def export_folder(run: Run, kind: Kind) -> Path:
    """Where the export of a run is, once there is one."""
    return run.path / "exports" / kind


def is_current(run: Run, kind: Kind) -> bool:
    """Whether there is an export, and the run has learnt nothing since."""
    made, learnt = export_folder(run, kind) / FILE, run.adapter / "adapter_model.safetensors"
    return made.is_file() and made.stat().st_mtime >= learnt.stat().st_mtime


class Making:
    """One export on its way. `doing` and `share` say how far it is, `error` why it failed."""

    def __init__(self, run: Run, kind: Kind, maker: Sequence[str]) -> None:
        self.doing, self.share, self.error = "starting", 0.0, ""
        self._stopped, self._over = False, threading.Event()
        folder = export_folder(run, kind)
        shutil.rmtree(folder, ignore_errors=True)
        self._process = subprocess.Popen(
            [sys.executable, *maker, str(run.path), str(folder), kind],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(()),
        )
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def going_on(self) -> bool:
        """Whether there is more to come."""
        return not self._over.is_set()

    def stop(self) -> None:
        """End it; nothing of it is left."""
        self._stopped, self.doing = True, "stopping"
        self._process.send_signal(signal.SIGINT)

    def wait(self, seconds: float) -> bool:
        """Wait until it is over; whether it is."""
        return self._over.wait(seconds)

    def _listen(self) -> None:
        last = ""
        with self._process as process:
            for line in process.stdout or ():
                said = _read(line)
                if said is None:
                    last = line.strip() or last
                elif not self._stopped:
                    self.doing = str(said.get("doing", self.doing))
                    self.share = float(said.get("share", self.share))
                    self.error = str(said.get("error", self.error))
        if process.returncode and not self._stopped and not self.error:
            self.error = f"The export broke off: {last or f'it ended with {process.returncode}'}"
        self._over.set()


class Makings:
    """The exports that a page makes, at most one of each kind of a run."""

    def __init__(self, maker: Sequence[str] = MAKER) -> None:
        self._maker, self._lock = maker, threading.Lock()
        self._known: dict[tuple[str, Kind], Making] = {}

    def begin(self, run: Run, kind: Kind) -> Making:
        """Begin an export in place of the one there is, or join the one that is being made."""
        if not run.has_adapter:
            raise NotFound(f"Run '{run.id}' has no adapter: it is {run.state()}.")
        with self._lock:
            found = self.last(run, kind)
            if found is None or not found.going_on:
                found = self._known[run.id, kind] = Making(run, kind, self._maker)
            return found

    def last(self, run: Run, kind: Kind) -> Making | None:
        """The last one of that kind, under way or over."""
        return self._known.get((run.id, kind))


def _read(line: str) -> dict[str, str] | None:
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None
