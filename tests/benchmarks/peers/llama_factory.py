"""Tune with LLaMA-Factory on a CPU: `python llama_factory.py JOB`."""

import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

# It imports torchaudio, of which no build fits a CPU build of torch; nothing here has sound.
sys.modules["torchaudio"] = silent = ModuleType("torchaudio")
silent.__spec__ = ModuleSpec("torchaudio", None)

from clock import Clock  # noqa: E402
from llamafactory.train.tuner import run_exp  # noqa: E402

job = json.loads(sys.argv[1])
out = Path(job["out"])
out.mkdir(parents=True)
columns = {"prompt": "question", "response": "answer"}
(out / "dataset_info.json").write_text(
    json.dumps({"faq": {"file_name": job["rows"], "columns": columns}})
)
run_exp(
    {
        "stage": "sft",
        "do_train": True,
        "model_name_or_path": job["model"],
        "template": "smollm2",
        "dataset": "faq",
        "dataset_dir": str(out),
        "output_dir": str(out / "run"),
        "finetuning_type": "lora",
        "lora_target": "all",
        "lora_rank": job["rank"],
        "lora_alpha": 2 * job["rank"],
        "quantization_bit": 4,  # NF4 with double quantisation unless told otherwise
        "cutoff_len": 1024,
        "packing": job["packed"],  # a row of 1,024 tokens then holds a batch
        "neat_packing": job["packed"],
        "per_device_train_batch_size": 1 if job["packed"] else job["batch"],
        "num_train_epochs": 1,
        "learning_rate": job["learning_rate"],
        "bf16": True,
        "use_cpu": True,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    },
    callbacks=[Clock(job)],
)
