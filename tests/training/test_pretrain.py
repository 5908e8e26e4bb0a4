"""The recipe of the bundled base: resumable, choosy about licences, and right about bits."""

import importlib.util
import json
import math
import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

RECIPE = Path(__file__).parents[2] / "data/models/pocket/pretrain.py"
WORDS = ["the", "bank", "opens", "at", "nine", "and", "closes", "late", "but", "one", "day"]


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pretrain", RECIPE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["pretrain"] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def write_source(folder: Path, name: str, licence: str, records: list[dict[str, Any]]) -> None:
    (folder / name).mkdir(parents=True)
    meta = {"name": name, "licence": licence, "kind": "dialogue"}
    (folder / name / "META.json").write_text(json.dumps(meta))
    with pyarrow.output_stream(str(folder / name / "a.jsonl.zst"), compression="zstd") as out:
        out.write("\n".join(json.dumps(record) for record in records).encode())


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A little talk, a little prose with the odd separators real text has, and what is barred."""
    folder, draw = tmp_path_factory.mktemp("text"), random.Random(7)

    def sentence() -> str:
        return " ".join(draw.choices(WORDS, k=9)) + ".\u2028"

    talk = [
        {
            "messages": [
                {"role": "user", "content": sentence()},
                {"role": "assistant", "content": sentence()},
            ]
        }
        for _ in range(300)
    ]
    write_source(folder, "talk", "CC BY 4.0", talk)
    write_source(folder, "prose", "Apache-2.0", [{"text": sentence() * 5} for _ in range(300)])
    write_source(folder, "barred", "CC BY-NC 4.0", [{"text": "secret " * 9}] * 9)
    write_source(folder, "unknown", "", [{"text": "secret " * 9}] * 9)
    write_source(folder, "hearsay", "MIT from memory, no file", [{"text": "secret " * 9}] * 9)
    each = [{"text": f"story {i}", "lic": "CC-BY" if i % 2 else "CC BY-NC-SA"} for i in range(10)]
    write_source(folder, "stories", "CC BY 4.0 (per record)", each)
    return folder


def train(recipe: ModuleType, text: Path, out: Path, *more: str) -> Path:
    shape = ["--vocabulary=512", "--width=64", "--layers=1", "--feed-forward=64", "--context=256"]
    small = [*shape, "--rows=2", "--length=64", f"--tokens={8 * 128}", "--device=cpu", *more]
    recipe.main(["train", str(text), f"--out={out}", *small])
    return max(out.glob("checkpoint-*"))


@pytest.fixture(scope="module")
def trained(recipe: ModuleType, text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(recipe, text, tmp_path_factory.mktemp("straight"))


def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(
    recipe: ModuleType, text: Path, tmp_path: Path, trained: Path
) -> None:
    halfway = train(recipe, text, tmp_path / "pieces", "--steps=4")
    (tmp_path / "pieces/checkpoint.part").mkdir()  # as a killed run leaves it
    resumed = train(recipe, text, tmp_path / "pieces")
    assert halfway.name == "checkpoint-000004"
    assert resumed.name == trained.name == "checkpoint-000008"
    before, after, whole = (
        load_file(folder / "model.safetensors") for folder in (halfway, resumed, trained)
    )
    assert all(torch.equal(after[name], whole[name]) for name in whole)
    assert not any(torch.equal(before[name], whole[name]) for name in whole if "proj" in name)


def test_text_that_may_not_be_used_commercially_or_of_unknown_licence_is_left_out(
    recipe: ModuleType, text: Path, trained: Path
) -> None:
    used = {s["name"]: s["used"] for s in json.loads((trained.parent / "sources.json").read_text())}
    assert used == {
        "talk": 300, "prose": 300, "stories": 5, "barred": 0, "unknown": 0, "hearsay": 0
    }  # fmt: skip
    mixture = recipe.Mixture(recipe.read_sources(text), 1)
    drawn = [mixture.draw(pool, 64, random.Random(i)) for pool in mixture.pools for i in range(99)]
    assert not any("secret" in document for document in drawn)


@pytest.mark.parametrize(
    ("licence", "verdict"),
    [
        ("CC BY-SA 3.0/4.0 (Wikipedia)", True),
        ("CC BY-NC 4.0", False),
        ("CC BY-ND 4.0", False),
        ("Creative Commons, non-commercial use", False),
        ("GPL-3.0", False),
        ("", False),
    ],
)
def test_a_licence_is_judged_by_what_it_says(
    recipe: ModuleType, licence: str, verdict: bool
) -> None:
    assert recipe.allowed(licence) is verdict


def test_the_exported_folder_loads_in_bf16_and_marks_what_the_assistant_says(
    recipe: ModuleType, tmp_path: Path, trained: Path
) -> None:
    recipe.main(["export", str(trained), str(tmp_path / "tiny"), "--shard=1"])
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "tiny")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "tiny")
    assert model.dtype == torch.bfloat16
    assert (tmp_path / "tiny/sources.json").exists()
    turns = [{"role": "user", "content": "when?"}, {"role": "assistant", "content": "at nine"}]
    tokens = tokenizer.apply_chat_template(
        turns, return_dict=True, return_assistant_tokens_mask=True
    )
    marked = [i for i, m in zip(tokens["input_ids"], tokens["assistant_masks"], strict=True) if m]
    assert tokenizer.decode(marked) == "at nine<|im_end|>"
    assert tokenizer.decode(tokens["input_ids"]) == recipe.render({"messages": turns})


def test_a_model_that_knows_nothing_needs_the_bits_of_a_blind_guess(
    recipe: ModuleType, trained: Path
) -> None:
    model = AutoModelForCausalLM.from_pretrained(trained, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(trained)
    torch.nn.init.zeros_(model.lm_head.weight)  # tied: every logit is nought
    words = "the bank opens at nine, très tôt"
    tokens = len(tokenizer(words)["input_ids"])
    bits, size = recipe.bits_and_bytes(model, tokenizer, {"text": words})
    assert size == len(words.encode()) == 34
    assert bits == pytest.approx(tokens * math.log2(512))
    turns = [{"role": "user", "content": "the" * 50}, {"role": "assistant", "content": words}]
    bits, size = recipe.bits_and_bytes(model, tokenizer, {"messages": turns})
    assert size == 34  # the question is given, not counted
    assert bits == pytest.approx((tokens + 1) * math.log2(512))


def test_no_record_kept_for_comparing_is_ever_trained_on(recipe: ModuleType, text: Path) -> None:
    sources = recipe.read_sources(text)
    kept = {t for s in sources for t in map(recipe.render, s.records) if recipe.held_out(t)}
    mixture = recipe.Mixture(sources, 1)
    trained_on = {t for texts, _ in mixture.pools.values() for pool in texts for t in pool}
    assert kept
    assert not kept & trained_on


def test_the_loss_taken_in_chunks_is_the_loss(
    recipe: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "CHUNK", 4)
    hidden, head = torch.randn(10, 8, requires_grad=True), torch.randn(32, 8, requires_grad=True)
    labels = torch.randint(0, 32, (10,))
    plain = torch.nn.functional.cross_entropy(hidden @ head.T, labels)
    expected = torch.autograd.grad(plain, (hidden, head))
    chunked = recipe.ChunkedLoss.apply(hidden, head, labels)
    found = torch.autograd.grad(chunked, (hidden, head))
    assert chunked.item() == pytest.approx(plain.item(), rel=0.02)
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, atol=0.02)
