"""The verdict of a report: its sentences, and a panel of plots and numbers for each kind."""

from html import escape

from assistant.report_view.naming import KINDS, mark, measured
from assistant.report_view.plots import paired_plot, spread_plot
from assistant.report_view.tables import differences_table, legend, scores_table
from trainer.report import Kind, Report
from trainer.verdict import verdict_of


def lead_view(report: Report) -> str:
    """For each kind its mark and its sentences; then what decides, and what to know before."""
    parts = "".join(_lead(report, kind) for kind in report.kinds)
    notes = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
    known = f'<ul class="findings notes">{notes}</ul>' if notes else ""
    return f'<div class="lead-of">{parts}</div><p class="quiet">{measured(report)}</p>{known}'


def _lead(report: Report, kind: Kind) -> str:
    first, *others = verdict_of(report, kind)
    found = report.difference(kind)
    more = "".join(f"<p>{escape(sentence)}</p>" for sentence in others)
    told = f"{mark(found)} " if report.of(kind) else ""
    name, _ = _named(report, kind)
    return (
        f'<section class="finding"><h3>{name} {told}</h3>'
        f'<p class="lead">{escape(first)}</p>{more}</section>'
    )


def panels_view(report: Report) -> str:
    """A panel a kind: question by question, how scores lie, the numbers."""
    panels = "".join(_panel(report, kind) for kind in report.kinds if report.of(kind))
    return f'<div class="panels">{panels}</div>{legend(report)}' if panels else ""


def _panel(report: Report, kind: Kind) -> str:
    name, meaning = _named(report, kind)
    parts = (
        f'<h3>{name}</h3><p class="quiet">{meaning}</p>',
        paired_plot(report, kind),
        spread_plot(report, kind),
        scores_table(report, kind),
        differences_table(report, kind),
    )
    told = "".join(f"<div>{part}</div>" for part in parts)  # side by side on one line each
    return f'<section class="panel">{told}</section>'


def _named(report: Report, kind: Kind) -> tuple[str, str]:
    name, meaning = KINDS[kind]
    return (f"Questions of {escape(report.file)}", meaning) if kind == "file" else (name, meaning)
