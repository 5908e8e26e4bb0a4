"""What a report means, in sentences; the command line, the page and the files say the same."""

from collections.abc import Mapping

from trainer.difference import Difference
from trainer.report import Contender, Gap, Kind, Measure, Report

NAMES: Mapping[Measure, str] = {
    "similarity": "similarity to the approved answer",
    "nearest": "right answer nearest",
    "token_f1": "words in common (token F1)",
    "rouge_1": "words in common (ROUGE-1)",
    "rouge_2": "pairs of words in common (ROUGE-2)",
    "rouge_l": "words in the same order (ROUGE-L)",
    "chrf": "letters in common (chrF)",
    "bleu": "phrases in common (BLEU)",
    "exact": "exactly the approved answer",
}
OTHERS: Mapping[Contender, str] = {
    "lookup": "looking the answer up",
    "retrieval": "the base with the nearest approved answers in its prompt",
}


_SERVES: Mapping[Contender, str] = {
    "lookup": "a search box",
    "retrieval": "the base with a search behind it",
}


def verdict(report: Report) -> list[str]:
    """Every sentence: for each kind, tuned against base, then against doing without tuning."""
    return [sentence for kind in report.kinds for sentence in verdict_of(report, kind)]


def verdict_of(report: Report, kind: Kind) -> list[str]:
    """Whether tuning helped on one kind of question, and whether something else would have, too."""
    found = report.difference(kind)
    if found is None:
        return [_MISSING[kind]]
    asked = _asked(report, kind)
    sentences = [f"{asked}, {_change(report, kind, found)}"]
    if kind == "unseen":
        sentences[0] += (
            " A model cannot know these answers: a rise means it learnt the subject and the tone, "
            "not the facts."
        )
        sentences.append(_invented(report))
    else:
        sentences.append(_without_tuning(report, kind))
    return [sentence for sentence in sentences if sentence]


def about_runs(found: Mapping[Kind, Difference]) -> list[str]:
    """Whether one tuned model is better than another, a sentence for each kind of question."""
    return [
        f"On {apart.n} {kind} questions that both were asked, the second run is "
        f"{_BESIDE[apart.verdict]} ({apart.mean:+.2f}, between {apart.low:+.2f} and "
        f"{apart.high:+.2f})."
        for kind, apart in found.items()
    ]


_BESIDE = {
    "better": "better",
    "worse": "worse",
    "no difference": "as good",
    "too few": "too close to the first to tell",
}


def about_overfitting(gap: Gap, measure: Measure) -> str:
    """Whether the tuned model recites what it was taught, in a sentence."""
    scores = f"{gap.taught:.2f} on questions it was taught, {gap.reworded:.2f} on others"
    interval = f"between {gap.low:+.2f} and {gap.high:+.2f} apart"
    name = NAMES[measure].partition(" (")[0]
    if gap.low > 0.05:
        what = "It recites: it knows questions as they were taught better than in other words."
    elif gap.high < 0.1:
        what = "It does not merely recite: other words serve it as well."
    else:
        what = "There is no clear sign that it merely recites."
    return f"The tuned model's {name} is {scores} ({interval}). {what}"


def _asked(report: Report, kind: Kind) -> str:
    n = len(report.of(kind))
    match kind:
        case "reworded":
            return f"On {n} reworded questions, whose answers were taught in other words"
        case "unseen":
            return f"On {n} unseen questions, whose answers nobody taught"
        case "file":
            return f"On {n} questions of {report.file}"
    return f"On {n} held-out texts"


def _change(report: Report, kind: Kind, found: Difference) -> str:
    base, tuned = (_number(report, kind, who) for who in ("base", "tuned"))
    sure = f"between {found.low:+.2f} and {found.high:+.2f}"
    name = NAMES[report.primary]
    if report.primary == "exact":
        name = "the share of answers that are exactly the approved one"
    match found.verdict:
        case "better":
            return f"tuning raised {name} from {base} to {tuned} ({sure})."
        case "worse":
            return f"tuning lowered {name} from {base} to {tuned} ({sure})."
        case "no difference":
            return f"tuning made no difference that matters: {name} {base} and {tuned} ({sure})."
    return (
        f"tuning may have changed {name} ({base} to {tuned}, {sure}): {found.n} questions about "
        f"{found.groups} different answers are too few to tell. About {found.enough} would do."
    )


def _without_tuning(report: Report, kind: Kind) -> str:
    """Whether lookup or retrieval would have done as well, also when that hurts."""
    told, best = [], []
    for who, what in OTHERS.items():
        found = report.difference(kind, who)
        if found is None:
            continue
        beside = {
            "better": "less than the tuned model",
            "worse": "more than the tuned model",
            "no difference": "as much as the tuned model",
            "too few": "too close to the tuned model to tell",
        }[found.verdict]
        told.append(f"{what} reaches {_number(report, kind, who)}, {beside}")
        if found.verdict in ("worse", "no difference"):
            how = "better" if found.verdict == "worse" else "as well"
            best.append(f"{_SERVES[who]} serves {how}")
    if not told:
        return ""
    said = f"Without tuning, {', and '.join(told)}."
    return f"{said} As it stands, {', and '.join(best)}." if best else said


def _invented(report: Report) -> str:
    """How often answers to unseen questions state what nobody approved."""
    rows = report.of("unseen")
    if report.supported is None or not rows:
        return ""
    counts = {
        who: sum(bool(row.answers[who].invented) for row in rows)
        for who in ("base", "tuned")
        if all(who in row.answers for row in rows)
    }
    return (
        f"{counts['tuned']} of {len(rows)} tuned answers to them state a number, a date, a name or "
        f"a sentence that no approved answer supports ({counts['base']} of the base's): a good bot "
        "would rather say that it does not know."
    )


def _number(report: Report, kind: Kind, who: Contender) -> str:
    score = report.score(kind, who) or 0.0
    return f"{score:.0%}" if report.primary == "exact" else f"{score:.2f}"


_MISSING: Mapping[Kind, str] = {
    "reworded": "Reworded questions could not be measured: no answer in this corpus has two "
    "wordings. Add other wordings of the questions.",
    "unseen": "Unseen questions could not be measured: the corpus is too small, or has too few "
    "different answers, to hold any out.",
    "test": "There are no held-out texts: the corpus is too small.",
    "file": "The test file has no question that could be asked.",
}
