"""Take a training as it stands into a checkpoint, and put it back: weights, optimiser, chance."""

import shutil
from collections.abc import Mapping
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from trainer.checkpoints import (
    Checkpoint,
    CheckpointState,
    Origins,
    Point,
    checkpoint_path,
    finish_checkpoint,
)
from trainer.runs import Run

Weights = Mapping[str, torch.nn.Parameter]


def save_checkpoint(
    run: Run, weights: Weights, optimizer: torch.optim.Optimizer, point: Point, origins: Origins
) -> None:
    """Write a checkpoint of this moment; it counts once it is complete."""
    place = checkpoint_path(run, point.step)
    for left in place.parent.glob(".step-*.partial"):  # by a worker that was killed
        shutil.rmtree(left, ignore_errors=True)
    partial = place.with_name(f".{place.name}.partial")
    partial.mkdir(parents=True)
    try:
        save_file(_plain(weights), partial / "adapter.safetensors")
        # Not `state_dict()`: bitsandbytes wraps what is in there once more.
        memory = [optimizer.state[parameter] for parameter in weights.values()]
        flat = {f"{i}.{key}": value for i, kept in enumerate(memory) for key, value in kept.items()}
        tensors = {key: value for key, value in flat.items() if isinstance(value, torch.Tensor)}
        save_file(_plain(tensors), partial / "optimizer.safetensors")
        scalars = {key: value for key, value in flat.items() if key not in tensors}
        state = CheckpointState(point=point, origins=origins, scalars=scalars, sha256={})
        finish_checkpoint(partial, run, state)
    except Exception:
        shutil.rmtree(partial, ignore_errors=True)  # room to say what went wrong
        raise


def load_weights(checkpoint: Checkpoint, weights: Weights) -> None:
    """Put a checkpoint's adapter into the model."""
    saved = load_file(checkpoint.path / "adapter.safetensors")
    with torch.no_grad():
        for name, parameter in weights.items():
            parameter.copy_(saved[name])


def go_back_to(checkpoint: Checkpoint, weights: Weights, optimizer: torch.optim.Optimizer) -> Point:
    """Put everything back as it was at a checkpoint, and forget later ones; say which step it was.

    Of the optimiser only what it remembers is put back: its settings are the run's.
    """
    for other in checkpoint.path.parent.glob("step-[0-9]*"):
        if Checkpoint(other).step > checkpoint.step:
            shutil.rmtree(other, ignore_errors=True)  # each process of a team does it
    load_weights(checkpoint, weights)
    state = checkpoint.state
    memory: dict[int, dict[str, Any]] = {}
    saved = load_file(checkpoint.path / "optimizer.safetensors")
    for name, value in (*saved.items(), *state.scalars.items()):
        index, _, key = name.partition(".")
        memory.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": memory})
    for name, hexadecimal in state.point.random.items():
        generator = torch.frombuffer(bytearray.fromhex(hexadecimal), dtype=torch.uint8)
        if name == "cpu":
            torch.set_rng_state(generator)
        elif torch.cuda.is_available():
            torch.cuda.set_rng_state(generator)
    return state.point


def chance() -> dict[str, str]:
    """The state of PyTorch's random generators, in hexadecimal."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return {name: state.numpy().tobytes().hex() for name, state in states.items()}


def _plain(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    # Copies: bitsandbytes has one table for all parameters, and safetensors refuses that.
    return {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
