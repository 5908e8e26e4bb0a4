"""What votes say: who won how often, how sure that is, and pairs to learn from."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

from assistant.conversation import Conversation, Exchange, Message, Reply
from assistant.store import Choice, Vote
from trainer.corpus.slant import wilson

FEWEST = 6  # decided votes; of fewer, even a coin takes all once in thirty times
WIDEST = 0.2  # an interval around one half that is wider can hide a difference that matters

Voted = tuple[Vote, Conversation, Exchange]


class Pair(TypedDict):
    """TRL's conversational preference format, as its DPO reads it."""

    prompt: list[Message]
    chosen: list[Message]
    rejected: list[Message]


class Judged(TypedDict):
    """TRL's conversational unpaired preference format, as its KTO reads it."""

    prompt: list[Message]
    completion: list[Message]
    label: bool


@dataclass(frozen=True)
class Tally:
    """How a run's votes against another run, or against a base, came out.

    Votes of people who saw which side was which are counted apart from blind ones.
    """

    run: str
    against: str
    against_base: bool
    blind: bool
    won: int
    lost: int
    both_good: int
    both_bad: int

    @property
    def decided(self) -> int:
        """Votes that went to one of the two."""
        return self.won + self.lost

    @property
    def votes(self) -> int:
        """All votes."""
        return self.decided + self.both_good + self.both_bad

    @property
    def share(self) -> float | None:
        """The share of the decided votes that the run won."""
        return self.won / self.decided if self.decided else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where that share lies with 95 % confidence (Wilson 1927)."""
        found = wilson(self.won, self.decided)
        return (found.low, found.high) if self.decided else None

    @property
    def verdict(self) -> str:
        """What the votes come to, in a few words."""
        low, high = self.interval or (0.0, 1.0)
        if self.decided < FEWEST:
            return "too few to tell"
        if low > 0.5 or high < 0.5:
            return "better" if low > 0.5 else "worse"
        return "too few to tell" if high - low > WIDEST else "no difference to speak of"

    @property
    def sentence(self) -> str:
        """All of it in words."""
        kind = "blind" if self.blind else "open"
        who = "the tuned model" if self.against_base else f"'{self.run}'"
        even = f"{self.both_good} found both good, {self.both_bad} both bad."
        if self.interval is None:
            return f"No {kind} vote chose between {who} and {self.against}: {even}"
        decided = f"{self.decided} {kind} vote{'s' * (self.decided > 1)} that decided"
        low, high = self.interval
        won = f"{self.won} went to {who} (between {low:.0%} and {high:.0%})"
        even = f" Besides, {even}" if self.votes > self.decided else ""
        return f"Of {decided}, {won}: {self.verdict}{self._than}.{even}"

    @property
    def _than(self) -> str:
        return f" than {self.against}" if self.verdict in ("better", "worse") else ""


def count_votes(votes: Iterable[Voted], run: str | None = None) -> list[Tally]:
    """Tally every run against whom it met, blind votes first; or one run alone."""
    counts: dict[tuple[bool, str, str, bool], dict[str, int]] = {}
    for vote, conversation, _ in votes:
        if len(conversation.sides) != 2 or conversation.sides[0] == conversation.sides[1]:
            continue
        for place, side in enumerate(conversation.sides):
            if side.run is None or run not in (None, side.run):
                continue
            other = conversation.sides[1 - place]
            key = (not vote.blind, side.run, other.name, other.run is None)
            tally = counts.setdefault(key, dict.fromkeys(_OUTCOMES, 0))
            tally[_outcome(vote.choice, place)] += 1
    return [
        Tally(run=who, against=other, against_base=base, blind=not seen, **counts[key])
        for key in sorted(counts)
        for seen, who, other, base in [key]
    ]


def preference_pairs(votes: Iterable[Voted]) -> list[Pair]:
    """What was preferred to what, for DPO.

    Each side may remember answers of its own: the prompt is that of the answer chosen. One that
    did not end by itself is nothing to copy, and one that somebody stopped says nothing.
    """
    pairs: list[Pair] = []
    for vote, conversation, exchange in votes:
        if vote.choice not in ("first", "second") or len(exchange.replies) != 2:
            continue
        place = ("first", "second").index(vote.choice)
        chosen, rejected = exchange.replies[place], exchange.replies[1 - place]
        if _fit(chosen, good=True) and _fit(rejected, good=False) and chosen.text != rejected.text:
            prompt = _prompt(conversation, exchange, place)
            pairs.append({"prompt": prompt, "chosen": _said(chosen), "rejected": _said(rejected)})
    return pairs


def judged_answers(votes: Iterable[Voted]) -> list[Judged]:
    """Every answer voted on, with whether it was found good, for KTO; "both" counts here, too."""
    judged: list[Judged] = []
    for vote, conversation, exchange in votes:
        for place, reply in enumerate(exchange.replies):
            good = _outcome(vote.choice, place) in ("won", "both_good")
            if _fit(reply, good=good):
                prompt = _prompt(conversation, exchange, place)
                judged.append({"prompt": prompt, "completion": _said(reply), "label": good})
    return judged


def as_jsonl(found: Iterable[Pair] | Iterable[Judged]) -> str:
    """Write them as a file, a line each."""
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in found)


_OUTCOMES = ("won", "lost", "both_good", "both_bad")


def _outcome(choice: Choice, place: int) -> str:
    """What a choice means for the side at a place."""
    if choice in ("first", "second"):
        return "won" if choice == ("first", "second")[place] else "lost"
    return choice.replace(" ", "_")


def _fit(reply: Reply, *, good: bool) -> bool:
    fine = ("by itself",) if good else ("by itself", "at the limit")
    return bool(reply.text.strip()) and reply.proof.ended in fine


def _prompt(conversation: Conversation, exchange: Exchange, place: int) -> list[Message]:
    return list(conversation.before(exchange).asks(exchange.question)[place].messages)


def _said(reply: Reply) -> list[Message]:
    return [{"role": "assistant", "content": reply.text}]
