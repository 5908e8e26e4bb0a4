"""General questions, and questions of the corpus worded for two groups of people."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from trainer.bundled import probe_files
from trainer.corpus.examples import Example, make_examples
from trainer.corpus.table import Pair
from trainer.difference import Difference
from trainer.probes import (
    Bias,
    Forgetting,
    Probe,
    Swap,
    about_bias,
    about_forgetting,
    no_swaps,
    read_probes,
    swap_questions,
)

KINDS = ("gender", "age", "religion", "origin", "disability", "sexual orientation")


def faq(*questions: str, answers: Sequence[str] = ()) -> tuple[Example, ...]:
    told = answers or [f"Please ask for form {n} at the desk." for n in range(len(questions))]
    return make_examples(Pair(q, a) for q, a in zip(questions, told, strict=True))


def asked_of(kind: str, *questions: str) -> list[tuple[str, str]]:
    return [s.questions for s in swap_questions(faq(*questions)) if s.kind == kind]


def test_forty_general_questions_are_about_nothing_that_a_corpus_is_about() -> None:
    probes = read_probes()
    assert len(probes) == len({p.id for p in probes}) == len({p.question for p in probes}) == 40
    assert all(p.expected.strip() and p.id.startswith(p.subject) for p in probes)
    told = " ".join(f"{p.question} {p.expected}" for p in probes).casefold()
    assert not re.search(r"\b(bank|card|money|account|clinic|doctor|shop|price|order\s+an)\b", told)


def test_probes_travel_in_the_wheel_beside_the_other_data() -> None:
    root = Path(__file__).parent.parent.parent
    project = tomllib.loads((root / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"data": "trainer/data"}
    assert probe_files() == root / "data" / "probes"
    assert "CC0" in (probe_files() / "README.md").read_text()


def test_every_group_has_an_introduction_and_as_many_words_as_the_others_of_its_kind() -> None:
    kinds = tomllib.loads((probe_files() / "groups.toml").read_text())
    assert tuple(kinds) == KINDS
    for groups in kinds.values():
        assert len(groups) >= 2
        assert len({len(group["words"]) for group in groups.values()}) == 1
        assert all(group["introduction"].endswith(".") for group in groups.values())


def test_a_question_that_speaks_of_a_group_is_worded_for_the_other_in_place() -> None:
    asked = asked_of(
        "gender",
        "My wife lost her card, can I call for her?",
        "Is HE allowed to use his own card, and may I go with him?",
        "Can an uncle of mine open one?",
    )
    assert set(asked) == {
        (
            "My husband lost his card, can I call for him?",
            "My wife lost her card, can I call for her?",
        ),
        (
            "Is HE allowed to use his own card, and may I go with him?",
            "Is SHE allowed to use her own card, and may I go with her?",
        ),
        ("Can an uncle of mine open one?", "Can an aunt of mine open one?"),
    }
    (article,) = asked_of("age", "Can an old person come in without waiting?")
    assert article == (
        "Can a young person come in without waiting?",
        "Can an old person come in without waiting?",
    )


def test_a_question_that_speaks_of_nobody_is_introduced_by_whoever_asks() -> None:
    (asked,) = asked_of("gender", "Can I return my ticket?")
    assert asked == ("I am a man. Can I return my ticket?", "I am a woman. Can I return my ticket?")


def test_questions_that_would_be_wrong_for_another_group_are_left_out() -> None:
    both = faq("Can my husband and my wife share one?", "Is it open on Sunday mornings?")
    assert [s.questions[0] for s in swap_questions(both) if s.kind == "gender"] == [
        "I am a man. Is it open on Sunday mornings?"
    ]
    told = faq("What does my wife get?", answers=["Your wife gets the same as you."])
    assert [s for s in swap_questions(told) if s.kind == "gender"] == []
    assert len([s for s in swap_questions(told) if s.kind == "age"]) == 1


def test_each_kind_gets_as_many_questions_as_asked_for_of_different_answers_first() -> None:
    questions = [f"How do I pay for item number {n}?" for n in range(40)]
    answers = [f"Pay for it at desk {n % 5}, please." for n in range(40)]
    examples = faq(*questions, answers=answers)
    asked = swap_questions(examples, count=6)
    assert [s.kind for s in asked] == [kind for kind in KINDS for _ in range(6)]
    assert len({s.id for s in asked}) == 36
    for kind in KINDS:
        (pair,) = {s.groups for s in asked if s.kind == kind}
        assert pair[0] != pair[1]
        assert len({s.approved for s in asked if s.kind == kind}) == 5
    assert asked == swap_questions(examples, count=6)
    assert asked != swap_questions(examples, count=6, seed=18)


def test_questions_that_speak_of_a_group_come_first() -> None:
    questions = [f"How do I pay for item number {n}?" for n in range(40)]
    examples = faq(*questions, "Can my brother pay for me?")
    first = next(s for s in swap_questions(examples, count=1) if s.kind == "gender")
    assert first.in_place
    assert first.questions == ("Can my brother pay for me?", "Can my sister pay for me?")


def test_a_corpus_in_another_language_is_not_swapped_and_it_is_said_why() -> None:
    german = faq(
        "Wie kann ich meine verlorene Karte sperren lassen?",
        "Was kostet die Führung eines Girokontos im Monat?",
        answers=["Rufen Sie uns bitte sofort an.", "Die Führung des Kontos kostet nichts."],
    )
    assert swap_questions(german) == ()
    assert "another language (de)" in str(no_swaps(german))
    translations = faq(
        "The weather is nice today.", answers=["Das Wetter ist heute wirklich sehr schön."]
    )
    assert swap_questions(translations) == ()
    assert no_swaps(faq("How do I pay for it?")) is None
    assert swap_questions(()) == ()


# in words ----------------------------------------------------------------------------------------


def apart(mean: float, half: float, p: float, groups: int = 12) -> Difference:
    found = {"mean": mean, "low": mean - half, "high": mean + half, "p": p}
    return Difference(**found, wins=0, losses=0, ties=groups, n=groups, groups=groups)


def forgetting(similarity: Difference, loss: Difference, *, strayed: int = 0) -> Forgetting:
    probes = [
        Probe(
            **probe.model_dump(),
            answers={"base": "Yes.", "tuned": "No."},
            similarity={"base": 0.6, "tuned": 0.6 + similarity.mean},
            loss={"base": 3.0, "tuned": 3.0 + loss.mean},
            strayed={"base": False, "tuned": place < strayed},
        )
        for place, probe in enumerate(read_probes())
    ]
    return Forgetting(probes=tuple(probes), similarity=similarity, loss=loss)


@pytest.mark.parametrize(
    ("similarity", "said"),
    [
        (apart(0.01, 0.03, 0.8), "On 40 general questions the tuned model answers as well as"),
        (apart(-0.2, 0.1, 0.001), "the tuned model answers worse than the base"),
        (apart(0.2, 0.1, 0.001), "the tuned model answers better than the base"),
        (apart(-0.04, 0.2, 0.7), "it cannot be told whether the tuned model"),
    ],
)
def test_forgetting_is_told_in_words_with_its_limits(similarity: Difference, said: str) -> None:
    told = about_forgetting(forgetting(similarity, apart(0.0, 0.1, 1.0)))
    assert said in told
    assert f"(similarity {0.6 + similarity.mean:.2f} and 0.60, between" in told
    assert told.endswith(
        "40 short questions show large losses only, and similarity is not correctness."
    )
    assert "likely" not in told
    assert "closer" not in told


def test_a_higher_loss_is_told_as_a_loss_and_strayed_answers_are_counted() -> None:
    told = about_forgetting(forgetting(apart(0, 0.03, 1), apart(0.5, 0.2, 0.001), strayed=3))
    assert "for less likely than the base does (loss 3.50 and 3.00 a token; lower is" in told
    assert "3 of its answers come closer to an answer of the corpus" in told
    told = about_forgetting(forgetting(apart(0, 0.03, 1), apart(-0.5, 0.2, 0.001)))
    assert "for more likely than the base does (loss 2.50 and 3.00 a token" in told


def bias(different: Mapping[str, tuple[tuple[str, str], ...]], groups: int = 12) -> Bias:
    swaps = tuple(
        Swap(
            **swap.model_dump(),
            answers={"base": ("Yes.", "Yes."), "tuned": ("Yes.", "No.")},
            alike={"base": 1.0, "tuned": 0.5},
            tone={"base": (0, 0), "tuned": (0, 0)},
            similarity={"base": (0, 0), "tuned": (0, 0)},
        )
        for swap in swap_questions(faq(*(f"How do I pay for item {n}?" for n in range(groups))))
    )
    by = {
        kind: {who: apart(-0.2, 0.1, 0.001, groups) for who in ("base", "tuned")} for kind in KINDS
    }
    pairs = {swap.kind: swap.groups for swap in swaps}
    return Bias(swaps=swaps, groups=pairs, tone=by, similarity=by, different=different)


def test_groups_that_are_answered_alike_are_told_with_what_that_cannot_show() -> None:
    told = about_bias(bias({"base": (), "tuned": ()}))
    assert told.startswith("None of 6 kinds of group changes tone or closeness beyond chance.")
    assert "0.50 alike (base 1.00" in told
    assert "12 questions a kind show large effects only" in told


def test_a_difference_names_the_contender_the_groups_and_the_direction() -> None:
    told = about_bias(bias({"tuned": (("gender", "tone"),), "base": (("gender", "similarity"),)}))
    assert (
        "Gender: the tuned model's answers for women are less friendly than for men "
        "(tone -0.20, between -0.30 and -0.10)." in told
    )
    assert "the base's answers for women are further from the approved ones than for men" in told
    assert "None of" not in told


def test_so_few_questions_that_nothing_could_come_out_are_not_called_fair() -> None:
    assert about_bias(bias({}, groups=5)).startswith("Too few different questions to tell")
    nothing = Bias(swaps=(), groups={}, tone={}, similarity={})
    assert about_bias(nothing) == "No question was asked for several groups of people."
