"""Draw the next token of each row from what a model finds likely, each row in its own way."""

from collections.abc import Sequence

import torch
from transformers import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from trainer.sampling import Sampling


class Draw:
    """How the tokens of one answer are drawn: by its own settings, and its own seed.

    What other rows of a batch draw plays no part.
    """

    def __init__(self, sampling: Sampling, prompt: Sequence[int]) -> None:
        self.greedy, self.plain = sampling.greedy, sampling.greedy
        self.changes = LogitsProcessorList()
        if sampling.repetition_penalty != 1:
            self.plain = False
            self.changes.append(RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty))
        if not sampling.greedy and sampling.temperature != 1:
            self.changes.append(TemperatureLogitsWarper(sampling.temperature))
        if not sampling.greedy and sampling.top_p < 1:
            self.changes.append(TopPLogitsWarper(sampling.top_p))
        self.generator = torch.Generator().manual_seed(sampling.seed)
        self.seen = dict.fromkeys(prompt)  # as `generate`, which counts the prompt

    def __call__(self, logits: torch.Tensor) -> int:
        """Draw a token from the logits of the whole vocabulary."""
        scores = logits.float().cpu()[None]
        changed: torch.Tensor = self.changes(torch.tensor([list(self.seen)]), scores)
        if self.greedy:
            token = int(changed.argmax())
        else:
            chances = changed.softmax(-1)
            token = int(torch.multinomial(chances, 1, generator=self.generator))
        self.seen[token] = None
        return token


def draw_all(logits: torch.Tensor, draws: Sequence[Draw]) -> list[int]:
    """Draw a token for each row of logits."""
    if any(draw.plain for draw in draws):
        best = logits.float().argmax(-1)  # in bfloat16 it takes a CPU four times as long
        likeliest = best.tolist()
    return [likeliest[row] if draw.plain else draw(logits[row]) for row, draw in enumerate(draws)]
