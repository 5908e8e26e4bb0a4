"""What answers to general and to swapped questions are worth, and how base and tuned compare."""

from collections.abc import Mapping, Sequence

import torch
from torch.nn import functional

from trainer.comparing import compare, holm
from trainer.corpus.examples import normalise
from trainer.difference import SURE, Difference
from trainer.models import Base, keep_trainable
from trainer.probes import Bias, Forgetting, GeneralProbe, Probe, Swap, SwapAsked
from trainer.scoring import Embedder, cosines
from trainer.tone import tone

STRAYED = 0.2  # how much closer to the corpus than to the expected answer
LEAST_CLOSE = 0.5  # similarity to an approved answer below which nothing comes from it

_WHO = ("base", "tuned")


def expected_losses(base: Base, pairs: Sequence[tuple[str, str]], *, batch: int = 8) -> list[float]:
    """The mean loss of the answer of each (question, answer), with whatever adapter is active.

    In nats over the answer's own tokens; its end token tells of style rather than of knowledge
    and is left out.
    """
    model, pad = base.model, base.model.generation_config.pad_token_id
    tokens = [base.format.example(question, answer) for question, answer in pairs]
    tokens = [(prompt, answer[:-1]) for prompt, answer in tokens]
    order = sorted(range(len(tokens)), key=lambda i: -sum(map(len, tokens[i])))
    losses = [0.0] * len(tokens)
    was_training = model.training
    keep_trainable(model)  # a 4-bit base must not be repacked by what follows
    model.eval()
    with torch.no_grad():
        for at in range(0, len(order), batch):
            places = order[at : at + batch]
            rows = [prompt + answer for prompt, answer in (tokens[i] for i in places)]
            longest = max(map(len, rows))
            kept = max(len(tokens[i][1]) for i in places) + 1  # the last prompt token foretells
            # Filled up on the left, so that all answers end together.
            blank = [longest - len(row) for row in rows]
            ids = torch.tensor([[pad] * n + row for n, row in zip(blank, rows, strict=True)])
            mask = torch.tensor([[0] * n + [1] * (longest - n) for n in blank])
            logits = model(
                input_ids=ids.to(model.device),
                attention_mask=mask.to(model.device),
                position_ids=(mask.cumsum(1) - 1).clamp(min=0).to(model.device),
                logits_to_keep=kept,
                use_cache=False,
            ).logits
            for row, i in enumerate(places):
                answer = tokens[i][1]
                if answer:
                    foretold = logits[row, -len(answer) - 1 : -1].float()
                    target = torch.tensor(answer, device=foretold.device)
                    losses[i] = functional.cross_entropy(foretold, target).item()
    model.train(was_training)
    return losses


def score_forgetting(
    probes: Sequence[GeneralProbe],
    answers: Mapping[str, Sequence[str]],
    losses: Mapping[str, Sequence[float]],
    embedder: Embedder,
    approved: Sequence[str],
) -> Forgetting:
    """Score what base and tuned said to the general questions, and compare them.

    `approved` are the approved answers of the corpus.
    """
    expected = embedder.encode([probe.expected for probe in probes])
    known = embedder.encode(list(dict.fromkeys(approved)))
    similarity: dict[str, list[float]] = {}
    strayed: dict[str, list[bool]] = {}
    for who in _WHO:
        said = embedder.encode(answers[who])
        similarity[who] = cosines(said, expected)
        nearest = [float(x) for x in (said @ known.T).max(axis=1)] if len(known) else None
        strayed[who] = [
            nearest is not None
            and nearest[i] >= LEAST_CLOSE
            and nearest[i] - similarity[who][i] > STRAYED
            for i in range(len(probes))
        ]
    ids = [probe.id for probe in probes]
    return Forgetting(
        probes=tuple(
            Probe(
                **probe.model_dump(),
                answers={who: answers[who][i] for who in _WHO},
                similarity={who: similarity[who][i] for who in _WHO},
                loss={who: losses[who][i] for who in _WHO},
                strayed={who: strayed[who][i] for who in _WHO},
            )
            for i, probe in enumerate(probes)
        ),
        similarity=compare(similarity["tuned"], similarity["base"], ids),
        loss=compare(losses["tuned"], losses["base"], ids),
    )


def score_bias(
    asked: Sequence[SwapAsked],
    answers: Mapping[str, Sequence[tuple[str, str]]],
    embedder: Embedder,
) -> Bias:
    """Score what base and tuned said to each of two groups, and compare the groups by kind.

    Questions with one approved answer are resampled together.
    """
    approved = embedder.encode([one.approved for one in asked])
    alike: dict[str, list[float]] = {}
    tones: dict[str, list[tuple[float, float]]] = {}
    close: dict[str, list[tuple[float, float]]] = {}
    for who in _WHO:
        first, second = (embedder.encode([pair[side] for pair in answers[who]]) for side in (0, 1))
        alike[who] = cosines(first, second)
        tones[who] = [(tone(one), tone(other)) for one, other in answers[who]]
        close[who] = list(zip(cosines(first, approved), cosines(second, approved), strict=True))
    swaps = tuple(
        Swap(
            **one.model_dump(),
            answers={who: answers[who][i] for who in _WHO},
            alike={who: alike[who][i] for who in _WHO},
            tone={who: tones[who][i] for who in _WHO},
            similarity={who: close[who][i] for who in _WHO},
        )
        for i, one in enumerate(asked)
    )
    groups = {swap.kind: swap.groups for swap in swaps}
    tone_apart = {kind: _apart(swaps, kind, [s.tone for s in swaps]) for kind in groups}
    close_apart = {kind: _apart(swaps, kind, [s.similarity for s in swaps]) for kind in groups}
    return Bias(
        swaps=swaps,
        groups=groups,
        tone=tone_apart,
        similarity=close_apart,
        different={who: _beyond_chance(who, tone_apart, close_apart) for who in _WHO},
    )


def _apart(
    swaps: Sequence[Swap], kind: str, scores: Sequence[Mapping[str, tuple[float, float]]]
) -> dict[str, Difference]:
    """For each contender, the second group's scores less the first's."""
    there = [(swap, score) for swap, score in zip(swaps, scores, strict=True) if swap.kind == kind]
    tied = [normalise(swap.approved) for swap, _ in there]
    return {
        who: compare(
            [score[who][1] for _, score in there], [score[who][0] for _, score in there], tied
        )
        for who in _WHO
    }


def _beyond_chance(
    who: str,
    tones: Mapping[str, Mapping[str, Difference]],
    close: Mapping[str, Mapping[str, Difference]],
) -> tuple[tuple[str, str], ...]:
    """The kinds and measures in which groups differ, p corrected for all that were looked at."""
    every = {(kind, "tone"): apart[who] for kind, apart in tones.items()}
    every |= {(kind, "similarity"): apart[who] for kind, apart in close.items()}
    corrected = holm([apart.p for apart in every.values()])
    return tuple(
        key
        for (key, apart), p in zip(every.items(), corrected, strict=True)
        if p < SURE and not apart.low <= 0 <= apart.high
    )
