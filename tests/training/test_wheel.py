"""What travels with Tandem loads from an installed wheel as it does from a checkout, offline."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

LOAD = """
from pathlib import Path
import trainer
assert Path(trainer.__file__).is_relative_to({site!r}), trainer.__file__
from transformers import AutoModelForCausalLM, AutoTokenizer
from trainer.bundled import bundled_bases, sample_corpora
folder = bundled_bases()["bundled:pocket"]
assert folder.is_relative_to({site!r})
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder)
ids = tokenizer.apply_chat_template(
    [{{"role": "user", "content": "Hello"}}], add_generation_prompt=True, return_tensors="pt"
)
out = model.generate(**ids, max_new_tokens=8, do_sample=False)
print(list(sample_corpora()), out.tolist())
"""


@pytest.mark.slow
def test_the_bundled_base_loads_offline_from_a_wheel(tmp_path: Path) -> None:
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run([*pip, *build], check=True)
    (wheel,) = tmp_path.glob("tandem_assistant-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), str(wheel)], check=True)
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", LOAD.format(site=str(site))],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("['banking', 'healthcare'] [[")
