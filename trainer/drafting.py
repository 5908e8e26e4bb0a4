"""Other wordings of a question, drafted by a chat model for a person to accept one by one."""

import re
from collections.abc import Sequence

import torch

from trainer.corpus.examples import normalise
from trainer.models import Base

_ASK = (
    "Write this question again in other words, as another person would ask it. Write only the "
    "question.\n\n{question}"
)


def draft_wordings(
    base: Base, questions: Sequence[str], *, each: int = 3, seed: int = 0
) -> list[tuple[str, ...]]:
    """Ask a model for other wordings of each question, sampled; mere repeats are left out.

    A draft is a proposal: small models drift from the meaning, so none goes in unread.
    """
    generator_state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    try:
        return [_draft(base, question, each) for question in questions]
    finally:
        torch.random.set_rng_state(generator_state)


def _draft(base: Base, question: str, each: int) -> tuple[str, ...]:
    prompt = [{"role": "user", "content": _ASK.format(question=question)}]
    ids = torch.tensor([base.format.prompt(prompt)], device=base.model.device)
    with torch.inference_mode():
        out = base.model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=60,
            do_sample=True,
            temperature=0.8,
            top_p=0.95,
            num_return_sequences=each,
        )
    drafts: dict[str, str] = {}
    for row in out[:, ids.shape[1] :].tolist():
        lines = base.format.text(row).strip().splitlines() or [""]
        text = re.sub(r"^\W*(?:\d+[.)]\s*)?", "", lines[0]).strip("\"' ")
        if normalise(text) and normalise(text) != normalise(question):
            drafts.setdefault(normalise(text), text)
    return tuple(drafts.values())
