"""The number that the project's own command gives, as its people run it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from flagstone.experiments.measuring import primary
from flagstone.metrics import Place, read_metrics
from flagstone.plans import MEASURED, Spec
from flagstone.processes import Command, Interruption, Output, ProcessLimits, StartError, run


def own_number(spec: Spec, argv: tuple[str, ...], log: Path, interruption: Interruption) -> tuple[float | None, str]:
    """The number, or why there is none. The command runs in the project, in the environment of the person."""
    root, began = spec.subject.root, time.time()
    command = Command(argv=argv, target=None, cwd=root, env=dict(os.environ), owner=str(log.parent))
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
