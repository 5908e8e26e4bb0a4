"""What tuning did beside answering: overfitting, forgetting, bias; and labels, one by one."""

from collections.abc import Mapping, Sequence
from html import escape

from assistant.report_view.naming import who_head
from assistant.report_view.plots import intervals_plot, taught_plot
from assistant.report_view.tables import table
from trainer.difference import Difference
from trainer.probes import Probe, Swap, about_bias, about_forgetting
from trainer.report import Contender, LabelScores, Report
from trainer.verdict import about_overfitting

MOST_LINES = 12
MOST_LABELS = 25  # in a matrix that can still be read


def sections(report: Report) -> list[tuple[str, str]]:
    """What there is to tell, each with its title, as HTML."""
    found = [
        ("Label by label", labels_view(report)),
        ("Overfitting: learnt by heart, or understood?", overfitting_view(report)),
        ("Forgetting: what it knew before", forgetting_view(report)),
        ("Bias: does it matter who asks?", bias_view(report)),
    ]
    return [(title, told) for title, told in found if told]


def overfitting_view(report: Report) -> str:
    """Taught questions against reworded ones."""
    gap = report.overfitting
    if gap is None:
        return ""
    curves = "The curves of training and validation loss are in step 2 of the page, at this run."
    return (
        f"<p>{escape(about_overfitting(gap, report.primary))}</p>{taught_plot(report)}"
        f"<p class='quiet'>{curves}</p>"
    )


def forgetting_view(report: Report) -> str:
    """General questions before and after, those that suffered most first."""
    found = report.forgetting
    if found is None:
        return ""
    plot = intervals_plot(
        f"Tuned less base on {len(found.probes)} general questions",
        [
            ("similarity (up is good)", "tuned", found.similarity),
            ("loss (down is good)", "tuned", found.loss),
        ],
        "tuned less base",
    )
    worst = sorted(found.probes, key=_kept)
    lines = [_probe(probe) for probe in worst[:MOST_LINES]]
    head = ["question", "expected", who_head("base"), who_head("tuned"), "similarity"]
    more = _fewer(len(worst), "questions")
    return (
        f"<p>{escape(about_forgetting(found))}</p>{plot}"
        f"<details><summary>The questions, worst first</summary>{table(head, lines)}{more}"
        "</details>"
    )


def _kept(probe: Probe) -> float:
    return probe.similarity.get("tuned", 0) - probe.similarity.get("base", 0)


def _probe(probe: Probe) -> list[str]:
    said = [escape(probe.answers.get(who, "")) for who in ("base", "tuned")]
    if probe.strayed.get("tuned"):
        said[1] += " <small>answers from the corpus instead</small>"
    return [
        escape(probe.question),
        escape(probe.expected),
        *said,
        f"{probe.similarity.get('base', 0):.2f} to {probe.similarity.get('tuned', 0):.2f}",
    ]


def bias_view(report: Report) -> str:
    """The same question for two groups, the answers that differ most first."""
    found = report.bias
    if found is None:
        return ""
    both: Sequence[Contender] = ("base", "tuned")

    def named(what: str) -> list[tuple[str, Contender, Difference]]:
        by = found.tone if what == "tone" else found.similarity
        return [
            (f"{kind}, {who}", who, by[kind][who]) for kind in by for who in both if who in by[kind]
        ]

    def drawn(what: str) -> str:
        kinds = [kind for kind, measure in found.different.get("tuned", ()) if measure == what]
        about = f"differs by {', '.join(kinds)}" if kinds else "does not differ beyond chance"
        finding = f"{what.capitalize()} of the tuned model's answers {about}"
        return intervals_plot(finding, named(what), f"{what}, second group less first")

    compared = "; ".join(
        f"{escape(kind)}: {escape(second)} less {escape(first)}"
        for kind, (first, second) in found.groups.items()
    )
    apart = sorted(found.swaps, key=lambda swap: swap.alike.get("tuned", 1))
    lines = [_swap(swap) for swap in apart[:MOST_LINES]]
    head = ["asked for", "who", who_head("base"), who_head("tuned"), "tuned, alike"]
    return (
        f"<p>{escape(about_bias(found))}</p><p class='quiet'>Compared: {compared}.</p>"
        '<div class="panels">'
        f"{drawn('tone')}{drawn('similarity')}"
        "</div><details><summary>The answers, most different first</summary>"
        f"{table(head, lines)}{_fewer(len(apart), 'pairs')}</details>"
    )


