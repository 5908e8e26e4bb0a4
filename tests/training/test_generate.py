"""Many answers at once are the answers that each question would get alone."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (
    FalconMambaConfig,
    FalconMambaForCausalLM,
    GenerationConfig,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
)

from trainer import decoding, models
from trainer.generate import Ask, Said, answer_all, answer_batch
from trainer.models import Base, load_base
from trainer.sampling import Sampling

LIMIT = 24
SHORT = Sampling(most_new_tokens=LIMIT)
QUESTIONS = [
    "How long?",
    "May I return item 7 after all these years?",
    "Send back number 3",
    "Who pays the postage if I send a thing back that was broken when it came to me?",
    "?",
    "How much is it",
]


def adapted(model: PreTrainedModel, **settings: object) -> PeftModel:
    """A model with LoRA that changes what it says."""
    torch.manual_seed(1)
    chosen = {"r": 4, "target_modules": "all-linear", "lora_dropout": 0.5} | settings
    tuned = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **chosen))
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if "lora_B" in name:
                weights.normal_(std=0.3)
    return tuned.eval()


@pytest.fixture
def base(tiny_model: Path) -> Base:
    """The tiny model in float32."""
    base = load_base(str(tiny_model), quantization="none")
    diversify(base.model.float())
    return base


def diversify(model: PreTrainedModel) -> None:
    """Give a model weights so large that its answers hang on every token it sees."""
    torch.manual_seed(3)
    with torch.no_grad():
        for weights in model.parameters():
            if weights.dim() == 2:
                weights.normal_(std=0.3)


def asks(adapter: Sequence[bool], beginning: str = "") -> list[Ask]:
    told = zip(QUESTIONS * 2, adapter, strict=False)
    return [
        Ask([{"role": "user", "content": beginning + q}], "default" if a else None, SHORT)
        for q, a in told
    ]


def alone(base: Base, ask: Ask) -> Said:
    """What one `generate` call says."""
    ids = torch.tensor([base.format.prompt(ask.messages)])
    given = dict(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=LIMIT)
    with torch.inference_mode():
        if isinstance(base.model, PeftModel) and not ask.adapter:
            with base.model.disable_adapter():
                out = base.model.generate(**given, do_sample=False)
        else:
            out = base.model.generate(**given, do_sample=False)
    tokens = out[0, ids.shape[1] :].tolist()
    ended = tokens[-1] in base.model.generation_config.eos_token_id
    tokens = tokens[: len(tokens) - ended]
    return Said(base.format.text(tokens), len(tokens), ended)


def together(base: Base, asked: Sequence[Ask], batch_size: int = 5) -> list[Said]:
    found: dict[int, Said] = {}
    for some in answer_all(base, asked, batch_size=batch_size):
        assert not found.keys() & some.keys()
        assert len(some) <= batch_size
        found |= some
    return [found[place] for place in range(len(asked))]


def with_stops(base: Base, asked: Sequence[Ask]) -> None:
    """Let tokens that the model says soon and late be end tokens."""
    said: list[int] = []
    for ask in asked[:4]:
        ids = torch.tensor([base.format.prompt(ask.messages)])
        out = base.model.generate(input_ids=ids, max_new_tokens=LIMIT, do_sample=False)
        said.append(out[0, ids.shape[1] :][: 3 * len(said) + 2][-1].item())
    base.model.generation_config.eos_token_id = sorted(set(said))


@pytest.mark.parametrize("beginning", ["", "You answer for a shop. "])
@pytest.mark.parametrize("batch_size", [2, 5, 100])
def test_base_and_tuned_answer_together_as_each_question_alone(
    base: Base, batch_size: int, beginning: str
) -> None:
    asked = asks([True] * 6 + [False] * 6, beginning)
    tuned = Base("t", adapted(base.model), base.format)
    with_stops(tuned, asked)
    apart = [alone(tuned, ask) for ask in asked]
    assert {said.ended for said in apart} == {True, False}
    assert len({said.tokens for said in apart}) > 3, "the answers must end at several lengths"
    assert apart[:6] != apart[6:], "the adapter must change what is said"
    assert together(tuned, asked, batch_size) == apart


def test_a_model_without_an_adapter_answers_as_each_question_alone(base: Base) -> None:
    asked = asks([False] * 6)
    assert together(base, asked) == [alone(base, ask) for ask in asked]
    with pytest.raises(ValueError, match="adapter"):
        together(base, asks([True]))


def test_weights_in_four_bits_answer_with_and_without_the_adapter(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "arithmetic", lambda device: torch.float32)
    loaded = load_base(str(tiny_model), frozen_weights="4-bit")
    tuned = Base("t", adapted(loaded.model), loaded.format)
    asked = asks([True, False] * 3)
    assert together(tuned, asked) == [alone(tuned, ask) for ask in asked]


def test_what_is_not_plain_lora_is_answered_apart(base: Base) -> None:
    tuned = Base("t", adapted(base.model, use_dora=True), base.format)
    assert not decoding.Decoder(tuned.model).mixes({None, "default"})
    asked = asks([True, False] * 3)
    apart = [alone(tuned, ask) for ask in asked]
    assert apart[0] != alone(tuned, Ask(asked[0].messages))
    assert together(tuned, asked) == apart


@pytest.mark.parametrize("window", [24, 400])
def test_a_model_that_looks_back_only_so_far_sees_no_padding(base: Base, window: int) -> None:
    sizes = dict(hidden_size=64, intermediate_size=128, num_hidden_layers=2)
    heads = dict(num_attention_heads=4, num_key_value_heads=2, sliding_window=window)
    model = MistralForCausalLM(
        MistralConfig(vocab_size=base.model.config.vocab_size, **sizes, **heads)
    )
    diversify(model)
    model.generation_config = base.model.generation_config
    short = Base("m", adapted(model), base.format)
    asked = asks([True, False] * 3, "You answer for a shop. ")
    assert together(short, asked) == [alone(short, ask) for ask in asked]


def test_a_model_that_cannot_be_padded_answers_one_question_after_the_other(base: Base) -> None:
    model = FalconMambaForCausalLM(
        FalconMambaConfig(
            vocab_size=base.model.config.vocab_size, hidden_size=32, num_hidden_layers=2
        )
    ).eval()
    diversify(model)
    model.generation_config = GenerationConfig(eos_token_id=[0], pad_token_id=1)
    odd = Base("o", model, base.format)
    assert not decoding.Decoder(model).batches
    asked = asks([False] * 3)
    assert together(odd, asked) == [alone(odd, ask) for ask in asked]


def test_answering_stops_within_a_batch(base: Base) -> None:
    left = iter([False] * 7)
    four = Sampling(most_new_tokens=4)
    asked = [Ask(ask.messages, sampling=four) for ask in asks([False] * 6)]
    found = answer_all(
        base, asked, batch_size=2, stop=lambda: next(left, True)
    )  # four tokens of the first batch, then three of the second
    assert [sorted(some) for some in found] == [[1, 3]]


def test_answering_leaves_the_model_as_it_was(base: Base) -> None:
    model = adapted(base.model)
    tuned = Base("t", model, base.format)
    model.train()
    before = {name: weights.clone() for name, weights in model.state_dict().items()}
    answer_batch(tuned, QUESTIONS[:3], most_new_tokens=4)
    assert model.training
    assert model.get_model_status().enabled is True
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert all(torch.equal(weights, before[name]) for name, weights in model.state_dict().items())


def test_a_batch_is_answered_with_whatever_adapter_is_active(base: Base) -> None:
    tuned = Base("t", adapted(base.model), base.format)
    messages = [{"role": "user", "content": QUESTIONS[0]}]
    apart = [alone(tuned, Ask(messages, a)).text for a in ("default", None)]
    assert apart[0] != apart[1]
    on = answer_batch(tuned, QUESTIONS[:1], most_new_tokens=LIMIT)
    with tuned.model.disable_adapter():
        off = answer_batch(tuned, QUESTIONS[:1], most_new_tokens=LIMIT)
    assert [*on, *off] == apart
