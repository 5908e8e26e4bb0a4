"""The recipe on a tiny model: what is learnt, what is left, what is said."""

import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

from tests.conftest import returns_csv
from trainer.bases import find_base
from trainer.config import RunConfig
from trainer.corpus.library import Corpora, Corpus
from trainer.errors import ConfigError, CorpusError, ModelError
from trainer.events import Finished, Progress, Started, Stopped, Validated
from trainer.finetune import finetune, slope
from trainer.generate import answer_batch
from trainer.models import Base, load_base
from trainer.packing import answer_loss, tokenise, validation_loss
from trainer.runs import Run, Runs
from trainer.work import State


def lora(base: Base) -> torch.nn.Module:
    torch.manual_seed(0)
    return get_peft_model(base.model, LoraConfig(r=8, target_modules="all-linear"))


@pytest.fixture
def tune(runs: Runs, corpus: Corpus, tiny_model: Path) -> Callable[..., Run]:
    def _tune(**settings: object) -> Run:
        given = {"base": str(tiny_model), "corpus": corpus.name, "version": 1, "epochs": 2}
        given |= {"learning_rate": 1e-2, "batch_size": 4, "lora_rank": 8} | settings
        config = RunConfig.parse(given)
        chosen = Corpus(corpus.path.parent / str(config.version))
        run = runs.create(config, chosen.split)
        finetune(run)
        return run

    return _tune


def test_the_base_is_held_in_double_quantised_nf4(tiny_model: Path) -> None:
    import bitsandbytes as bnb

    model = load_base(str(tiny_model)).model
    layers = [m for m in model.modules() if isinstance(m, bnb.nn.Linear4bit)]
    assert len(layers) == 14, "seven linear layers in each of two blocks"
    state = layers[0].weight.quant_state
    assert (state.quant_type, state.nested) == ("nf4", True)
    assert layers[0].compute_dtype == torch.bfloat16


def test_training_moves_the_adapter_and_only_the_adapter(
    tune: Callable[..., Run], tiny_model: Path
) -> None:
    before = load_file(tiny_model / "model.safetensors")
    run = tune()

    assert run.state() is State.FINISHED
    assert {p.name for p in run.adapter.iterdir()} >= {
        "adapter_config.json",
        "adapter_model.safetensors",
    }
    assert not [p for p in run.path.rglob("*") if p.suffix in (".bin", ".pt", ".pkl", ".pth")]
    adapter = load_file(run.adapter / "adapter_model.safetensors")
    layers = {name.split(".lora_")[0] for name in adapter}
    assert len(layers) == 14, "LoRA on all linear layers"
    assert all(w.abs().sum() > 0 for name, w in adapter.items() if "lora_B" in name)
    after = load_file(tiny_model / "model.safetensors")
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_run_says_what_it_does_and_keeps_its_best_step(tune: Callable[..., Run]) -> None:
    events = tune().events.read()
    started, finished = events[0], events[-1]
    assert isinstance(started, Started)
    assert isinstance(finished, Finished)
    progress = [e for e in events if isinstance(e, Progress)]
    checks = [e for e in events if isinstance(e, Validated)]
    assert [e.step for e in progress] == list(range(1, started.steps + 1))
    assert progress[-1].loss < progress[0].loss
    assert started.frozen_weights == "bfloat16", "there is memory to unpack so small a base"
    assert progress[-1].seconds_left == 0
    assert all(e.examples_per_second > 0 for e in progress)
    assert finished.kept_step == min(checks, key=lambda e: e.loss).step
    assert [e.step for e in checks if e.best][-1] == finished.kept_step


