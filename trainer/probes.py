"""Questions beside the corpus: what the base knew before, and one question for several groups."""

import json
import random
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice

import pydantic

from trainer.bundled import probe_files
from trainer.corpus.examples import Example, normalise
from trainer.corpus.language import detect
from trainer.corpus.word_lists import ASKING, FUNCTION, TOWARDS
from trainer.corpus.wording import speaks_english
from trainer.difference import SURE, Difference

SAMPLE = 300  # examples whose languages are counted
FEW_KNOWN = 0.3  # similarity below which a base answers next to nothing as expected


class GeneralProbe(pydantic.BaseModel, frozen=True):
    """A general question that no corpus is about, and the expected answer."""

    id: str
    subject: str
    question: str
    expected: str


class Probe(GeneralProbe, frozen=True):
    """A general question, the expected answer, and what base and tuned said.

    `similarity` is to the expected answer; `loss` is the mean over the expected answer's tokens,
    in nats, and lower is better. `strayed` tells whether an answer is closer to an approved answer
    of the corpus than to the expected one.
    """

    answers: Mapping[str, str]
    similarity: Mapping[str, float]
    loss: Mapping[str, float]
    strayed: Mapping[str, bool]


class Forgetting(pydantic.BaseModel, frozen=True):
    """What tuning cost elsewhere: tuned less base on the general probes.

    A positive difference of `loss` is a loss: there `Difference.verdict` reads the wrong way round.
    """

    probes: tuple[Probe, ...]
    similarity: Difference
    loss: Difference


class SwapAsked(pydantic.BaseModel, frozen=True):
    """One question of the corpus, worded for two groups of people.

    `in_place` tells that the question speaks of such a group by itself; else an introduction
    stands before it.
    """

    id: str
    kind: str
    groups: tuple[str, str]
    questions: tuple[str, str]
    approved: str
    in_place: bool = False


class Swap(SwapAsked, frozen=True):
    """One question asked for two groups of people, and what base and tuned said to each.

    By contender: both answers, how alike they are (cosine), the tone of each (-1 to 1), and how
    close each comes to the approved answer.
    """

    answers: Mapping[str, tuple[str, str]]
    alike: Mapping[str, float]
    tone: Mapping[str, tuple[float, float]]
    similarity: Mapping[str, tuple[float, float]]


class Bias(pydantic.BaseModel, frozen=True):
    """Whether answers depend on who asks: for each kind of group, second less first.

    By kind of group ("gender") and contender ("base", "tuned"): the difference in tone and in
    similarity to the approved answer. `groups` names the two that each kind compares. `different`
    are the kinds and measures ("tone", "similarity") of each contender that stay beyond chance
    when p is corrected for all of them together (Holm 1979).
    """

    swaps: tuple[Swap, ...]
    groups: Mapping[str, tuple[str, str]]
    tone: Mapping[str, Mapping[str, Difference]]
    similarity: Mapping[str, Mapping[str, Difference]]
    different: Mapping[str, tuple[tuple[str, str], ...]] = {}


# what the base knew before -----------------------------------------------------------------------


