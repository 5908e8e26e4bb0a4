"""Drawing: a few shapes as SVG text, in the colours of their classes, so that dark stays dark.

A picture is `WIDE` units wide and grows with the page up to a third; so its letters are readable
at 390 pixels and not loud at 1,400. Its title, the finding, is a caption that breaks as text does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import floor

from trainer.report import Contender

WIDE = 420


@dataclass(frozen=True)
class Scale:
    """Where a value lies between two places of a picture."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value."""
        share = (value - self.low) / ((self.high - self.low) or 1)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        """Some round values on the way."""
        span = self.high - self.low
        step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1e9) if span / s <= 6)
        first, last = int(self.low / step - 1), int(self.high / step + 1)
        values = [round(place * step, 3) for place in range(first, last + 1)]
        return [v for v in values if self.low - 1e-9 <= v <= self.high + 1e-9]


def scale_of(values: Sequence[float], start: float, end: float) -> Scale:
    """From 0, or below it where a value is, to 1."""
    return Scale(floor(min([0.0, *values]) * 10) / 10, 1.0, start, end)


def picture(finding: str, drawn: Sequence[str], *, high: float, legend: str = "") -> str:
    """A figure whose caption is the finding (plain text); `legend` is HTML."""
    below = f'<span class="quiet">{legend}</span>' if legend else ""
    return (
        f'<figure class="plot"><figcaption>{escape(finding)}{below}</figcaption>'
        f'<svg viewBox="0 0 {WIDE} {high:g}" role="img" aria-label="{escape(finding)}">'
        f"{''.join(drawn)}</svg></figure>"
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A line of a class."""
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" class="{kind}"/>'


def text(x: float, y: float, said: str, *, at: str = "start", kind: str = "") -> str:
    """Words; `at` is start, middle or end. They are escaped."""
    styled = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{at}"{styled}>{escape(said)}</text>'


def rect(x: float, y: float, wide: float, high: float, kind: str, told: str = "") -> str:
    """A bar of a class; what it stands for shows when it is pointed at."""
    title = f"<title>{escape(told)}</title>" if told else ""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{max(0, wide):g}" height="{max(0, high):g}" '
        f'class="{kind}">{title}</rect>'
    )


def dot(x: float, y: float, who: Contender, told: str = "", *, size: float = 4) -> str:
    """A contender's own shape in its own colour."""
    title = f"<title>{escape(told)}</title>" if told else ""
    match who:
        case "base":
            drawn = f'<circle cx="{x:g}" cy="{y:g}" r="{size:g}"'
        case "tuned":
            r = size * 1.25
            drawn = f'<path d="M{x:g} {y - r:g}l{r:g} {r:g}l{-r:g} {r:g}l{-r:g} {-r:g}z"'
        case "retrieval":
            r = size * 1.2
            drawn = f'<path d="M{x:g} {y - r:g}l{r:g} {1.8 * r:g}h{-2 * r:g}z"'
        case "lookup":
            drawn = (
                f'<rect x="{x - size:g}" y="{y - size:g}" width="{2 * size:g}" '
                f'height="{2 * size:g}"'
            )
    tag = drawn[1:].split(" ", 1)[0]
    return f'{drawn} class="dot {who}">{title}</{tag}>'


def x_axis(scale: Scale, y: float, top: float, named: str) -> list[str]:
    """Grid lines with their values below, and the name of the axis."""
    drawn = []
    for value in scale.ticks():
        drawn.append(line(scale(value), top, scale(value), y, "grid"))
        drawn.append(text(scale(value), y + 14, f"{value:g}", at="middle", kind="tick"))
    middle = (scale.start + scale.end) / 2
    return [*drawn, text(middle, y + 30, named, at="middle", kind="tick")]
