"""What this machine gives a run: cores or GPUs, memory, and how fast it computes."""

import os
import shutil
import statistics
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from trainer.devices import CPU, devices

CGROUP = Path("/sys/fs/cgroup")
# Operations a second in matrix products of the size that tuning has, where no run has shown yet
# what this machine reaches: of one core with and without units for bfloat16 (measured on an EPYC
# with AVX512-BF16), and of a GPU (a guess; the first run puts it right).
CORE_WITH_BF16 = 212e9
CORE_WITHOUT = 60e9
GPU = 30e12
BF16_UNITS = {"avx512_bf16", "amx_bf16", "bf16", "svebf16"}


@dataclass(frozen=True)
class Machine:
    """A place to tune on. Bytes are those of the GPU where there is one, else those of the RAM.

    `rate` is in operations a second, of all that one run may use together.
    """

    cores: int
    memory_bytes: int
    available_bytes: int
    rate: float
    gpus: tuple[str, ...] = ()

    @classmethod
    def here(cls, *, rate: float | None = None) -> "Machine":
        """Look at this machine, without loading a framework; `rate` as earlier runs showed it."""
        cores = _cores()
        gpus = tuple(name for name in devices() if name != CPU)
        memory = psutil.virtual_memory()
        total, free = memory.total, memory.available
        limit, used = _number(CGROUP / "memory.max"), _number(CGROUP / "memory.current")
        if limit is not None and limit < total:
            total, free = limit, min(free, max(0, limit - (used or 0)))
        if gpus:  # whose memory is not known is taken to have as much
            total, free = _gpu_memory(gpus[0]) or (total, free)
            return cls(cores, total, free, rate or GPU, gpus)
        per_core = CORE_WITH_BF16 if _has_bf16() else CORE_WITHOUT
        return cls(cores, total, free, rate or per_core * cores)


def room_to_unpack(needed: float, available: float) -> bool:
    """Whether memory allows 4-bit weights to be unpacked once, for all that they are used."""
    return needed <= available / 3


def observed_rate(pairs: Iterable[tuple[float, float]]) -> float | None:
    """The operations a second that past work shows: the median over (operations, seconds)."""
    rates = [operations / seconds for operations, seconds in pairs if seconds > 0]
    return statistics.median(rates) if rates else None


def _cores() -> int:
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:  # of a container: microseconds of all cores in a period of so many
        quota, period = (CGROUP / "cpu.max").read_text().split()
        return max(1, min(count or 1, round(int(quota) / int(period))))
    except (OSError, ValueError):
        return count or 1


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # "max" is no limit
        return None


def _has_bf16() -> bool:
    try:
        return not BF16_UNITS.isdisjoint(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return False


def _gpu_memory(name: str) -> tuple[int, int] | None:
    """Bytes of a GPU in all and free, as its driver tells."""
    program = shutil.which("nvidia-smi")
    if not program:
        return None
    query = ["--query-gpu=memory.total,memory.free", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(
            [program, "--id", name.removeprefix("cuda-"), *query],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout.split(",")
        return int(told[0]) * 2**20, int(told[1]) * 2**20
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
