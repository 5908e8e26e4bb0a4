"""The processes that tune together: each does its share of a step, all end with the same weights.

Alone, it is a team of one and costs nothing. `accelerate launch` starts more.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from torch import distributed

from trainer.events import Event
from trainer.runs import Run
from trainer.trackers import Tracker

Share = TypeVar("Share")


class Team:
    """Which of how many processes this is, and what they tell each other."""

    def __init__(self, state: PartialState | None = None) -> None:
        self.size: int = state.num_processes if state else 1
        self.place: int = state.process_index if state else 0
        self.device: Any = state.device if state else None
        self.tracker: Tracker | None = None

    @classmethod
    def gather(cls) -> "Team":
        """Meet the other processes that `accelerate launch` started: by NCCL, or gloo on CPUs."""
        return cls(PartialState(cpu=not torch.cuda.is_available()))

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.place == 0

    def say(self, run: Run, event: Event) -> None:
        """Tell the run's log, and who else shows it, if it is this process that writes."""
        if self.first:
            run.events.append(event)
        if self.tracker:
            self.tracker.hear(event)

    def share(self, batch: Sequence[Share]) -> Sequence[Share]:
        """This process's part of a batch."""
        return batch[self.place :: self.size]

    def share_start(self, weights: Mapping[str, torch.nn.Parameter]) -> None:
        """Begin with the first process's weights everywhere."""
        if self.size > 1:
            for parameter in weights.values():
                distributed.broadcast(parameter.data, 0)

    def sum(self, number: float) -> float:
        """Add up a number over all processes."""
        if self.size == 1:
            return number
        total = torch.tensor([number], dtype=torch.float64, device=self.device)
        distributed.all_reduce(total)
        return float(total.item())

    def agree(self, weights: Iterable[torch.nn.Parameter], stop: bool) -> bool:
        """Add up everybody's gradients in place; whether anybody was asked to stop."""
        if self.size == 1:
            return stop
        for parameter in weights:
            if parameter.grad is None:  # no example of this step was ours
                parameter.grad = torch.zeros_like(parameter)
            distributed.all_reduce(parameter.grad)
        return self.sum(float(stop and self.first)) > 0
