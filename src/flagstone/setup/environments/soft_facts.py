"""What is good to know about a machine and an environment, and stops nothing."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flagstone.processes import GpuState, gpu_states
from flagstone.setup.environments.candidates import ProjectSurroundings
from flagstone.setup.environments.installed import read_small
from flagstone.setup.environments.python_environment import PythonEnvironment

TOOLS = ("torch", "accelerate", "deepspeed", "lightning", "pytorch_lightning", "wandb", "tensorboard", "mlflow")


@dataclass(frozen=True)
class SoftFacts:
    """Tools that are installed, GPUs, free disk, and warnings of one line each."""

    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    gpus: tuple[GpuState, ...] = ()
    free_mb: float = 0.0
    warnings: tuple[str, ...] = ()


def soft_facts(around: ProjectSurroundings, chosen: PythonEnvironment | None) -> SoftFacts:
    """Looks at files, the disk, and the driver of the GPUs."""
    present = tuple(name for name in TOOLS if chosen is not None and chosen.packages.has(name))
    absent = tuple(name for name in TOOLS if name not in present)
    free_mb = shutil.disk_usage(around.root).free / 1_000_000
    warnings = ["wandb is not logged in: runs are recorded offline"] * ("wandb" in present and not is_logged_in(around))
    return SoftFacts(present, absent, tuple(gpu_states()), free_mb, tuple(warnings))


def is_logged_in(around: ProjectSurroundings) -> bool:
    if around.environ.get("WANDB_API_KEY"):
        return True
    with suppress(OSError, ValueError):
        return "api.wandb.ai" in read_small(Path(around.environ.get("NETRC") or around.home / ".netrc"))
    return False
