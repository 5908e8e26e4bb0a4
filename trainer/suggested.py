"""Small bases worth trying: what each is good for, and what it takes to use it.

Sizes, licences and contexts are those of the models' pages on the Hub. Weights are counted from
the layers of their config.json; memory is worked out from the same formulas as for a run.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from trainer.config import RunConfig
from trainer.costs import NF4, PROCESS, READ, peak_bytes
from trainer.here import count
from trainer.workload import Shape, Workload

FREE, ON_CONDITIONS = "free for business", "for business on conditions"

# A usual run: batches of 8 examples of 128 tokens, of which 80 are answers.
_USUAL = Workload(
    examples=200,
    steps=75,
    batches=75,
    tokens=76_800,
    labels=48_000,
    longest=(8 * 128, 8 * 80),
    checks=6,
    checked=(2560, 1600),
    epochs_shown=3,
    answers=0,
    longest_answer=80,
    p95=128,
)


@dataclass(frozen=True)
class Layers:
    """What a config.json says of a model of Llama's kind."""

    count: int
    hidden: int
    inner: int
    heads: int
    key_heads: int
    head: int
    vocabulary: int
    one_embedding: bool = True  # for words that are read and words that are said

    def shape(self) -> Shape:
        """The same numbers, as the formulas of cost take them."""
        asked, known = self.heads * self.head, self.key_heads * self.head
        layer = {
            "self_attn.q_proj": (self.hidden, asked),
            "self_attn.k_proj": (self.hidden, known),
            "self_attn.v_proj": (self.hidden, known),
            "self_attn.o_proj": (asked, self.hidden),
            "mlp.gate_proj": (self.hidden, self.inner),
            "mlp.up_proj": (self.hidden, self.inner),
            "mlp.down_proj": (self.inner, self.hidden),
        }
        linear = {f"{at}.{name}": size for at in range(self.count) for name, size in layer.items()}
        words, norms = self.vocabulary * self.hidden, (2 * self.count + 1) * self.hidden
        return Shape(
            layers=self.count,
            hidden=self.hidden,
            inner=self.inner,
            heads=asked,
            vocabulary=self.vocabulary,
            longest=None,
            linear=sum(inputs * outputs for inputs, outputs in linear.values()),
            other=words * (1 if self.one_embedding else 2) + norms,
            layers_in_out=linear,
            system_message=False,
        )


@dataclass(frozen=True)
class Suggestion:
    """A base on the Hub. `gated`: its licence has to be accepted on its page, by name."""

    hub_id: str
    layers: Layers
    download: float  # bytes
    reads: int  # tokens
    languages: str
    licence: str
    business: str
    good_for: str
    gated: bool = False

    @cached_property
    def weights(self) -> int:
        """How many there are."""
        shape = self.layers.shape()
        return shape.linear + shape.other

    @cached_property
    def chat_bytes(self) -> float:
        """Memory to talk to it, held in 4 bits."""
        shape = self.layers.shape()
        return PROCESS + NF4 * shape.linear + READ * shape.other

    @cached_property
    def tune_bytes(self) -> float:
        """Memory for a usual run on a processor, as little as possible."""
        config = RunConfig(base=self.hub_id, corpus="any", version=1, frozen_weights="4-bit")
        shape = self.layers.shape()
        peak = peak_bytes(config, shape, _USUAL, on_gpu=False, unpacked=False)
        return peak - READ * shape.linear  # pages of the checkpoint, dropped where room is needed

    @property
    def sentence(self) -> str:
        """All of it, for who reads no table."""
        gated = ", accept it on its page first" if self.gated else ""
        return (
            f"{count(self.weights)}; {self.download / 1e9:.1f} GB; {self.chat_bytes / 1e9:.1f} and "
            f"{self.tune_bytes / 1e9:.0f} GB; reads {self.reads:,} tokens; {self.languages}. "
            f"{self.licence} ({self.business}{gated}). Good for: {self.good_for}."
        )


