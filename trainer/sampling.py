"""How an answer is drawn from what a model finds likely."""

import pydantic
from pydantic import Field


class Sampling(pydantic.BaseModel, frozen=True, extra="forbid"):
    """The settings of one answer. As they are by default, it is greedy, as in the scores."""

    temperature: float = Field(
        0.0,
        ge=0,
        le=2,
        description="0: always the likeliest word, as in the scores. Higher: more varied answers.",
    )
    top_p: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Draw only from the likeliest words that together reach this probability.",
    )
    repetition_penalty: float = Field(
        1.0,
        ge=1,
        le=2,
        description="Above 1: what was said before becomes less likely (Keskar et al. 2019).",
    )
    most_new_tokens: int = Field(
        160, ge=1, le=2048, description="An answer ends here if it has not ended by itself."
    )
    seed: int = Field(17, ge=0, lt=2**32, description="The same seed draws the same answer again.")

    @property
    def greedy(self) -> bool:
        """Whether nothing is drawn, so that the seed plays no part."""
        return self.temperature == 0


GREEDY = Sampling()
