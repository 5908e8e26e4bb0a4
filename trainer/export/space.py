"""A Hugging Face Space: the page that visitors see, with all it takes to answer.

FOLDER/
    README.md           the model card, with what the Hub reads of a Space
    app.py              starts the page
    requirements.txt    what Tandem needs
    *.whl               Tandem
    bot.json            who answers, and how the page looks: to be changed by hand
    runs/<run>/         settings and adapter; or
    model/              base and adapter in one, where nobody else has the base
"""

import json
import shutil
from pathlib import Path

from trainer.bases import find_base
from trainer.bundled import PREFIX
from trainer.export.merged import write_merged
from trainer.export.wheel import requirements, write_wheel
from trainer.runs import Run

BOT, MODEL = "bot.json", "model"
_APP = '''"""A chat model tuned with Tandem, as a page of its own."""

import sys
import tempfile
import zipfile
from pathlib import Path

# The Hub installs requirements.txt before any other file is there, so the wheel waits until now.
here = Path(__file__).parent
installed = tempfile.mkdtemp(prefix="tandem-")
zipfile.ZipFile(next(here.glob("*.whl"))).extractall(installed)
sys.path.insert(0, installed)

from assistant.hosted.space import serve_space

serve_space(here)
'''
_SMALL = """\
# Without a GPU, PyTorch is a tenth of the size. Leave this line out for a Space that has one.
--extra-index-url https://download.pytorch.org/whl/cpu
"""


def write_space(run: Run, folder: Path) -> None:
    """Write all of a Space but its README.md."""
    config = run.config
    folder.mkdir(parents=True)
    side: dict[str, str] = {"base": config.base, "quantization": config.quantization}
    if is_elsewhere(config.base):
        kept = folder / "runs" / run.id
        kept.mkdir(parents=True)
        shutil.copyfile(run.path / "config.json", kept / "config.json")
        shutil.copytree(run.adapter, kept / "adapter")
        side["run"] = run.id
    else:
        write_merged(run, folder / MODEL)
        side = {"base": MODEL, "quantization": "none"}
    look = {
        "title": config.corpus[:80],
        "greeting": "What would you like to know?",
        "about": "A small language model that was taught approved answers. It can be wrong.",
        "examples": [],
        "colour": "#2f6f8f",
    }
    bot = {"sides": [side], "look": look, "limits": {"per_minute": 10, "per_day": 2000}}
    (folder / BOT).write_text(json.dumps(bot, indent=1), encoding="utf-8")
    (folder / "app.py").write_text(_APP, encoding="utf-8")
    needed = _SMALL + "\n".join(requirements()) + "\n"
    (folder / "requirements.txt").write_text(needed, encoding="utf-8")
    write_wheel(folder)


def is_elsewhere(base: str) -> bool:
    """Whether a Space comes by a base without us: it is in the wheel, or on the Hub."""
    return base.startswith(PREFIX) or find_base(base).parent.name == "snapshots"
