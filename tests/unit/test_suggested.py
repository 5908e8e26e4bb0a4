"""The bases that are worth trying: what is said of them holds together."""

import re

import pytest

from trainer.config import HUB_ID
from trainer.here import count
from trainer.suggested import FREE, SUGGESTED, Suggestion

PUBLISHED = {  # weights as the models' pages give them, embeddings counted once where tied
    "SmolLM2-135M-Instruct": "135M",
    "gemma-3-270m-it": "268M",
    "SmolLM2-360M-Instruct": "362M",
    "Qwen2.5-0.5B-Instruct": "494M",
    "Qwen3-0.6B": "596M",
    "gemma-3-1b-it": "1.0B",
    "Llama-3.2-1B-Instruct": "1.2B",
    "OLMo-2-0425-1B-Instruct": "1.5B",
    "Qwen2.5-1.5B-Instruct": "1.5B",
    "SmolLM2-1.7B-Instruct": "1.7B",
    "Qwen3-1.7B": "1.7B",
    "granite-3.3-2b-instruct": "2.5B",
}


@pytest.mark.parametrize("base", SUGGESTED, ids=lambda base: base.hub_id)
def test_a_suggestion_has_the_weights_that_are_published_and_a_download_to_match(
    base: Suggestion,
) -> None:
    assert re.fullmatch(HUB_ID, base.hub_id)
    assert count(base.weights) == PUBLISHED[base.hub_id.partition("/")[2]]
    # Two bytes a weight; Qwen3 stores its embedding twice, and a vocabulary takes some room.
    assert 0.98 < base.download / (2 * base.weights) < 1.3
    assert base.chat_bytes < base.tune_bytes
    assert (base.business == FREE) == (base.licence == "Apache 2.0")
    assert base.gated != (base.licence == "Apache 2.0")


def test_suggestions_go_from_small_to_large() -> None:
    sizes = [base.download for base in SUGGESTED]
    assert sizes == sorted(sizes)
    assert 8 <= len(sizes) <= 12
