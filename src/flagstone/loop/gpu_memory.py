"""Whether an experiment rests on GPU memory that nobody could measure here."""

from __future__ import annotations

from flagstone.errors import FlagstoneError
from flagstone.loop.spec import Spec
from flagstone.processes import gpu_memory_fault

NAME = "peak_vram_mb"


def refuse_if_unmeasured(spec: Spec) -> None:
    """A limit would not hold, and a constraint could never be met: better said before anything is run."""
    if not spec.harness.gpus:
        return
    asked = ["harness.gpu_memory_mb"] if spec.harness.gpu_memory_mb else []
    asked += [f"the constraint on {NAME}"] if any(each.name == NAME for each in spec.constraints) else []
    asked += [f"the metric {NAME}"] if spec.metric.name == NAME else []
    fault = gpu_memory_fault() if asked else ""
    if fault:
        raise FlagstoneError(
            f"experiment {spec.name} rests on GPU memory ({', '.join(asked)}), which cannot be measured: {fault}",
            hint="flagstone doctor shows what is here; install it, or take that out of experiment.yaml",
        )
