"""Turn what a run would take into what stands above its settings. Pure functions; no components.

Whatever comes from outside is escaped before it becomes HTML.
"""

from collections.abc import Sequence
from html import escape

from assistant.ui.tune.views import memory, passes, table_view
from trainer.config import RunConfig
from trainer.corpus.library import Corpus
from trainer.estimate import Estimate, Verdict
from trainer.trial import Trial

_VERDICTS: dict[Verdict, str] = {
    "fits": "✓ It fits",
    "tight": "△ It is tight: it may run out of memory",
    "won't fit": "✕ It will not fit",
}


def ahead_view(base: str, config: RunConfig, corpus: Corpus, found: Estimate | None) -> str:
    """The base, and what a run with these settings would take here; None: not known yet."""
    taught = len(corpus.split.train)
    work = f"in {passes(config.epochs)} over {taught:,} examples"
    about = f'<p class="lead">Base: <b>{escape(base)}</b>.'
    if found is None:
        return (
            f"{about} It comes from the Hub when the run starts, {work}.</p>"
            '<p class="quiet"><b>Check with a few real steps</b> fetches it now and says what the '
            "run would take here.</p>"
        )
    takes = f"About <b>{roughly(found.seconds)}</b> and <b>{memory(found.peak_bytes)}</b> here"
    scoring = f", then {roughly(found.scoring_seconds)} of scoring" if config.evaluate else ""
    name = found.verdict.replace(" ", "-").replace("'", "")
    return (
        f"{about} {takes}, {work}{scoring}.</p>"
        f'<p class="verdict {name}"><b>{_VERDICTS[found.verdict]}.</b> '
        f"{memory(found.available_bytes)} are free.</p>"
    )


def roughly(seconds: float) -> str:
    """A time that is only estimated, as people say it."""
    if seconds < 50:
        return f"{max(10, round(seconds, -1)):.0f} seconds"
    if seconds < 90:
        return "a minute"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"


def mistake_view(said: str) -> str:
    """What is wrong with the settings, a line each."""
    lines = "".join(f"<p>✕ {escape(line)}</p>" for line in said.split("\n"))
    return f'<div class="failed" role="alert">{lines}</div>'


def changes_view(changes: Sequence[str]) -> str:
    """What was changed so that a run fits."""
    lines = "".join(f"<li>{escape(change)}</li>" for change in changes)
    return (
        f'<div class="done"><p>Changed, so that it fits:</p><ul class="findings">{lines}</ul></div>'
    )


def trial_view(formula: Estimate, measured: Trial) -> str:
    """What the formula said and what a few real steps show, side by side."""
    rows = [
        ("time", roughly(formula.seconds), roughly(measured.seconds)),
        ("memory at most", memory(formula.peak_bytes), memory(measured.peak_bytes)),
        ("examples a second", "", f"{measured.examples_per_second:.1f}"),
        ("tokens a second", "", f"{measured.tokens_per_second:,.0f}"),
    ]
    return (
        '<p class="lead">By a few real steps the run takes about '
        f"<b>{roughly(measured.seconds)}</b> and <b>{memory(measured.peak_bytes)}</b>.</p>"
        + table_view(("", "formula", "a few real steps"), rows)
    )
