"""Plots of a report: base to tuned question by question, and how every contender's scores lie."""

from collections import Counter
from collections.abc import Sequence
from statistics import mean

from assistant.report_view.naming import SHARES, number, plain, signed
from assistant.report_view.svg import (
    WIDE,
    Scale,
    dot,
    line,
    picture,
    rect,
    scale_of,
    text,
    x_axis,
)
from trainer.difference import Difference
from trainer.report import Contender, Kind, Measure, Report, Row

FEW = 60  # questions, up to which each has a line of its own
MOST_DOTS = 1200
LEVEL = 1e-6  # scores no further apart are level, as in the comparison of the contenders
BINS = 25
PAIR = '<b class="who base">○ base</b> to <b class="who tuned">◆ tuned</b>'


def paired_plot(report: Report, kind: Kind) -> str:
    """Where tuning took each question: a line each, or a dot each where there are many."""
    measure = report.primary
    rows = sorted(
        (row for row in report.of(kind) if _both(row, measure)),
        key=lambda row: change(row, measure),
        reverse=True,
    )
    if not rows:
        return ""
    if measure in SHARES:
        return _four_ways(rows, measure)
    better = sum(change(row, measure) > LEVEL for row in rows)
    worse = sum(change(row, measure) < -LEVEL for row in rows)
    finding = f"{better} of {len(rows)} questions improved, {worse} got worse"
    return (_lines if len(rows) <= FEW else _cloud)(rows, measure, finding)


def change(row: Row, measure: Measure) -> float:
    """Tuned less base on one question; 0 where one of them was not asked."""
    if not _both(row, measure):
        return 0.0
    return row.answers["tuned"].scores[measure] - row.answers["base"].scores[measure]


def _both(row: Row, measure: Measure) -> bool:
    asked = [row.answers.get("base"), row.answers.get("tuned")]
    return all(answer and measure in answer.scores for answer in asked)


def _told(row: Row, measure: Measure) -> str:
    base, tuned = (row.answers[who].scores[measure] for who in ("base", "tuned"))
    return f"{row.question[:80]}: base {base:.2f}, tuned {tuned:.2f}"


def _lines(rows: Sequence[Row], measure: Measure, finding: str) -> str:
    step = min(20.0, max(8.0, 320 / len(rows)))
    bottom = 12 + step * len(rows)
    x = scale_of(
        [row.answers[w].scores[measure] for row in rows for w in ("base", "tuned")], 12, WIDE - 12
    )
    drawn = x_axis(x, bottom, 4, plain(measure))
    for place, row in enumerate(rows):
        y = round(12 + step * (place + 0.3), 1)
        base, tuned = (x(row.answers[who].scores[measure]) for who in ("base", "tuned"))
        told = _told(row, measure)
        away = "fell" if tuned < base else "rose"
        size = min(4.0, step / 2.6)
        drawn += [
            line(base, y, tuned, y, f"move {away}"),
            dot(base, y, "base", told, size=size),
            dot(tuned, y, "tuned", told, size=size),
        ]
    return picture(finding, drawn, high=bottom + 36, legend=f"A line a question, {PAIR}.")


