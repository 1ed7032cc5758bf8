"""The numbers that are reported for a confirmed arm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flagstone.plans import CONTROL
from flagstone.statistics import (
    Direction,
    Effect,
    cohens_d,
    effect_dz,
    hedges_g,
    hedges_gz,
    lower_bound,
    mean,
    paired_test,
    sign_flip,
    upper_bound,
    welch,
)
from flagstone.trials.deciding.looks import gains_of
from flagstone.trials.deciding.pairs import counted_values
from flagstone.trials.outcomes import Confirmation, LookResult, RunOutcome


def confirmation(look: LookResult, direction: Direction, runs: Sequence[RunOutcome] = ()) -> Confirmation:
    """The numbers of the look that decided. Its `runs` are asked for their wall times only.

    Every number is after the failure rule. If the look had no p, neither have the tests and intervals.
    """
    gains, values = gains_of(look.pairs), counted_values(look.pairs, direction)
    test = None if look.p is None else paired_test(gains)
    g, g_low, g_high = parts(hedges_g(*values, direction) if test else None)
    g_z, g_z_low, g_z_high = parts(hedges_gz(gains) if test else None)
    return Confirmation(
        n=len(gains),
        mean=look.mean,
        sd=look.sd,
        ci_low=test.ci_low if test else None,
        ci_high=test.ci_high if test else None,
        bound=lower_bound(gains, look.alpha) if test else None,
        upper=upper_bound(gains) if test else None,
        p=look.p,
        alpha_spent=look.alpha,
        d=cohens_d(*values, direction) if test else None,
        g=g,
        g_low=g_low,
        g_high=g_high,
        d_z=parts(effect_dz(gains) if test else None)[0],
        g_z=g_z,
        g_z_low=g_z_low,
        g_z_high=g_z_high,
        sign_flip=sign_flip(gains) if test else None,
        welch=welch(*values, direction) if test else None,
        pairs=look.pairs,
        wall_control_s=wall_s(run for run in runs if run.arm == CONTROL),
        wall_treated_s=wall_s(run for run in runs if run.arm == look.arm),
    )


def parts(effect: Effect | None) -> tuple[float | None, float | None, float | None]:
    return (effect.value, effect.low, effect.high) if effect else (None, None, None)


def wall_s(runs: Iterable[RunOutcome]) -> float:
    """The mean wall time of an arm's runs; 0 if none is known."""
    took = [run.wall_s for run in runs]
    return mean(took) if took else 0.0
