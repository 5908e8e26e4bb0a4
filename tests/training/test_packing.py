"""Fast and right: a packed row on a frozen base learns what plain training learns."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch.nn.functional import cross_entropy

from trainer import frozen
from trainer.config import RunConfig
from trainer.corpus.library import Corpus
from trainer.frozen import answers_entropy, quicken, unpack_weights
from trainer.generate import answer_batch
from trainer.models import Base, load_base
from trainer.packing import Tokens, answer_loss, shuffled_steps, tokenise, validation_loss

STEPS = 20


def config(**settings: object) -> RunConfig:
    return RunConfig.model_validate({"base": "b", "corpus": "c", "version": 1} | settings)


def adapted(base: Base, *, quick: bool = True, dropout: float = 0.0) -> PeftModel:
    torch.manual_seed(0)
    lora = LoraConfig(r=8, lora_alpha=16, lora_dropout=dropout, target_modules="all-linear")
    model = get_peft_model(base.model, lora)
    if quick:
        quicken(model)
    return model


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Operations this small only wait for a second thread, for minutes on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def taught(tiny_model: Path, corpus: Corpus, tmp_path: Path) -> list[Tokens]:
    base = load_base(str(tiny_model), quantization="none")
    return tokenise(corpus.pile("train"), base, config(), tmp_path)


def learn(
    model: PeftModel,
    taught: list[Tokens],
    loss_of: Callable[[PeftModel, list[Tokens]], torch.Tensor],
) -> list[float]:
    """Train for some steps and return the loss at each."""
    weights = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=1e-2)
    batches = shuffled_steps(taught, config(batch_size=4))
    model.train()
    losses = []
    for _ in range(STEPS):
        loss = loss_of(model, *next(batches))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


def plain_loss(model: PeftModel, batch: list[Tokens]) -> torch.Tensor:
    """The loss as Transformers and PEFT compute it, one example after the other."""
    total = sum(len(answer) for _, answer in batch)
    losses = []
    for prompt, answer in batch:
        ids = torch.tensor([prompt + answer])
        labels = torch.tensor([[-100] * len(prompt) + answer])
        losses.append(model(input_ids=ids, labels=labels).loss * (len(answer) / total))
    return torch.stack(losses).sum()


@pytest.mark.parametrize(
    ("precision", "quantization", "frozen_weights", "tolerance"),
    [
        (torch.float32, "none", "4-bit", 1e-3),
        (torch.bfloat16, "none", "4-bit", 0.03),
        (torch.bfloat16, "nf4", "4-bit", 0.03),
        (torch.bfloat16, "nf4", "dequantised", 0.03),
    ],
)
def test_the_loss_falls_as_it_does_in_plain_training(
    tiny_model: Path,
    taught: list[Tokens],
    precision: torch.dtype,
    quantization: str,
    frozen_weights: str,
    tolerance: float,
) -> None:
    def model(*, quick: bool, weights: str) -> PeftModel:
        base = load_base(str(tiny_model), quantization=quantization, frozen_weights=weights)
        if precision == torch.float32:
            base.model.float()
        return adapted(base, quick=quick)

    expected = learn(model(quick=False, weights="4-bit"), taught, plain_loss)
    losses = learn(model(quick=True, weights=frozen_weights), taught, answer_loss)
    assert expected[-1] < expected[0] * 0.9, "20 steps are enough to see it learn"
    assert losses == pytest.approx(expected, rel=tolerance)


def test_unpacked_weights_are_the_values_of_the_4_bit_weights(
    tiny_model: Path, taught: list[Tokens]
) -> None:
    import bitsandbytes as bnb

    packed = load_base(str(tiny_model), frozen_weights="4-bit").model
    unpacked = load_base(str(tiny_model), frozen_weights="dequantised").model
    assert any(isinstance(layer, bnb.nn.Linear4bit) for layer in packed.modules())
    assert not any(isinstance(layer, bnb.nn.Linear4bit) for layer in unpacked.modules())
    assert not any(p.requires_grad for p in unpacked.parameters())
    with torch.no_grad():
        losses = [answer_loss(model, taught[:4]).item() for model in (packed, unpacked)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)


@pytest.mark.parametrize(("available", "unpacked"), [(10**6, True), (10**5, False)])
def test_weights_are_unpacked_where_memory_allows_it(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, available: int, unpacked: bool
) -> None:
    """The tiny base has 73,728 weights in 4 bits: 147,456 bytes when unpacked."""

    class Memory:
        def __init__(self) -> None:
            self.available = available

    model = load_base(str(tiny_model)).model
    monkeypatch.setattr(frozen.psutil, "virtual_memory", Memory)
    assert unpack_weights(model, "auto") is unpacked


@pytest.mark.parametrize("frozen_weights", ["4-bit", "dequantised"])
def test_every_matrix_of_the_adapter_learns_also_after_an_evaluation(
    tiny_model: Path, taught: list[Tokens], frozen_weights: str
) -> None:
    base = load_base(str(tiny_model), frozen_weights=frozen_weights)
    model = adapted(base)
    learn(model, taught, answer_loss)

    def gradients() -> dict[str, float]:
        model.zero_grad()
        answer_loss(model, taught[:4]).backward()
        weights = {name: p for name, p in model.named_parameters() if p.requires_grad}
        return {name: float(p.grad.abs().sum()) for name, p in weights.items()}

    before = gradients()
    validation_loss(model, taught[:8], 4)
    answer_batch(Base("t", model, base.format), ["How long?"], most_new_tokens=4)
    model.train()
    assert len(before) == 2 * 14, "two matrices for seven layers in each of two blocks"
    assert all(gradient > 0 for gradient in before.values())
    assert gradients() == pytest.approx(before, rel=0.05)


def test_recomputing_changes_nothing_but_memory(tiny_model: Path, taught: list[Tokens]) -> None:
    losses = []
    for recompute in (False, True):
        model = adapted(load_base(str(tiny_model)))
        if recompute:
            model.enable_input_require_grads()
            model.gradient_checkpointing_enable({"use_reentrant": False})
        losses.append(learn(model, taught, answer_loss))
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)


def test_dropout_falls_on_the_adapter_alone(tiny_model: Path, taught: list[Tokens]) -> None:
    def step(*, quick: bool) -> tuple[float, list[torch.Tensor]]:
        base = load_base(str(tiny_model), quantization="none")
        base.model.float()
        model = adapted(base, quick=quick, dropout=0.5)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_B" in name:
                    parameter.normal_(std=0.1)
        model.train()
        torch.manual_seed(1)
        loss = answer_loss(model, taught[:4])
        loss.backward()
        return loss.item(), [p.grad for p in model.parameters() if p.grad is not None]

    (loss, gradients), (expected, plain) = step(quick=True), step(quick=False)
    assert loss == pytest.approx(expected, rel=1e-4)
    for gradient, other in zip(gradients, plain, strict=True):
        torch.testing.assert_close(gradient, other, rtol=1e-3, atol=1e-5)


def test_a_quickened_adapter_is_saved_loaded_switched_off_and_merged_as_any(
    tiny_model: Path, taught: list[Tokens], tmp_path: Path
) -> None:
    def load() -> PeftModel:
        base = load_base(str(tiny_model), frozen_weights="dequantised")
        return PeftModel.from_pretrained(base.model, tmp_path)

    base = load_base(str(tiny_model), frozen_weights="dequantised")
    with torch.no_grad():
        untouched = answer_loss(base.model, taught[:4]).item()
    model = adapted(base)
    learn(model, taught, answer_loss)
    model.save_pretrained(tmp_path)
    model.eval()
    with torch.no_grad():
        tuned = answer_loss(model, taught[:4]).item()
        with model.disable_adapter():
            assert answer_loss(model, taught[:4]).item() == pytest.approx(untouched, rel=1e-3)
        assert plain_loss(load().eval(), taught[:4]).item() == pytest.approx(tuned, rel=0.01)
        merged = model.merge_and_unload()
        assert answer_loss(merged, taught[:4]).item() == pytest.approx(tuned, rel=0.02)
    assert tuned < untouched * 0.9


def test_examples_longer_than_a_sliding_window_keep_to_it(taught: list[Tokens]) -> None:
    from transformers import MistralConfig, MistralForCausalLM

    sizes = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, vocab_size=300)
    heads = dict(num_attention_heads=4, num_key_value_heads=2)
    torch.manual_seed(0)
    model = MistralForCausalLM(MistralConfig(**sizes, **heads, sliding_window=16))
    longest = max(len(prompt) + len(answer) for prompt, answer in taught)
    assert longest > 16
    quick = adapted(Base("m", model, None))
    with torch.no_grad():
        loss = answer_loss(quick, taught[:4]).item()
        model.set_attn_implementation("sdpa")
        assert loss == pytest.approx(plain_loss(quick, taught[:4]).item(), rel=1e-4)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_and_its_gradient_are_those_of_pytorch(smoothing: float) -> None:
    torch.manual_seed(0)
    targets = torch.randint(0, 50, (70,))
    targets[::7] = -100
    logits = torch.randn(70, 50, requires_grad=True)
    plain = logits.detach().clone().requires_grad_()
    loss = answers_entropy(logits, targets, smoothing)
    expected = cross_entropy(plain, targets, ignore_index=-100, label_smoothing=smoothing)
    (2 * loss).backward()
    (2 * expected).backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(logits.grad, plain.grad)
