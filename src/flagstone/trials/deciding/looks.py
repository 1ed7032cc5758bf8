"""A look at the confirmation of one arm, and the verdict after the last one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flagstone.statistics import Direction, deviation, is_at_least, mean, paired_test, upper_bound
from flagstone.trials.deciding.pairs import pairs_of
from flagstone.trials.outcomes import LookResult, Outcome, Pair, RunOutcome

NEGLIGIBLE = 1e-12  # of the largest value
NO_SEED = "the seed does not reach the code"
EQUAL_GAINS = f"every seed gives the same improvement, so there is no noise to judge it by: {NO_SEED} that makes it"


@dataclass(frozen=True)
class LookRule:
    """What a look is held to. `alpha` is what it may spend on this arm: that of the look, divided among the arms."""

    number: int  # from 1
    alpha: float
    minimum_effect: float  # in units of the metric
    direction: Direction


def look_result(arm: str, control: Sequence[RunOutcome], treated: Sequence[RunOutcome], rule: LookRule) -> LookResult:
    """One look. It accepts if chance alone hardly makes such improvements, and they are worth having on average."""
    pairs = pairs_of(control, treated, rule.direction)
    gains = gains_of(pairs)
    middle, sd = mean(gains), deviation(gains) if len(gains) > 1 else None
    missing = missing_text(pairs)
    problem = missing or noise_problem(pairs)
    is_degenerate = bool(problem) and not missing
    p = None if problem else paired_test(gains).p
    is_accepted = p is not None and p <= rule.alpha and is_at_least(middle, rule.minimum_effect)
    reason = problem or reason_text(p or 0.0, middle, rule)
    return LookResult(arm, rule.number, pairs, middle, sd, p, rule.alpha, is_accepted, is_degenerate, reason)


def gains_of(pairs: Iterable[Pair]) -> list[float]:
    return [pair.improvement or 0.0 for pair in pairs]


def noise_problem(pairs: Sequence[Pair]) -> str:
    """Why a test would call these pairs certain, or an empty text: an arm, or the improvement, has one value."""
    arms = [[pair.control for pair in pairs], [pair.treated for pair in pairs]]
    values = [[value for value in arm if value is not None] for arm in arms]
    if any(len(arm) > 1 and len(set(arm)) == 1 for arm in values):
        return NO_SEED
    gains = gains_of(pairs)
    # Relative to the values too: the last digits of their differences are rounding.
    largest = max(abs(value) for value in (*gains, *values[0], *values[1]))
    is_equal = len(pairs) > 1 and deviation(gains) <= NEGLIGIBLE * largest
    return EQUAL_GAINS if is_equal else ""


def missing_text(pairs: Sequence[Pair]) -> str:
    """Why these pairs are too few for a test, or an empty text."""
    failed = sum(pair.status != "ok" for pair in pairs)
    if 2 * failed > len(pairs):
        return f"{failed} of {len(pairs)} pairs have a failed run"
    return "one pair has no sd" if len(pairs) < 2 else ""


def reason_text(p: float, middle: float, rule: LookRule) -> str:
    chance = f"p {p:.4g} is {'at most' if p <= rule.alpha else 'above'} {rule.alpha:.4g}"
    reaches = "reaches" if is_at_least(middle, rule.minimum_effect) else "is below"
    return f"{chance}; the mean improvement {middle:.4g} {reaches} the minimum effect {rule.minimum_effect:.4g}"


def verdict(last: LookResult, minimum_effect: float, exploratory: str = "") -> tuple[Outcome, str]:
    """The outcome of an arm after its last look, and why. `exploratory` says why it cannot be SUPPORTED, if so."""
    if last.is_accepted:
        supported = (Outcome.SUPPORTED, last.reason)
        return (Outcome.INCONCLUSIVE, f"{last.reason}; exploratory only: {exploratory}") if exploratory else supported
    if last.p is None:
        return Outcome.INCONCLUSIVE, last.reason
    most = upper_bound(gains_of(last.pairs))
    bound = f"at most {most:.4g} is likely (one-sided 95 % bound)"
    if most < 0:
        return Outcome.HARMFUL, bound
    if not is_at_least(most, minimum_effect):
        return Outcome.NO_PRACTICAL_EFFECT, f"{bound}; the minimum effect is {minimum_effect:.4g}"
    return Outcome.INCONCLUSIVE, last.reason
