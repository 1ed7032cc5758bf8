"""What NVIDIA's library, or its tool, says of the GPUs here: which there are, and whose processes take how much."""

from __future__ import annotations

import glob
import importlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flagstone.processes.tool import run_quietly

DEVICES = ("/dev/nvidia[0-9]*", "/dev/dxg")
ASK_FOR_NAMES = ("nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader")
ASK_S = 30.0


def devices() -> list[str]:
    return [path for pattern in DEVICES for path in glob.glob(pattern)]


@cache
def library_or_fault() -> tuple[Any | None, str]:
    """The library, started, or why it cannot be: no GPU, no module `pynvml`, or no driver to talk to."""
    if not devices():
        return None, "there is no NVIDIA GPU here"
    try:
        found = importlib.import_module("pynvml")
        found.nvmlInit()
    except ImportError:
        return None, "the Python package nvidia-ml-py is not installed"
    except Exception as error:  # its errors are classes of its own, made while it is loaded
        return None, f"NVIDIA's library does not start: {error}"
    return found, ""


def library() -> Any | None:
    return library_or_fault()[0]


def gpu_memory_fault() -> str:
    """Why the GPU memory of processes cannot be measured here; empty if it can."""
    return library_or_fault()[1]


@cache
def gpu_ids() -> tuple[str, ...]:
    """The unique names of all GPUs of this machine in the order of their numbers; numbers where nobody tells names."""
    present = devices()
    if not present:
        return ()
    nvml = library()
    if nvml is not None:
        try:
            return tuple(as_text(nvml.nvmlDeviceGetUUID(gpu)) for gpu in gpus(nvml))
        except nvml.NVMLError:
            return ()
    code, output, _ = run_quietly(ASK_FOR_NAMES, Path("/"), ASK_S)
    if code == 0:
        return tuple(output.decode(errors="replace").split())
    return tuple(str(number) for number, _ in enumerate(present))


def gpu_memory_mb(pids: Collection[int]) -> float | None:
    """What these processes take on all GPUs together; None if none of them uses any."""
    nvml = library()
    if nvml is None:
        return None
    try:
        running = [process for gpu in gpus(nvml) for process in nvml.nvmlDeviceGetComputeRunningProcesses_v3(gpu)]
    except nvml.NVMLError:
        return None
    used = [process.usedGpuMemory for process in running if process.pid in pids]
    known = [amount for amount in used if amount is not None]
    return sum(known) / 1_000_000 if known else None


@dataclass(frozen=True)
class GpuState:
    """One GPU: its name, its memory, and how much of that is in use."""

    name: str
    total_mb: float
    used_mb: float


def gpu_states() -> list[GpuState]:
    """The GPUs of this machine. Empty if there are none, or none that can be asked."""
    nvml = library()
    try:
        return [state_of(nvml, gpu) for gpu in gpus(nvml)] if nvml else []
    except nvml.NVMLError:  # type: ignore[union-attr]
        return []


def state_of(nvml: Any, gpu: Any) -> GpuState:
    memory = nvml.nvmlDeviceGetMemoryInfo(gpu)
    return GpuState(as_text(nvml.nvmlDeviceGetName(gpu)), memory.total / 1_000_000, memory.used / 1_000_000)


def gpu_cuda_version() -> tuple[int, int] | None:
    """The newest CUDA that the driver knows, such as (12, 4). Returns None if nobody tells."""
    nvml = library()
    try:
        number = nvml.nvmlSystemGetCudaDriverVersion() if nvml else 0
    except nvml.NVMLError:  # type: ignore[union-attr]
        return None
    return (number // 1000, number % 1000 // 10) if number else None


def gpus(nvml: Any) -> list[Any]:
    return [nvml.nvmlDeviceGetHandleByIndex(number) for number in range(nvml.nvmlDeviceGetCount())]


def as_text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
