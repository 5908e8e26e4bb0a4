"""Plots of a run and of a corpus; each title says the finding."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from assistant.colours import BASE, INK, LOOKUP, TUNED
from trainer.corpus.examples import Example
from trainer.corpus.mapping import Task
from trainer.events import Event, Finished, Progress, Started, Validated
from trainer.runs import Run

if TYPE_CHECKING:  # transformers takes seconds
    from trainer.rendering import Lengths


def loss_plot(run: Run | None) -> go.Figure | None:
    """Training and validation loss on one axis, with the best check marked."""
    events = run.events.read() if run else []
    steps = [e for e in events if isinstance(e, Progress)]
    checks = [e for e in events if isinstance(e, Validated)]
    if not run or not steps:
        return None
    figure = go.Figure()
    smooth = _smooth([e.loss for e in steps])
    thin = _thinned(len(steps))
    figure.add_scatter(
        x=[steps[place].step for place in thin],
        y=[smooth[place] for place in thin],
        name="training (smoothed)",
        line={"color": LOOKUP, "width": 2},
    )
    title = f"Training loss is {smooth[-1]:.2f} after step {steps[-1].step}; lower is better known"
    if checks:
        figure.add_scatter(
            x=[e.step for e in checks],
            y=[e.loss for e in checks],
            name="validation",
            mode="lines+markers",
            line={"color": TUNED, "width": 2},
            marker={"symbol": "diamond", "size": 7},
        )
        best = min(checks, key=lambda e: e.loss)
        figure.add_scatter(
            x=[best.step],
            y=[best.loss],
            name="best check",
            mode="markers",
            marker={"symbol": "star", "size": 16, "color": BASE},
        )
        figure.add_vline(x=best.step, line={"color": INK, "dash": "dot", "width": 1})
        title = _finding(run, events, checks, best)
    figure.update_xaxes(title={"text": "step", "standoff": 4})
    figure.update_yaxes(title="loss (nats a token)", rangemode="tozero")
    return _styled(figure, title, height=360)


def _finding(
    run: Run, events: Sequence[Event], checks: Sequence[Validated], best: Validated
) -> str:
    """What the curves say; that the run ended early, where it did."""
    lowest = f"Lowest validation loss: {best.loss:.2f} at step {best.step}"
    end = next((e for e in reversed(events) if isinstance(e, Finished)), None)
    total = next((e.steps for e in events if isinstance(e, Started)), 0)
    if end and end.step and end.step < total:
        return f"{lowest}; ended early at step {end.step} of {total}"
    if best is checks[-1]:
        return lowest if run.state().over else f"{lowest}, and still falling"
    return f"{lowest}; {checks[-1].loss:.2f} at the last check"


def rate_plot(run: Run) -> go.Figure | None:
    """How the learning rate rose and fell."""
    steps = [e for e in run.events.read() if isinstance(e, Progress)]
    if not steps:
        return None
    shown = [steps[place] for place in _thinned(len(steps))]
    figure = go.Figure()
    figure.add_scatter(
        x=[e.step for e in shown],
        y=[e.learning_rate for e in shown],
        line={"color": LOOKUP, "width": 2},
    )
    figure.update_xaxes(title={"text": "step", "standoff": 4})
    figure.update_yaxes(title="learning rate", rangemode="tozero", exponentformat="power")
    highest = max(steps, key=lambda e: e.learning_rate)
    title = f"The learning rate was highest, {highest.learning_rate:.2g}, at step {highest.step}"
    return _styled(figure, title, height=240)


def points_plot(
    setting: str, found: Sequence[tuple[object, float, float, float]]
) -> go.Figure | None:
    """The held-out score against the values of one setting, from the lowest run to the highest."""
    if len(found) < 2:
        return None
    best = max(found, key=lambda point: point[1])
    others = [point for point in found if point is not best]
    title = f"{setting}: {best[0]} scores highest, {best[1]:.2f}"
    if any(high >= best[2] for _, _, _, high in others):
        title += ", within the spread of others"
    figure = go.Figure()
    figure.add_scatter(
        x=[str(value) for value, _, _, _ in found],
        y=[mean for _, mean, _, _ in found],
        mode="markers" if isinstance(best[0], str) else "lines+markers",
        line={"color": TUNED, "width": 2},
        marker={"symbol": "diamond", "size": 10},
        error_y={
            "symmetric": False,
            "array": [high - mean for _, mean, _, high in found],
            "arrayminus": [mean - low for _, mean, low, _ in found],
            "color": LOOKUP,
        },
    )
    figure.update_xaxes(title={"text": setting, "standoff": 4}, type="category")
    figure.update_yaxes(title="held-out score")
    return _styled(figure, title, height=300)


def _thinned(count: int, most: int = 600) -> list[int]:
    """The places of at most so many of so many points, the last one among them."""
    every = -(-count // most)
    return [*range(0, count - 1, every), count - 1]


def tokens_plot(lengths: "Lengths", most: int, *, of: int) -> go.Figure | None:
    """How many tokens examples have, with the limit drawn in, and how many lose something."""
    if not lengths.tokens:
        return None
    longest = max(lengths.tokens)
    lost = len(lengths.cut) + len(lengths.untaught)
    title = f"The longest example has {longest:,} tokens; all fit into {most:,}"
    if lost:
        title = f"{lost:,} of {len(lengths.tokens):,} examples are longer than {most:,} tokens"
    if lengths.untaught:
        title += f", {len(lengths.untaught):,} leave no room for the answer"
    figure = _histogram({"examples": lengths.tokens}, "tokens of question and answer")
    if most <= 1.5 * longest:
        figure.add_vline(
            x=most,
            line={"color": BASE, "dash": "dash", "width": 2},
            annotation={"text": f"limit {most:,}", "font": {"color": INK}},
        )
    if len(lengths.tokens) < of:
        title += f" (measured on {len(lengths.tokens):,} of {of:,})"
    return _styled(figure, title, height=280)


def characters_plot(examples: Sequence[Example], task: Task) -> go.Figure | None:
    """How long questions and answers, or texts and labels, are."""
    if not examples:
        return None
    asked, said = ("texts", "labels") if task == "labels" else ("questions", "answers")
    lengths = {asked: [len(e.question) for e in examples], said: [len(e.answer) for e in examples]}
    longest = max(lengths, key=lambda name: max(lengths[name]))
    middle = sorted(lengths[longest])[len(examples) // 2]
    figure = _histogram(lengths, "characters")
    return _styled(figure, f"Half of the {longest} have up to {middle:,} characters", height=320)


def topics_plot(topics: Counter[str], task: Task) -> go.Figure | None:
    """The most frequent topics, or labels, with how many examples each has."""
    if len(topics) < 2:
        return None
    shown = topics.most_common(20)[::-1]
    kind = "labels" if task == "labels" else "topics"
    title = f"{len(topics):,} {kind}; the largest has {shown[-1][1] / topics.total():.0%}"
    if len(topics) > len(shown):
        title += f"; {len(shown)} shown"
    figure = go.Figure()
    figure.add_bar(
        x=[n for _, n in shown],
        y=list(range(len(shown))),
        orientation="h",
        marker={"color": TUNED},
        hovertemplate="%{x:,}<extra></extra>",
    )
    # Plotly reads some HTML in its texts; none of it is the corpus's to write.
    names = [escape(topic if len(topic) <= 24 else topic[:23] + "…") for topic, _ in shown]
    figure.update_yaxes(tickvals=list(range(len(shown))), ticktext=names)
    figure.update_xaxes(title="examples")
    styled = _styled(figure, title, height=max(220, 96 + 20 * len(shown)))
    styled.update_layout(margin={"l": 170})
    return styled


def _histogram(values: Mapping[str, Sequence[int]], named: str) -> go.Figure:
    """Counts in some forty bins, worked out here so that a browser gets these and not the rows.

    The last bin holds everything beyond the 99th percentile, or a single giant flattens the rest.
    """
    together = sorted(value for some in values.values() for value in some)
    end = max(1, together[min(len(together) - 1, int(len(together) * 0.99))])
    width = max(1, -(-end // 40))
    figure = go.Figure()
    for (name, some), colour in zip(values.items(), (TUNED, LOOKUP), strict=False):
        bins = Counter(min(value, end) // width for value in some)
        places = range(end // width + 1)
        figure.add_bar(
            x=[(place + 0.5) * width for place in places],
            y=[bins[place] for place in places],
            width=width,
            name=name,
            marker={"color": colour, "line": {"width": 0}},
            opacity=0.8 if len(values) > 1 else 1,
            customdata=[(place * width, (place + 1) * width - 1) for place in places],
            hovertemplate="%{customdata[0]:,} to %{customdata[1]:,}: %{y:,}<extra></extra>",
            showlegend=len(values) > 1,
        )
    figure.update_layout(barmode="overlay", bargap=0)
    figure.update_xaxes(title={"text": named, "standoff": 4}, rangemode="tozero")
    figure.update_yaxes(title="examples")
    return figure


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
    lines = wrap(title, 38)  # as many characters as a phone shows
    figure.update_layout(
        title={
            **{"text": "<br>".join(lines), "font": {"size": 15}},
            **{"x": 0.02, "xanchor": "left", "y": 1 - 22 / height, "yanchor": "top"},
        },
        font={"color": INK, "family": "system-ui, sans-serif"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 64, "r": 16, "t": 36 + 18 * len(lines), "b": 48},
        legend={"orientation": "h", "y": -0.2, "x": 0, "yanchor": "top"},
        height=height,
    )
    return figure
