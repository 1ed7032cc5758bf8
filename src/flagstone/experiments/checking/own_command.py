"""The number that the project's own command gives, as its people run it."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from flagstone.experiments.measuring import primary, python_path
from flagstone.metrics import Place, read_metrics
from flagstone.plans import MEASURED, Spec
from flagstone.processes import Command, Interruption, Output, ProcessLimits, StartError, run


@dataclass(frozen=True)
class OwnCommand:
    """The words of the command, a tree with the files of the project, and the seed."""

    argv: tuple[str, ...]
    tree: Path
    seed: int


def own_number(spec: Spec, own: OwnCommand, log: Path, interruption: Interruption) -> tuple[float | None, str]:
    """The number, or why there is none. It runs in a plain copy of the tree, in the environment of the person."""
    with TemporaryDirectory(prefix="flagstone-own-", ignore_cleanup_errors=True) as folder:
        root = Path(folder, "project")
        shutil.copytree(own.tree, root, symlinks=True)
        # an editable install would lead to the project itself, which a run may write to
        path = python_path(spec.subject.root, root, "", os.environ)
        env = {**os.environ, "SEED": str(own.seed), "PYTHONPATH": path}
        command = Command(argv=own.argv, target=None, cwd=root, env=env, owner=str(log.parent))
        return number_of(spec, command, log, interruption)


def number_of(spec: Spec, command: Command, log: Path, interruption: Interruption) -> tuple[float | None, str]:
    root, began = command.cwd, time.time()
    try:
        result = run(command, ProcessLimits(wall_s=spec.harness.seconds), Output(log), interruption=interruption)
    except StartError as error:
        return None, error.problem
    if result.timed_out:
        return None, f"no number within {spec.harness.seconds:g} s"
    if result.exit_code != 0:
        return None, f"no number: its own command ended with exit code {result.exit_code}"
    reading = read_metrics(
        spec.metric.backend, spec.metric.options, Place(root, log, began, time.time()), spec.metric_names
    )
    measured = {"wall_s": result.wall_s, "wall_seconds": result.wall_s} if spec.metric.name in MEASURED else {}
    return primary(reading, spec, measured)
