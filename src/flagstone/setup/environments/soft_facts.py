"""What is good to know about a machine and an environment, and stops nothing."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flagstone.processes import GpuState, gpu_states
from flagstone.setup.environments.candidates import ProjectSurroundings
from flagstone.setup.environments.installed import read_small
from flagstone.setup.environments.python_environment import PythonEnvironment
from flagstone.setup.project_tree import ProjectTree

CHECKPOINTS = (".pt", ".pth", ".ckpt", ".tar", ".safetensors", ".keras", ".h5", ".joblib")
KEPT = 3  # checkpoints that an experiment has at a time
TOOLS = ("torch", "accelerate", "deepspeed", "lightning", "pytorch_lightning", "wandb", "tensorboard", "mlflow")


@dataclass(frozen=True)
class SoftFacts:
    """Tools that are installed, GPUs, free disk, and warnings of one line each."""

    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    gpus: tuple[GpuState, ...] = ()
    free_mb: float = 0.0
    warnings: tuple[str, ...] = ()


def soft_facts(
    tree: ProjectTree, around: ProjectSurroundings, chosen: PythonEnvironment | None, needed: Collection[str]
) -> SoftFacts:
    """Looks at files, the disk, and the driver of the GPUs."""
    present = tuple(name for name in TOOLS if chosen is not None and chosen.packages.has(name))
    absent = tuple(name for name in TOOLS if name not in present)
    free_mb = shutil.disk_usage(around.root).free / 1_000_000
    is_offline = "wandb" in needed and not is_logged_in(around)
    warnings = ["wandb is not logged in: runs are recorded offline"] * is_offline
    largest_mb = max((size_mb(tree.root / path) for path in tree.ending(*CHECKPOINTS)), default=0.0)
    if free_mb < KEPT * largest_mb:
        warnings.append(f"{free_mb:.0f} MB are free, and {KEPT} checkpoints take {KEPT * largest_mb:.0f} MB")
    return SoftFacts(present, absent, tuple(gpu_states()), free_mb, tuple(warnings))


def size_mb(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_size / 1_000_000
    return 0.0


def is_logged_in(around: ProjectSurroundings) -> bool:
    if around.environ.get("WANDB_API_KEY"):
        return True
    with suppress(OSError, ValueError):
        return "api.wandb.ai" in read_small(Path(around.environ.get("NETRC") or around.home / ".netrc"))
    return False
