"""Load an export as its users do, and ask it; nothing of the run that it came from is in play."""

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from trainer.bases import find_base
from trainer.errors import ModelError
from trainer.export.four_bit import ADAPTER
from trainer.export.gguf import FILE
from trainer.export.kinds import Kind
from trainer.export.preview import ADAPTER as ADAPTER_NAME
from trainer.export.preview import Preview, ask, load_tuned
from trainer.export.space import BOT
from trainer.export.wheel import NAME
from trainer.models import arithmetic, load_base
from trainer.runs import Run

_PATIENCE = 3600  # seconds that llama.cpp may take


@dataclass(frozen=True)
class Given:
    """What an export made of one question: the prompt and the answer, in tokens."""

    prompt: tuple[int, ...]
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class Heard:
    """What an export said. `speaks` names what answered; seconds are for all answers together."""

    given: tuple[Given, ...]
    speaks: str
    load_seconds: float
    seconds: float


def ask_with_transformers(run: Run, kind: Kind, folder: Path, preview: Preview) -> Heard:
    """Ask a folder the way its README says, with what its files say of template and end."""
    began = time.perf_counter()
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model = _load(run, kind, folder)
    loaded = time.perf_counter() - began
    given, seconds = [], 0.0
    for told in preview.told:
        messages = [{"role": "user", "content": told.question}]
        asked = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        ).to(model.device)
        began = time.perf_counter()
        with torch.inference_mode():
            out = model.generate(
                **asked,
                do_sample=False,
                repetition_penalty=1.0,  # some bases bring one
                max_new_tokens=preview.most_new_tokens,
            )
        seconds += time.perf_counter() - began
        prompt = asked["input_ids"][0].tolist()
        given.append(Given(tuple(prompt), _before_end(out[0, len(prompt) :].tolist(), preview)))
    speaks = f"Transformers {version('transformers')}"
    if kind != "merged":
        speaks += f" with PEFT {version('peft')}"
    return Heard(tuple(given), speaks, loaded, seconds)


def ask_with_llama_cpp(python: str, folder: Path, preview: Preview) -> Heard:
    """Ask a GGUF file by llama.cpp, in a process of its own; raises `ModelError`."""
    longest = max((len(told.prompt) for told in preview.told), default=0)
    asked = {
        "questions": [told.question for told in preview.told],
        "most": preview.most_new_tokens,
        "context": longest + preview.most_new_tokens + 8,
    }
    script = Path(__file__).with_name("ask_llama_cpp.py")
    done = subprocess.run(
        [python, str(script), str(folder / FILE)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ModelError(f"llama.cpp cannot answer from {FILE}: {last}")
    found = json.loads(done.stdout)
    return Heard(
        tuple(Given(tuple(one["prompt"]), tuple(one["tokens"])) for one in found["answers"]),
        f"llama.cpp in llama-cpp-python {found['version']}",
        found["loaded"],
        sum(one["seconds"] for one in found["answers"]),
    )


def ask_with_tandem(folder: Path, preview: Preview) -> Heard:
    """Ask a Space as its page does, from the files that it brings."""
    (side,) = json.loads((folder / BOT).read_text(encoding="utf-8"))["sides"]
    began = time.perf_counter()
    if run := side.get("run"):
        base, adapter = load_tuned(Run(folder / "runs" / run)), ADAPTER_NAME
    else:
        name, adapter = str(folder / side["base"]), None
        base = load_base(name, quantization=side["quantization"], frozen_weights="auto")
    loaded, began = time.perf_counter() - began, time.perf_counter()
    questions = [told.question for told in preview.told]
    said = ask(base, questions, adapter=adapter, most_new_tokens=preview.most_new_tokens)
    return Heard(
        tuple(Given(told.prompt, told.tokens) for told in said.told),
        f"Tandem {version(NAME)}",
        loaded,
        time.perf_counter() - began,
    )


def find_llama_cpp() -> str | None:
    """A Python that has llama-cpp-python: this one, if it has."""
    return sys.executable if importlib.util.find_spec("llama_cpp") else None


def _load(run: Run, kind: Kind, folder: Path) -> Any:
    device = "cuda:0" if torch.cuda.is_available() else "cpu"
    if kind == "merged":
        model = AutoModelForCausalLM.from_pretrained(folder, device_map={"": device})
    elif kind == "4bit":
        model = AutoModelForCausalLM.from_pretrained(folder, device_map={"": device})
        model = PeftModel.from_pretrained(model, folder / ADAPTER)
    else:
        dtype = arithmetic(device)
        packed = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
        model = AutoModelForCausalLM.from_pretrained(
            find_base(run.config.base),
            dtype=dtype,
            quantization_config=packed if run.config.quantization == "nf4" else None,
            device_map={"": device},
        )
        model = PeftModel.from_pretrained(model, folder)
    return model.eval()


def _before_end(tokens: Sequence[int], preview: Preview) -> tuple[int, ...]:
    end = next((at for at, token in enumerate(tokens) if token in preview.stops), len(tokens))
    return tuple(tokens[:end])
