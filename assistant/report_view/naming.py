"""What the parts of a report are called, what they mean, and how its numbers are written."""

from collections.abc import Mapping
from html import escape

from trainer.difference import Difference, Verdict
from trainer.facts.flag import Flag
from trainer.report import Answer, Contender, Kind, Measure, Report, Task

KINDS: Mapping[Kind, tuple[str, str]] = {
    "reworded": (
        "Reworded questions",
        "Their answers were taught, in other words: a good tuning gets them right.",
    ),
    "unseen": (
        "Unseen questions",
        "Nobody taught their answers: a good bot picks up subject and tone, and invents nothing.",
    ),
    "test": ("Held-out texts", "None of them was taught."),
    "file": ("Questions of another file", "They are not of the corpus it was tuned on."),
    "taught": ("Taught questions", "The very questions it learnt from, asked for contrast."),
}
SHAPES: Mapping[Contender, str] = {"base": "○", "tuned": "◆", "retrieval": "△", "lookup": "□"}
WHO: Mapping[Contender, str] = {
    "base": "the base model as it was",
    "tuned": "the base model with what tuning taught it",
    "retrieval": "the base model with the nearest approved answers in its prompt",
    "lookup": "the approved answer of the nearest taught question, as a search box would give it",
}
MEASURES: Mapping[Measure, tuple[str, str]] = {
    "similarity": (
        "Similarity",
        "How close two texts are in meaning, by the embedding model: 1 is the same, the floor is "
        "what an answer gets for its subject alone. It does not check facts.",
    ),
    "nearest": (
        "Right answer nearest",
        "Share of answers to which the approved answer is the closest of all approved answers.",
    ),
    "token_f1": ("Shared words", "Token F1: words shared with the approved answer, in any order."),
    "rouge_1": ("ROUGE-1", "Single words shared with the approved text."),
    "rouge_2": ("ROUGE-2", "Pairs of words shared with the approved text."),
    "rouge_l": ("ROUGE-L", "The longest run of words shared in the same order."),
    "chrf": ("chrF", "Groups of characters shared with the approved text; forgives endings."),
    "bleu": ("BLEU", "Groups of one to four words shared with the approved text."),
    "exact": ("Exactly right", "Share of answers that are the approved one, case aside."),
}
SHARES: tuple[Measure, ...] = ("nearest", "exact")
VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    "better": ("▲", "better"),
    "worse": ("▼", "worse"),
    "no difference": ("=", "no difference"),
    "too few": ("?", "too few to tell"),
}
TASKS: Mapping[Task, str] = {
    "answers": "answers to questions",
    "labels": "texts with labels",
    "summaries": "summaries",
    "translations": "translations",
}


def mark(difference: Difference | None) -> str:
    """The verdict as a mark with a shape and a colour, in words."""
    verdict: Verdict = difference.verdict if difference else "too few"
    shape, said = VERDICTS[verdict]
    name = verdict.replace(" ", "-")
    return f'<span class="mark {name}"><i aria-hidden="true">{shape}</i> {said}</span>'


def who_head(who: Contender) -> str:
    """A contender by its shape, its colour and its name; what it is, when pointed at."""
    return f'<b class="who {who}" title="{WHO[who]}">{SHAPES[who]} {who.capitalize()}</b>'


def plain(measure: Measure) -> str:
    """The name of a measure within a sentence."""
    name = MEASURES[measure][0]
    return name if name[1].isupper() or name == "chrF" else name[0].lower() + name[1:]


def number(value: float | None, measure: Measure) -> str:
    """A score, or the mean of scores, as people read it; a dash where there is none."""
    if value is None:
        return "–"  # noqa: RUF001 - a dash, not a hyphen
    return f"{value:.0%}" if measure in SHARES else f"{value:.2f}"


def signed(value: float) -> str:
    """A difference with its sign, a true minus and no negative nought."""
    told = f"{value:+.2f}"
    return "0.00" if told in ("+0.00", "-0.00") else told.replace("-", "−")  # noqa: RUF001


def interval(difference: Difference) -> str:
    """The 95 % interval of a difference."""
    return f"{signed(difference.low)} to {signed(difference.high)}"


def chance(p: float) -> str:
    """A p-value, the chance of such a difference if there were none, as HTML."""
    return "&lt; 0.001" if p < 0.001 else f"{p:.3f}"


def flag_told(flag: Flag) -> str:
    """A fact that parts from the approved answer, in words; plain text."""
    if flag.said and flag.approved:
        return f"says “{flag.said}”, approved: “{flag.approved}”"
    if flag.said:
        return f"adds “{flag.said}”"
    return f"leaves out “{flag.approved}”"


def troubles(answer: Answer) -> list[str]:
    """What is wrong with an answer apart from its scores, in words; plain text."""
    told = [flag_told(flag) for flag in answer.flags]
    told += [f"invented: “{what}”" for what in answer.invented]
    if not answer.ended:
        told.append("ran on until it was cut")
    if answer.repeats >= MUCH:
        told.append(f"repeats itself ({answer.repeats:.0%})")
    return told


MUCH = 0.3  # share of groups of three words that stood there before


def measured(report: Report) -> str:
    """What the primary number is and which way is better, in a sentence of HTML."""
    name, meaning = MEASURES[report.primary]
    embedder = ""
    if report.primary in ("similarity", "nearest"):
        embedder = f" Embedding model: {escape(report.embedder)}."
    return f"The number that decides: <b>{name}</b>, higher is better. {meaning}{embedder}"
