"""A link for a tuned model, with what its page says until somebody says it better."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from assistant.conversation import Side, tuned
from assistant.links import Link, Use
from trainer.corpus.library import Corpus
from trainer.corpus.split import Split
from trainer.errors import ConfigError, NotFound
from trainer.runs import Run

EXAMPLES = 3
UNSURE_BELOW = 0.6  # cosine, for a run that was never scored
MOST_DAYS = 3650


def suggest_look(run: Run) -> dict[str, object]:
    """What the page of a run's bot may say, as `Look` takes it."""
    corpus = run.corpus
    name = corpus.name.replace("-", " ").replace("_", " ").capitalize()
    return {
        "title": name[:80],
        "greeting": "What would you like to know?",
        "about": "A language model answers here. It learnt from approved answers and can still be "
        "wrong; where it strays from them it says so and shows the nearest one.",
        "examples": tuple(q[:200] for q in example_questions(corpus, run.split, EXAMPLES)),
    }


def make_link(
    run: Run,
    *,
    look: Mapping[str, object] | None = None,
    limits: Mapping[str, object] | None = None,
    with_base: bool = False,
    unsure: bool = True,
    password: str = "",
    people: Sequence[str] = (),
    days: float = 30,
) -> Link:
    """A link to the tuned model of a run, open for so many days; raises `UserError`.

    `look` says what is not as suggested; `password` is a hash; `people` are lines of an auth file.
    """
    if not run.has_adapter:
        raise NotFound(f"Run '{run.id}' has no adapter: it is {run.state()}.")
    if not 0 < days <= MOST_DAYS:
        raise ConfigError(f"A link is open for 1 to {MOST_DAYS:,} days, not {days:g}.")
    side = tuned(run)
    sides: list[Side] = [side.bare, side] if with_base else [side]
    return Link.parse(
        {
            "sides": sides,
            "look": suggest_look(run) | dict(look or {}),
            "limits": dict(limits or {}),
            "unsure_below": unsure_below(run) if unsure else None,
            "password": password,
            "people": tuple(people),
            "expires": datetime.now(UTC) + timedelta(days=days),
        }
    )


def unsure_below(run: Run) -> float:
    """The similarity to the nearest approved answer from which on an answer counts as sure.

    Half of the way from what an answer gets for nothing but its subject to what the tuned model
    gets on questions nobody taught it, by the last evaluation.
    """
    evaluation = run.evaluation()
    report = evaluation.report() if evaluation else None
    if report is None:
        return UNSURE_BELOW
    for kind in report.kinds:
        floor, score = report.floor(kind), report.score(kind, "tuned", "similarity")
        if floor is not None and score is not None:
            return round((floor + score) / 2, 2)
    return UNSURE_BELOW


def example_questions(corpus: Corpus, split: Split, most: int) -> list[str]:
    """A few held-out questions: worth asking, because nobody taught these words."""
    piles = (corpus.pile(kind, split) for kind in split.kinds)
    pile = next(filter(None, piles), ())
    return [example.question for example in pile[:: max(1, len(pile) // most)][:most]]


def link_told(link: Link) -> str:
    """Which bot a link opens, and until when, in words."""
    until = f"{link.expires:%d %B %Y}"
    if link.revoked:
        state = f"taken back on {link.revoked:%d %B %Y}"
    else:
        state = f"run out on {until}" if link.over else f"open until {until}"
    asks = {"nothing": "", "password": " · asks for a password", "login": " · asks for a login"}
    return f"{link.look.title} · {link.run} · {state}{asks[link.needs]}"


def use_told(use: Use) -> str:
    """How much a link was used, in words."""
    if not use.asked:
        return "nobody asked anything yet"
    asked = "1 question" if use.asked == 1 else f"{use.asked:,} questions"
    return (
        f"{asked}, {use.unsure:,} not sure, {use.up:,} rated up, {use.down:,} down, "
        f"{use.refused:,} refused by a limit"
    )
