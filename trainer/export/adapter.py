"""The adapter by itself, as PEFT and the tools that read its folders load it."""

import json
import shutil
from pathlib import Path

from trainer.bases import find_base
from trainer.bundled import PREFIX
from trainer.export.talk import write_talk
from trainer.runs import Run


def write_adapter(run: Run, folder: Path) -> None:
    """Write the adapter of a run, the tokenizer and the template; it needs its base."""
    folder.mkdir(parents=True)
    config = json.loads((run.adapter / "adapter_config.json").read_text(encoding="utf-8"))
    config |= base_reference(run.config.base)
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    weights = "adapter_model.safetensors"
    shutil.copyfile(run.adapter / weights, folder / weights)
    write_talk(run.config.base, folder)


def base_reference(base: str) -> dict[str, str | None]:
    """What names a base to other tools: its Hub id and version, or else where it was."""
    found = find_base(base)
    on_the_hub = found.parent.name == "snapshots"
    if base.startswith(PREFIX):
        return {"base_model_name_or_path": base, "revision": None}
    if on_the_hub:
        return {"base_model_name_or_path": base, "revision": found.name}
    return {"base_model_name_or_path": str(found), "revision": None}