_SMOL = Suggestion(
    "HuggingFaceTB/SmolLM2-135M-Instruct",
    Layers(30, 576, 1536, 9, 3, 64, 49_152),
    0.27e9,
    8_192,
    "English",
    "Apache 2.0",
    FREE,
    "a first try on a laptop: the quickest that speaks plain English",
)
_QWEN = "Chinese, English and 27 more"
_QWEN3 = "about 100 languages"
_GEMMA, _LLAMA = "Gemma terms", "Llama 3.2 licence"

SUGGESTED = (
    _SMOL,
    Suggestion(
        "google/gemma-3-270m-it",
        Layers(18, 640, 2048, 4, 1, 256, 262_144),
        0.57e9,
        32_768,
        "mostly English",
        _GEMMA,
        ON_CONDITIONS,
        "made to be tuned for one narrow task",
        gated=True,
    ),
    replace(
        _SMOL,
        hub_id="HuggingFaceTB/SmolLM2-360M-Instruct",
        layers=Layers(32, 960, 2560, 15, 5, 64, 49_152),
        download=0.72e9,
        good_for="still quick, and steadier than its small sister",
    ),
    Suggestion(
        "Qwen/Qwen2.5-0.5B-Instruct",
        Layers(24, 896, 4864, 14, 2, 64, 151_936),
        0.99e9,
        32_768,
        _QWEN,
        "Apache 2.0",
        FREE,
        "the smallest that answers in many languages",
    ),
    Suggestion(
        "Qwen/Qwen3-0.6B",
        Layers(28, 1024, 3072, 16, 8, 128, 151_936),
        1.5e9,
        32_768,
        _QWEN3,
        "Apache 2.0",
        FREE,
        "many languages; asked here to answer without thinking first",
    ),
    Suggestion(
        "google/gemma-3-1b-it",
        Layers(26, 1152, 6912, 4, 1, 256, 262_144),
        2.0e9,
        32_768,
        "mostly English",
        _GEMMA,
        ON_CONDITIONS,
        "pleasant, well-formed answers",
        gated=True,
    ),
    Suggestion(
        "meta-llama/Llama-3.2-1B-Instruct",
        Layers(16, 2048, 8192, 32, 8, 64, 128_256),
        2.5e9,
        131_072,
        "English, German, French, Italian, Portuguese, Hindi, Spanish, Thai",
        _LLAMA,
        ON_CONDITIONS,
        "a known quantity that every other tool reads",
        gated=True,
    ),
    Suggestion(
        "allenai/OLMo-2-0425-1B-Instruct",
        Layers(16, 2048, 8192, 16, 16, 128, 100_352, one_embedding=False),
        3.0e9,
        4_096,
        "English",
        "Apache 2.0",
        FREE,
        "open to the last text that it was trained on",
    ),
    Suggestion(
        "Qwen/Qwen2.5-1.5B-Instruct",
        Layers(28, 1536, 8960, 12, 2, 128, 151_936),
        3.1e9,
        32_768,
        _QWEN,
        "Apache 2.0",
        FREE,
        "good answers in many languages, on a strong processor or any GPU",
    ),
    replace(
        _SMOL,
        hub_id="HuggingFaceTB/SmolLM2-1.7B-Instruct",
        layers=Layers(24, 2048, 8192, 32, 32, 64, 49_152),
        download=3.4e9,
        good_for="fluent English, on a strong processor or any GPU",
    ),
    Suggestion(
        "Qwen/Qwen3-1.7B",
        Layers(28, 2048, 6144, 16, 8, 128, 151_936),
        4.1e9,
        32_768,
        _QWEN3,
        "Apache 2.0",
        FREE,
        "the strongest here in many languages",
    ),
    Suggestion(
        "ibm-granite/granite-3.3-2b-instruct",
        Layers(40, 2048, 8192, 32, 8, 64, 49_159),
        5.1e9,
        131_072,
        "English, German, Spanish, French, Japanese, Portuguese, Arabic, Czech, Italian, Korean, "
        "Dutch, Chinese",
        "Apache 2.0",
        FREE,
        "sober answers about long documents; best with a GPU",
    ),
)
