"""The numbers of a report in tables: each contender by each measure, and tuned against it."""

from collections.abc import Callable, Sequence
from html import escape
from statistics import mean

from assistant.report_view.naming import (
    MEASURES,
    MUCH,
    WHO,
    chance,
    interval,
    mark,
    number,
    signed,
    who_head,
)
from trainer.difference import Difference
from trainer.report import Answer, Contender, Kind, LabelScores, Measure, Report

# What is counted beside the measures: name, meaning, what of one answer, as a share or a number.
_COUNTED: tuple[tuple[str, str, Callable[[Answer], float], bool], ...] = (
    (
        "Flagged",
        "Answers with a number, amount, date, time, name, unit or “not” other than the approved "
        "one's. Lower is better.",
        lambda answer: bool(answer.flags),
        True,
    ),
    (
        "Invented",
        "Answers that state something no approved answer supports. Lower is better.",
        lambda answer: bool(answer.invented),
        True,
    ),
    (
        "Ran on",
        "Answers that did not stop by themselves. Lower is better.",
        lambda answer: not answer.ended,
        True,
    ),
    (
        "Repeats itself",
        f"Answers in which {MUCH:.0%} or more of the groups of three words were there before. "
        "Lower is better.",
        lambda answer: answer.repeats >= MUCH,
        True,
    ),
    ("Words", "Words in an answer, on average.", lambda answer: len(answer.text.split()), False),
)


def table(head: Sequence[str], lines: Sequence[Sequence[str]], *, kind: str = "") -> str:
    """A table of HTML cells that scrolls sideways by itself; the first of a line names it."""
    cells = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    rows = "".join(
        f'<tr><th scope="row">{line[0]}</th>{"".join(f"<td>{c}</td>" for c in line[1:])}</tr>'
        for line in lines
    )
    return (
        f'<div class="sheet"><table class="{kind}"><thead><tr>{cells}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def scores_table(report: Report, kind: Kind) -> str:
    """Each measure by each contender; the one that decides comes first and is marked."""
    who = [w for w in report.contenders if any(w in row.answers for row in report.of(kind))]
    if not who:
        return ""
    lines = [[_named(m, report), *_scores(report, kind, who, m)] for m in report.measures]
    if (means := report.answers.get(kind)) and "nearest" in report.measures:
        told = [_macro(means[w]) if w in means else "" for w in who]
        lines.insert(
            1 + report.measures.index("nearest"), [_term("Macro F1 of that", _MACRO), *told]
        )
    for name, meaning, of, share in counted(report):
        found = [_mean(report, kind, w, of) for w in who]
        told = [f"{value:.0%}" if share else f"{value:.0f}" for value in found]
        lines.append([_term(name, meaning), *told])
    return table(["", *(who_head(w) for w in who)], lines, kind="numbers-table")


_MACRO = (
    "F1 of “right answer nearest”, each approved answer counting the same, however often it is "
    "asked for; precision and recall when pointed at. Higher is better."
)


def _macro(scores: LabelScores) -> str:
    meant = f"precision {scores.macro_precision:.0%}, recall {scores.macro_recall:.0%}"
    return f'<span title="{meant}">{scores.macro_f1:.0%}</span>'


def counted(report: Report) -> Sequence[tuple[str, str, Callable[[Answer], float], bool]]:
    """What is counted beside the measures; nothing where answers are labels."""
    return () if report.task == "labels" else _COUNTED


def _named(measure: Measure, report: Report) -> str:
    name, meaning = MEASURES[measure]
    if measure != report.primary:
        return _term(name, f"{meaning} Higher is better.")
    return f"{_term(name, f'{meaning} Higher is better.')} <small>decides</small>"


def _term(name: str, meaning: str) -> str:
    return f'<abbr title="{escape(meaning)}" tabindex="0">{escape(name)}</abbr>'


def _scores(report: Report, kind: Kind, who: Sequence[Contender], measure: Measure) -> list[str]:
    found = [report.score(kind, w, measure) for w in who]
    best = max((value for value in found if value is not None), default=None)
    told = [number(value, measure) for value in found]
    top = number(best, measure) if len(set(told)) > 1 else None
    return [f"<b>{cell}</b>" if cell == top else cell for cell in told]


def _mean(report: Report, kind: Kind, who: Contender, of: Callable[[Answer], float]) -> float:
    return mean(float(of(row.answers[who])) for row in report.of(kind) if who in row.answers)


def differences_table(report: Report, kind: Kind) -> str:
    """Tuned against each other contender: by what decides, and folded by everything else."""
    found = report.differences.get(kind, {})
    lines = [
        [who_head(who), *_cells(by[report.primary])]
        for who, by in found.items()
        if report.primary in by
    ]
    if not lines:
        return ""
    others = [
        [f"{MEASURES[measure][0]}, {who_head(who)}", *_cells(d)]
        for measure in report.measures[1:]
        for who, by in found.items()
        if (d := by.get(measure))
    ]
    groups = max(by[report.primary].groups for by in found.values() if report.primary in by)
    n = len(report.of(kind))
    sure = (
        f'<p class="quiet">{n:,} questions about {groups:,} different answers. Intervals: 95 %, '
        "by resampling questions of one answer together. p: the chance of such a difference if "
        "there were none. One that is smaller than 0.05 nobody would notice.</p>"
    )
    head = ["against", "tuned is", "by", "95 % interval", "p", "won · tied · lost"]
    folded = ""
    if others:
        folded = (
            "<details><summary>By every other measure</summary>"
            f"{table(head, others, kind='numbers-table')}</details>"
        )
    return table(head, lines, kind="numbers-table") + sure + folded


def _cells(d: Difference) -> list[str]:
    won = f"{d.wins:,} · {d.ties:,} · {d.losses:,}"
    return [mark(d), f"<b>{signed(d.mean)}</b>", interval(d), chance(d.p), won]


def legend(report: Report) -> str:
    """What each contender and each measure is, and which way is better; folded."""
    who = "".join(f"<dt>{who_head(w)}</dt><dd>{WHO[w]}</dd>" for w in report.contenders)
    measures = "".join(
        f"<dt>{MEASURES[m][0]}</dt><dd>{MEASURES[m][1]} Higher is better.</dd>"
        for m in report.measures
    )
    more = "".join(f"<dt>{name}</dt><dd>{told}</dd>" for name, told, _, _ in counted(report))
    supported = ""
    if report.supported is not None:
        supported = (
            f'<p class="quiet">A sentence counts as supported from a similarity of '
            f"{report.supported:.2f} to an approved answer.</p>"
        )
    return (
        "<details><summary>What these numbers mean</summary>"
        f'<dl class="terms">{who}{measures}{more}</dl>{supported}</details>'
    )
