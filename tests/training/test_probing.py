"""General and swapped questions: losses as defined; forgetting and bias where they were planted."""

import re
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from bitsandbytes.functional import has_avx512bf16
from peft import LoraConfig, get_peft_model

from trainer.models import Base, load_base
from trainer.probes import SwapAsked, about_bias, about_forgetting, read_probes
from trainer.probing import expected_losses, score_bias, score_forgetting
from trainer.scoring import Matrix

PAIRS = [("Hi", "Hello."), ("What is 2 plus 3, please tell me?", "2 plus 3 is 5."), ("Say a", "a")]
APPROVED = ["Call us on 555 0142 and we stop the card at once.", "A free card comes by post."]


class CountsWords:
    """Embeds a text as its words, each in a direction of its own."""

    def encode(self, texts: Sequence[str], /) -> Matrix:
        rows = np.zeros((len(texts), 2048), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.casefold()):
                row[zlib.crc32(word.encode()) % 2048] += 1
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)

    def chunked(self, texts: Sequence[str], /) -> list[bool]:
        return [False] * len(texts)


@pytest.fixture(scope="module")
def tiny(tiny_model: Path) -> Base:
    base = load_base(str(tiny_model), quantization="none")
    base.model.float()
    return base


def with_adapter(base: Base) -> Base:
    torch.manual_seed(1)
    lora = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    return Base(base.name, get_peft_model(base.model, lora), base.format)


def one_by_one(base: Base) -> list[float]:
    """The losses of the answers' tokens as the definition has them, without a batch."""
    found = []
    for question, answer in PAIRS:
        prompt, said = base.format.example(question, answer)
        with torch.no_grad():
            logits = base.model(input_ids=torch.tensor([prompt + said])).logits[0].float()
        chances = logits.log_softmax(-1)
        places = range(len(prompt), len(prompt) + len(said) - 1)  # without the end token
        told = [-chances[at - 1, (prompt + said)[at]].item() for at in places]
        found.append(sum(told) / len(told))
    return found


@pytest.mark.parametrize("batch", [1, 2, 8])
def test_the_loss_of_an_answer_does_not_depend_on_its_batch(tiny: Base, batch: int) -> None:
    losses = expected_losses(tiny, PAIRS, batch=batch)
    assert losses == pytest.approx(one_by_one(tiny), rel=1e-5)
    assert len(set(losses)) == len(PAIRS)


def test_the_loss_is_that_of_the_active_adapter(tiny_model: Path) -> None:
    base = load_base(str(tiny_model), quantization="none")
    before = expected_losses(base, PAIRS)
    tuned = with_adapter(base)
    assert expected_losses(tuned, PAIRS) != pytest.approx(before, rel=1e-3)
    with tuned.model.disable_adapter():
        assert expected_losses(tuned, PAIRS) == pytest.approx(before, rel=1e-6)


def gradients(base: Base) -> list[torch.Tensor]:
    ids = torch.tensor([base.format.prompt([{"role": "user", "content": "Hi"}])])
    base.model.zero_grad()
    base.model(input_ids=ids, labels=ids).loss.backward()
    return [p.grad.clone() for p in base.model.parameters() if p.grad is not None]


def test_a_base_in_4_bit_is_taught_as_before_after_its_losses_were_measured(
    tiny_model: Path,
) -> None:
    tuned = with_adapter(load_base(str(tiny_model)))
    for module in tuned.model.modules():  # as bitsandbytes has it where nobody takes care
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = has_avx512bf16()
    tuned.model.train()
    before = gradients(tuned)
    expected_losses(tuned, PAIRS)
    assert tuned.model.training
    after = gradients(tuned)
    assert len(before) == len(after) > 0
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))


def test_a_tuned_model_that_recites_the_corpus_is_said_to_forget_and_to_stray() -> None:
    probes = read_probes()
    right = [probe.expected for probe in probes]
    answers = {"base": right, "tuned": [APPROVED[i % 2] for i in range(10)] + right[10:]}
    losses = {"base": [2.0] * 40, "tuned": [3.0 + i / 100 for i in range(40)]}
    found = score_forgetting(probes, answers, losses, CountsWords(), APPROVED)
    assert [p.strayed["tuned"] for p in found.probes] == [True] * 10 + [False] * 30
    assert not any(p.strayed["base"] for p in found.probes)
    assert found.probes[0].similarity["base"] == pytest.approx(1)
    assert found.similarity.verdict == "worse"
    assert found.similarity.losses == 10
    assert found.loss.low > 0
    told = about_forgetting(found)
    assert "answers worse than the base" in told
    assert "less likely" in told
    assert "10 of its answers come closer to an answer of the corpus" in told


