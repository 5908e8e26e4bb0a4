"""Make one export in a process of its own: `python -m trainer.export RUN FOLDER KIND`.

It says how far it has come, a JSON object a line, the last with what went wrong if anything did.
Ctrl-C ends it at any moment and leaves nothing behind.
"""

import json
import signal
import sys
from pathlib import Path

from trainer.devices import chat_lock
from trainer.errors import UserError, disk_full_told
from trainer.export.exporting import export
from trainer.export.kinds import KINDS
from trainer.runs import Run


def main(path: str, folder: str, named: str) -> int:
    """Export a run; the exit code is 0 where all is there."""
    run, kind = Run(Path(path)), next(kind for kind in KINDS if kind == named)
    try:
        with disk_full_told():
            device = chat_lock(run.path.parent.parent)
            export(run, {kind: Path(folder)}, tell=_tell, device=device)
    except UserError as error:
        _say({"error": str(error)})
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _tell(what: str, share: float) -> None:
    _say({"doing": what, "share": share})


def _say(said: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    # Whoever is started in the background by a shell would not hear of Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main(*sys.argv[1:]))