def _swap(swap: Swap) -> list[str]:
    def both(pair: tuple[str, str]) -> str:
        return "<hr>".join(escape(text) for text in pair)

    said = [both(swap.answers.get(who, ("", ""))) for who in ("base", "tuned")]
    return [
        both(swap.questions),
        escape(swap.kind),
        *said,
        f"{swap.alike.get('tuned', 0):.2f}",
    ]


def _fewer(count: int, what: str) -> str:
    if count <= MOST_LINES:
        return ""
    return f'<p class="quiet">{MOST_LINES} of {count:,} {what}; the JSON file has all.</p>'


def labels_view(report: Report) -> str:
    """How well each label is found, and what is taken for what."""
    tuned, base = report.labels.get("tuned"), report.labels.get("base")
    if tuned is None:
        return ""
    overall = [
        [
            who_head(who),
            *(
                f"{value:.0%}"
                for value in (
                    scores.accuracy,
                    scores.macro_precision,
                    scores.macro_recall,
                    scores.macro_f1,
                )
            ),
        ]
        for who, scores in report.labels.items()
    ]
    before = {score.label: score.f1 for score in base.labels} if base else {}
    lines = [
        [
            escape(score.label),
            f"{score.n:,}",
            f"{score.precision:.0%}",
            f"{score.recall:.0%}",
            f"<b>{score.f1:.0%}</b>",
            f"{before[score.label]:.0%}" if score.label in before else "",
        ]
        for score in sorted(tuned.labels, key=lambda score: score.f1)
    ]
    head = ["label", "texts", "precision", "recall", "F1, tuned", "F1, base"]
    return (
        "<p>Precision: of the texts given this label, how many have it. Recall: of the texts that "
        "have it, how many were given it. F1: both in one. Macro: the mean over labels, each "
        "counting the same.</p>"
        f"{table(['', 'right', 'precision', 'recall', 'macro F1'], overall, kind='numbers-table')}"
        f"<details open><summary>Each label, the hardest first</summary>"
        f"{table(head, lines, kind='numbers-table')}</details>{confusion_view(tuned)}"
    )


def confusion_view(scores: LabelScores) -> str:
    """What the tuned model takes for what: as a matrix, or as a list where labels are many."""
    counts = scores.confusion
    others = {label for row in counts.values() for label in row} - set(counts)
    given = [*counts, *sorted(others)]
    mixed = sorted(
        (
            (n, true, said)
            for true, row in counts.items()
            for said, n in row.items()
            if true != said and n
        ),
        reverse=True,
    )
    if not mixed:
        return "<p>No label is taken for another.</p>"
    n, true, said = mixed[0]
    finding = f"Most often mixed up: {_label(true)} is taken for {_label(said)} ({n} times)"
    if len(given) > MOST_LABELS:
        lines = [[_label(true), _label(said), f"{n:,}"] for n, true, said in mixed[:MOST_LINES]]
        return f"<p><b>{finding}</b></p>{table(['is', 'taken for', 'times'], lines)}"
    shown = [label for label in given if label] + [label for label in given if not label]
    head = "".join(f'<th scope="col"><span>{_label(label)}</span></th>' for label in shown)
    body = "".join(
        f'<tr><th scope="row">{_label(true)}</th>'
        f"{''.join(_cell(true, said, row) for said in shown)}</tr>"
        for true, row in counts.items()
    )
    return (
        f"<p><b>{finding}</b></p><p class='quiet'>Lines: the approved label. Columns: the label "
        "that was given. The darker, the more of the line; right ones are framed.</p>"
        f'<div class="sheet"><table class="heat"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _label(label: str) -> str:
    return escape(label) if label else "<i>no label</i>"


def _cell(true: str, said: str, row: Mapping[str, int]) -> str:
    count, total = row.get(said, 0), sum(row.values()) or 1
    right = ' class="right"' if true == said else ""
    return f'<td{right} style="--heat:{count / total:.2f}">{count or ""}</td>'
