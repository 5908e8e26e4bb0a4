"""Which devices this machine has, by name, and one lock for each in a workspace."""

import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from trainer.locks import Lock

CPU = "cpu"


def devices() -> tuple[str, ...]:
    """The GPUs that PyTorch can use, as cuda-0, cuda-1, ..., or the processor where it has none.

    It asks the driver and the installed build: importing PyTorch would take seconds. A worker,
    which sees only the devices it was given, is told of all by TANDEM_DEVICES.
    """
    if told := os.environ.get("TANDEM_DEVICES"):
        return tuple(told.split(","))
    try:
        usable = "+cpu" not in version("torch")
    except PackageNotFoundError:
        usable = False
    found = sorted(Path("/proc/driver/nvidia/gpus").glob("*")) if usable else []
    numbers = [str(number) for number in range(len(found))]
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is not None:
        numbers = [number for number in allowed.split(",") if number in numbers]
    return tuple(f"cuda-{number}" for number in numbers) or (CPU,)


def device_lock(workspace: Path, device: str) -> Lock:
    """Held by whoever uses the device: a worker, or the chat on a GPU."""
    folder = workspace / "devices"
    folder.mkdir(parents=True, exist_ok=True)
    return Lock(folder / f"{device}.lock")


def chat_lock(workspace: Path) -> Lock | None:
    """The lock of the GPU a chat runs on; None on a processor, where everything shares."""
    first = devices()[0]
    return None if first == CPU else device_lock(workspace, first)


def environment(chosen: tuple[str, ...]) -> dict[str, str]:
    """What a process has to be told so that it uses these devices and leaves others some room."""
    numbers = [device.removeprefix("cuda-") for device in chosen if device != CPU]
    # How often a thread of OpenMP looks for its next piece of work before it sleeps. GNU's default
    # keeps a core busy waiting for another program to leave the other one: 7 examples a second
    # instead of 13 beside one busy process on two cores, and no more than these when it is quiet.
    told = {**os.environ, "GOMP_SPINCOUNT": "1000", "TANDEM_DEVICES": ",".join(devices())}
    return told | ({"CUDA_VISIBLE_DEVICES": ",".join(numbers)} if numbers else {})
