"""What loading a base refuses, in one sentence each, and what it never makes up."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from trainer.errors import ModelError
from trainer.models import load_base, load_format

Break = Callable[[Path], object]


def cut_off(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


def lose_a_weight(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def configure(**changed: object) -> Break:
    def change(folder: Path) -> None:
        file = folder / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | changed))

    return change


def pickle_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def split(folder: Path) -> None:
    """Name a second file of weights that never came."""
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (cut_off, r"model\.safetensors is damaged \(.*Fetch or copy it again"),
        (lose_a_weight, r"1 of its weights are missing .* model\.layers\.1\.mlp\.up_proj\.weight"),
        (configure(vocab_size=999), "or of another size than config.json says, such as"),
        (split, r"model-00002-of-00002\.safetensors is missing from"),
        (
            pickle_weights,
            r"its weights are in pytorch_model\.bin, a format that can hide a program",
        ),
        (lambda folder: (folder / "tokenizer.json").unlink(), "it has no tokenizer"),
        (configure(vision_config={}), "it sees or hears besides reading"),
        (configure(architectures=["RobertaForMaskedLM"]), "which holds no chat"),
        (configure(quantization_config={"quant_method": "awq"}), r"packed already \(awq\)"),
        (
            configure(model_type="ours", auto_map={"AutoModelForCausalLM": "ours.Model"}),
            "it needs program code that comes with it, and such code is never run here",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_base_that_is_not_whole_or_no_chat_model_is_refused(
    broken: Break, message: str, tiny_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(tiny_model, folder)
    broken(folder)
    with pytest.raises(ModelError, match=f"'{folder}' cannot be loaded: .*{message}"):
        load_base(str(folder), quantization="none")


def test_a_tokenizer_is_not_shown_for_what_cannot_be_a_base(
    tiny_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "packed"
    shutil.copytree(tiny_model, folder)
    configure(quantization_config={"quant_method": "gptq"})(folder)
    with pytest.raises(ModelError, match=r"packed already \(gptq\)"):
        load_format(str(folder))


def test_code_that_lies_beside_a_known_model_is_not_run(tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "with-code"
    shutil.copytree(tiny_model, folder)
    (folder / "ours.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w')\nModel = Config = None\n"
    )
    configure(auto_map={"AutoModelForCausalLM": "ours.Model", "AutoConfig": "ours.Config"})(folder)
    assert load_base(str(folder), quantization="none").model.config.model_type == "llama"
    assert not (tmp_path / "ran").exists()
