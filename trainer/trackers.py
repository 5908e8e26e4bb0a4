"""Other programs that show a run, through Transformers' callbacks: trackio, TensorBoard, W&B.

They are told what the run's own log is told. What they need is not installed with Tandem.
"""

import importlib.util
import os
from typing import Any

from trainer.config import RunConfig
from trainer.errors import ConfigError
from trainer.events import Event, Progress, Validated
from trainer.runs import Run


class Tracker:
    """Tells one of those programs; it tells nobody where the run reports to none."""

    def __init__(self, run: Run, callback: Any = None) -> None:
        """Raise `ConfigError` where the program is not installed, before any model is loaded.

        `callback` stands in for Transformers' own.
        """
        config = run.config
        self.callback = callback or _callback(config)
        if not self.callback:
            return
        from transformers import TrainerControl, TrainerState, TrainingArguments  # noqa: PLC0415

        # Only what callbacks read of it: the folder, the names.
        self.arguments = TrainingArguments(
            output_dir=str(run.path / "tracker"),
            run_name=run.id,
            project="tandem",
            report_to=[],
            use_cpu=True,
        )
        self.state, self.control = TrainerState(), TrainerControl()
        self.state.is_world_process_zero = True
        os.environ.setdefault("WANDB_PROJECT", "tandem")

    def begin(self, model: Any) -> None:
        """Open the run there."""
        if self.callback:
            self.callback.on_train_begin(self.arguments, self.state, self.control, model=model)

    def hear(self, event: Event) -> None:
        """Pass on what can be drawn."""
        if not self.callback:
            return
        match event:
            case Progress():
                told = {
                    "loss": event.loss,
                    "learning_rate": event.learning_rate,
                    "examples_per_second": event.examples_per_second,
                    "epoch": event.epoch,
                }
            case Validated():
                told = {"eval_loss": event.loss}
            case _:
                return
        self.state.global_step = event.step
        self.callback.on_log(self.arguments, self.state, self.control, logs=told)

    def end(self) -> None:
        """Close the run there."""
        if self.callback:
            self.callback.on_train_end(self.arguments, self.state, self.control)


def _callback(config: RunConfig) -> Any:
    if config.report_to == "none":
        return None
    if importlib.util.find_spec(config.report_to) is None:
        raise ConfigError(
            f"report_to: {config.report_to} is not installed. Install it with "
            f"`pip install {config.report_to}`, or set report_to=none."
        )
    from transformers import integrations  # noqa: PLC0415 - slow, and few ask for it

    match config.report_to:
        case "trackio":
            return integrations.TrackioCallback()
        case "tensorboard":
            return integrations.TensorBoardCallback()
        case "wandb":
            return integrations.WandbCallback()
