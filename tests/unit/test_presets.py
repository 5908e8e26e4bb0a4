"""Presets: valid settings that follow from the size of corpus and base."""

import pytest

from trainer.config import RunConfig, recommended
from trainer.presets import presets


def config(base: str, settings: object) -> RunConfig:
    assert isinstance(settings, dict)
    return RunConfig.parse({"base": base, "corpus": "c", "version": 1, **settings})


@pytest.mark.parametrize("base", ["bundled:pocket", "org/model"])
@pytest.mark.parametrize("examples", [12, 299, 300, 5_000, 100_000])
@pytest.mark.parametrize("parameters", [9_000_000, 7_000_000_000])
def test_every_preset_is_valid_and_does_more_than_the_one_before(
    base: str, examples: int, parameters: int
) -> None:
    chosen = presets(base, examples, parameters)
    assert list(chosen) == ["quick look", "balanced", "thorough"]
    quick, balanced, thorough = (config(base, p.settings).epochs for p in chosen.values())
    assert 1 <= quick < balanced < thorough
    assert all(p.label and p.sentence.endswith(".") for p in chosen.values())


def test_balanced_is_what_is_recommended_for_the_base() -> None:
    chosen = presets("bundled:pocket", 800, 9_000_000)["balanced"].settings
    assert config("bundled:pocket", chosen) == config("bundled:pocket", {})
    assert chosen == recommended("bundled:pocket")


def test_a_small_corpus_is_passed_over_more_often_and_a_large_one_less() -> None:
    def epochs(name: str, examples: int) -> float:
        settings = presets("bundled:pocket", examples, 9_000_000)[name].settings
        return config("bundled:pocket", settings).epochs

    assert epochs("thorough", 100) > epochs("thorough", 1_000) > epochs("thorough", 50_000)
    assert epochs("quick look", 1_000) > epochs("quick look", 50_000) == 1


def test_a_large_base_takes_smaller_steps_where_it_is_thorough() -> None:
    large = presets("org/model", 1_000, 7_000_000_000)["thorough"].settings
    small = presets("org/model", 1_000, 100_000_000)["thorough"].settings
    assert config("org/model", large).learning_rate < config("org/model", small).learning_rate
