"""Runs of an arm, made from values: None is a run that crashed."""

from __future__ import annotations

from collections.abc import Sequence

from flagstone.statistics import Direction
from flagstone.trials.deciding import LookRule, look_result
from flagstone.trials.outcomes import LookResult, RunOutcome

# The worked trial: a loss, with a minimum effect of .02.
CONTROL = (0.6716, 0.6402, 0.7013, 0.6588, 0.6899, 0.6471, 0.7124, 0.6650)
TREATED = (0.6331, 0.6298, 0.6542, 0.6490, 0.6467, 0.6352, 0.6610, 0.6544)
MINIMUM_EFFECT = 0.02


def runs(arm: str, values: Sequence[float | None], phase: str = "b") -> list[RunOutcome]:
    return [run(arm, f"{phase}{number}", value) for number, value in enumerate(values, 1)]


def run(arm: str, slot: str, value: float | None, **metrics: float) -> RunOutcome:
    if value is None:
        return RunOutcome(arm, slot, "crash", reason="exit code 1", wall_s=1.0)
    return RunOutcome(arm, slot, "ok", value, metrics=metrics, wall_s=2.0)


def look(
    control: Sequence[float | None],
    treated: Sequence[float | None],
    alpha: float = 0.035,
    minimum_effect: float = MINIMUM_EFFECT,
    direction: Direction = "min",
) -> LookResult:
    rule = LookRule(2, alpha, minimum_effect, direction)
    return look_result("treated", runs("control", control), runs("treated", treated), rule)
