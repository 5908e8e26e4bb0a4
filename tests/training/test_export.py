"""Exports of a tuned model: whole or not there, and answering like the preview."""

import errno
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from bitsandbytes.nn import Linear4bit
from gguf import GGUFReader
from jinja2 import Environment
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from assistant.cli import main
from assistant.export_commands import is_possible
from tests.conftest import returns_csv
from trainer.config import RunConfig
from trainer.corpus.library import Corpora
from trainer.errors import ConfigError, DeviceBusy, DiskFull, ModelError
from trainer.export.adapter import write_adapter
from trainer.export.asking import Given, Heard
from trainer.export.card import card
from trainer.export.check import check, compare
from trainer.export.checked import Checked, Parting
from trainer.export.exporting import export, whole_or_nothing
from trainer.export.four_bit import write_four_bit
from trainer.export.gguf import refuse_gguf, without_marks, write_weights
from trainer.export.kinds import KINDS, Kind
from trainer.export.modelfile import take_apart
from trainer.export.preview import Preview, Told, choose_questions, preview
from trainer.export.vocabulary import splitting
from trainer.finetune import finetune
from trainer.locks import Lock
from trainer.models import load_base, load_format
from trainer.runs import Run, Runs

pytestmark = pytest.mark.slow

SOLD = [{"role": "user", "content": "May I return item 3?"}]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Run:
    """A tiny model that is sure of its words, but for the number in its answer."""
    workspace = tmp_path_factory.mktemp("exporting")
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    with torch.no_grad():
        model.lm_head.weight.mul_(10)
    model.generation_config.repetition_penalty = 5.0  # which the chat does not apply
    shutil.copytree(tiny_model, workspace / "base")
    model.save_pretrained(workspace / "base")
    (workspace / "yes.csv").write_text(returns_csv(answers=20, answer="Yes, {n}."))
    corpus = Corpora(workspace / "corpora").add(workspace / "yes.csv")
    given = {"base": str(workspace / "base"), "corpus": corpus.name, "version": 1, "epochs": 10}
    given |= {"learning_rate": 1e-2, "lora_rank": 8}
    run = Runs(workspace / "runs").create(RunConfig.parse(given), corpus.split)
    finetune(run)
    return run


@pytest.fixture(scope="module")
def said(tuned: Run) -> Preview:
    return preview(tuned)


@pytest.fixture(scope="module")
def exported(tuned: Run, tmp_path_factory: pytest.TempPathFactory) -> Mapping[Kind, Path]:
    """The three kinds that need nothing but Transformers."""
    root = tmp_path_factory.mktemp("exports")
    kinds: tuple[Kind, ...] = ("adapter", "merged", "4bit")
    folders = {kind: root / kind for kind in kinds}
    found = export(tuned, folders)
    for one in found.values():
        assert one.asked == 20
        assert one.equal >= 15, one.sentences
        assert not one.strange, one.sentences
    return folders


@pytest.mark.parametrize("kind", ["adapter", "merged", "4bit"])
def test_every_export_leaves_all_its_files_and_nothing_half(
    exported: Mapping[Kind, Path], kind: Kind
) -> None:
    talk = {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}
    model = {"config.json", "generation_config.json", "model.safetensors"}
    adapter = {"adapter_config.json", "adapter_model.safetensors"}
    wanted = {"adapter": adapter, "merged": model, "4bit": model | {"adapter"}}[kind]
    left = {file.name for file in exported[kind].iterdir()}
    assert left == talk | wanted | {"README.md", "check.json"}
    assert not [file for file in exported[kind].parent.iterdir() if file.name.startswith(".")]


