"""What no trial may be set to, beyond what its schema says: everything that is wrong with a plan, in words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.globs import files_named
from flagstone.metrics import faults
from flagstone.plans.constraint import constraint_of
from flagstone.plans.trial import CONTROL, TrialSpec

MOST_ALPHA = 0.05
MOST_LOOKS = 4
MOST_ARMS = 6
SCREENING = 5  # the baseline is a1 to a5
ROUNDING = 1e-12


def trial_plan_problems(value: Mapping[str, Any]) -> list[str]:
    """What the schema cannot say. A part of the wrong kind is left to the schema."""
    parts = (effect_problems, look_problems, arm_problems, seed_problems, range_problems, metric_problems)
    return [problem for part in parts for problem in part(value)]


def missing_data(spec: TrialSpec, text: str) -> Iterator[str]:
    """Each glob of `data` that names no file, with its line in the text of the plan."""
    for pattern in spec.data:
        if not any(map(os.path.isfile, files_named(spec.experiment.subject.root, pattern))):
            yield f"line {line_of(text, pattern)}, data: {pattern} names no file in {spec.experiment.subject.root}"


def place_of(path: Path, text: str, key: str) -> str:
    """Where a key stands at the top of a plan, such as `trial.yaml:7`; the line after the last one if it does not."""
    lines = text.splitlines()
    number = next((number for number, line in enumerate(lines, 1) if line.startswith(f"{key}:")), len(lines) + 1)
    return f"{path}:{number}"


def line_of(text: str, word: str) -> int:
    """The number of the first line of a plan that holds a word; of its last line if none does."""
    lines = text.splitlines()
    return next((number for number, line in enumerate(lines, 1) if word in line), len(lines))


def effect_problems(value: Mapping[str, Any]) -> Iterator[str]:
    effect = value.get("minimum_effect")
    number = effect.removesuffix(" sd") if isinstance(effect, str) and effect.endswith(" sd") else effect
    if is_number(number) and float(number or 0) <= 0:
        yield (
            f"minimum_effect is {effect}, and has to be above 0: the smallest improvement that would matter, "
            "in units of the metric, or such as '0.5 sd'"
        )


def look_problems(value: Mapping[str, Any]) -> Iterator[str]:
    looks = [each for each in items_in(value, "looks") if is_look(each)]
    if value.get("looks") == []:
        yield "looks is empty: leave it out for the default, 4 pairs and then 8"
    if len(looks) > MOST_LOOKS:
        yield f"{len(looks)} looks are too many: at most {MOST_LOOKS}"
    pairs = [look["pairs"] for look in looks]
    if any(after <= before for before, after in pairwise(pairs)):
        yield f"looks are at {', '.join(map(str, pairs))} pairs: each needs more pairs than the one before"
    if pairs and pairs[0] == 1:
        yield "a look at 1 pair has no standard deviation, so no test: it needs at least 2"
    alpha = sum(look["alpha"] for look in looks)
    if alpha > MOST_ALPHA + ROUNDING:
        yield f"the α of all looks together is {alpha:.4g}, and may be {MOST_ALPHA} at most: make them smaller"


def is_look(each: Any) -> bool:
    return isinstance(each, dict) and is_number(each.get("pairs")) and is_number(each.get("alpha"))


def arm_problems(value: Mapping[str, Any]) -> Iterator[str]:
    arms = value.get("arms")
    if not isinstance(arms, dict):
        return
    if "switch" in value:
        yield "switch and arms exclude each other: move the switch into its arm"
    if len(arms) > MOST_ARMS:
        yield f"{len(arms)} arms are too many: at most {MOST_ARMS}"
    if len(arms) > 1 and value.get("screen", "on") not in ("off", False):
        yield f"{len(arms)} arms are confirmed together, which needs `screen: off`"
    if len(arms) > 1 and value.get("gate") == "cohens_d":
        yield "the gate cohens_d compares one arm with its control: plan a trial for each arm"
    for name, arm in arms.items():
        if str(name) == CONTROL or str(name).endswith("-off"):
            yield f"an arm cannot be called {name!r}: that is the name of runs without the treatment"
        if isinstance(arm, dict) and not arm.get("switch") and not arm.get("tree"):
            yield f"the arm {name} is the control itself: give it a switch or a tree"
        elif isinstance(arm, dict) and not arm.get("switch") and value.get("gate") == "cohens_d":
            yield f"the gate cohens_d compares an arm with its switch on and off, and the arm {name} has no switch"


def seed_problems(value: Mapping[str, Any]) -> Iterator[str]:
    seeds = value.get("seeds")
    named = [key for keys in (value, seeds if isinstance(seeds, dict) else {}) for key in keys if "confirm" in str(key)]
    if named:
        yield f"leave {named[0]} out: Flagstone draws the confirmation seeds, and nobody knows them before the verdict"
    if not isinstance(seeds, dict) or "screening" not in seeds:
        return
    seeds = items_in(seeds, "screening")
    if len(set(map(str, seeds))) < len(seeds):
        yield "seeds.screening names a seed twice: the second run would repeat the first"
    if len(seeds) != SCREENING:
        yield f"seeds.screening has {len(seeds)} of the {SCREENING} seeds that the baseline is measured on"


def range_problems(value: Mapping[str, Any]) -> Iterator[str]:
    bounds = items_in(value, "possible_range")
    if "possible_range" in value and len(bounds) != 2:
        yield "possible_range has two values, the least and the greatest; null is for none"
    elif all(map(is_number, bounds)) and bounds and bounds[0] >= bounds[1]:
        yield f"possible_range begins with the greater value: write [{bounds[1]}, {bounds[0]}]"


def metric_problems(value: Mapping[str, Any]) -> Iterator[str]:
    metric = value.get("metric")
    if isinstance(metric, dict):
        if "direction" not in metric:
            yield "say in metric whether less or more is better: `direction: min` or `direction: max`"
        options = {name: row for name, row in metric.items() if name not in ("name", "direction", "auxiliary")}
        yield from faults(str(options.pop("backend", "auto")), options)
    for text in filter(lambda each: isinstance(each, str), items_in(value, "constraints")):
        try:
            constraint_of(text)
        except FlagstoneError as error:
            yield f"{error.problem} ({error.hint})"


def items_in(value: Mapping[str, Any], key: str) -> list[Any]:
    return value[key] if isinstance(value.get(key), list) else []


def is_number(value: Any) -> bool:
    if isinstance(value, str):
        return bool(re.fullmatch(r"\d+(\.\d+)?", value))
    return isinstance(value, int | float) and not isinstance(value, bool)
