"""How far apart repeated runs of the same code may lie: the check that a switch turned off changes nothing."""

from __future__ import annotations

from math import sqrt

from flagstone.statistics.quantiles import noncentrality, t_quantile

BASELINE, OFF = 5, 2  # repeats of either on one seed; the sd is the baseline's
LEVEL = 0.995  # two-sided: 1 % false alarms


def off_tolerance(sd: float) -> float:
    """How far the mean with the switch off may lie from the baseline's."""
    return t_quantile(LEVEL, BASELINE - 1) * error_of_difference(sd)


def off_shift(sd: float, power: float = 0.8) -> float:
    """The true shift that the check sees with this power, if the baseline's sd is the true one."""
    return noncentrality(t_quantile(LEVEL, BASELINE - 1), BASELINE - 1, 1 - power) * error_of_difference(sd)


def error_of_difference(sd: float) -> float:
    return sd * sqrt(1 / BASELINE + 1 / OFF)
