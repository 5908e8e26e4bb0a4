"""Answers that come word by word, in several columns: by which weights, drawn how, ended how."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel
from transformers import (
    FalconMambaConfig,
    FalconMambaForCausalLM,
    GenerationConfig,
    Qwen2Config,
    Qwen2ForCausalLM,
    TopPLogitsWarper,
)

from tests.training.test_generate import LIMIT, QUESTIONS, adapted, alone, diversify
from trainer.drawing import Draw, nucleus
from trainer.errors import ModelError
from trainer.generate import Ask, SoFar, faster_together, stream_answers
from trainer.lean_lines import find_lean
from trainer.models import Base, load_base
from trainer.sampling import Sampling


@pytest.fixture
def base(tiny_model: Path) -> Base:
    """The tiny model in float32, with two adapters that change what it says."""
    base = load_base(str(tiny_model), quantization="none")
    diversify(base.model.float())
    return Base("tiny", two_adapters(base.model), base.format)


def two_adapters(model: torch.nn.Module, **settings: object) -> PeftModel:
    tuned = adapted(model, **settings)
    tuned.add_adapter("other", LoraConfig(r=8, target_modules=["q_proj", "v_proj", "up_proj"]))
    torch.manual_seed(5)
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if "lora_B.other" in name:
                weights.normal_(std=0.3)
    return tuned.eval()


def ask(question: str, adapter: str | None, **sampling: object) -> Ask:
    settings = Sampling.model_validate({"most_new_tokens": LIMIT} | sampling)
    return Ask([{"role": "user", "content": question}], adapter, settings)


def ends(base: Base, asked: Sequence[Ask], *, together: bool = True) -> list[SoFar]:
    """How the answers end, after seeing that each grew token by token."""
    steps: dict[int, list[SoFar]] = {place: [] for place in range(len(asked))}
    for grown in stream_answers(base, asked, lambda: False, together=together):
        for one in grown:
            steps[one.place].append(one)
    for told in steps.values():
        assert [one.ended is None for one in told] == [True] * (len(told) - 1) + [False]
        assert all(b.tokens - a.tokens in (0, 1) for a, b in pairwise(told))
        assert all(not one.text.endswith("\ufffd") for one in told[:-1])
    return [told[-1] for told in steps.values()]


def only(base: Base, one: Ask) -> str:
    """What `generate` says when no other adapter is on."""
    if one.adapter:
        base.model.set_adapter(one.adapter)
    try:
        return alone(base, one).text
    finally:
        base.model.set_adapter("default")


@pytest.mark.parametrize("together", [True, False])
def test_each_column_is_answered_by_its_own_weights(base: Base, together: bool) -> None:
    asked = [ask(q, name) for q in QUESTIONS[:2] for name in ("other", None, "default")]
    apart = [only(base, one) for one in asked]
    assert len(set(apart[:3])) == 3, "the adapters must change what is said"
    assert [one.text for one in ends(base, asked, together=together)] == apart


def test_columns_are_the_same_in_steps_of_transformers(base: Base) -> None:
    """An adapter on the head as well has no lean form, and rows are mixed by hooks."""
    base.model.add_adapter("head", LoraConfig(r=4, target_modules=["q_proj", "lm_head"]))
    with torch.no_grad():
        for name, weights in base.model.named_parameters():
            if "lora_B.head" in name:
                weights.normal_(std=0.3)
    assert find_lean(base.model, {"other"})
    assert find_lean(base.model, {"head"}) is None
    asked = [ask(QUESTIONS[1], name) for name in (None, "head", "other")]
    assert [one.text for one in ends(base, asked)] == [only(base, one) for one in asked]


def test_an_adapter_that_cannot_be_mixed_is_answered_after_the_other(base: Base) -> None:
    base.model.add_adapter("dora", LoraConfig(r=4, target_modules=["q_proj"], use_dora=True))
    with torch.no_grad():
        for name, weights in base.model.named_parameters():
            if "lora_B.dora" in name:
                weights.normal_(std=0.5)
    asked = [ask(QUESTIONS[1], name) for name in (None, "dora")]
    learning = {name for name, p in base.model.named_parameters() if p.requires_grad}
    answers = [one.text for one in ends(base, asked)]
    assert base.model.active_adapters == ["default"]
    assert {name for name, p in base.model.named_parameters() if p.requires_grad} == learning
    assert answers == [only(base, one) for one in asked]
    assert not faster_together(base, ["dora", None])


def test_an_adapter_that_is_not_there_is_an_error(base: Base) -> None:
    with pytest.raises(ValueError, match="missing"):
        ends(base, [ask("How?", None), ask("How?", "missing")])


@pytest.mark.parametrize("adapter", [None, "default", "other"])
@pytest.mark.parametrize("dora", [True, False])
def test_a_reader_who_leaves_leaves_no_trace(base: Base, adapter: str | None, dora: bool) -> None:
    if dora:
        base.model.add_adapter("dora", LoraConfig(r=4, target_modules=["q_proj"], use_dora=True))
    asked = [ask("How long?", "dora" if dora else None), ask("How long?", adapter)]
    steps = stream_answers(base, asked, lambda: False, together=True)
    next(steps)
    assert not torch.is_inference_mode_enabled()
    steps.close()
    assert base.model.get_model_status().enabled is True
    assert base.model.active_adapters == ["default"]
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in base.model.modules())
    assert torch.backends.mkldnn.enabled


@pytest.mark.parametrize("together", [True, False])
def test_a_stop_keeps_what_is_there(base: Base, together: bool) -> None:
    asked = [ask("How long?", None), ask("How long?", "default")]
    whole = [one.text for one in ends(base, asked)]
    left = iter([False] * 5)
    last: dict[int, SoFar] = {}
    for grown in stream_answers(base, asked, lambda: next(left, True), together=together):
        last |= {one.place: one for one in grown}
    assert [one.ended for one in last.values()] == ["stopped"] * 2
    assert [last[place].tokens for place in (0, 1)] == ([5, 5] if together else [5, 0])
    assert all(whole[place].startswith(one.text) for place, one in last.items())


def test_answers_of_different_lengths_end_each_in_its_own_way(base: Base) -> None:
    first = only(base, ask(QUESTIONS[0], "default"))
    ids = torch.tensor([base.format.prompt([{"role": "user", "content": QUESTIONS[0]}])])
    said = base.model.generate(input_ids=ids, max_new_tokens=7, do_sample=False)
    base.model.generation_config.eos_token_id = [said[0, -1].item()]
    asked = [ask(QUESTIONS[0], "default"), ask(QUESTIONS[3], None, most_new_tokens=9)]
    early, late = ends(base, asked)
    assert (early.ended, late.ended) == ("by itself", "at the limit")
    assert late.tokens == 9
    assert early.tokens < 9
    assert first.startswith(early.text)


def test_a_seed_draws_the_same_answer_alone_and_beside_others(base: Base) -> None:
    drawn = ask("How long?", "default", temperature=0.9, top_p=0.9, seed=4)
    (one,) = ends(base, [drawn])
    others = [ask(QUESTIONS[3], None, temperature=1.5, seed=4), ask("How?", "other")]
    assert ends(base, [*others, drawn])[2].text == one.text
    assert ends(base, [*others, drawn], together=False)[2].text == one.text
    assert ends(base, [ask("How long?", "default", temperature=0.9, seed=5)])[0].text != one.text
    assert ends(base, [ask("How long?", "default")])[0].text != one.text


def test_repetition_is_made_less_likely_as_generate_does(base: Base) -> None:
    asked = ask("How long?", "default", repetition_penalty=1.8)
    ids = torch.tensor([base.format.prompt(asked.messages)])
    out = base.model.generate(
        input_ids=ids, max_new_tokens=LIMIT, do_sample=False, repetition_penalty=1.8
    )
    text = base.format.text(out[0, ids.shape[1] :].tolist())
    assert ends(base, [asked, ask("How?", None)])[0].text == text
    assert text != only(base, ask("How long?", "default"))


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0, -2.0])
    draw = Draw(Sampling(temperature=0.5, top_p=0.95), [0])
    drawn = torch.tensor([draw(logits) for _ in range(2000)]).bincount(minlength=5) / 2000
    likely = (logits[:2] / 0.5).softmax(0)  # together 0.98 of all
    assert drawn[:2].tolist() == pytest.approx(likely.tolist(), abs=0.03)
    assert drawn[2:].sum() == 0


@pytest.mark.parametrize("top_p", [0.05, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("peak", [0.01, 1.0, 6.0])
def test_top_p_leaves_what_transformers_leaves(top_p: float, peak: float) -> None:
    torch.manual_seed(0)
    scores = peak * torch.randn(1, 2000)
    theirs = TopPLogitsWarper(top_p)(None, scores)[0]
    tokens, chances = nucleus(scores[0].softmax(-1), top_p)
    kept = set(theirs.isfinite().nonzero().flatten().tolist())
    assert len(kept ^ set(tokens.tolist())) <= 1, "rounding may decide about the last one"
    assert (chances / chances.sum()).tolist() == pytest.approx(
        theirs.softmax(-1)[tokens].tolist(), rel=0.02, abs=1e-4
    )


def test_a_character_is_shown_when_all_of_its_bytes_are_there(base: Base) -> None:
    """The tiny model says bytes; `ends` looks at each step, and drawn bytes seldom fit."""
    asked = [ask("How?", None, temperature=2.0, seed=seed) for seed in range(6)]
    assert any("\ufffd" in one.text for one in ends(base, asked))


def test_a_conversation_that_is_too_long_is_refused_and_an_answer_ends_at_the_context(
    base: Base,
) -> None:
    base.model.config.max_position_embeddings = 40
    with pytest.raises(ModelError, match=r"is 4\d tokens long and 'tiny' reads 40"):
        ends(base, [ask("a" * 37, None)])
    (one,) = ends(base, [ask("a" * 30, None)])
    prompt = base.format.prompt([{"role": "user", "content": "a" * 30}])
    assert (one.ended, one.tokens) == ("at the limit", 40 - len(prompt))


def test_a_model_with_a_state_of_its_own_streams_and_stops(base: Base) -> None:
    config = FalconMambaConfig(vocab_size=300, hidden_size=32, num_hidden_layers=2)
    model = FalconMambaForCausalLM(config).eval()
    diversify(model)
    model.generation_config = GenerationConfig(eos_token_id=[0], pad_token_id=1)
    odd = Base("o", model, base.format)
    asked = [ask("How?", None), ask("How long?", None, temperature=1.0)]
    first, second = ends(odd, asked)
    assert first.text == alone(odd, asked[0]).text
    assert second.text == ends(odd, asked[1:])[0].text
    steps = stream_answers(odd, asked, lambda: False, together=True)
    assert next(steps)[0].tokens == 1
    steps.close()


def test_the_lean_form_shares_the_memory_of_the_model_and_follows_its_weights(base: Base) -> None:
    lean = find_lean(base.model, {"default", "other"})
    assert lean
    assert find_lean(base.model, {"default"}) is lean
    inner = base.model.get_base_model().model.layers[0]
    fused = lean.layers[0].groups[2].weight
    assert inner.mlp.gate_proj.base_layer.weight.data_ptr() == fused.data_ptr()
    asked = [ask("How long?", "default"), ask("How long?", None)]
    before = [one.text for one in ends(base, asked)]
    with torch.no_grad():
        inner.self_attn.v_proj.base_layer.weight.mul_(-1)
        inner.input_layernorm.weight.mul_(2)
        inner.mlp.up_proj.lora_B["default"].weight.mul_(-3)
    after = [one.text for one in ends(base, asked)]
    assert after == [only(base, one) for one in asked]
    assert before != after
    assert find_lean(base.model, set()) is not lean


def test_a_model_with_biases_has_a_lean_form_that_says_the_same(base: Base) -> None:
    config = Qwen2Config(
        vocab_size=300, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2,
    )  # fmt: skip
    model = Qwen2ForCausalLM(config).eval()
    diversify(model)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if name.endswith("bias"):
                weights.normal_()
    model.generation_config = GenerationConfig(eos_token_id=[0], pad_token_id=1)
    other = Base("q", two_adapters(model), base.format)
    assert find_lean(other.model, {"default", "other"})
    asked = [ask(QUESTIONS[1], "other"), ask(QUESTIONS[0], None)]
    assert [one.text for one in ends(other, asked)] == [only(other, one) for one in asked]


def test_a_form_that_computes_something_else_is_not_used(base: Base) -> None:
    """Scaled embeddings (as in Gemma) are nothing that the lean form knows."""
    bare = base.model.get_base_model()
    bare.model.embed_tokens.register_forward_hook(lambda _, __, out: out * 8)
    assert find_lean(base.model, set()) is None


def test_it_is_measured_whether_two_columns_are_faster_together(base: Base) -> None:
    assert faster_together(base, ["default", None]) in (True, False)
    assert not faster_together(base, ["default"])
