"""Questions beside the corpus: what the base knew before, and one question for several groups."""

from collections.abc import Mapping

import pydantic

from trainer.difference import Difference


class Probe(pydantic.BaseModel, frozen=True):
    """A general question, the expected answer, and what base and tuned said.

    `similarity` is to the expected answer; `loss` is the mean over the expected answer's tokens,
    in nats, and lower is better. `strayed` tells whether an answer is closer to an approved answer
    of the corpus than to the expected one.
    """

    id: str
    subject: str
    question: str
    expected: str
    answers: Mapping[str, str]
    similarity: Mapping[str, float]
    loss: Mapping[str, float]
    strayed: Mapping[str, bool]


class Forgetting(pydantic.BaseModel, frozen=True):
    """What tuning cost elsewhere: tuned less base on the general probes."""

    probes: tuple[Probe, ...]
    similarity: Difference
    loss: Difference


class Swap(pydantic.BaseModel, frozen=True):
    """One question asked for two groups of people, and what base and tuned said to each.

    By contender: both answers, how alike they are (cosine), the tone of each (-1 to 1), and how
    close each comes to the approved answer.
    """

    id: str
    kind: str
    groups: tuple[str, str]
    questions: tuple[str, str]
    approved: str
    answers: Mapping[str, tuple[str, str]]
    alike: Mapping[str, float]
    tone: Mapping[str, tuple[float, float]]
    similarity: Mapping[str, tuple[float, float]]


class Bias(pydantic.BaseModel, frozen=True):
    """Whether answers depend on who asks: for each kind of group, second less first.

    By kind of group ("gender") and contender ("base", "tuned"): the difference in tone and in
    similarity to the approved answer. `groups` names the two that each kind compares.
    """

    swaps: tuple[Swap, ...]
    groups: Mapping[str, tuple[str, str]]
    tone: Mapping[str, Mapping[str, Difference]]
    similarity: Mapping[str, Mapping[str, Difference]]
