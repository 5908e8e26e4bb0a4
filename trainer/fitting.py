"""Settings that fit: what cannot work is refused before a model loads; what would fit instead."""

import math
from collections.abc import Mapping
from typing import Any

from trainer.bundled import bundled_bases
from trainer.config import RunConfig, recommended
from trainer.corpus.library import Corpus
from trainer.errors import ConfigError, ModelError
from trainer.estimate import estimate, size
from trainer.machine import Machine
from trainer.workload import local_base, measure_workload, read_shape

HOPELESS = 1.3  # times all of the memory: no other program that ends makes room for that
ROUND = 32  # tokens: shorter lengths are multiples of it

Settings = dict[str, Any]


def make_it_fit(
    config: RunConfig,
    corpus: Corpus,
    machine: Machine,
    *,
    lengths: Mapping[str, int] | None = None,
) -> tuple[RunConfig, list[str]] | None:
    """Change as little as possible so that a run fits; returns the settings and what was changed.

    What costs only time comes first, what costs knowledge last; a smaller base is the last resort.
    None where nothing helps.
    """
    if found := _adjust(config, corpus, machine, lengths):
        return found, _told(config, found)
    shapes = {name: read_shape(folder) for name, folder in bundled_bases().items()}
    own = read_shape(local_base(config.base)).linear
    for name in sorted(shapes, key=lambda name: shapes[name].linear, reverse=True):
        if shapes[name].linear < own:
            smaller = config.model_copy(update={"base": name, **recommended(name)})
            if found := _adjust(smaller, corpus, machine, None):
                return found, _told(config, found)
    return None


def refuse(
    config: RunConfig,
    corpus: Corpus,
    machine: Machine,
    *,
    lengths: Mapping[str, int] | None = None,
) -> list[str]:
    """Raise `ConfigError` for settings that cannot work; return what is only unwise, in sentences.

    A base that is not on this machine yet is not known, so of it nothing is refused.
    """
    unwise = []
    devices = len(machine.gpus) or machine.cores
    if config.processes > devices:
        what = "GPUs" if machine.gpus else "cores"
        raise ConfigError(
            f"processes: {config.processes} is more than the {devices} {what} of this machine."
        )
    if config.processes > 1 and not machine.gpus:
        unwise.append(
            f"One process uses all cores; {config.processes} on a CPU are not faster and need "
            f"{config.processes} times the memory."
        )
    if (examples := len(corpus.split.train)) < config.batch_size:
        unwise.append(
            f"A batch of {config.batch_size} is more than the {examples} examples that are taught."
        )
    try:
        base = read_shape(local_base(config.base))
    except ModelError as error:
        return [*unwise, str(error)]
    if base.longest and config.max_length > base.longest:
        raise ConfigError(
            f"max_length: '{config.base}' can read {base.longest} tokens, so {config.max_length} "
            f"cannot be learnt. Set it to {base.longest} or less."
        )
    narrowest = min(min(sizes) for sizes in base.adapted(config) or base.layers_in_out.values())
    if config.lora_rank > narrowest:
        raise ConfigError(
            f"lora_rank: the narrowest layer of '{config.base}' is {narrowest} wide, and an "
            f"adapter of {config.lora_rank} would be wider. Set it to {narrowest} or less."
        )
    needed = estimate(config, corpus, machine, lengths=lengths).needed_bytes
    if needed > HOPELESS * machine.memory_bytes:
        fits = make_it_fit(config, corpus, machine, lengths=lengths)
        advice = (
            f"It would fit with {'; '.join(fits[1])}." if fits else "Nothing here makes it fit."
        )
        raise ConfigError(
            f"These settings need about {size(needed)}, and this machine has "
            f"{size(machine.memory_bytes)} in all. {advice}"
        )
    return unwise


def _adjust(
    config: RunConfig, corpus: Corpus, machine: Machine, lengths: Mapping[str, int] | None
) -> RunConfig | None:
    """Go through the ways to save memory until it fits; take back what was not needed after all."""
    base = read_shape(local_base(config.base))
    p95 = measure_workload(config, corpus, base, lengths).p95
    ways = _ways(config, p95)
    taken: list[Settings] = [{} for _ in ways]

    def fits() -> bool:
        tried = estimate(_with(config, taken), corpus, machine, lengths=lengths)
        return tried.verdict == "fits"

    if fits():
        return config
    for at, options in enumerate(ways):
        for option in options:
            taken[at] = option
            if fits():
                for before in range(at):
                    for less in ({}, *ways[before]):
                        needed, taken[before] = taken[before], less
                        if less == needed or fits():
                            break
                        taken[before] = needed
                return _with(config, taken)
    return None


def _ways(config: RunConfig, p95: int) -> list[list[Settings]]:
    """Ways to save memory, what loses least first; of each, its options from mild to strong."""
    packed: list[Settings] = [{"frozen_weights": "4-bit"}]
    batches: list[Settings] = [
        {"batch_size": config.batch_size // parts, "accumulation": config.accumulation * parts}
        for parts in range(2, config.batch_size + 1)
        if config.batch_size % parts == 0 and config.accumulation * parts <= 64
    ]
    shortest = max(ROUND, math.ceil(p95 / ROUND) * ROUND)
    halves = [config.max_length // 2**i // ROUND * ROUND for i in range(1, 9)]
    lengths: list[Settings] = [
        {"max_length": length}
        for length in [*(h for h in halves if h > shortest), shortest]
        if length < config.max_length
    ]
    return [
        packed if config.method == "qlora" and config.frozen_weights != "4-bit" else [],
        batches,
        [] if config.recompute else [{"recompute": True}],
        [] if config.method == "qlora" else [{"method": "qlora", "frozen_weights": "4-bit"}],
        lengths,
    ]


def _with(config: RunConfig, taken: list[Settings]) -> RunConfig:
    together = {name: value for change in taken for name, value in change.items()}
    return config.model_copy(update=together)


def _told(before: RunConfig, after: RunConfig) -> list[str]:
    """What is different, a phrase for each change."""
    told = []
    if after.base != before.base:
        told.append(f"the smaller base {after.base} and the settings recommended for it")
    if after.method != before.method:
        told.append("the base held in 4 bits a weight (method qlora)")
    elif after.frozen_weights != before.frozen_weights:
        told.append("4-bit weights unpacked at every use (frozen_weights 4-bit)")
    if after.batch_size != before.batch_size:
        times = after.accumulation // before.accumulation
        told.append(
            f"batches of {after.batch_size} instead of {before.batch_size}, {times} of them for "
            f"each before (accumulation {after.accumulation})"
        )
    if after.recompute != before.recompute:
        told.append("activations computed twice (recompute)")
    if after.max_length != before.max_length:
        told.append(f"examples cut at {after.max_length} tokens instead of {before.max_length}")
    return told