def read_probes() -> tuple[GeneralProbe, ...]:
    """Read the general questions that travel with Tandem."""
    lines = (probe_files() / "general.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(GeneralProbe.model_validate(json.loads(line)) for line in lines if line)


def about_forgetting(found: Forgetting) -> str:
    """Say what the general questions mean, and what they cannot show."""
    n, apart = len(found.probes), found.similarity
    base, tuned = (_mean(p.similarity[who] for p in found.probes) for who in ("base", "tuned"))
    told = {
        "better": "the tuned model answers better than the base",
        "worse": "the tuned model answers worse than the base: tuning cost it some of what it knew",
        "no difference": "the tuned model answers as well as the base",
        "too few": "it cannot be told whether the tuned model answers as well as the base",
    }[apart.verdict]
    said = [
        f"On {n} general questions {told} (similarity {tuned:.2f} and {base:.2f}, "
        f"between {apart.low:+.2f} and {apart.high:+.2f} apart)."
    ]
    if found.loss.p < SURE and not found.loss.low <= 0 <= found.loss.high:
        likelier = "less" if found.loss.mean > 0 else "more"
        before, after = (_mean(p.loss[who] for p in found.probes) for who in ("base", "tuned"))
        said.append(
            f"It holds the expected answers for {likelier} likely than the base does "
            f"(loss {after:.2f} and {before:.2f} a token; lower is better)."
        )
    if strayed := sum(p.strayed["tuned"] for p in found.probes):
        earlier = sum(p.strayed["base"] for p in found.probes)
        answers = "answer comes" if strayed == 1 else "answers come"
        said.append(
            f"{strayed} of its {answers} closer to an answer of the corpus than to the expected "
            f"one (base: {earlier})."
        )
    if base < FEW_KNOWN:
        said.append("The base answers few of them as expected, so it has little to forget.")
    said.append(f"{n} short questions show large losses only, and similarity is not correctness.")
    return " ".join(said)


# one question for several groups -----------------------------------------------------------------


class _Group(pydantic.BaseModel, frozen=True):
    introduction: str
    words: tuple[str, ...]

    def places(self, word: str) -> list[int]:
        return [at for at, w in enumerate(self.words) if w.casefold() == word.casefold()]


class _Kind:
    """Groups of one kind, their introductions, and the words that tell of one of them."""

    def __init__(self, name: str, groups: Mapping[str, object]) -> None:
        self.name = name
        self.groups = {group: _Group.model_validate(about) for group, about in groups.items()}
        words = {re.escape(word) for group in self.groups.values() for word in group.words}
        any_word = "|".join(sorted(words, key=len, reverse=True)) or "(?!)"
        self._pattern = re.compile(
            rf"\b(?:(?P<article>an?)\s)?(?P<word>{any_word})\b(?!-)(?=(?:\s(?P<next>\w+))?)",
            re.IGNORECASE,
        )

    def pair(self, seed: int) -> tuple[str, str]:
        """The first group and one of the others, by the seed."""
        first, *others = self.groups
        return first, random.Random(f"{seed}/{self.name}").choice(others)

    def mentioned(self, text: str) -> set[str]:
        """The groups that a text speaks of: none, one, or several."""
        words = [match["word"] for match in self._pattern.finditer(text)]
        return {name for name, group in self.groups.items() if any(map(group.places, words))}

    def swap(self, question: str, here: str, there: str) -> str:
        """Word a question that speaks of one group for another."""

        def replace(match: re.Match[str]) -> str:
            places = self.groups[here].places(match["word"])
            belongs = (match["next"] or "to").casefold() not in _BEHIND
            word = self.groups[there].words[places[-1 if belongs else 0]]
            word = _as_written(word, match["word"])
            if not match["article"]:
                return word
            article = "an" if word[0].casefold() in "aeiou" else "a"
            return f"{_as_written(article, match['article'])} {word}"

        return question if here == there else self._pattern.sub(replace, question)


# What may stand behind "her" where that is him, not his.
_BEHIND = FUNCTION["en"] | TOWARDS["en"] | ASKING["en"].keys() | {"get", "know", "out", "see", "up"}


def no_swaps(examples: Sequence[Example]) -> str | None:
    """Say why the questions of a corpus cannot be asked for several groups; None: they can."""
    if not examples:
        return "There is no question that could be asked for several groups of people."
    some = examples[:: -(-len(examples) // SAMPLE)]
    for texts in ([e.question for e in some], [e.answer for e in some]):
        told = Counter(filter(None, map(detect, texts)))
        language = max(told, key=lambda each: told[each]) if told else "en"
        if language != "en":
            return (
                "Whether answers depend on who asks was not looked at: groups of people and words "
                f"of tone are listed in English only, and this corpus is in another language "
                f"({language})."
            )
    return None


def swap_questions(
    examples: Sequence[Example], *, count: int = 12, seed: int = 17
) -> tuple[SwapAsked, ...]:
    """Word `count` questions of an English corpus for two groups of each kind.

    Each kind draws from the questions in the same order. First come those that speak of one of
    its groups, unless their answer does too and so would be wrong for another; those whose answer
    was drawn already come last.
    """
    if no_swaps(examples):
        return ()
    order = random.Random(seed).sample(list(examples), len(examples))
    return tuple(
        swap for kind in _kinds() for swap in islice(_swap(order, kind, kind.pair(seed)), count)
    )


def _swap(order: Sequence[Example], kind: _Kind, pair: tuple[str, str]) -> Iterator[SwapAsked]:
    mentions = {e.id: kind.mentioned(e.question) for e in order}
    fit = [e for e in order if not mentions[e.id]]
    fit[:0] = [e for e in order if len(mentions[e.id]) == 1 and not kind.mentioned(e.answer)]
    drawn: Counter[str] = Counter()
    turn: dict[str, int] = {}
    for example in fit:
        answer = normalise(example.answer)
        turn[example.id] = drawn[answer]
        drawn[answer] += 1
    for example in sorted(fit, key=lambda e: turn[e.id]):
        question, here = example.question.strip(), mentions[example.id]
        if not speaks_english(question) or detect(question) not in (None, "en"):
            continue
        if here:
            (group,) = here
            first, second = (kind.swap(question, group, other) for other in pair)
        else:
            first, second = (f"{kind.groups[name].introduction} {question}" for name in pair)
        yield SwapAsked(
            id=f"{kind.name}/{example.id}",
            kind=kind.name,
            groups=pair,
            questions=(first, second),
            approved=example.answer,
            in_place=bool(here),
        )


@cache
def _kinds() -> tuple[_Kind, ...]:
    kinds = tomllib.loads((probe_files() / "groups.toml").read_text(encoding="utf-8"))
    return tuple(_Kind(name, groups) for name, groups in kinds.items())


def _as_written(word: str, before: str) -> str:
    """A word in capitals or with a capital where the one before it was."""
    if len(before) > 1 and before.isupper():
        return word.upper()
    return word[0].upper() + word[1:] if before[0].isupper() else word


def about_bias(bias: Bias) -> str:
    """Say what the swapped questions mean, and what they cannot show."""
    if not bias.swaps:
        return "No question was asked for several groups of people."
    kinds = Counter(swap.kind for swap in bias.swaps)
    tuned, base = (_mean(s.alike[who] for s in bias.swaps) for who in ("tuned", "base"))
    said = [
        _told(bias, kind, measure, who)
        for who in ("tuned", "base")
        for kind, measure in bias.different.get(who, ())
    ]
    if not said:
        # As many groups of answers as a sign-flip test needs to come below `SURE`, once corrected.
        most = max(found.groups for apart in bias.tone.values() for found in apart.values())
        if 2 ** (1 - most) * 2 * len(kinds) < SURE:
            said = [f"None of {len(kinds)} kinds of group changes tone or closeness beyond chance."]
        else:
            said = ["Too few different questions to tell whether answers depend on who asks."]
    said.append(
        f"Two answers to one question are {tuned:.2f} alike (base {base:.2f}; 1 is the same)."
    )
    fewest, most = min(kinds.values()), max(kinds.values())
    said.append(
        f"{most if fewest == most else f'{fewest} to {most}'} questions a kind show large effects "
        "only; word lists see words, not meaning; and an answer may differ for a good reason."
    )
    return " ".join(said)


def _told(bias: Bias, kind: str, measure: str, who: str) -> str:
    first, second = bias.groups[kind]
    apart = (bias.tone if measure == "tone" else bias.similarity)[kind][who]
    if measure == "tone":
        way = "less friendly" if apart.mean < 0 else "friendlier"
    else:
        way = f"{'further from' if apart.mean < 0 else 'closer to'} the approved ones"
    return (
        f"{kind.capitalize()}: {'the tuned model' if who == 'tuned' else 'the base'}'s answers for "
        f"{second} are {way} than for {first} ({measure} {apart.mean:+.2f}, between "
        f"{apart.low:+.2f} and {apart.high:+.2f})."
    )


def _mean(values: Iterator[float]) -> float:
    known = list(values)
    return sum(known) / len(known) if known else 0.0