def _cloud(rows: Sequence[Row], measure: Measure, finding: str) -> str:
    every = -(-len(rows) // MOST_DOTS)
    shown = rows[::every]
    values = [row.answers[who].scores[measure] for row in shown for who in ("base", "tuned")]
    x = scale_of(values, 52, WIDE - 12)
    y = Scale(x.low, x.high, 340, 22)
    drawn = x_axis(x, 340, 22, "base")
    for value in y.ticks():
        drawn.append(line(52, y(value), WIDE - 12, y(value), "grid"))
        drawn.append(text(46, y(value) + 4, f"{value:g}", at="end", kind="tick"))
    drawn.append(text(52, 12, "tuned", kind="tick"))
    drawn.append(line(x(x.low), y(x.low), x(x.high), y(x.high), "diagonal"))
    for row in shown:
        base, tuned = (row.answers[who].scores[measure] for who in ("base", "tuned"))
        drawn.append(dot(x(base), y(tuned), "tuned", _told(row, measure), size=2.8))
    few = f" {len(shown):,} of {len(rows):,} are drawn." if every > 1 else ""
    legend = f"A dot a question, by {plain(measure)}. Above the line tuning helped.{few}"
    return picture(finding, drawn, high=376, legend=legend)


def _four_ways(rows: Sequence[Row], measure: Measure) -> str:
    """Right or not is no line: how many both, only one or neither got right."""
    counts = Counter(
        tuple(row.answers[who].scores[measure] >= 0.5 for who in ("base", "tuned")) for row in rows
    )
    named = (
        ("both right", (True, True), "column both"),
        ("only ◆ tuned right", (False, True), "column tuned"),
        ("only ○ base right", (True, False), "column base"),
        ("both wrong", (False, False), "column none"),
    )
    drawn, most = [], max(counts.values())
    x = Scale(0, most, 140, WIDE - 44)
    for place, (name, which, kind) in enumerate(named):
        y = 8 + 34 * place
        drawn += [
            text(132, y + 17, name, at="end", kind="tick"),
            rect(x(0), y, x(counts[which]) - x(0), 24, kind, f"{counts[which]} of {len(rows)}"),
            text(x(counts[which]) + 6, y + 17, f"{counts[which]}"),
        ]
    won, lost = counts[False, True], counts[True, False]
    finding = f"Tuning made {won} of {len(rows)} right that were wrong, and {lost} wrong"
    return picture(finding, drawn, high=150, legend=f"Questions, {PAIR}.")


def spread_plot(report: Report, kind: Kind) -> str:
    """How each contender's scores lie, with its mean, how sure that is, and the floor."""
    measure, rows = report.primary, report.of(kind)
    lanes = [(who.capitalize(), who, _scored(rows, who, measure)) for who in report.contenders]
    lanes = [lane for lane in lanes if lane[2]]
    if not lanes:
        return ""
    means = {name: report.score(kind, who) or 0.0 for name, who, _ in lanes}
    best = max(means, key=lambda name: means[name])
    finding = f"{best} scores highest: {number(means[best], measure)} on average"
    floor = report.floor(kind) if measure == "similarity" else None
    return _lanes(finding, lanes, measure, floor)


def taught_plot(report: Report) -> str:
    """How the tuned model scores where it was taught, and where only the answers were."""
    kinds: tuple[Kind, Kind] = ("taught", "reworded")
    lanes: list[tuple[str, Contender, list[Row]]] = [
        (kind.capitalize(), "tuned", _scored(report.of(kind), "tuned", report.primary))
        for kind in kinds
    ]
    if not all(rows for _, _, rows in lanes):
        return ""
    apart = (report.score("taught", "tuned") or 0) - (report.score("reworded", "tuned") or 0)
    finding = f"Tuned: taught questions less reworded ones {signed(apart)}"
    return _lanes(finding, lanes, report.primary, None)


def _scored(rows: Sequence[Row], who: Contender, measure: Measure) -> list[Row]:
    return [row for row in rows if who in row.answers and measure in row.answers[who].scores]


def _lanes(
    finding: str,
    lanes: Sequence[tuple[str, Contender, Sequence[Row]]],
    measure: Measure,
    floor: float | None,
) -> str:
    scores = [[row.answers[who].scores[measure] for row in rows] for _, who, rows in lanes]
    x = scale_of([value for found in scores for value in found], 84, WIDE - 12)
    high, bottom = 62.0, 8 + 62.0 * len(lanes)
    drawn = x_axis(x, bottom, 4, plain(measure))
    if floor is not None:
        drawn.append(rect(x.start, 4, x(floor) - x.start, bottom - 4, "ground"))
        drawn.append(line(x(floor), 4, x(floor), bottom, "floor"))
    for place, ((name, who, rows), values) in enumerate(zip(lanes, scores, strict=True)):
        y = 8 + high * place + 42
        if measure not in SHARES:
            drawn += _bars(values, x, y, who)
        middle, low, top = mean_interval(rows, who, measure)
        if measure in SHARES:
            drawn.append(rect(x(0), y - 18, x(middle) - x(0), 18, f"column {who}"))
        told = f"{name}: mean {middle:.3f}, {low:.3f} to {top:.3f}"
        drawn += [
            text(0, y - 16, name, kind=f"who {who}"),
            text(0, y, number(middle, measure), kind="value"),
            line(x(max(x.low, low)), y + 9, x(min(1, top)), y + 9, f"whisker {who}"),
            dot(x(middle), y + 9, who, told),
        ]
    bars = "" if measure in SHARES else "Bars: how many answers score so. "
    ground = f" Shaded: below the floor of {floor:.2f}." if floor is not None else ""
    legend = f"{bars}Shapes: means with 95 % intervals.{ground}"
    return picture(finding, drawn, high=bottom + 36, legend=legend)


def _bars(values: Sequence[float], x: Scale, y: float, who: Contender) -> list[str]:
    width = (x.high - x.low) / BINS
    bins = Counter(min(BINS - 1, max(0, int((value - x.low) / width))) for value in values)
    most = max(bins.values())
    drawn = []
    for place, count in sorted(bins.items()):
        left, right = x(x.low + place * width), x(x.low + (place + 1) * width)
        high = max(2.0, round(36 * count / most, 1))
        start = x.low + place * width
        told = f"{count} answers from {start:.2f} to {start + width:.2f}"
        drawn.append(rect(left, y - high, right - left - 1, high, f"column {who}", told))
    return drawn


def mean_interval(
    rows: Sequence[Row], who: Contender, measure: Measure
) -> tuple[float, float, float]:
    """A mean with its 95 % interval, whose error counts questions of one group as one.

    (Liang & Zeger 1986: the sums of residuals by group, squared.)
    """
    values = [(row.group, row.answers[who].scores[measure]) for row in rows]
    middle = mean(value for _, value in values)
    residuals: dict[str, float] = {}
    for group, value in values:
        residuals[group] = residuals.get(group, 0.0) + value - middle
    count = len(residuals)
    if count < 2:
        return middle, middle, middle
    correction = count / (count - 1)
    error = (correction * sum(r * r for r in residuals.values())) ** 0.5 / len(values)
    return middle, middle - 1.96 * error, middle + 1.96 * error


def intervals_plot(
    finding: str, named: Sequence[tuple[str, Contender, Difference]], axis: str
) -> str:
    """Differences with their intervals against nought; `named` in rows from above."""
    if not named:
        return ""
    reach = max(0.1, *(max(abs(d.low), abs(d.high)) for _, _, d in named)) * 1.05
    x = Scale(-reach, reach, 150, WIDE - 16)
    bottom = 8 + 26.0 * len(named)
    drawn = [*x_axis(x, bottom, 4, axis), line(x(0), 4, x(0), bottom, "zero")]
    for place, (name, who, d) in enumerate(named):
        y = 8 + 26 * place + 12
        drawn += [
            text(142, y + 4, name if len(name) < 24 else name[:22] + "…", at="end", kind="tick"),
            line(x(d.low), y, x(d.high), y, f"whisker {who}"),
            dot(x(d.mean), y, who, f"{signed(d.mean)}, {signed(d.low)} to {signed(d.high)}"),
        ]
    return picture(finding, drawn, high=bottom + 36)