def test_training_goes_on_learning_after_an_evaluation(tiny_model: Path, corpus: Corpus) -> None:
    """A forward pass in eval mode must not repack 4-bit weights and cut the gradients off."""
    base = load_base(str(tiny_model))
    model = lora(base)
    config = RunConfig(base="b", corpus="c", version=1)
    train = tokenise(corpus.pile("train"), base, config, corpus.path.parent / "cache")

    def gradients() -> float:
        model.zero_grad()
        answer_loss(model, train[:4]).backward()
        return sum(float(p.grad.abs().sum()) for p in model.parameters() if p.grad is not None)

    model.train()
    before = gradients()
    validation_loss(model, train[:8], 4)
    answer_batch(Base("t", model, base.format), ["How long?"], most_new_tokens=4)
    model.train()
    assert before > 0
    assert gradients() == pytest.approx(before, rel=0.05)


def test_a_packed_row_gives_the_loss_of_its_examples_one_by_one(
    tiny_model: Path, corpus: Corpus
) -> None:
    base = load_base(str(tiny_model), quantization="none")
    base.model.float()
    config = RunConfig(base="b", corpus="c", version=1)
    rows = tokenise(corpus.examples[:5], base, config, corpus.path.parent / "cache")
    with torch.no_grad():
        packed = answer_loss(base.model, rows).item()
        alone = [answer_loss(base.model, [row]).item() for row in rows]
        by_hand = []
        for prompt, answer in rows:
            ids = torch.tensor([prompt + answer])
            labels = torch.tensor([[-100] * len(prompt) + answer])
            by_hand.append(base.model(input_ids=ids, labels=labels).loss.item())
    tokens = [len(answer) for _, answer in rows]
    mean = sum(a * n for a, n in zip(alone, tokens, strict=True)) / sum(tokens)
    assert alone == pytest.approx(by_hand, rel=1e-4)
    assert packed == pytest.approx(mean, rel=1e-4)


def test_only_the_answer_and_its_end_token_are_learnt(tiny_model: Path, corpus: Corpus) -> None:
    base = load_base(str(tiny_model))
    config = RunConfig(base="b", corpus="c", version=1)
    ((prompt, answer),) = tokenise(corpus.examples[:1], base, config, corpus.path / "cache")
    tokenizer = base.format.tokenizer
    assert tokenizer.decode(prompt) == "<|user|>May I return item 1?<|end|><|assistant|>"
    assert tokenizer.decode(answer) == "Item 1 may come back within 1 days.<|end|>"


def test_an_example_too_long_is_cut_and_one_without_answer_left_is_refused(
    tune: Callable[..., Run], corpora: Corpora, tmp_path: Path
) -> None:
    cut = tune(max_length=40, epochs=0.1).events.read()[0]
    assert isinstance(cut, Started)
    assert cut.cut == cut.examples
    long = tmp_path / "returns.csv"
    long.write_text(returns_csv().replace("item", "this very dear item"))
    corpora.add(long)
    with pytest.raises(
        CorpusError, match=r"longer than the maximum length of 32 tokens\. Raise it"
    ):
        tune(max_length=32, version=2)


def test_a_stop_keeps_what_was_learnt(runs: Runs, corpus: Corpus, tiny_model: Path) -> None:
    settings = {"base": str(tiny_model), "corpus": corpus.name, "version": 1, "epochs": 50}
    run = runs.create(RunConfig.parse(settings), corpus.split)
    run.ask_to_stop()
    finetune(run)
    assert run.state() is State.STOPPED
    stopped = run.events.read()[-1]
    assert isinstance(stopped, Stopped)
    assert (stopped.step, stopped.kept_step) == (1, 1)
    assert run.has_adapter


def test_early_stopping_ends_a_run_that_no_longer_improves_and_keeps_its_best(
    tune: Callable[..., Run], tiny_model: Path
) -> None:
    run = tune(epochs=60, learning_rate=3e-2)
    started, finished = run.events.read()[0], run.events.read()[-1]
    assert isinstance(started, Started)
    assert isinstance(finished, Finished)
    assert finished.step is not None
    assert finished.kept_step is not None
    assert finished.kept_step < finished.step < started.steps

    checks = [e.loss for e in run.events.read() if isinstance(e, Validated)]
    base = load_base(str(tiny_model))
    rows = tokenise(run.corpus.pile("validation"), base, run.config, run.path / "cache")
    kept = validation_loss(PeftModel.from_pretrained(base.model, run.adapter), rows, 4)
    assert kept == pytest.approx(min(checks), rel=1e-3)
    assert kept < checks[-1] * 0.99


