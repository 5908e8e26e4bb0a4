"""Plots of a run and of a report; each title says the finding."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from assistant.ui.theme import BASE, INK, LOOKUP, TUNED
from trainer.events import Progress, Validated
from trainer.report import CONTENDERS, Contender, Kind, Report
from trainer.runs import Run

COLOURS: dict[Contender, str] = {"base": BASE, "tuned": TUNED, "lookup": LOOKUP}
SHAPES: dict[Contender, str] = {"base": "circle", "tuned": "diamond", "lookup": "square"}


def loss_plot(run: Run | None) -> go.Figure | None:
    """Training and validation loss on one axis, with the step that was kept."""
    events = run.events.read() if run else []
    steps = [e for e in events if isinstance(e, Progress)]
    checks = [e for e in events if isinstance(e, Validated)]
    if not steps:
        return None
    figure = go.Figure()
    figure.add_scatter(
        x=[e.step for e in steps],
        y=_smooth([e.loss for e in steps]),
        name="training (smoothed)",
        line={"color": LOOKUP, "width": 2},
    )
    title = "Loss: lower is better known"
    if checks:
        figure.add_scatter(
            x=[e.step for e in checks],
            y=[e.loss for e in checks],
            name="validation",
            mode="lines+markers",
            line={"color": TUNED, "width": 2},
            marker={"symbol": "diamond", "size": 8},
        )
        best = min(checks, key=lambda e: e.loss)
        title = f"Lowest validation loss: {best.loss:.2f} at step {best.step}"
        figure.add_vline(x=best.step, line={"color": TUNED, "dash": "dot", "width": 1})
    figure.update_xaxes(title={"text": "step", "standoff": 4})
    figure.update_yaxes(title="loss (nats a token)", rangemode="tozero")
    return _styled(figure, title, height=340)


def scores_plot(report: Report | None, kind: Kind) -> go.Figure | None:
    """One dot a question, a line at the mean, for each contender."""
    rows = report.of(kind) if report else ()
    if not report or not rows:
        return None
    figure = go.Figure()
    means = {who: report.similarity(kind, who) or 0.0 for who in CONTENDERS}
    for place, who in enumerate(CONTENDERS):
        figure.add_scatter(
            x=[row.similarity[who] for row in rows],
            y=[place + 0.22 * ((i * 0.618) % 1 - 0.5) * 2 for i in range(len(rows))],
            mode="markers",
            name=who,
            marker={"color": COLOURS[who], "symbol": SHAPES[who], "size": 7, "opacity": 0.5},
            text=[row.question[:60] for row in rows],
            hovertemplate="%{text}<br>similarity %{x:.2f}<extra></extra>",
            showlegend=False,
        )
        figure.add_scatter(
            x=[means[who]] * 2,
            y=[place - 0.36, place + 0.36],
            mode="lines",
            line={"color": COLOURS[who], "width": 4},
            hovertemplate=f"mean {means[who]:.2f}<extra></extra>",
            showlegend=False,
        )
    figure.update_yaxes(
        tickvals=list(range(len(CONTENDERS))),
        ticktext=[f"{who} {means[who]:.2f}" for who in CONTENDERS],
        range=[len(CONTENDERS) - 0.5, -0.5],
    )
    figure.update_xaxes(title="similarity to the approved answer", range=[-0.2, 1.05])
    change = means["tuned"] - means["base"]
    title = f"{kind.capitalize()}: tuning {change:+.2f} on {len(rows)} questions"
    return _styled(figure, title, height=300)


def _smooth(values: Sequence[float], weight: float = 0.9) -> list[float]:
    """An exponential moving mean, started without bias (Kingma & Ba 2014, section 3)."""
    mean, smoothed = 0.0, []
    for count, value in enumerate(values, start=1):
        mean = weight * mean + (1 - weight) * value
        smoothed.append(mean / (1 - weight**count))
    return smoothed


def _styled(figure: go.Figure, title: str, *, height: int) -> go.Figure:
    grid: dict[str, Any] = {"gridcolor": "rgba(123,135,148,0.25)", "zeroline": False}
    figure.update_xaxes(**grid)
    figure.update_yaxes(**grid)
    figure.update_layout(
        title={"text": title, "font": {"size": 15}, "x": 0.02, "xanchor": "left"},
        font={"color": INK, "family": "system-ui, sans-serif"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 64, "r": 16, "t": 48, "b": 48},
        legend={"orientation": "h", "y": -0.2, "x": 0, "yanchor": "top"},
        height=height,
    )
    return figure
