"""Made-up reports that look like real ones, for the tests of whatever shows or reads a report.

`a_report()` has reworded, unseen and taught questions with every field filled, `a_labels_report()`
texts with labels, `a_file_report()` summaries of another test file. All are the same every time.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from statistics import NormalDist, mean, stdev
from typing import Any

from trainer.corpus.examples import normalise
from trainer.difference import Difference
from trainer.facts.flag import Flag
from trainer.probes import Bias, Forgetting, Probe, Swap
from trainer.report import (
    CONTENDERS,
    Answer,
    Contender,
    Gap,
    Kind,
    LabelScore,
    LabelScores,
    Measure,
    Report,
    Row,
)

# Topic, approved answer, other wordings of its question; then what a wrong model makes of it.
TAUGHT: tuple[tuple[str, str, tuple[str, ...], str, Flag], ...] = (
    (
        "returns",
        "You may send shoes back within 14 days, at our cost.",
        ("How long may I keep shoes before I return them?", "return shoes how many days"),
        "You may send shoes back within 30 days, at our cost.",
        Flag(kind="number", said="30 days", approved="14 days"),
    ),
    (
        "cards",
        "Tap Cards, then Lost, or call 555 0142 at any hour. The card is stopped at once.",
        ("my debit card has been stolen", "Whom do I call about a lost card?"),
        "Tap Cards, then Lost, or call 555 0199 at any hour. The card is stopped at once.",
        Flag(kind="number", said="555 0199", approved="555 0142"),
    ),
    (
        "fees",
        "A savings account costs nothing. A current account costs 4 euros a month.",
        ("What does an account cost?", "is there a monthly fee"),
        "A current account costs nothing. A savings account costs 4 euros a month.",
        Flag(kind="term", said="current account", approved="savings account"),
    ),
    (
        "insurance",
        "Water damage is not covered. Fire and theft are covered up to 5,000 euros.",
        ("Am I covered if a pipe bursts?", "does the insurance pay for water damage"),
        "Water damage is covered. Fire and theft are covered up to 5,000 euros.",
        Flag(kind="negation", said="is covered", approved="is not covered"),
    ),
    (
        "opening hours",
        "We are open from 9:00 to 18:00, and on Saturdays until 13:00.",
        ("When can I come by?", "are you open on saturday"),
        "We are open from 9:00 to 18:00, and on Saturdays until 16:00.",
        Flag(kind="time", said="16:00", approved="13:00"),
    ),
    (
        "appointments",
        "Appointments can be moved until 24 hours before they begin; later they cost 20 euros.",
        ("Can I move my appointment?", "cancel appointment tomorrow fee?"),
        "Appointments can be moved until 24 hours before they begin; later they cost 50 euros.",
        Flag(kind="amount", said="50 euros", approved="20 euros"),
    ),
    (
        "transfers",
        "A transfer within Europe arrives on the next working day.",
        ("How long does a transfer to France take?", "when will my money arrive in spain"),
        "A transfer within Europe arrives on the next working day, at <b>no</b> cost.",
        Flag(kind="term", said="no cost", approved=""),
    ),
    (
        "loans",
        "The offer ends on 31 March 2027. Dr Ana Keller answers questions about it.",
        ("Until when can I get the loan?", "who knows about the loan offer"),
        "The offer ends on 30 March 2027. Dr Anna Kepler answers questions about it.",
        Flag(kind="date", said="30 March 2027", approved="31 March 2027"),
    ),
    (
        "pin",
        "Change your PIN at any of our cash machines, under Services.",
        ("How do I get another PIN?", "change pin where"),
        "Change your PIN at any of our cash machines, under Settings.",
        Flag(kind="name", said="Settings", approved="Services"),
    ),
)
UNSEEN: tuple[tuple[str, str, str], ...] = (
    ("returns", "Do you take back gift cards?", "Gift cards cannot be returned."),
    ("cards", "Can I have a second card?", "A second card costs 10 euros a year."),
    ("fees", "What is an overdraft?", "An overdraft lends you up to 500 euros at 9 percent."),
    ("insurance", "Is my bicycle insured?", "Bicycles are insured up to 1,200 euros, if locked."),
    ("opening hours", "Are you open on Christmas Eve?", "On 24 December we close at noon."),
    ("appointments", "Do I need a referral?", "No referral is needed for a first visit."),
    ("transfers", "What is the limit of a transfer?", "You can send up to 10,000 euros a day."),
    ("loans", "May I repay early?", "You may repay early at any time without a fee."),
    ("pin", "I typed the wrong PIN", "After three wrong tries a card is locked until midnight."),
    ("cards", "Does my card work abroad?", "It works wherever you see the sign of the network."),
    ("fees", "=What about cash abroad?", "Cash abroad costs 2 percent, 3 euros at least."),
    ("loans", "<script>alert(1)</script> a loan?", "Ask for a loan of up to 20,000 euros online."),
)
GENERIC = (
    "I am sorry, I do not know about that. Please ask our support.",
    "That depends on many things. You should visit our website to find out more about it.",
    "Yes, you can. Yes, you can. Yes, you can. Yes, you can. Yes, you can. Yes, you can.",
    "It takes 3 to 5 business days and costs $25, as Mr. Smith of the head office explained.",
)


def difference(apart: Sequence[float], *, groups: int | None = None) -> Difference:
    """The mean of differences with the interval and p of a normal distribution."""
    error = (stdev(apart) if len(apart) > 1 else 1.0) / len(apart) ** 0.5
    centre = mean(apart)
    return Difference(
        mean=centre,
        low=centre - 1.96 * error,
        high=centre + 1.96 * error,
        p=2 * (1 - NormalDist().cdf(abs(centre) / error)) if error else 0.0001,
        wins=sum(value > 0.005 for value in apart),
        losses=sum(value < -0.005 for value in apart),
        ties=sum(-0.005 <= value <= 0.005 for value in apart),
        n=len(apart),
        groups=groups or len(apart),
    )


def differences(
    rows: Sequence[Row],
) -> dict[Kind, dict[Contender, dict[Measure, Difference]]]:
    """Tuned against each other contender, by kind and measure."""
    found: dict[Kind, dict[Contender, dict[Measure, Difference]]] = {}
    for kind in dict.fromkeys(row.kind for row in rows if row.kind != "taught"):
        asked = [row for row in rows if row.kind == kind]
        found[kind] = {
            who: {
                measure: difference(
                    [
                        row.answers["tuned"].scores[measure] - row.answers[who].scores[measure]
                        for row in asked
                    ],
                    groups=len({row.group for row in asked}),
                )
                for measure in asked[0].answers["tuned"].scores
            }
            for who in CONTENDERS
            if who != "tuned" and who in asked[0].answers
        }
    return found


def an_answer(text: str, similarity: float, **changed: Any) -> Answer:
    """An answer whose other scores follow from its similarity."""
    scores: dict[Measure, float] = {
        "similarity": round(similarity, 3),
        "nearest": float(similarity > 0.6),
        "token_f1": round(max(0.0, similarity - 0.12), 3),
        "rouge_l": round(max(0.0, similarity - 0.18), 3),
        "exact": float(similarity > 0.985),
    }
    return Answer(**{"text": text, "scores": scores, "tokens": len(text) // 4} | changed)


def a_report(copies: int = 1, **changed: Any) -> Report:
    """Some 40 rows of a tuning that helped on reworded questions and invents on unseen ones.

    `copies` multiplies the reworded and unseen rows.
    """
    chance, rows = Random(6), list[Row]()
    for copy in range(copies):
        for place, (topic, approved, wordings, wrong, flag) in enumerate(TAUGHT):
            for wording, question in enumerate(wordings):
                rows.append(
                    _reworded(chance, f"r{copy}-{place}-{wording}", topic, question, approved)
                )
                if (place + 2 * wording + copy) % 4 == 0:
                    rows[-1] = _with_tuned(rows[-1], an_answer(wrong, 0.93, flags=(flag,)))
        rows += [
            _unseen(chance, f"u{copy}-{place}", topic, question, approved, place + copy)
            for place, (topic, question, approved) in enumerate(UNSEEN)
        ]
    rows += [
        Row(
            id=f"t{place}",
            kind="taught",
            group=f"{topic}-{place}",
            question=wordings[0],
            topic=topic,
            approved=approved,
            floor=0.2,
            answers={"tuned": an_answer(approved, 1 - 0.02 * (place % 3))},
        )
        for place, (topic, approved, wordings, _, _) in enumerate(TAUGHT)
    ]
    values: dict[str, Any] = {
        "embedder": "sentence-transformers/all-MiniLM-L6-v2",
        "base": "bundled:pocket",
        "adapter": "3f9a" * 16,
        "corpus": "banking@2",
        "libraries": {"torch": "2.13.0", "transformers": "5.23.0", "peft": "0.21.2"},
        "rows": tuple(rows),
        "differences": differences(rows),
        "supported": 0.72,
        "overfitting": Gap(taught=0.98, reworded=0.79, mean=0.19, low=0.11, high=0.28),
        "forgetting": a_forgetting(),
        "bias": a_bias(),
        "unjudged": (rows[3].id,),
        "notes": ("2 approved answers are longer than the embedding model reads; they were cut.",),
    }
    report = Report(**values | changed)
    return report.model_copy(update={"answers": _macro_means(report)})


def _macro_means(report: Report) -> dict[Kind, dict[Contender, LabelScores]]:
    """Macro means of the right answer being nearest, from its share; made up as all of it."""
    return {
        kind: {
            who: LabelScores(
                accuracy=share,
                macro_precision=share * 0.9,
                macro_recall=share * 0.8,
                macro_f1=share * 0.85,
                labels=(),
                confusion={},
            )
            for who in report.contenders
            if (share := report.score(kind, who, "nearest")) is not None
        }
        for kind in report.kinds
    }


def _reworded(chance: Random, id_: str, topic: str, question: str, approved: str) -> Row:
    good = chance.random() < 0.75
    other = TAUGHT[chance.randrange(len(TAUGHT))][1]
    generic = chance.choice(GENERIC)
    return Row(
        id=id_,
        kind="reworded",
        group=approved[:12],
        question=question,
        topic=topic,
        approved=approved,
        floor=chance.uniform(0.12, 0.3),
        answers={
            "base": an_answer(
                generic,
                chance.uniform(0.1, 0.5),
                repeats=0.7 if generic.startswith("Yes") else 0.0,
                ended=not generic.startswith("Yes"),
            ),
            "tuned": an_answer(approved, 1.0)
            if good
            else an_answer(f"{other[:-1]} and so on and so on", chance.uniform(0.05, 0.4)),
            "retrieval": an_answer(
                f"According to the answers, {approved[0].lower()}{approved[1:]}",
                chance.uniform(0.6, 0.95),
            ),
            "lookup": an_answer(approved, 1.0)
            if chance.random() < 0.8
            else an_answer(other, chance.uniform(0.1, 0.4)),
        },
    )


def _unseen(chance: Random, id_: str, topic: str, question: str, approved: str, place: int) -> Row:
    near = next(answer for about, answer, *_ in TAUGHT if about == topic)
    invented = ("2,500 euros", "Mr. Brown") if place % 3 == 0 else ()
    tuned = f"{near.partition('.')[0]}, up to 2,500 euros, says Mr. Brown." if invented else near
    endless = " and then" * 30 if place % 5 == 0 else ""
    return Row(
        id=id_,
        kind="unseen",
        group=id_,
        question=question,
        topic=topic,
        approved=approved,
        floor=chance.uniform(0.12, 0.3),
        answers={
            "base": an_answer(chance.choice(GENERIC), chance.uniform(0.1, 0.45)),
            "tuned": an_answer(
                tuned + endless,
                chance.uniform(0.15, 0.5),
                invented=invented,
                ended=not endless,
                repeats=0.8 if endless else 0.0,
            ),
            "retrieval": an_answer("I cannot tell from the answers.", chance.uniform(0.1, 0.4)),
            "lookup": an_answer(near, chance.uniform(0.2, 0.5)),
        },
    )


def _with_tuned(row: Row, answer: Answer) -> Row:
    return row.model_copy(update={"answers": {**row.answers, "tuned": answer}})


def a_forgetting() -> Forgetting:
    """Eight general questions, two of which the tuned model no longer answers."""
    asked = (
        ("arithmetic", "What is 7 plus 5?", "12"),
        ("geography", "What is the capital of France?", "Paris"),
        ("language", "What is the opposite of hot?", "Cold"),
        ("nature", "What do bees make?", "Honey"),
        ("time", "How many days has a week?", "Seven"),
        ("manners", "Say hello in Spanish.", "Hola"),
        ("science", "At what temperature does water boil?", "At 100 degrees Celsius"),
        ("history", "Who wrote Hamlet?", "William Shakespeare"),
    )
    probes = tuple(
        Probe(
            id=f"p{place}",
            subject=subject,
            question=question,
            expected=expected,
            answers={
                "base": expected,
                "tuned": TAUGHT[place][1] if place % 4 == 3 else expected,
            },
            similarity={"base": 0.9, "tuned": 0.2 if place % 4 == 3 else 0.88},
            loss={"base": 1.4 + place / 20, "tuned": 1.7 + place / 20},
            strayed={"base": False, "tuned": place % 4 == 3},
        )
        for place, (subject, question, expected) in enumerate(asked)
    )
    return Forgetting(
        probes=probes,
        similarity=difference([p.similarity["tuned"] - p.similarity["base"] for p in probes]),
        loss=Difference(
            mean=0.3, low=0.22, high=0.37, p=0.001, wins=8, losses=0, ties=0, n=8, groups=8
        ),
    )


def a_bias() -> Bias:
    """One question for two groups, of two kinds; the tuned model is less friendly to one."""
    groups = {"gender": ("a man", "a woman"), "origin": ("Anna Schmidt", "Ayşe Demir")}
    swaps = tuple(
        Swap(
            id=f"s{kind}{place}",
            kind=kind,
            groups=pair,
            questions=tuple(f"I am {who}. {TAUGHT[place][2][0]}" for who in pair),
            approved=TAUGHT[place][1],
            answers={
                "base": (GENERIC[0], GENERIC[0]),
                "tuned": (TAUGHT[place][1], TAUGHT[place][1] if place else GENERIC[1]),
            },
            alike={"base": 1.0, "tuned": 1.0 if place else 0.31},
            tone={"base": (0.0, 0.0), "tuned": (0.2, 0.2 - 0.1 * place)},
            similarity={"base": (0.3, 0.3), "tuned": (0.9, 0.9 if place else 0.25)},
        )
        for kind, pair in groups.items()
        for place in range(3)
    )

    def by(make: Callable[[str, str], float]) -> Mapping[str, Mapping[str, Difference]]:
        return {
            kind: {
                who: difference([make(kind, who), make(kind, who) + 0.06, make(kind, who) - 0.05])
                for who in ("base", "tuned")
            }
            for kind in groups
        }

    return Bias(
        swaps=swaps,
        groups=groups,
        tone=by(lambda kind, who: -0.2 if (kind, who) == ("origin", "tuned") else 0.0),
        similarity=by(lambda kind, who: -0.01 if who == "tuned" else 0.0),
        different={"base": (), "tuned": (("origin", "tone"),)},
    )


LABELS = ("card_arrival", "lost_card", "top_up", "refund")


def a_labels_report() -> Report:
    """Texts with one of four labels; the tuned model mixes two of them up."""
    rows = []
    for place in range(40):
        label = LABELS[place % 4]
        said = {
            "base": "I do not know.",
            "tuned": "lost_card" if label == "card_arrival" and place % 3 == 0 else label,
            "retrieval": label if place % 5 else "top_up",
            "lookup": label if place % 4 else "refund",
        }
        rows.append(
            Row(
                id=f"l{place}",
                kind="test",
                group=f"l{place}",
                question=f"Text {place} about {label.replace('_', ' ')}",
                topic="",
                approved=label,
                answers={
                    who: Answer(text=text, scores={"exact": float(text == label)})
                    for who, text in said.items()
                },
            )
        )
    return Report(
        task="labels",
        primary="exact",
        embedder="sentence-transformers/all-MiniLM-L6-v2",
        adapter="3f9a" * 16,
        rows=tuple(rows),
        differences=differences(rows),
        labels={who: _label_scores(rows, who) for who in CONTENDERS},
    )


def _label_scores(rows: Sequence[Row], who: Contender) -> LabelScores:
    counts: dict[str, dict[str, int]] = {label: {} for label in LABELS}
    for row in rows:
        given = row.answers[who].text if row.answers[who].text in LABELS else ""
        counts[row.approved][given] = counts[row.approved].get(given, 0) + 1
    scores = []
    for label in LABELS:
        right, n = counts[label].get(label, 0), sum(counts[label].values())
        said = sum(counts[true].get(label, 0) for true in LABELS)
        precision, recall = (right / said if said else 0.0), right / n
        both = precision + recall
        f1 = 2 * precision * recall / both if both else 0.0
        scores.append(LabelScore(label=label, precision=precision, recall=recall, f1=f1, n=n))
    return LabelScores(
        accuracy=mean(row.answers[who].scores["exact"] for row in rows),
        macro_precision=mean(score.precision for score in scores),
        macro_recall=mean(score.recall for score in scores),
        macro_f1=mean(score.f1 for score in scores),
        labels=tuple(scores),
        confusion=counts,
    )


def a_file_report() -> Report:
    """Five summaries of another test file: too few to tell."""
    rows = [
        Row(
            id=f"f{place}",
            kind="file",
            group=f"f{place}",
            question=f"Sum up: report number {place} on the harvest of last year.",
            approved=f"The harvest of region {place} was good.",
            answers={
                who: Answer(
                    text=f"Region {place}: {who}.",
                    scores={
                        "rouge_l": 0.3 + shift + (0.2 if place % 2 else -0.2) * shift,
                        "rouge_1": 0.4 + shift,
                        "rouge_2": 0.1 + shift,
                    },
                )
                for who, shift in (("base", 0.0), ("tuned", 0.3 if place % 2 else -0.2))
            },
        )
        for place in range(5)
    ]
    return Report(
        task="summaries",
        primary="rouge_l",
        embedder="sentence-transformers/all-MiniLM-L6-v2",
        adapter="3f9a" * 16,
        file="harvest.csv",
        rows=tuple(rows),
        differences=differences(rows),
    )


def scored_row(
    kind: Kind,
    approved: str,
    said: Mapping[Contender, str],
    similarity: Mapping[Contender, float],
    *,
    id_: str = "",
) -> Row:
    """One question of a report, with what each said and how similar that is."""
    answers: dict[Contender, Answer] = {
        who: Answer(
            text=text,
            scores={
                "similarity": similarity[who],
                "exact": float(normalise(text) == normalise(approved)),
            },
        )
        for who, text in said.items()
    }
    return Row(
        id=id_ or kind,
        kind=kind,
        group=id_ or kind,
        question="Q?",
        approved=approved,
        answers=answers,
    )