def test_a_loss_that_is_no_number_ends_the_run_with_advice(
    tune: Callable[..., Run], tiny_model: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(tiny_model, damaged)
    weights = load_file(damaged / "model.safetensors")
    weights["model.norm.weight"][0] = math.nan
    save_file(weights, damaged / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ConfigError, match=r"The loss is nan at step 1.*the base is damaged"):
        tune(base=str(damaged))


def test_an_adapter_that_cannot_be_written_leaves_the_older_one(
    runs: Runs, corpus: Corpus, tiny_model: Path
) -> None:
    settings = {"base": str(tiny_model), "corpus": corpus.name, "version": 1, "epochs": 0.1}
    run = runs.create(RunConfig.parse(settings), corpus.split)
    run.adapter.mkdir()
    (run.adapter / "older").touch()
    (run.path / "adapter.partial").write_text("a file where a folder has to be")
    with pytest.raises(ValueError, match=r"adapter\.partial\) should be a directory"):
        finetune(run)
    assert [p.name for p in run.path.glob("adapter*/*")] == ["older"]


def test_a_new_adapter_takes_the_place_of_the_older_one(tune: Callable[..., Run]) -> None:
    run = tune(epochs=0.1)
    # As it was left by whoever was killed between the two renames.
    run.adapter.rename(run.path / "adapter.before")
    assert run.has_adapter
    older = run.adapter_hash
    (run.path / "checkpoints").rename(run.path / "away")
    finetune(run)
    assert run.adapter == run.path / "adapter"
    assert run.adapter_hash == older, "the same settings, the same weights"
    assert not (run.path / "adapter.before").exists()


def test_the_same_seed_gives_the_same_adapter(tune: Callable[..., Run]) -> None:
    first, second, other = tune(), tune(), tune(seed=18)
    assert first.adapter_hash == second.adapter_hash != other.adapter_hash


def test_the_learning_rate_rises_and_falls() -> None:
    def config(**settings: object) -> RunConfig:
        return RunConfig.parse({"base": "b", "corpus": "c", "version": 1} | settings)

    shares = [slope(step, 100, config(warmup=0.1)) for step in range(100)]
    assert max(shares) == shares[9] == 1.0
    assert shares[0] == pytest.approx(0.1)
    assert shares[55] == pytest.approx(0.5)
    assert shares[-1] == pytest.approx(0.02)
    curve = [slope(step, 100, config(warmup=0.1, schedule="cosine")) for step in range(100)]
    assert curve[30] > shares[30]
    assert curve[80] < shares[80]
    assert slope(99, 100, config(schedule="constant")) == 1.0
    assert all(math.isfinite(slope(0, 1, config(warmup=w))) for w in (0.0, 0.9))


def test_a_batch_answers_as_its_questions_alone_would(tiny_model: Path) -> None:
    base = load_base(str(tiny_model), quantization="none")
    base.model.float()
    questions = ["How long?", "May I return item 7 after all these years?"]
    alone = [answer_batch(base, [q], most_new_tokens=8)[0] for q in questions]
    assert answer_batch(base, questions, most_new_tokens=8) == alone


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bundled:nope", "No base is called 'bundled:nope'. Bundled: bundled:pocket"),
        ("no such thing", "There is no base 'no such thing'. Give bundled:pocket"),
    ],
)
def test_an_unknown_base_is_refused(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        find_base(name)


def test_a_folder_without_safetensors_or_template_is_refused(
    tiny_model: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"is not a model: it has no config\.json"):
        find_base(str(tmp_path))
    pickled = tmp_path / "pickled"
    shutil.copytree(tiny_model, pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_base(str(pickled))
    mute = tmp_path / "mute"
    shutil.copytree(tiny_model, mute)
    (mute / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match="has no chat template"):
        load_base(str(mute))
