"""GGUF files, run by llama.cpp itself: slow, since that is built from its source package first."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from trainer.bundled import bundled_bases, sample_corpora
from trainer.config import RunConfig
from trainer.corpus.library import Corpora
from trainer.export.asking import ask_with_llama_cpp
from trainer.export.check import compare
from trainer.export.exporting import export
from trainer.export.gguf import FILE, write_weights
from trainer.export.preview import ask
from trainer.finetune import finetune
from trainer.models import load_base
from trainer.runs import Run, Runs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
CACHE = Path.home() / ".cache" / "tandem-peers" / "llama.cpp-small"
PACKAGE = "llama-cpp-python==0.3.36"
SMALL = (  # three minutes of two cores
    "-DGGML_NATIVE=OFF -DLLAVA_BUILD=OFF -DMTMD_BUILD=OFF -DGGML_OPENMP=OFF "
    "-DCMAKE_CXX_FLAGS_RELEASE=-O1"
)
SIZES: dict[str, Any] = dict(
    vocab_size=8192,
    hidden_size=128,
    intermediate_size=192,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=32,
    max_position_embeddings=512,
    bos_token_id=None,
    eos_token_id=2,
    pad_token_id=3,
)
SLOWED = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
MODELS: dict[str, tuple[type[PreTrainedModel], Any]] = {
    "llama": (LlamaForCausalLM, LlamaConfig(**SIZES)),
    "llama 3.1": (LlamaForCausalLM, LlamaConfig(**SIZES, rope_parameters=SLOWED)),
    "one table": (LlamaForCausalLM, LlamaConfig(**SIZES, tie_word_embeddings=True)),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(**SIZES)),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config(**SIZES)),
}
QUESTIONS = [
    "How do I block my card?",
    "I can't find branch no. 4711: where's it?",
    "  Zwei Leerzeichen, Straße und größer als 10.000 €?",
    "漢字とかな、 emoji 🙂\tand\n\ntwo lines",
    "<b>Fees</b> & {{ limits }}?",
]


@pytest.fixture(scope="session")
def llama_cpp() -> str:
    """A Python with llama.cpp, built once from its source package and kept."""
    python = CACHE / "bin" / "python"
    if not (CACHE / "ready").is_file():
        began = time.monotonic()
        shutil.rmtree(CACHE, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", CACHE], check=True)
        subprocess.run(
            [python, "-m", "pip", "install", "-q", "--no-binary", "llama-cpp-python", PACKAGE],
            env={**os.environ, "CMAKE_ARGS": SMALL, "CMAKE_BUILD_PARALLEL_LEVEL": "2"},
            check=True,
        )
        (CACHE / "ready").touch()
        print(f"built llama.cpp in {time.monotonic() - began:.0f} s")
    return str(python)


@pytest.fixture(scope="session")
def banking(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The bundled base, tuned for a moment on the sample bank."""
    workspace = tmp_path_factory.mktemp("banking")
    corpus = Corpora(workspace / "corpora").add(sample_corpora()["banking"])
    given = {"base": "bundled:pocket", "corpus": corpus.name, "version": 1, "epochs": 2}
    run = Runs(workspace / "runs").create(RunConfig.parse(given), corpus.split)
    finetune(run)
    return run


def test_the_bundled_base_tuned_answers_in_llama_cpp_as_in_the_preview(
    banking: Run, llama_cpp: str, tmp_path: Path
) -> None:
    found = export(banking, {"gguf": tmp_path / "bot"}, llama_cpp=llama_cpp)["gguf"]
    print("\n".join(found.sentences))
    assert found.prompts_differ == 0
    assert found.asked == 20
    assert found.equal >= 15, "some may be torn between two words"
    assert all(parting.near for parting in found.partings)
    left = {file.name for file in (tmp_path / "bot").iterdir()}
    assert left == {FILE, "Modelfile", "README.md", "check.json"}


@pytest.mark.parametrize("name", MODELS)
def test_each_kind_of_model_answers_in_llama_cpp_as_in_float32(
    name: str, llama_cpp: str, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(
        bundled_bases()["bundled:pocket"],
        folder,
        ignore=shutil.ignore_patterns("model*", "config.json", "*.py"),
    )
    torch.manual_seed(0)
    kind, config = MODELS[name]
    model = kind(config)
    with torch.no_grad():
        for weights in model.parameters():
            weights.normal_(std=0.3)  # biases and norms, too: what is lost would show
    model.save_pretrained(folder)
    base = load_base(str(folder), quantization="none")
    base.model.float().load_state_dict(AutoModelForCausalLM.from_pretrained(folder).state_dict())
    said = ask(base, QUESTIONS, most_new_tokens=24)
    write_weights(base, tmp_path / FILE, "f32", name=name)
    found = compare("gguf", said, ask_with_llama_cpp(llama_cpp, tmp_path, said))
    assert found.prompts_differ == 0
    assert found.equal == len(QUESTIONS), found.sentences
