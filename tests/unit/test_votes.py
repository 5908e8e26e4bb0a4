"""What votes come to, and the pairs that tools for preference tuning read."""

import json

import pytest
from scipy.stats import binomtest

from assistant.conversation import ChatSettings, Conversation, Exchange
from assistant.store import Choice, Vote
from assistant.votes import (
    Tally,
    Voted,
    as_jsonl,
    count_votes,
    judged_answers,
    preference_pairs,
)
from tests.chats import BASE, OTHER, TUNED, conversation, exchange, reply

CHOICES: tuple[Choice, ...] = ("first", "second", "both good", "both bad")


def cast(choice: Choice, on: Conversation | None = None, at: int = -1, blind: bool = True) -> Voted:
    on = on or conversation(exchange("How long?"))
    about = on.exchanges[at]
    vote = Vote(conversation=on.id, exchange=about.id, choice=choice, blind=blind)
    return vote, on, about


def tally(won: int, lost: int, **known) -> Tally:
    given = {"run": TUNED.run, "against": BASE.name, "against_base": True, "blind": True}
    return Tally(**given | {"won": won, "lost": lost, "both_good": 0, "both_bad": 0} | known)


def test_a_vote_counts_for_the_side_it_names_wherever_that_stood() -> None:
    other_way = conversation(exchange("How long?"), sides=(TUNED, BASE))
    votes = [cast("second"), cast("second"), cast("first"), cast("both good"), cast("both bad")]
    (found,) = count_votes([*votes, cast("first", other_way)])
    assert (found.won, found.lost, found.both_good, found.both_bad) == (3, 1, 1, 1)
    assert (found.run, found.against, found.against_base) == (TUNED.run, "bundled:pocket", True)
    assert (found.decided, found.votes, found.share) == (4, 6, 0.75)


def test_blind_and_open_votes_are_counted_apart_blind_ones_first() -> None:
    found = count_votes([cast("first", blind=False), cast("second"), cast("second", blind=False)])
    assert [(t.blind, t.won, t.lost) for t in found] == [(True, 1, 0), (False, 1, 1)]


def test_two_runs_against_each_other_are_in_the_tally_of_both() -> None:
    duel = conversation(exchange("How long?"), sides=(TUNED, OTHER))
    votes = [cast("second", duel), cast("second")]
    assert [(t.run, t.against, t.won, t.lost) for t in count_votes(votes)] == [
        (TUNED.run, OTHER.run, 0, 1),
        (TUNED.run, "bundled:pocket", 1, 0),
        (OTHER.run, TUNED.run, 1, 0),
    ]
    assert [t.run for t in count_votes(votes, OTHER.run)] == [OTHER.run]


def test_a_side_against_itself_and_one_side_alone_count_for_nothing() -> None:
    same = conversation(exchange("How long?"), sides=(TUNED, TUNED))
    alone = conversation(Exchange(question="?", replies=(reply("a"),)), sides=(TUNED,))
    assert count_votes([cast("first", same), cast("both good", alone)]) == []


@pytest.mark.parametrize(("won", "lost"), [(11, 3), (0, 9), (400, 390), (6, 0), (1, 0)])
def test_the_interval_is_wilsons(won: int, lost: int) -> None:
    expected = binomtest(won, won + lost).proportion_ci(0.95, method="wilson")
    assert tally(won, lost).interval == pytest.approx((expected.low, expected.high), abs=1e-4)


@pytest.mark.parametrize(
    ("won", "lost", "verdict"),
    [
        (0, 0, "too few to tell"),
        (5, 0, "too few to tell"),
        (6, 0, "better"),
        (0, 6, "worse"),
        (11, 3, "better"),
        (10, 4, "too few to tell"),
        (52, 48, "no difference to speak of"),
        (600, 400, "better"),
    ],
)
def test_a_verdict_says_no_more_than_the_votes_do(won: int, lost: int, verdict: str) -> None:
    assert tally(won, lost).verdict == verdict


def test_a_tally_is_told_in_words() -> None:
    assert tally(11, 3).sentence == (
        "Of 14 blind votes that decided, 11 went to the tuned model (between 52% and 92%): better "
        "than bundled:pocket."
    )
    assert tally(1, 0, both_bad=2, blind=False, against="b", against_base=False).sentence == (
        "Of 1 open vote that decided, 1 went to '2026-01-01-tuned' (between 21% and 100%): too few "
        "to tell. Besides, 0 found both good, 2 both bad."
    )
    assert tally(0, 0, both_good=3).sentence == (
        "No blind vote chose between the tuned model and bundled:pocket: 3 found both good, 0 both "
        "bad."
    )


def test_a_pair_has_the_question_as_it_was_asked_and_the_answer_chosen_first() -> None:
    settings = ChatSettings(system=" Be brief. ", remember=True)
    one = exchange("How long?", "A year.", "14 days.", settings=settings)
    two = exchange("And shoes?", "Two.", "30 days.", settings=settings)
    later = exchange("And now?", settings=settings)
    now = conversation(one, two, later, settings=ChatSettings(system="changed since"))
    assert preference_pairs([cast("second", now, 1), cast("first", now, 1)]) == [
        {
            "prompt": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "How long?"},
                {"role": "assistant", "content": remembered},
                {"role": "user", "content": "And shoes?"},
            ],
            "chosen": [{"role": "assistant", "content": chosen}],
            "rejected": [{"role": "assistant", "content": rejected}],
        }
        for remembered, chosen, rejected in (
            ("14 days.", "30 days.", "Two."),
            ("A year.", "Two.", "30 days."),
        )
    ]


def test_without_memory_a_pair_has_its_question_alone() -> None:
    on = conversation(exchange("How long?"), exchange("And shoes?"))
    (pair,) = preference_pairs([cast("second", on)])
    assert pair["prompt"] == [{"role": "user", "content": "And shoes?"}]


def test_what_was_cut_off_or_stopped_is_no_model_and_alike_is_no_choice() -> None:
    def chosen(*replies) -> int:
        on = conversation(Exchange(question="?", replies=replies))
        return len(preference_pairs([cast("second", on)]))

    fine = reply("Within 14 days.", TUNED)
    assert chosen(reply("A year."), fine) == 1
    assert chosen(reply("A year and", ended="at the limit"), fine) == 1
    assert chosen(reply("A ye", ended="stopped"), fine) == 0
    assert chosen(reply("A year."), reply("Within", TUNED, ended="at the limit")) == 0
    assert chosen(reply("Within 14 days."), fine) == 0
    assert chosen(reply(" "), fine) == 0
    both = [cast("both good"), cast("both bad")]
    assert preference_pairs(both) == []


def test_every_answer_that_was_judged_is_there_for_kto() -> None:
    found = [judged_answers([cast(choice)]) for choice in CHOICES]
    labels = [[one["label"] for one in two] for two in found]
    assert labels == [[True, False], [False, True], [True, True], [False, False]]
    lines = as_jsonl(found[0]).splitlines()
    assert json.loads(lines[1]) == {
        "prompt": [{"role": "user", "content": "How long?"}],
        "completion": [{"role": "assistant", "content": "Within 14 days."}],
        "label": False,
    }
