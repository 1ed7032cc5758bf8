"""What one block of an experiment needs of a machine or a scheduler: GPUs and minutes, read off its plan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.schemas import parse_yaml

# what holds where a plan says nothing; a test keeps them in step with plans/spec.py
STEP_S, AGENT_S = 300.0, 1200.0
BASELINE_REPEATS, MAX_REPEATS = 5, 30
DAY_S = 86_400.0
SPARE_S = 600.0  # to start, to load and to write down


@lru_cache(maxsize=256)
def needs_of(text: str) -> Mapping[str, int]:
    """GPUs and minutes of one job. The minutes are an upper bound: a scheduler ends what takes longer."""
    try:
        value = parse_yaml(text, "the plan")
    except FlagstoneError:
        value = None  # the job itself says what is wrong
    plan = value if isinstance(value, Mapping) else {}
    size, limits = int(number(plan.get("block"), 1)), part(plan, "stopping")
    gpus = int(number(part(plan, "harness").get("gpus"), 0))
    at_once = min(max(1, int(number(plan.get("lag"), 1)) - 1), size)
    size = min(size, int(number(limits.get("max_runs"), size)))
    seconds = SPARE_S + min(measuring_s(plan, size) + beside_s(plan, size), most_s(plan))
    return {"gpu": gpus * at_once, "runtime": math.ceil(seconds / 60)}


def most_s(plan: Mapping[str, Any]) -> float:
    """A day, or a few runs that take longer: a job that its limit ends loses the run under way, and no repeat."""
    return max(DAY_S, 3 * number(part(plan, "harness").get("seconds"), STEP_S))


def measuring_s(plan: Mapping[str, Any], size: int) -> float:
    """The harness: each run of the block repeated as often as is allowed, held to the hours of the experiment."""
    seconds = number(part(plan, "harness").get("seconds"), STEP_S)
    longest = seconds * measurements(plan)
    wall_h = number(part(plan, "stopping").get("wall_h"), math.inf)
    return min(size * longest, wall_h * 3600 + longest)


def beside_s(plan: Mapping[str, Any], size: int) -> float:
    """What goes on beside the harness: the evaluation of each measurement, the guard, the proposal."""
    evaluation = step_s(plan, "evaluate") * measurements(plan)
    proposal = number(part(plan, "agent").get("wall_s"), AGENT_S) if plan.get("proposer", "agent") == "agent" else 0.0
    return size * (evaluation + step_s(plan, "guard") + proposal)


def measurements(plan: Mapping[str, Any]) -> int:
    """How often the harness may be started for one run: first, on the best, and in pairs against noise."""
    once = 2 if plan.get("rebase") is True else 1
    if plan.get("noise") in ("off", False):
        return once
    noise = part(plan, "noise")
    pairs = int(number(noise.get("max_repeats"), MAX_REPEATS))
    return max(once + 2 * pairs, int(number(noise.get("baseline_repeats"), BASELINE_REPEATS)))


def step_s(plan: Mapping[str, Any], name: str) -> float:
    return number(part(plan, name).get("seconds"), STEP_S) if plan.get(name) else 0.0


def part(plan: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = plan.get(name)
    return found if isinstance(found, Mapping) else {}


def number(value: object, otherwise: float) -> float:
    """A number above 0, or what holds instead of it."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and 0 < value < math.inf else float(otherwise)  # type: ignore[arg-type, operator]