def test_a_tuned_model_that_answers_as_before_forgets_nothing() -> None:
    probes = read_probes()
    right = [probe.expected for probe in probes]
    garbage = ["free post rain"] * 5 + right[5:]  # near to the corpus, but not from it
    losses = [2.0 + i / 10 for i in range(40)]
    found = score_forgetting(
        probes,
        {"base": garbage, "tuned": garbage},
        {"base": losses, "tuned": losses},
        CountsWords(),
        [f"{APPROVED[0]} {APPROVED[1]}"],
    )
    assert found.similarity.mean == found.loss.mean == 0
    assert found.similarity.verdict == "no difference"
    assert not any(p.strayed["tuned"] for p in found.probes)
    assert "as well as the base" in about_forgetting(found)


def asked(kinds: Sequence[str], each: int = 12) -> list[SwapAsked]:
    return [
        SwapAsked(
            id=f"{kind}/{n}",
            kind=kind,
            groups=("one", "other"),
            questions=(f"I am one. Item {n}?", f"I am other. Item {n}?"),
            approved=f"Item {n} may come back within {n} days.",
        )
        for kind in kinds
        for n in range(each)
    ]


KINDS = [f"kind {n}" for n in range(6)]


def test_a_group_that_is_answered_coldly_is_found_and_the_others_are_not() -> None:
    swaps = asked(KINDS)
    same = [(s.approved, s.approved) for s in swaps]
    cold = [
        (f"Of course. {s.approved}", f"Unfortunately. {s.approved}") if s.kind == "kind 2" else pair
        for s, pair in zip(swaps, same, strict=True)
    ]
    found = score_bias(swaps, {"base": same, "tuned": cold}, CountsWords())
    assert ("kind 2", "tone") in found.different["tuned"]
    assert {kind for kind, _ in found.different["tuned"]} == {"kind 2"}
    assert found.different["base"] == ()
    assert found.tone["kind 2"]["tuned"].mean == pytest.approx(-2 / 3)
    assert found.tone["kind 2"]["base"].mean == found.tone["kind 1"]["tuned"].mean == 0
    swap = next(s for s in found.swaps if s.kind == "kind 2")
    assert swap.tone["tuned"] == (pytest.approx(1 / 3), pytest.approx(-1 / 3))
    assert swap.alike["base"] == pytest.approx(1)
    assert swap.alike["tuned"] < 0.95
    assert "the tuned model's answers for other are less friendly than for one" in about_bias(found)


def test_a_group_that_is_answered_beside_the_point_is_found_by_similarity() -> None:
    swaps = asked(KINDS)
    same = [(s.approved, s.approved) for s in swaps]
    off = [
        (pair[0], "We have no item.") if s.kind == "kind 0" else pair
        for s, pair in zip(swaps, same, strict=True)
    ]
    found = score_bias(swaps, {"base": off, "tuned": same}, CountsWords())
    assert found.different == {"base": (("kind 0", "similarity"),), "tuned": ()}
    assert found.similarity["kind 0"]["base"].mean < -0.3
    assert "the base's answers for other are further from the approved ones" in about_bias(found)


def test_a_difference_that_chance_explains_among_so_many_is_not_called_one() -> None:
    swaps = asked(KINDS)
    cold = [
        ("Of course.", "Fine.") if s.kind == "kind 0" and s.id[-2:] < "/7" else ("Fine.", "Fine.")
        for s in swaps
    ]
    found = score_bias(swaps, {"base": cold, "tuned": cold}, CountsWords())
    one = found.tone["kind 0"]["tuned"]
    assert one.verdict == "worse"  # by itself
    assert one.p > 0.05 / 12
    assert found.different == {"base": (), "tuned": ()}


def test_questions_with_one_answer_are_resampled_together() -> None:
    swaps = [s.model_copy(update={"approved": "One answer."}) for s in asked(["kind"])]
    found = score_bias(
        swaps, {who: [("Please.", "Refused.")] * 12 for who in ("base", "tuned")}, CountsWords()
    )
    assert found.tone["kind"]["tuned"].groups == 1
    assert found.different["tuned"] == ()
