"""What the drivers of the peers share: it times steps after the warm-up, and counts."""

import json
import resource
import time
from typing import Any

from transformers import AutoTokenizer, TrainerCallback


class Clock(TrainerCallback):
    """Time the steps after the warm-up; an answer in the labels ends with one end token."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.warmup = job["warmup"]
        self.end = AutoTokenizer.from_pretrained(job["model"]).eos_token_id
        self.ends: list[float] = []  # of the steps
        self.batches: list[tuple[int, int]] = []  # examples, tokens

    def on_train_begin(self, *_: Any, train_dataloader: Any, **__: Any) -> None:
        loader = getattr(train_dataloader, "base_dataloader", train_dataloader)
        collate = loader.collate_fn

        def counted(rows: Any) -> Any:
            batch = collate(rows)
            examples = int((batch["labels"] == self.end).sum())
            self.batches.append((examples, tokens_in(batch)))
            return batch

        loader.collate_fn = counted

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.ends.append(time.perf_counter())

    def on_train_end(self, _: Any, state: Any, *__: Any, **___: Any) -> None:
        timed = self.batches[self.warmup : len(self.ends)]
        found = {
            "examples": sum(examples for examples, _ in timed),
            "tokens": sum(tokens for _, tokens in timed),
            "seconds": self.ends[-1] - self.ends[self.warmup - 1],
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "loss": state.log_history[-1]["train_loss"],
        }
        print("FOUND", json.dumps(found), flush=True)


def tokens_in(batch: Any) -> int:
    """Tokens that are no padding, by a mask in two or four dimensions or in a row without one."""
    mask = batch.get("attention_mask")
    if mask is None:
        return int(batch["input_ids"].numel())
    return int((mask.diagonal(dim1=-2, dim2=-1) == 0 if mask.dim() == 4 else mask > 0).sum())
