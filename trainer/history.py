"""Where a run came from, what made it, and how two of them differ."""

import shlex
from collections.abc import Sequence

from trainer.config import RunConfig
from trainer.events import Finished, Started, Stopped, Validated
from trainer.report import CONTENDERS
from trainer.runs import Run
from trainer.words import duration

_APART = ("base", "corpus", "version", "continues")  # told by facts of their own


def lineage(run: Run) -> list[Run]:
    """The runs whose adapters this one goes back to, oldest first, and the run itself at the end.

    It begins after the last one that was deleted.
    """
    found = [run]
    while (parent := found[0].parent) and parent not in found:
        found.insert(0, parent)
    return found


def command(run: Run) -> str:
    """The exact command that repeats a run, with every setting that is not the default."""
    config = run.config
    given = {"base": config.base, "corpus": config.corpus, "version": config.version}
    defaults = RunConfig.parse(given)
    changed = {name: value for name, value in config if value != getattr(defaults, name)}
    options = "".join(f" --set {shlex.quote(f'{n}={value}')}" for n, value in changed.items())
    return f"tandem tune {run.corpus.label} --base {shlex.quote(config.base)}{options}"


def facts(run: Run) -> list[tuple[str, str]]:
    """What decided a run and what came of it, as names and values; what is unknown is left out."""
    config, events = run.config, run.events.read()
    started = next((e for e in reversed(events) if isinstance(e, Started)), None)
    end = _end(run)
    found = [("state", str(run.state()))]
    if started:
        found.append(("started", f"{started.at.astimezone():%Y-%m-%d %H:%M:%S}"))
    found += [("corpus", run.corpus.label), ("corpus sha256", _corpus_sha256(run))]
    found += [("base", config.base), ("base sha256", started.base_sha256 if started else "")]
    found += [(name, _written(value)) for name, value in config if name not in _APART]
    if started:
        found += [
            ("device", f"{started.device}, {_several(started.threads, 'thread')}"),
            ("frozen weights held", started.frozen_weights),
            ("libraries", ", ".join(f"{name} {v}" for name, v in started.libraries.items())),
            ("examples taught", f"{started.examples:,}"),
            ("examples cut", f"{started.cut:,}" if started.cut else ""),
            ("weights that learn", f"{started.trainable_parameters:,} of {started.parameters:,}"),
        ]
    if run.has_adapter:
        found.append(("adapter sha256", run.adapter_hash))
    if end:
        of = f" of {started.steps}" if started else ""
        found.append(("seconds", f"{end.seconds:.1f}"))
        found.append(("examples a second", _number(end.examples_per_second, 1)))
        found.append(("kept step", f"{end.kept_step}{of}" if end.kept_step else ""))
    found += [(name, _number(value, digits)) for name, value, digits in _outcome(run)]
    if config.continues:
        found.append(("continues", config.continues + ("" if run.parent else " (deleted since)")))
        if started:
            found.append(("continued adapter sha256", started.continues_sha256))
        found += _beside_the_last(lineage(run))
    return [(name, value) for name, value in found if value]


def differences(one: Run, other: Run) -> list[tuple[str, str, str]]:
    """What two runs differ in, then what came of each side by side, as (name, one, other).

    Settings, corpus and base are listed where they differ; results always, if either has them.
    """
    here, there = dict(_decisive(one)), dict(_decisive(other))
    rows = [(n, here.get(n, ""), there.get(n, "")) for n in {**here, **there}]
    differing = [row for row in rows if row[1] != row[2]]
    digits = {name: places for name, _, places in (*_outcome(one), *_outcome(other))}
    results = [{name: value for name, value, _ in _outcome(run)} for run in (one, other)]
    for name, places in digits.items():
        left, right = (_number(result.get(name), places) for result in results)
        differing.append((name, left or "-", right or "-"))
    ends = [_end(run) for run in (one, other)]
    if any(ends):
        left, right = (duration(end.seconds) if end else "-" for end in ends)
        differing.append(("time", left, right))
    return differing


def _decisive(run: Run) -> list[tuple[str, str]]:
    """Everything that decides a run, and what it ran on."""
    config, events = run.config, run.events.read()
    started = next((e for e in reversed(events) if isinstance(e, Started)), None)
    found = [
        ("corpus", run.corpus.label),
        ("corpus sha256", _corpus_sha256(run)[:12]),
        ("base", config.base),
        ("base sha256", started.base_sha256[:12] if started else ""),
        ("continues", config.continues or "-"),
    ]
    found += [(name, _written(value)) for name, value in config if name not in _APART]
    if started:
        found.append(("device", started.device))
        found += [(name, version) for name, version in started.libraries.items()]
    return found


def _outcome(run: Run) -> list[tuple[str, float, int]]:
    """Scores by kind of question and the lowest validation loss, with the digits to show."""
    found: list[tuple[str, float, int]] = []
    evaluation = run.evaluation()
    report = evaluation.report() if evaluation else None
    for kind in report.kinds if report else ():
        for who in CONTENDERS:
            assert report is not None
            if (score := report.score(kind, who)) is not None:
                found.append((f"{kind}, {who}: {report.primary}", score, 2))
    checks = [e.loss for e in run.events.read() if isinstance(e, Validated)]
    return [*found, ("lowest validation loss", min(checks), 3)] if checks else found


def _beside_the_last(line: Sequence[Run]) -> list[tuple[str, str]]:
    """One fact for every run of a lineage: what it learnt from, and what came of it."""
    found = []
    for at, run in enumerate(line, start=1):
        scores = [f"{n} {value:.{d}f}" for n, value, d in _outcome(run) if ", base" not in n]
        told = "; ".join(s for s in scores if ", lookup" not in s) or f"{run.state()}, no scores"
        found.append((f"step {at} of {len(line)}", f"{run.id}, {run.corpus.label}: {told}"))
    return found


def _end(run: Run) -> Finished | Stopped | None:
    ends = [e for e in run.events.read() if isinstance(e, Finished | Stopped)]
    return ends[-1] if ends else None


def _corpus_sha256(run: Run) -> str:
    try:
        return run.corpus.origin.examples_sha256
    except OSError:
        return "the corpus is gone"


def _written(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _several(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
