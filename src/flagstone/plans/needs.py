"""What one block of an experiment needs of a machine or a scheduler: GPUs and minutes."""

from __future__ import annotations

import math
from collections.abc import Mapping

from flagstone.plans.spec import Spec
from flagstone.plans.spec_parts import StepSpec

DAY_S = 86_400.0
SPARE_S = 600.0  # to start, to load and to write down


def block_needs(spec: Spec | None) -> Mapping[str, int]:
    """GPUs and minutes of one job. The minutes are an upper bound: a scheduler ends what takes longer."""
    if spec is None:
        return {"gpu": 0, "runtime": math.ceil(SPARE_S / 60)}
    at_once = min(max(1, spec.lag - 1), spec.block)
    size = min(spec.block, spec.stopping.max_runs or spec.block)
    seconds = min(SPARE_S + measuring_s(spec, size) + beside_s(spec, size), most_s(spec))
    bounded_s = max(SPARE_S, seconds) if math.isfinite(seconds) else SPARE_S  # the job itself says what is wrong
    return {"gpu": max(0, spec.harness.gpus * at_once), "runtime": math.ceil(bounded_s / 60)}


def most_s(spec: Spec) -> float:
    """A day, which most partitions allow, or one run that takes longer. A job that its limit ends loses one run."""
    return max(DAY_S, SPARE_S + spec.harness.seconds)


def measuring_s(spec: Spec, size: int) -> float:
    """The harness: each run of the block repeated as often as is allowed, held to the hours of the experiment."""
    longest = spec.harness.seconds * measurements(spec)
    return min(size * longest, (spec.stopping.wall_h or math.inf) * 3600 + longest)


def beside_s(spec: Spec, size: int) -> float:
    """What goes on beside the harness: the evaluation of each measurement, the checks, the proposal."""
    proposal = spec.agent.wall_s if spec.has_agent else 0.0
    return size * (step_s(spec.evaluate) * measurements(spec) + step_s(spec.guard) + step_s(spec.hidden) + proposal)


def measurements(spec: Spec) -> int:
    """How often the harness may be started for one run: first, on the best, and in pairs against noise."""
    once = 2 if spec.rebase else 1
    return max(once + 2 * spec.noise.max_repeats, spec.noise.baseline_repeats) if spec.noise else once


def step_s(step: StepSpec | None) -> float:
    return step.seconds * step.passes.of if step else 0.0
