"""A person's own judgement: an answer to rate, and how each measure agrees with the ratings."""

from collections.abc import Sequence
from html import escape

from assistant.report_view.naming import MEASURES, signed
from assistant.report_view.tables import table
from trainer.judgement import ENOUGH, Agreement, Blind
from trainer.report import Measure


def blind_view(blind: Blind | None, done: int, total: int) -> str:
    """An answer without its contender, or that all are rated."""
    if blind is None:
        return (
            f"<p><b>All {total} answers are rated.</b> This is how the measures agree with you.</p>"
        )
    return (
        f'<p class="quiet">{done + 1} of {total}. Who gave the answer stays hidden. Press Tab and '
        "Enter, or click.</p>"
        f'<progress max="{total}" value="{done}" aria-label="answers rated">{done}</progress>'
        f'<article class="asked" data-blind="{blind.id}"><h4>{escape(blind.question)}</h4>'
        f'<p class="approved"><b>✓ Approved</b> {escape(blind.approved)}</p>'
        f'<div class="said"><p><b>The answer</b></p>'
        f'<p class="words">{escape(blind.answer) or "(said nothing)"}</p></div></article>'
        "<p>How good is the answer, next to the approved one?</p>"
    )


def agreement_view(agreements: Sequence[Agreement], best: Measure | None, primary: Measure) -> str:
    """How each measure ranks the answers next to how a person does; empty before any rating."""
    rated = max((a.n for a in agreements), default=0)
    if not rated:
        return ""
    lines = [
        [
            MEASURES[a.measure][0] + (" <small>decides</small>" if a.measure == primary else ""),
            _signed(a.rho),
            "" if a.low is None or a.high is None else f"{_signed(a.low)} to {_signed(a.high)}",
            _signed(a.tau),
        ]
        for a in agreements
    ]
    if best:
        told = f"“{MEASURES[best][0]}” agrees best with you on {rated} answers."
    elif rated < ENOUGH:
        told = f"{rated} rated so far; from {ENOUGH} on, the best measure is named."
    else:
        told = f"On {rated} answers, no measure agrees with you beyond chance."
    head = ["measure", "Spearman", "95 % interval", "Kendall"]
    return (
        f"<p><b>{told}</b></p>{table(head, lines, kind='numbers-table')}"
        '<p class="quiet">1: it puts the answers in your order; 0: as chance would; below 0: the '
        "other way round. A dash: all are rated or scored the same.</p>"
    )


def _signed(value: float | None) -> str:
    return "–" if value is None else signed(value)  # noqa: RUF001 - a dash
