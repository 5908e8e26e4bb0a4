"""What the drivers of the peers share: it times steps after the warm-up, and counts."""

import json
import resource
import time
from importlib.metadata import version
from typing import Any

from transformers import TrainerCallback


class Clock(TrainerCallback):
    """Count what each batch holds by its labels: an answer ends with one `end` token."""

    def __init__(self, end: int, warmup: int) -> None:
        self.end, self.warmup = end, warmup
        self.ends: list[float] = []  # of the steps
        self.batches: list[tuple[int, int]] = []  # examples, tokens
        self.loss = 0.0

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
        self.loss = state.log_history[-1]["train_loss"]

    def told(self, *packages: str) -> str:
        examples, tokens = map(sum, zip(*self.batches[self.warmup : len(self.ends)], strict=True))
        return json.dumps({
            "examples": examples,
            "tokens": tokens,
            "seconds": self.ends[-1] - self.ends[self.warmup - 1],
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "loss": self.loss,
            "stack": ", ".join(f"{name} {version(name)}" for name in (*packages, "transformers")),
        })  # fmt: skip


def tokens_in(batch: Any) -> int:
    """Tokens that are no padding, of a mask in two or four dimensions or a row without one."""
    mask = batch.get("attention_mask")
    if mask is None:
        return int(batch["input_ids"].numel())
    return int((mask.diagonal(dim1=-2, dim2=-1) == 0 if mask.dim() == 4 else mask > 0).sum())
