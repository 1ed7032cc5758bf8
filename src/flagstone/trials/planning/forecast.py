"""What a trial can find, and what it takes, worked out before it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

from flagstone.errors import FlagstoneError
from flagstone.plans import Look, TrialSpec
from flagstone.statistics import deviation, ladder_power, mean, paired_power, pairs_needed, smallest_p
from flagstone.trials.lines import RunLine
from flagstone.trials.planning.amounts import Amounts, amounts_of

LEAST_POWER = 0.5
GOOD_POWER = 0.8
CORRELATIONS = (0.0, 0.5)  # of control and treated on one seed, which is not known before they ran
MOST_PAIRS = 1000  # that a plan may have


@dataclass(frozen=True)
class Baseline:
    """What is known of the control: how much its metric varies from seed to seed, and how long a run takes."""

    sd: float
    wall_s: float
    is_deterministic: bool | None = None


@dataclass(frozen=True)
class LookForecast:
    """A planned look. `power` is the chance that it or one before accepts the minimum effect, by correlation."""

    pairs: int
    alpha: float
    power: tuple[float, ...]
    smallest_p: float  # of any exact test; a t-test has no smallest p
    smallest_sign_flip_p: float


@dataclass(frozen=True)
class Forecast:
    """What is known before a trial runs. None: it comes with the baseline."""

    minimum_effect: float | None
    minimum_effect_sd: float | None
    sd: float | None
    looks: tuple[LookForecast, ...]
    pairs_needed: tuple[int | None, ...]
    reached: tuple[float, ...]  # the chance that the mean is not below the minimum effect either, by correlation
    amounts: Amounts
    number: int = 1  # of the pre-registration
    earlier: tuple[str, ...] = ()  # the trials that share its α, in their order
    problem: str = ""
    hint: str = ""

    @property
    def power(self) -> tuple[float, ...]:
        return self.looks[-1].power if self.looks else ()


def baseline_of(runs: Sequence[RunLine], is_deterministic: bool | None = None) -> Baseline | None:
    """What the runs of the control on the screening seeds tell. Returns None before two of them have a value."""
    values = [run.value for run in runs if run.value is not None]
    if len(values) < 2:
        return None
    return Baseline(deviation(values), mean([run.wall_s for run in runs]), is_deterministic)


def plan_of(spec: TrialSpec, baseline: Baseline | None = None, number: int = 1, where: str = "") -> Forecast:
    """The forecast of a trial. `number` counts its pre-registrations: each further one has half the α.

    `where` is the line of the plan in which a person can accept that the trial may miss its effect.
    """
    sd = baseline.sd if baseline else None
    effect, multiple = effect_of(spec, sd)
    planned = looks_of(spec, number) if spec.gate == "confirm" else ()
    looks = tuple(forecast_of(planned[: k + 1], multiple) for k in range(len(planned)))
    needed = tuple(number_needed(multiple, planned[-1].alpha, each) for each in CORRELATIONS if planned and multiple)
    shifts = [shift_of(multiple, each) for each in CORRELATIONS if planned and multiple]
    found = Forecast(
        effect,
        multiple,
        sd,
        looks,
        needed,
        tuple(ladder_power(each, steps_of(planned), minimum=each) for each in shifts),
        amounts_of(spec, baseline.wall_s if baseline else None, baseline.is_deterministic if baseline else None),
        number,
    )
    problem, hint = problem_in(spec, found)
    accepting = f"or accept it: `underpowered: accept`, in {where}" if where else "or accept it: `underpowered: accept`"
    return replace(found, problem=problem, hint=hint.format(accepting=accepting))


def refuse_if_hopeless(spec: TrialSpec, baseline: Baseline | None, number: int = 1, where: str = "") -> None:
    """Raises an error if the trial could hardly find its minimum effect, unless its plan accepts that."""
    if spec.underpowered == "accept" or has_good_look(spec, baseline, number):
        return
    found = plan_of(spec, baseline, number, where)
    if found.problem:
        raise FlagstoneError(found.problem, hint=found.hint)


def has_good_look(spec: TrialSpec, baseline: Baseline | None, number: int) -> bool:
    """Whether one look alone is likely to find the minimum effect. This needs no simulation."""
    sd = baseline.sd if baseline else None
    shift = shift_of(effect_of(spec, sd)[1], CORRELATIONS[-1])
    able = [look for look in looks_of(spec, number) if smallest_p(look.pairs, "permutation") <= look.alpha]
    return sd != 0 and any(paired_power(shift, look.pairs, look.alpha) >= LEAST_POWER for look in able)


def effect_of(spec: TrialSpec, sd: float | None) -> tuple[float | None, float | None]:
    """The minimum effect in units of the metric, and as a multiple of the baseline's sd."""
    if isinstance(spec.minimum_effect, str):
        multiple = float(spec.minimum_effect.removesuffix(" sd"))
        return (None if sd is None else multiple * sd), multiple
    return spec.minimum_effect, spec.minimum_effect / sd if sd else None


