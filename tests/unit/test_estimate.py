"""Time and memory before the start: a formula that rises where it must, and settings that fit."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import returns_csv
from trainer.bundled import bundled_bases
from trainer.config import RunConfig
from trainer.corpus.library import Corpora, Corpus
from trainer.errors import ConfigError, ModelError
from trainer.estimate import Estimate, estimate, observations, this_machine
from trainer.events import Finished, Started
from trainer.fitting import make_it_fit, refuse
from trainer.machine import Machine, observed_rate
from trainer.runs import Run, Runs
from trainer.workload import local_base, measure_workload, read_shape

LARGE = Machine(cores=4, memory_bytes=64 * 10**9, available_bytes=60 * 10**9, rate=4e11)
NUMBERS = {
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "head_dim": 64,
    "vocab_size": 32_000,
    "max_position_embeddings": 4096,
}


@pytest.fixture
def headers(tmp_path: Path) -> Path:
    """A base of which there are only the headers: a Llama of a billion parameters."""
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(NUMBERS))
    sizes = {"model.embed_tokens.weight": [32_000, 2048], "model.norm.weight": [2048]}
    for layer in range(16):
        for name, size in {
            "self_attn.q_proj": [2048, 2048],
            "self_attn.k_proj": [512, 2048],
            "self_attn.v_proj": [512, 2048],
            "self_attn.o_proj": [2048, 2048],
            "mlp.gate_proj": [8192, 2048],
            "mlp.up_proj": [8192, 2048],
            "mlp.down_proj": [2048, 8192],
        }.items():
            sizes[f"model.layers.{layer}.{name}.weight"] = size
    header = json.dumps(
        {n: {"dtype": "BF16", "shape": s, "data_offsets": [0, 0]} for n, s in sizes.items()}
    )
    data = len(header).to_bytes(8, "little") + header.encode()
    (folder / "model.safetensors").write_bytes(data)
    return folder


@pytest.fixture
def look(corpus: Corpus, headers: Path) -> Callable[..., Estimate]:
    def _look(machine: Machine = LARGE, **settings: object) -> Estimate:
        return estimate(settled(headers, **settings), corpus, machine, lengths=long(corpus))

    return _look


def long(corpus: Corpus) -> dict[str, int]:
    return {example.id: 400 for example in corpus.examples}


def settled(base: Path, **settings: object) -> RunConfig:
    given = {"base": str(base), "corpus": "returns", "version": 1, "frozen_weights": "4-bit"}
    return RunConfig.parse(given | settings)


def with_memory(count: float) -> Machine:
    return replace(LARGE, memory_bytes=int(count), available_bytes=int(count))


def test_a_shape_is_read_from_headers(headers: Path) -> None:
    base = read_shape(headers)
    assert (base.layers, base.hidden, base.vocabulary, base.longest) == (16, 2048, 32_000, 4096)
    assert base.linear == 16 * (2 * 2048**2 + 2 * 2048 * 512 + 3 * 2048 * 8192)
    assert base.other == 32_000 * 2048 + 2048
    rank = settled(headers, lora_rank=8)
    assert base.adapter(rank) == 16 * 8 * (2 * 4096 + 2 * 2560 + 3 * 10_240)
    attention = settled(headers, lora_rank=8, lora_targets="attention")
    assert base.adapter(attention) == 16 * 8 * (2 * 4096 + 2 * 2560)


def test_more_work_takes_more_time(look: Callable[..., Estimate]) -> None:
    usual = look()
    assert look(epochs=6).seconds > usual.seconds
    assert look(recompute=True).seconds > usual.seconds
    assert look(lora_rank=64).seconds > usual.seconds
    assert look(frozen_weights="dequantised").seconds < usual.seconds
    assert look(replace(LARGE, rate=LARGE.rate / 4)).seconds > 2 * usual.seconds
    assert look(epochs=6).steps == 2 * usual.steps
    assert look(evaluate=False).scoring_seconds == 0 < usual.scoring_seconds


def test_what_is_held_takes_memory(look: Callable[..., Estimate]) -> None:
    usual = look()
    assert look(batch_size=16).peak_bytes > usual.peak_bytes > look(batch_size=2).peak_bytes
    assert look(recompute=True).peak_bytes < usual.peak_bytes
    assert look(frozen_weights="dequantised").peak_bytes > usual.peak_bytes
    assert look(method="lora").needed_bytes > usual.needed_bytes
    assert look(optimizer="adamw8bit").peak_bytes < usual.peak_bytes
    assert look(lora_targets="attention").peak_bytes < usual.peak_bytes
    assert look(epochs=30).peak_bytes == pytest.approx(usual.peak_bytes, rel=0.05)


def test_a_verdict_follows_from_the_memory_that_is_free(look: Callable[..., Estimate]) -> None:
    needed = look().needed_bytes
    fits, tight, never = (look(with_memory(needed * share)) for share in (2, 1.1, 0.9))
    assert [e.verdict for e in (fits, tight, never)] == ["fits", "tight", "won't fit"]
    assert "GB here; 60 GB are free." in look().sentences[0]
    assert "That is tight" in tight.sentences[1]
    assert "does not fit" in never.sentences[1]


def test_weights_are_unpacked_once_where_a_third_of_the_memory_holds_them(
    look: Callable[..., Estimate], headers: Path
) -> None:
    packed, unpacked = look(), look(frozen_weights="dequantised")
    assert look(frozen_weights="auto") == unpacked
    small = look(with_memory(5 * read_shape(headers).linear), frozen_weights="auto")
    assert (small.peak_bytes, small.unpacked) == (packed.peak_bytes, False)


def test_counted_tokens_are_taken_for_guessed_ones(corpus: Corpus, headers: Path) -> None:
    counted = {example.id: 100 for example in corpus.examples}
    base, config = read_shape(headers), settled(headers, epochs=1)
    work = measure_workload(config, corpus, base, counted)
    exact = len(corpus.split.train) * 100
    assert exact <= work.tokens < exact + 64 * work.batches
    assert work.p95 == 100
    cut = measure_workload(settled(headers, epochs=1, max_length=50), corpus, base, counted)
    assert (cut.tokens, cut.longest) < (work.tokens, work.longest)
    assert cut.longest[0] < work.longest[0]


def test_other_scripts_have_more_tokens_a_letter(
    corpora: Corpora, headers: Path, tmp_path: Path
) -> None:
    base, tokens = read_shape(headers), []
    for name, answer in {
        "latin": "It may come back, number {n}",
        "han": "第{n}号商品可以退回来的请联系我们的客服人员吧",
    }.items():
        file = tmp_path / f"{name}.csv"
        file.write_text(returns_csv(answer=answer))
        corpus = corpora.add(file)
        config = settled(headers, corpus=name)
        tokens.append(measure_workload(config, corpus, base).labels / len(answer))
    assert tokens[1] > 2 * tokens[0]


def test_two_thousand_examples_are_estimated_in_a_blink(corpora: Corpora, tmp_path: Path) -> None:
    file = tmp_path / "many.csv"
    file.write_text(returns_csv(answers=700))
    corpus = corpora.add(file)
    config = RunConfig.parse({"base": "bundled:pocket", "corpus": "many", "version": 1})
    _ = corpus.examples, corpus.split
    best = min(_seconds(lambda: estimate(config, corpus, LARGE)) for _ in range(5))
    assert best < 0.05


def _seconds(act: Callable[[], object]) -> float:
    started = time.process_time()
    act()
    return time.process_time() - started


def test_an_estimate_loads_no_framework() -> None:
    code = (
        "import sys; import trainer.fitting, trainer.presets, trainer.trial;"
        "print({'torch', 'transformers', 'numpy'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


def test_this_machine_has_cores_and_memory() -> None:
    here = Machine.here()
    assert here.cores >= 1
    assert 0 < here.available_bytes <= here.memory_bytes
    assert Machine.here(rate=5.0).rate == 5.0


def test_a_rate_is_the_median_of_what_runs_showed(runs: Runs, run: Run) -> None:
    assert observed_rate([]) is None
    assert observed_rate([(10, 1), (40, 2), (900, 3), (1, 0)]) == 20
    assert observations(runs) == []
    started = Started(steps=40, examples=25, trainable_parameters=1, parameters=2, device="cpu")
    ended = Finished(seconds=500, step=10, examples_per_second=8)
    run.events.append(started)
    run.events.append(ended)
    ((operations, seconds),) = observations(runs)
    assert 0 < seconds <= 10 * run.config.batch_size / 8
    assert observations(runs, on_gpu=True) == []
    assert this_machine(runs).rate == pytest.approx(operations / seconds)
    run.events.append(ended.model_copy(update={"examples_per_second": 4}))
    assert this_machine(runs).rate < operations / seconds


def test_what_fits_is_left_alone(corpus: Corpus, headers: Path) -> None:
    config = settled(headers)
    assert make_it_fit(config, corpus, LARGE, lengths=long(corpus)) == (config, [])


def test_making_it_fit_changes_one_thing_where_one_is_enough(
    corpus: Corpus, headers: Path, look: Callable[..., Estimate]
) -> None:
    config = settled(
        headers, batch_size=32, epochs=2, learning_rate=1e-3, frozen_weights="dequantised"
    )
    machine = with_memory(look(batch_size=32).needed_bytes / 0.79)
    assert estimate(config, corpus, machine, lengths=long(corpus)).verdict != "fits"
    found = make_it_fit(config, corpus, machine, lengths=long(corpus))
    assert found is not None
    assert found[0] == config.model_copy(update={"frozen_weights": "4-bit"})
    assert found[1] == ["4-bit weights unpacked at every use (frozen_weights 4-bit)"]


def test_a_smaller_batch_is_taken_more_often_so_that_a_step_stays_the_same(
    corpus: Corpus, headers: Path, look: Callable[..., Estimate]
) -> None:
    config = settled(headers, batch_size=12)
    machine = with_memory(look(batch_size=4).needed_bytes / 0.79)
    found = make_it_fit(config, corpus, machine, lengths=long(corpus))
    assert found is not None
    assert (found[0].batch_size, found[0].accumulation) == (4, 3)
    assert config == found[0].model_copy(update={"batch_size": 12, "accumulation": 1})
    assert estimate(found[0], corpus, machine, lengths=long(corpus)).verdict == "fits"


def test_what_a_later_change_makes_needless_is_taken_back(
    corpus: Corpus, headers: Path, look: Callable[..., Estimate]
) -> None:
    config = settled(headers, batch_size=2)
    machine = with_memory(look(batch_size=2, recompute=True).needed_bytes / 0.79)
    alone = look(batch_size=1).needed_bytes
    assert alone > 0.8 * machine.available_bytes, "a smaller batch is not enough"
    found = make_it_fit(config, corpus, machine, lengths=long(corpus))
    assert found is not None
    assert found[0] == config.model_copy(update={"recompute": True})


def test_a_smaller_base_is_the_last_resort(corpus: Corpus, headers: Path) -> None:
    config = settled(headers)
    found = make_it_fit(config, corpus, with_memory(1.3e9))
    assert found is not None
    assert found[0].base in bundled_bases()
    assert "the smaller base bundled:pocket" in found[1][0]
    assert make_it_fit(config, corpus, with_memory(1e8)) is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_length": 8192}, "can read 4096 tokens, so 8192 cannot be learnt"),
        ({"processes": 5}, "processes: 5 is more than the 4 cores of this machine"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    corpus: Corpus, headers: Path, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        refuse(settled(headers, **settings), corpus, LARGE)


def test_an_adapter_wider_than_a_layer_is_refused(corpus: Corpus, headers: Path) -> None:
    numbers = (headers / "model.safetensors").read_bytes().replace(b"[512, 2048]", b"[128, 2048]")
    (headers / "model.safetensors").write_bytes(numbers)
    with pytest.raises(ConfigError, match=r"narrowest layer of .* is 128 wide"):
        refuse(settled(headers, lora_rank=129), corpus, LARGE)
    assert refuse(settled(headers, lora_rank=128), corpus, LARGE) == []


def test_what_no_memory_could_hold_is_refused_with_what_would_fit(
    corpus: Corpus, headers: Path, look: Callable[..., Estimate]
) -> None:
    needed = look(batch_size=25, method="lora").needed_bytes
    config = settled(headers, batch_size=25, method="lora")
    with pytest.raises(ConfigError, match=r"need about .* GB in all\. It would fit with "):
        refuse(config, corpus, with_memory(needed / 1.4), lengths=long(corpus))
    assert refuse(config, corpus, with_memory(needed / 1.2), lengths=long(corpus)) == []


def test_what_is_only_unwise_is_said(corpus: Corpus, headers: Path) -> None:
    said = refuse(settled(headers, batch_size=256, processes=2), corpus, LARGE)
    assert ["not faster" in said[0], "more than the" in said[1]] == [True, True]


def test_of_a_base_that_is_not_here_nothing_is_known(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    config = RunConfig(base="org/model", corpus="returns", version=1)
    with pytest.raises(ModelError, match="has not been fetched yet"):
        estimate(config, corpus, LARGE)
    assert "not been fetched yet" in refuse(config, corpus, LARGE)[0]
    snapshot = tmp_path / "models--org--model" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    for file in ("config.json", "tokenizer.json", "model.safetensors"):
        (snapshot / file).touch()
    assert local_base("org/model") == snapshot
