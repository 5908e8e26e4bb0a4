"""Turn what a run would take into what stands above its settings. Pure functions; no components.

Whatever comes from outside is escaped before it becomes HTML.
"""

from collections.abc import Sequence
from html import escape

from assistant.ui.tune.views import passes, table_view
from trainer.config import RunConfig
from trainer.corpus.library import Corpus
from trainer.estimate import Estimate, Verdict, size, span
from trainer.trial import Trial

STEPS, IMPORTS = 6, 10  # that a trial takes, and seconds until it begins

_VERDICTS: dict[Verdict, str] = {
    "fits": "✓ It fits",
    "tight": "△ Tight, it may not fit beside other programs",
    "won't fit": "✕ It will not fit",
}


def ahead_view(
    base: str, config: RunConfig, corpus: Corpus, found: Estimate | None, unwise: Sequence[str]
) -> str:
    """The base, and what a run with these settings would take here; None: not known yet."""
    work = f"in {passes(config.epochs)} over {len(corpus.split.train):,} examples"
    about = f'<p class="lead">Base: <b>{escape(base)}</b>.'
    advice = "".join(f"<li>{escape(line)}</li>" for line in unwise)
    advice = f'<ul class="findings">{advice}</ul>' if advice else ""
    if found is None:
        return (
            f"{about} It comes from the Hub when the run starts, {work}.</p>"
            '<p class="quiet"><b>Check with a few real steps</b> fetches it now and says what the '
            f"run would take here.</p>{advice}"
        )
    early = config.early_stopping and corpus.split.validation_is == "reworded"
    takes = f"<b>{span(found.seconds)}</b> and <b>{size(found.peak_bytes)}</b> here, {work}"
    scoring = f", then {span(found.scoring_seconds)} of scoring" if config.evaluate else ""
    name = found.verdict.replace(" ", "-").replace("'", "")
    return (
        f"{about} {'At most about' if early else 'About'} {takes}{scoring}.</p>"
        f'<p class="verdict {name}"><b>{_VERDICTS[found.verdict]}:</b> '
        f"{size(found.available_bytes)} are free.</p>{advice}"
    )


def mistake_view(said: str) -> str:
    """What is wrong with the settings, a line each."""
    lines = "".join(f"<p>✕ {escape(line)}</p>" for line in said.split("\n"))
    return f'<div class="failed" role="alert">{lines}</div>'


def changes_view(changes: Sequence[str]) -> str:
    """What was changed so that a run fits."""
    if not changes:
        return '<div class="done"><p>It fits as it is; nothing was changed.</p></div>'
    lines = "".join(f"<li>{escape(change)}</li>" for change in changes)
    return (
        f'<div class="done"><p>Changed, so that it fits:</p><ul class="findings">{lines}</ul></div>'
    )


def trying_view(formula: Estimate | None) -> str:
    """What goes on while a few steps are tried, and how long that takes."""
    if formula is None:
        return '<p class="quiet">Fetching the base from the Hub, then trying a few steps…</p>'
    steps = (formula.seconds - formula.load_seconds) / max(1, formula.steps) * STEPS
    return (
        '<p class="quiet">Loading the base and trying a few steps, the longest first: about '
        f"{span(formula.load_seconds + steps + IMPORTS)}…</p>"
    )


def trial_view(formula: Estimate, measured: Trial) -> str:
    """What the formula said and what a few real steps show, side by side."""
    rows = [
        ("time", span(formula.seconds), span(measured.seconds)),
        ("memory at most", size(formula.peak_bytes), size(measured.peak_bytes)),
        ("examples a second", "", f"{measured.examples_per_second:.1f}"),
        ("tokens a second", "", f"{measured.tokens_per_second:,.0f}"),
    ]
    return (
        '<p class="lead">By a few real steps the run takes about '
        f"<b>{span(measured.seconds)}</b> and <b>{size(measured.peak_bytes)}</b>.</p>"
        + table_view(("", "formula", "a few real steps"), rows)
    )