def looks_of(spec: TrialSpec, number: int) -> tuple[Look, ...]:
    """The planned looks with the α of one arm."""
    share = max(1, len(spec.arms) if not spec.screen else 1) * 2 ** (number - 1)
    return tuple(Look(look.pairs, look.alpha / share) for look in spec.looks)


def forecast_of(looks: Sequence[Look], multiple: float | None) -> LookForecast:
    """The last of these looks, after those before it."""
    shifts = [shift_of(multiple, each) for each in CORRELATIONS if multiple]
    power, pairs = tuple(ladder_power(each, steps_of(looks)) for each in shifts), looks[-1].pairs
    return LookForecast(pairs, looks[-1].alpha, power, smallest_p(pairs, "permutation"), smallest_p(pairs, "sign_flip"))


def steps_of(looks: Sequence[Look]) -> list[tuple[int, float]]:
    return [(look.pairs, look.alpha) for look in looks]


def shift_of(multiple: float | None, correlation: float) -> float:
    """The minimum effect as a multiple of the sd of the improvements, for arms that vary alike."""
    return (multiple or 0.0) / sqrt(2 * (1 - correlation))


def number_needed(multiple: float | None, alpha: float, correlation: float) -> int | None:
    return pairs_needed(multiple, 1.0, correlation, power=GOOD_POWER, alpha=alpha) if multiple else None


def problem_in(spec: TrialSpec, found: Forecast) -> tuple[str, str]:
    """Why the trial is not worth its runs, and what would do, with a gap for how to accept it; empty if it may be."""
    if spec.gate == "cohens_d":
        return "", ""
    if isinstance(spec.minimum_effect, str) and found.sd == 0:
        return (
            f"{spec.minimum_effect} is no effect: the baseline has one {spec.experiment.metric.name} on every seed",
            "pass {{seed}} to the command, or give minimum_effect in units of the metric",
        )
    if all(look.smallest_p > look.alpha for look in found.looks):
        last = found.looks[-1]
        pairs = next(n for n in range(2, MOST_PAIRS) if smallest_p(n, "permutation") <= last.alpha)
        return (
            f"{last.pairs} runs against {last.pairs} cannot have a p below {last.smallest_p:.3g} by an exact test, "
            f"and α is {last.alpha:.3g}",
            f"plan a look at {pairs} pairs or more; {{accepting}}",
        )
    if found.power and found.power[-1] < LEAST_POWER:
        return weak_words(spec, found)
    return "", ""


def weak_words(spec: TrialSpec, found: Forecast) -> tuple[str, str]:
    needed, last = found.pairs_needed[-1] or 0, found.looks[-1].pairs
    effect = spec.minimum_effect if isinstance(spec.minimum_effect, str) else f"{spec.minimum_effect:g}"
    problem = (
        f"{last} pairs would show an improvement of {effect} with a probability of {found.power[-1]:.2f} only, "
        f"even if the arms correlate by {CORRELATIONS[-1]}; {needed} pairs would have {GOOD_POWER}"
    )
    wider = f"plan `looks` up to {needed} pairs, or " if needed <= MOST_PAIRS else "no affordable number will do: "
    return problem, f"{wider}choose a larger minimum_effect; {{accepting}}"