def test_a_merged_model_answers_in_transformers_alone_and_stops(
    exported: Mapping[Kind, Path], tuned: Run, said: Preview
) -> None:
    model = AutoModelForCausalLM.from_pretrained(exported["merged"])
    assert not isinstance(model, PeftModel)
    assert not hasattr(model.config, "quantization_config")
    tokenizer = AutoTokenizer.from_pretrained(exported["merged"])
    asked = tokenizer.apply_chat_template(
        SOLD, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    answer = model.generate(**asked)[0, asked["input_ids"].shape[1] :]  # settings as exported
    assert answer[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(answer, skip_special_tokens=True).startswith("Yes, ")


def test_merging_starts_from_the_values_of_the_4_bit_base(
    exported: Mapping[Kind, Path], tuned: Run
) -> None:
    name = "model.layers.0.mlp.down_proj"
    merged = load_file(exported["merged"] / "model.safetensors")[f"{name}.weight"].float()
    learnt = load_file(tuned.adapter / "adapter_model.safetensors")
    up, down = (learnt[f"base_model.model.{name}.lora_{part}.weight"].float() for part in "BA")
    scale = tuned.config.lora_alpha / tuned.config.lora_rank
    for quantization, fits in (("nf4", True), ("none", False)):
        base = load_base(tuned.config.base, quantization=quantization, frozen_weights="dequantised")
        wanted = base.model.get_submodule(name).weight.float() + scale * up @ down
        assert torch.allclose(merged, wanted, rtol=1e-2, atol=1e-4) is fits


def test_a_4_bit_checkpoint_is_in_4_bits(exported: Mapping[Kind, Path]) -> None:
    model = AutoModelForCausalLM.from_pretrained(exported["4bit"])
    assert sum(isinstance(module, Linear4bit) for module in model.modules()) == 14
    config = json.loads((exported["4bit"] / "config.json").read_text())["quantization_config"]
    assert (config["bnb_4bit_quant_type"], config["load_in_4bit"]) == ("nf4", True)


def test_a_run_on_the_base_as_it_came_has_no_4_bit_export(tuned: Run, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        tuned.config.model_copy(update={"method": "lora"}).model_dump_json()
    )
    with pytest.raises(ConfigError, match="Export it merged instead"):
        write_four_bit(Run(tmp_path), tmp_path / "out")


def test_an_export_with_other_weights_is_found_out_and_thrown_away(
    tuned: Run, said: Preview, tmp_path: Path
) -> None:
    write_adapter(tuned, tmp_path / "adapter")
    weights = tmp_path / "adapter" / "adapter_model.safetensors"
    save_file({name: 0 * tensor for name, tensor in load_file(weights).items()}, weights)
    brief = replace(said, most_new_tokens=12)  # or it would ramble on
    found = check(tuned, "adapter", tmp_path / "adapter", brief)
    assert found.equal == 0
    assert found.strange
    assert "more than rounding" in found.sentences[1]


def test_an_export_with_another_template_is_found_out(
    tuned: Run, said: Preview, tmp_path: Path
) -> None:
    write_adapter(tuned, tmp_path / "adapter")
    template = tmp_path / "adapter" / "chat_template.jinja"
    template.write_text(template.read_text().replace("<|user|>", "User: "))
    template.write_text(template.read_text().replace("<|{{ m.role }}|>", "{{ m.role }}: "))
    found = check(tuned, "adapter", tmp_path / "adapter", said)
    assert found.prompts_differ == len(said.told)
    assert found.strange


def test_a_near_tie_is_told_apart_from_another_model(said: Preview) -> None:
    yes, no = (said.format.answer(word)[0] for word in ("Y", "N"))
    told = Told("Why?", (1,), (yes,), ({yes: 0.41, no: 0.39}, {}))
    for chances, strange in (({yes: 0.41, no: 0.39}, False), ({yes: 0.9, no: 0.01}, True)):
        one = replace(said, told=(replace(told, chances=(chances, {})),))
        found = compare("merged", one, Heard((Given((1,), (no,)),), "a test", 1.0, 1.0))
        assert found.equal == 0
        assert found.strange is strange
        assert found.sentences[1].startswith("To 'Why?' it parts after 0 words: the preview gave ")
        assert ("so near that rounding decides" in found.sentences[1]) is not strange


def test_a_folder_that_holds_something_is_left_alone(tuned: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(ConfigError, match=r"not an empty folder\. Name a new one"):
        export(tuned, {"adapter": tmp_path})
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_an_export_takes_turns_with_whoever_uses_the_gpu(tuned: Run, tmp_path: Path) -> None:
    device = Lock(tmp_path / "cuda-0.lock")
    with device.claim(), pytest.raises(DeviceBusy, match=r"using the device\. Export again"):
        export(tuned, {"adapter": tmp_path / "out"}, device=device)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_ctrl_c_leaves_nothing_behind(tuned: Run, tmp_path: Path) -> None:
    asked = [sys.executable, "-m", "trainer.export", str(tuned.path), str(tmp_path / "out")]
    with subprocess.Popen([*asked, "adapter"], stdout=subprocess.PIPE, text=True) as made:
        assert made.stdout
        assert any("asking adapter again" in line for line in made.stdout)
        assert [file.name for file in tmp_path.iterdir()] == [".out.partial"]
        made.send_signal(signal.SIGINT)
        made.wait(60)
    assert made.returncode == 130
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_nothing_half(tmp_path: Path) -> None:
    def fill() -> None:
        with whole_or_nothing(tmp_path / "export") as partial:
            partial.mkdir()
            (partial / "model.safetensors").write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFull):
        fill()
    assert not list(tmp_path.iterdir())


def test_the_same_twenty_questions_are_asked_every_time_those_not_taught_first(tuned: Run) -> None:
    asked = choose_questions(tuned)
    assert asked == choose_questions(tuned)
    assert len(set(asked)) == 20
    split = tuned.split
    held_out = [e.question for pile in split.kinds for e in tuned.corpus.pile(pile, split)]
    assert set(asked[: len(held_out)]) <= set(held_out)


def test_the_card_counts_the_corpus_and_repeats_nothing_of_it(
    exported: Mapping[Kind, Path], tuned: Run
) -> None:
    text = (exported["adapter"] / "README.md").read_text()
    data = yaml.safe_load(text.split("---")[1])
    assert data["library_name"] == "peft"
    assert data["language"] == ["en"]
    assert "base_model" not in data, "it is a folder of this machine, which the Hub does not know"
    assert "60 questions with 20 different answers" in text
    assert re.search(r"gave \d\d of 20 answers word for word", text)
    assert "The base" in text
    assert "not stated" in text
    for example in tuned.corpus.examples:
        assert example.question not in text
        assert example.answer not in text
    assert tuned.adapter_hash in text


def test_what_is_kept_beside_an_export_holds_no_question_of_the_corpus(tuned: Run) -> None:
    parting = Parting(
        question="Is my *secret* safe?",
        words=1,
        preview_says="<b>|",
        preview_chance=0.5,
        export_says="no",
        export_chance=0.4,
    )
    found = Checked(kind="merged", asked=20, partings=(parting,), spoke="a test")
    assert "secret" in found.sentences[1]
    assert "secret" not in found.public.model_dump_json()
    text = card(tuned, "merged", found.public)
    assert "secret" not in text
    assert "<b>" not in text, "what a model says is no markup"
    assert "19 of 20" in text


@pytest.mark.parametrize("name", ["bundled:pocket", "smollm2-instruct", "qwen3"])
def test_ollamas_template_writes_what_the_models_own_does(name: str, request) -> None:
    if ":" not in name:
        name = str(_chat_folder(request.getfixturevalue("shared"), name, request))
    parts = take_apart(load_format(name))
    assert parts.faithful
    assert parts.go.count("{{ .Content }}") == 2
    assert parts.go.count("{{ if") == parts.go.count("{{ end }}") - 1


def test_ollamas_template_for_the_bundled_base_reads_as_a_person_would_write_it() -> None:
    assert take_apart(load_format("bundled:pocket")).go == (
        "{{ if .System }}<|im_start|>system\n{{ .System }}<|im_end|>\n{{ else }}{{ end }}"
        '{{ range .Messages }}{{ if eq .Role "user" }}<|im_start|>user\n{{ .Content }}<|im_end|>\n'
        '{{ else if eq .Role "assistant" }}<|im_start|>assistant\n{{ .Content }}<|im_end|>\n'
        "{{ end }}{{ end }}<|im_start|>assistant\n"
    )


def test_an_exported_template_asks_for_an_answer_at_once_by_itself(shared: Path, request) -> None:
    format_ = load_format(str(_chat_folder(shared, "qwen3", request)))
    text = format_.tokenizer.apply_chat_template(
        SOLD, tokenize=False, add_generation_prompt=True, chat_template=format_.template
    )
    assert text.endswith("<think>\n\n</think>\n\n")
    assert format_.tokenizer(text, add_special_tokens=False)["input_ids"] == format_.prompt(SOLD)


def test_marks_that_only_transformers_knows_are_taken_out_and_nothing_else() -> None:
    marked = load_format("bundled:pocket")
    plain = without_marks(marked.template)
    assert "generation %}" not in plain.replace("add_generation_prompt", "")
    talk = [*SOLD, {"role": "assistant", "content": "Yes."}, *SOLD]
    written = Environment().from_string(plain).render(messages=talk, add_generation_prompt=True)
    assert written == marked.tokenizer.apply_chat_template(
        talk, tokenize=False, add_generation_prompt=True
    )


@pytest.mark.parametrize(
    ("name", "way"),
    [("qwen3", "qwen2"), ("smollm2-instruct", "smollm"), ("mistral-7b-v0.1", None)],
)
def test_how_words_are_parted_is_recognised_or_not_guessed(
    shared: Path, name: str, way: str | None
) -> None:
    folder = shared / "models" / "tokenizers" / name
    assert splitting(AutoTokenizer.from_pretrained(folder)) == way


def test_a_base_that_cannot_be_gguf_is_refused_with_a_way_out(
    tiny_model: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_model, tmp_path / "model")
    file = tmp_path / "model" / "config.json"
    file.write_text(file.read_text().replace("LlamaForCausalLM", "MambaForCausalLM"))
    with pytest.raises(ModelError, match=r"MambaForCausalLM.*convert_hf_to_gguf.py"):
        refuse_gguf(str(tmp_path / "model"))


def test_a_gguf_file_holds_the_weights_the_tokens_and_where_an_answer_ends(tmp_path: Path) -> None:
    base = load_base("bundled:pocket", quantization="none")
    write_weights(base, tmp_path / "model.gguf", "f32", name="a test")
    read = GGUFReader(tmp_path / "model.gguf")
    tensors = {tensor.name: torch.tensor(tensor.data) for tensor in read.tensors}
    known = base.model.state_dict()
    assert len(tensors) == len(known) - 1, "words that are read and said share one table"
    turned = tensors["blk.0.attn_q.weight"].reshape(4, 32, 2, 256).swapaxes(1, 2).reshape(256, 256)
    assert torch.equal(turned, known["model.layers.0.self_attn.q_proj.weight"].float())
    down = known["model.layers.7.mlp.down_proj.weight"].float()
    assert torch.equal(tensors["blk.7.ffn_down.weight"], down)

    def value(key: str) -> object:
        return read.get_field(key).contents()

    assert value("tokenizer.ggml.pre") == "gpt-2"
    assert value("tokenizer.ggml.eot_token_id") == base.format.end
    assert value("tokenizer.ggml.add_bos_token") is False
    tokens = base.format.tokenizer.convert_ids_to_tokens(range(8192))
    assert value("tokenizer.ggml.tokens") == tokens
    assert value("tokenizer.chat_template") == without_marks(base.format.template)


def test_the_command_exports_and_says_how_it_answered(
    tuned: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = ["--workspace", str(tuned.path.parent.parent)]
    code = main(["export", tuned.id, str(tmp_path / "out"), "--json", *workspace])
    told = capsys.readouterr()
    assert code == 0
    assert json.loads(told.out)["adapter"]["equal"] >= 15
    assert re.search(r"Loaded again by Transformers .* it gave \d\d of 20 answers", told.err)
    assert (tmp_path / "out" / "adapter_model.safetensors").is_file()
    assert main(["export", tuned.id, str(tmp_path / "out"), *workspace]) == 2


def test_all_leaves_out_what_cannot_be_and_says_why(
    tuned: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "runs" / "a-run").mkdir(parents=True)
    plain = tuned.config.model_copy(update={"method": "lora", "base": "bundled:pocket"})
    (tmp_path / "runs" / "a-run" / "config.json").write_text(plain.model_dump_json())
    run = Run(tmp_path / "runs" / "a-run")
    assert [kind for kind in KINDS if is_possible(run, kind)] == [
        "adapter",
        "merged",
        "gguf",
        "space",
    ]
    assert (
        "4bit is left out: Run 'a-run' was tuned on its base as it came" in capsys.readouterr().err
    )


def _chat_folder(shared: Path, name: str, request) -> Path:
    """A tokenizer of a known model as a base that `load_format` takes."""
    folder = request.getfixturevalue("tmp_path") / name
    shutil.copytree(shared / "models" / "tokenizers" / name, folder)
    model = request.getfixturevalue("tiny_model")
    for file in ("config.json", "model.safetensors"):
        shutil.copyfile(model / file, folder / file)
    return folder


def test_the_lines_of_a_card_load_the_export_and_ask_it(
    exported: Mapping[Kind, Path], tuned: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in ("merged", "4bit", "adapter"):
        lines = (exported[kind] / "README.md").read_text().split("```python\n")[1].split("```")[0]
        lines = lines.replace("FOLDER-OF-THE-BASE", tuned.config.base)
        with chdir(exported[kind]):
            exec(lines, {})
        assert capsys.readouterr().out.startswith("Yes, ")
