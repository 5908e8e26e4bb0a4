"""Pairs as they were found become pairs a bot may learn, step by step; each step is counted."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from trainer.corpus.characters import is_damaged, join_surrogates, repair_encoding, tidy_unicode
from trainer.corpus.furniture import take_off_furniture
from trainer.corpus.markup import html_to_text
from trainer.corpus.placeholders import drop_empty
from trainer.corpus.spacing import put_on_one_line, tidy_lines
from trainer.corpus.table import Pair

SAMPLES = 3
SHOWN = 240  # characters of a sample


@dataclass(frozen=True)
class CleaningStep:
    """One step by its name, with what a person reads beside its switch."""

    name: str
    title: str
    meaning: str


@dataclass(frozen=True)
class Step:
    """What one step did; samples are (row, before, after), cut to where they differ."""

    name: str
    changed: int = 0
    dropped: int = 0
    samples: tuple[tuple[int, str, str], ...] = ()


@dataclass(frozen=True)
class Cleaned:
    """Pairs after the cleaning; the rows of `unrepaired` still show damage nothing can undo."""

    pairs: tuple[Pair, ...]
    steps: tuple[Step, ...]
    unrepaired: tuple[int, ...]


STEPS: tuple[CleaningStep, ...] = (
    CleaningStep(
        "mojibake",
        "Repair broken characters",
        "Text that was read in the wrong encoding once (personâ€™s) gets its characters back "
        "(person\u2019s). Quotes, widths and ligatures stay as they were written.",
    ),
    CleaningStep(
        "html",
        "HTML to text",
        "Paragraphs, line breaks and lists become lines, other tags go, &amp; becomes &. What only "
        "looks like a tag, as <your name> or a < b, stays, and so does code in backticks.",
    ),
    CleaningStep(
        "unicode",
        "Tidy Unicode",
        "Letters in their composed form (NFC); control, zero-width and other invisible characters "
        "go, except the joiners that scripts and emoji need.",
    ),
    CleaningStep(
        "white space",
        "Tidy white space",
        "Runs of spaces, spaces at line ends and more than one blank line go. Questions stand on "
        "one line; answers keep their lines and the indentation of lists and code.",
    ),
    CleaningStep(
        "boilerplate",
        "Take off page furniture",
        "'Was this helpful?', 'Read more', 'Back to top' and the like at the ends of answers go, "
        "in some 25 languages; also 'Q:', 'Answer:' and the numbers of numbered questions, and a "
        "short line without a full stop that ends 3 of 10 answers. Whole sentences that many "
        "answers share stay: they may be wanted, as a disclaimer is.",
    ),
    CleaningStep(
        "empty",
        "Leave out empty and placeholder rows",
        "Rows whose question or answer is empty, a placeholder (TBD, N/A, coming soon) or a header "
        "copied into the rows. Rows without any text are left out even when this is off.",
    ),
)


def clean(pairs: Sequence[Pair], *, off: Collection[str] = ()) -> Cleaned:
    """Take the steps that are not `off`, in the order of `STEPS`."""
    now: list[Pair] = [_change(pair, join_surrogates) for pair in pairs]
    steps = []
    for step in STEPS:
        if step.name == "empty":
            after = drop_empty(now, placeholders=step.name not in off)
        elif step.name in off:
            continue
        else:
            after = _TAKEN[step.name](now)
        steps.append(_count(step.name, now, after))
        now = [pair for pair in after if pair]
    rows = [p.row for p in now if is_damaged(p.question) or is_damaged(p.answer)]
    return Cleaned(tuple(now), tuple(steps), tuple(dict.fromkeys(rows)))


def _count(name: str, before: Sequence[Pair], after: Sequence[Pair | None]) -> Step:
    changed = dropped = 0
    samples: dict[tuple[str, str], int] = {}
    for old, new in zip(before, after, strict=True):
        if old is new or old == new:
            continue
        changed, dropped = changed + (new is not None), dropped + (new is None)
        if len(samples) < SAMPLES:
            if new:
                at = next(i for i in (0, 1, 2) if old[i] != new[i])
                samples.setdefault(_excerpt(str(old[at]), str(new[at])), old.row)
            else:
                samples.setdefault((f"{old.question} | {old.answer}"[:SHOWN], ""), old.row)
    return Step(name, changed, dropped, tuple((row, *texts) for texts, row in samples.items()))


def _excerpt(before: str, after: str) -> tuple[str, str]:
    """Cut both texts to the surroundings of their first difference."""
    same = zip(before, after, strict=False)
    first = next((i for i, (a, b) in enumerate(same) if a != b), min(len(before), len(after)))
    start = 0 if first < 100 else first - 60
    lead = "…" if start else ""

    def cut(text: str) -> str:
        return lead + text[start : start + SHOWN] + ("…" if len(text) > start + SHOWN else "")

    return cut(before), cut(after)


def _change(
    pair: Pair,
    question: Callable[[str], str],
    answer: Callable[[str], str] | None = None,
    topic: Callable[[str], str] | None = None,
) -> Pair:
    """The pair with its texts changed, or the very same where nothing is to change."""
    texts = (
        question(pair.question),
        (answer or question)(pair.answer),
        (topic or question)(pair.topic) if pair.topic else pair.topic,
    )
    return pair if texts == pair[:3] else Pair(*texts, pair.row, pair.part)


def _each(
    question: Callable[[str], str],
    answer: Callable[[str], str] | None = None,
    topic: Callable[[str], str] | None = None,
) -> Callable[[Sequence[Pair]], list[Pair | None]]:
    return lambda pairs: [_change(pair, question, answer, topic) for pair in pairs]


_TAKEN: dict[str, Callable[[Sequence[Pair]], list[Pair | None]]] = {
    "mojibake": _each(repair_encoding),
    "html": _each(html_to_text, topic=str),
    "unicode": _each(tidy_unicode),
    "white space": _each(put_on_one_line, tidy_lines),
    "boilerplate": take_off_furniture,
}
