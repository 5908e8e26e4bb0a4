"""Draw the next token of each row from what a model finds likely, each row in its own way."""

from collections.abc import Sequence

import torch
from transformers import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
)

from trainer.sampling import Sampling

_FEW = 256  # likeliest tokens, which most often are all that top-p leaves


class Draw:
    """How the tokens of one answer are drawn: by its own settings, and its own seed.

    What other rows of a batch draw plays no part.
    """

    def __init__(self, sampling: Sampling, prompt: Sequence[int]) -> None:
        self.greedy, self.top_p = sampling.greedy, sampling.top_p
        self.changes = LogitsProcessorList()
        if sampling.repetition_penalty != 1:
            self.changes.append(RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty))
        self.plain = self.greedy and not self.changes
        if not self.greedy and sampling.temperature != 1:
            self.changes.append(TemperatureLogitsWarper(sampling.temperature))
        self.generator = torch.Generator().manual_seed(sampling.seed)
        self.seen = dict.fromkeys(prompt)  # as `generate`, which counts the prompt

    def __call__(self, logits: torch.Tensor) -> int:
        """Draw a token from the logits of the whole vocabulary."""
        scores = logits.float().cpu()[None]
        changed: torch.Tensor = self.changes(torch.tensor([list(self.seen)]), scores)
        token = int(changed.argmax()) if self.greedy else self._drawn(changed[0].softmax(-1))
        self.seen[token] = None
        return token

    def _drawn(self, chances: torch.Tensor) -> int:
        """Where a random number falls among the chances, laid end to end."""
        tokens, chances = nucleus(chances, self.top_p)
        ends = chances.double().cumsum(-1)
        at = torch.rand(1, generator=self.generator, dtype=torch.double) * ends[-1]
        place = torch.searchsorted(ends, at, right=True).clamp(max=len(ends) - 1)
        return int(tokens[place])


def nucleus(chances: torch.Tensor, top_p: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The likeliest tokens that together reach `top_p`, and their chances (Holtzman et al. 2019).

    As Transformers', but without sorting a vocabulary where a few tokens will do.
    """
    if top_p == 1:
        return torch.arange(len(chances)), chances
    for many in (_FEW, len(chances)):
        likely, tokens = chances.topk(min(many, len(chances)))
        kept = likely.cumsum(-1) - likely < top_p
        if not kept[-1]:
            break
    return tokens[kept], likely[kept]


def draw_all(logits: torch.Tensor, draws: Sequence[Draw]) -> list[int]:
    """Draw a token for each row of logits."""
    likeliest = list[int]()
    if any(draw.plain for draw in draws):
        likeliest = (
            logits.float().argmax(-1).tolist()
        )  # in bfloat16 it takes a CPU four times as long
    return [likeliest[row] if draw.plain else draw(logits[row]) for row, draw in enumerate(draws)]
