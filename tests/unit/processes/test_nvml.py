"""GPU memory of a child's tree, from a stand-in for NVIDIA's library that reads what processes claim from a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flagstone.processes import Command, Output, ProcessLimits, ProcessResult, gpu, run

STAND_IN = """
import pathlib, types

CLAIMS = pathlib.Path({claims!r})

class NVMLError(Exception):
    pass

def nvmlInit():
    if (CLAIMS.parent / "no-driver").exists():
        raise NVMLError("driver not loaded")

def nvmlDeviceGetCount():
    return 2

def nvmlDeviceGetHandleByIndex(number):
    return number

def nvmlDeviceGetUUID(gpu):
    return (b"GPU-aaaa", "GPU-bbbb")[gpu]

def nvmlDeviceGetName(gpu):
    return (b"First", "Second")[gpu]

def nvmlDeviceGetMemoryInfo(gpu):
    if (CLAIMS.parent / "lost").exists():
        raise NVMLError("GPU is lost")
    return types.SimpleNamespace(total=80_000_000_000, used=gpu * 1_000_000)

def nvmlSystemGetCudaDriverVersion():
    if (CLAIMS.parent / "lost").exists():
        raise NVMLError("GPU is lost")
    return 12040

def nvmlDeviceGetComputeRunningProcesses_v3(gpu):
    if (CLAIMS.parent / "lost").exists():
        raise NVMLError("GPU is lost")
    lines = [line.split() for line in CLAIMS.read_text().splitlines()] if CLAIMS.exists() else []
    return [
        types.SimpleNamespace(pid=int(pid), usedGpuMemory=None if used == "?" else int(used))
        for number, pid, used in lines if int(number) == gpu
    ]
"""
# two processes of the tree on two GPUs, a stranger, and one whose amount the driver does not tell
TWO = (
    "echo 0 $$ 3000000000 >> claims; sh -c 'echo 1 $$ 500000000 >> claims; exec sleep 0.7' & "
    "echo 0 1 70000000000 >> claims; echo 1 $$ '?' >> claims; wait"
)
WATCHED = ProcessLimits(wall_s=20, stop_s=1, watch_gpu=True)
Shell = Callable[..., Command]


@pytest.fixture
def gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a machine with two GPUs."""
    (tmp_path / "pynvml.py").write_text(STAND_IN.format(claims=str(tmp_path / "claims")))
    (tmp_path / "nvidia0").touch()
    monkeypatch.setattr(gpu, "DEVICES", (str(tmp_path / "nvidia[0-9]*"),))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pynvml", raising=False)
    forget()
    yield tmp_path
    forget()
    sys.modules.pop("pynvml", None)


def forget() -> None:
    gpu.library_or_fault.cache_clear()
    gpu.gpu_ids.cache_clear()


def ran(command: Command, output: Output, limits: ProcessLimits = WATCHED) -> ProcessResult:
    return run(command, limits, output)


def test_what_all_processes_of_the_tree_take_on_all_gpus_adds_up(gpus: Path, shell: Shell, output: Output) -> None:
    assert ran(shell(TWO), output).peak_gpu_mb == 3500


def test_a_tree_that_takes_too_much_of_the_gpus_is_ended(gpus: Path, shell: Shell, output: Output) -> None:
    limits = ProcessLimits(wall_s=20, stop_s=1, gpu_memory_mb=3000)
    result = ran(shell(TWO.replace("sleep 0.7", "sleep 30")), output, limits)
    assert (result.ending, result.peak_gpu_mb, result.survivors) == ("gpu_memory", 3500, ())


def test_a_tree_within_its_limit_goes_on(gpus: Path, shell: Shell, output: Output) -> None:
    assert ran(shell(TWO), output, ProcessLimits(wall_s=20, gpu_memory_mb=4000)).ending == "exit"


def test_a_tree_that_was_seen_on_no_gpu_has_an_unknown_peak(gpus: Path, shell: Shell, output: Output) -> None:
    assert ran(shell("exec sleep 0.2"), output).peak_gpu_mb is None


def test_nobody_asks_the_library_where_nobody_wants_to_know(gpus: Path, shell: Shell, output: Output) -> None:
    assert ran(shell(TWO), output, ProcessLimits(wall_s=20)).peak_gpu_mb is None
    assert "pynvml" not in sys.modules


@pytest.mark.parametrize("trouble", ["no-driver", "lost"])
def test_a_driver_in_trouble_makes_the_peak_unknown_and_nothing_else(
    trouble: str, gpus: Path, shell: Shell, output: Output
) -> None:
    (gpus / trouble).touch()
    result = ran(shell(TWO), output)
    assert (result.ending, result.exit_code, result.peak_gpu_mb) == ("exit", 0, None)


def test_without_a_gpu_the_library_is_not_even_loaded(gpus: Path, shell: Shell, output: Output) -> None:
    (gpus / "nvidia0").unlink()
    assert ran(shell(TWO), output).peak_gpu_mb is None
    assert gpu.gpu_ids() == ()
    assert "pynvml" not in sys.modules


def test_the_gpus_are_listed_with_their_memory_and_the_cuda_of_the_driver(gpus: Path) -> None:
    assert gpu.gpu_states() == [gpu.GpuState("First", 80_000, 0), gpu.GpuState("Second", 80_000, 1)]
    assert gpu.gpu_cuda_version() == (12, 4)


@pytest.mark.parametrize("trouble", ["no-driver", "lost"])
def test_of_gpus_in_trouble_nothing_is_told(gpus: Path, trouble: str) -> None:
    (gpus / trouble).touch()
    assert (gpu.gpu_states(), gpu.gpu_cuda_version()) == ([], None)


def test_gpus_are_named_by_what_never_changes(gpus: Path) -> None:
    assert gpu.gpu_ids() == ("GPU-aaaa", "GPU-bbbb")


def test_without_the_module_the_peak_is_unknown(
    gpus: Path, shell: Shell, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert ran(shell(TWO), output).peak_gpu_mb is None


def test_the_tool_names_the_gpus_where_the_module_is_missing(gpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    tool = gpus / "nvidia-smi"
    tool.write_text(
        '#!/bin/sh\n[ "$1 $2" = "--query-gpu=uuid --format=csv,noheader" ] && printf "GPU-cc\\nGPU-dd\\n"\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(gpus), prepend=":")
    assert gpu.gpu_ids() == ("GPU-cc", "GPU-dd")


def test_gpus_that_nobody_names_have_numbers(gpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    (gpus / "nvidia1").touch()
    monkeypatch.setenv("PATH", str(gpus))
    assert gpu.gpu_ids() == ("0", "1")


def test_why_memory_cannot_be_measured_is_said(gpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert gpu.gpu_memory_fault() == ""
    forget()
    (gpus / "no-driver").touch()
    assert gpu.gpu_memory_fault() == "NVIDIA's library does not start: driver not loaded"
    forget()
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert gpu.gpu_memory_fault() == "the Python package nvidia-ml-py is not installed"
    forget()
    monkeypatch.setattr(gpu, "DEVICES", ())
    assert gpu.gpu_memory_fault() == "there is no NVIDIA GPU here"
