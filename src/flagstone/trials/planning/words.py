"""The forecast of a trial in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flagstone.plans import MOST_ALPHA, Arm, TrialSpec
from flagstone.text import one_line
from flagstone.trials.deciding import COHENS_D_WARNING
from flagstone.trials.planning.forecast import GOOD_POWER, Forecast

LATER = "comes with the baseline"


def forecast_text(spec: TrialSpec, found: Forecast) -> str:
    """What `flagstone trials plan` prints, without its last line."""
    return "\n".join([*head_lines(spec, found), *look_lines(spec, found), *amount_lines(found), *warnings(spec, found)])


def head_lines(spec: TrialSpec, found: Forecast) -> Iterator[str]:
    metric = spec.experiment.metric
    arms = ", ".join(arm_words(arm) for arm in spec.arms) or f"up to {spec.ideas} ideas"
    yield f"{spec.name}: {one_line(spec.question)}"
    yield f"  control against {arms}: {metric.name}, {'less' if metric.direction == 'min' else 'more'} is better"
    yield f"  gate {spec.gate}; minimum effect {effect_words(spec, found)}"


def arm_words(arm: Arm) -> str:
    switch = " ".join([*(f"{key}={value}" for key, value in arm.env.items()), *arm.switch])
    return f"{arm.name} ({', '.join(filter(None, (switch, arm.tree)))})"


def effect_words(spec: TrialSpec, found: Forecast) -> str:
    if found.sd is None:
        return f"{spec.minimum_effect} (the sd of the baseline is not known yet)"
    if not found.sd:
        return f"{spec.minimum_effect}; every seed gives the baseline one value, so no test can be made of it"
    return f"{found.minimum_effect:.4g}, {found.minimum_effect_sd:.3g} times the baseline's sd of {found.sd:.4g}"


def look_lines(spec: TrialSpec, found: Forecast) -> Iterator[str]:
    if spec.gate == "cohens_d":
        yield "  3 runs against 3 by effect size, and 5 against 5 if that does not decide; there is no test and no α"
        yield f"  {COHENS_D_WARNING}\n  With `gate: confirm` it is 3 % of the time."
        return
    yield "  look  pairs  α         power       smallest p: exact  sign-flip"
    for number, look in enumerate(found.looks, 1):
        power = range_words(look.power) if look.power else "later"
        yield (
            f"  {number:<4}  {look.pairs:<5}  {look.alpha:<8.3g}  {power:<10}  {look.smallest_p:<17.3g}  "
            f"{look.smallest_sign_flip_p:.3g}"
        )
    yield "  The deciding paired t-test has no smallest p. α is one-sided" + per_arm(spec)
    yield f"  pre-registration {found.number} for this metric and contract, so α is {alpha_words(found)}"
    if not found.power:
        yield f"  power: {LATER}"
        return
    needed = " or ".join(str(each) for each in found.pairs_needed)
    yield "  power: the chance to accept a true effect of this size; arms that do not correlate – that correlate by 0.5"
    yield f"  pairs for a power of {GOOD_POWER} at the last α: {needed}"
    reached = range_words(found.reached)
    yield f"  SUPPORTED also needs a mean of at least that: at a true effect of just this size, {reached} of trials"


def alpha_words(found: Forecast) -> str:
    """What all looks may spend together, and why."""
    alphas = [MOST_ALPHA / 2**number for number in range(found.number)]
    named = [f"{name} ({alpha:.3g})" for name, alpha in zip(found.earlier, alphas, strict=False)]
    return f"{alphas[-1]:.3g}" + (f", half of that before: {', '.join(named)}" if named else "")


def per_arm(spec: TrialSpec) -> str:
    return f", divided by {len(spec.arms)} arms" if len(spec.arms) > 1 else ""


def range_words(values: Sequence[float]) -> str:
    return "–".join(f"{value:.2f}" for value in values)


def amount_lines(found: Forecast) -> Iterator[str]:
    amounts = found.amounts
    (fewest, most), (least_h, most_h) = amounts.runs, amounts.hours
    source = "as the baseline took" if amounts.is_measured else "at most"
    yield f"  runs: {fewest} to {most}, the baseline and checks included"
    yield f"  time, one run after another: {hours_text(least_h, most_h)} ({amounts.seconds:.3g} s a run, {source})"
    if amounts.gpu_hours[1]:
        yield f"  GPU hours: {amounts.gpu_hours[0]:.3g} to {amounts.gpu_hours[1]:.3g}"
    yield "  cost: what the agents of its ideas cost" if amounts.asks_agents else "  cost: no agent is asked"


def warnings(spec: TrialSpec, found: Forecast) -> Iterator[str]:
    if found.problem and spec.underpowered == "accept":
        yield f"  underpowered, and accepted: {found.problem}"


def hours_text(least_h: float, most_h: float) -> str:
    """A range of hours, in the largest unit of which it has at least one."""
    unit, size = next(
        (name, size) for name, size in (("h", 1), ("min", 60), ("s", 3600)) if most_h * size >= 1 or name == "s"
    )
    return f"{least_h * size:.3g} to {most_h * size:.3g} {unit}"
