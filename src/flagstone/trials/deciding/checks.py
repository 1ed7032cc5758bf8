"""The checks of an idea before it is screened: off, on, size and scale, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import isfinite

from flagstone.statistics import deviation, mean, off_shift, off_tolerance
from flagstone.text import count_text, list_text
from flagstone.trials.deciding.pairs import failed_text, matched_runs, usable_value, usable_values
from flagstone.trials.outcomes import CheckResult, RunOutcome

OFF_BASELINE, OFF_REPEATS = 5, 2  # runs of a1 that the check `off` needs if the code is not deterministic
ARGUMENT = bool | int | float | str


def is_deterministic(run: RunOutcome, again: RunOutcome) -> bool:
    """Whether the same code on the same seed gave the same value twice, to the last bit."""
    value = usable_value(run)
    return value is not None and value == usable_value(again)


def off_check(baseline: Sequence[RunOutcome], off: Sequence[RunOutcome]) -> CheckResult:
    """Whether the idea's code with its switch off still does what the baseline does.

    `baseline` is a1 and its repeats, `off` the idea's code on the same seed. Two equal values of the baseline ask for
    exact equality; otherwise the means may differ by what 99 % of identical code stays within.
    """
    problem = failed_text("baseline", baseline) or failed_text("run with the switch off", off)
    if problem:
        return CheckResult("off", False, problem)
    ours, theirs = usable_values(off), usable_values(baseline)
    if len(set(theirs)) == 1:
        return exact_check(theirs[0], ours)
    if (len(theirs), len(ours)) != (OFF_BASELINE, OFF_REPEATS):
        raise ValueError("code that is not deterministic needs five runs of the baseline and two with the switch off")
    shift = mean(ours) - mean(theirs)
    tolerance, visible = off_tolerance(deviation(theirs)), off_shift(deviation(theirs))
    return CheckResult(
        "off",
        abs(shift) <= tolerance,
        f"with the switch off the mean differs from the baseline's by {abs(shift):.4g}; up to {tolerance:.4g} is noise "
        f"(1 % false alarms); a true shift of {visible:.4g} is seen in four of five cases",
        {"deterministic": False, "shift": shift, "tolerance": tolerance, "visible_shift": visible},
    )


def exact_check(baseline: float, off: Sequence[float]) -> CheckResult:
    other = next((value for value in off if value != baseline), None)
    facts = {"deterministic": True, "baseline": baseline, "off": off[0] if other is None else other}
    if other is None:
        return CheckResult("off", True, "with the switch off the value equals the baseline's exactly", facts)
    reason = f"with the switch off the value is {other!r}, but the baseline has {baseline!r}; the code is deterministic"
    return CheckResult("off", False, reason, facts)


def sigma_check(baseline: Sequence[RunOutcome], off: RunOutcome) -> CheckResult:
    """The check `off` of the gate `cohens_d`: within one sd of the baseline's mean, on the seeds a1 to a5.

    It rejects identical code a third of the time, so it fails an idea only if the value on a1 differs from the
    baseline's as well. What it found is always in the facts.
    """
    problem = failed_text("baseline", baseline) or failed_text("run with the switch off", [off])
    if problem:
        return CheckResult("off", False, problem)
    values, value = usable_values(baseline), off.value or 0.0
    sd = deviation(values) if len(values) > 1 else None
    distance = abs(value - mean(values))
    is_within = sd is not None and distance <= sd
    is_equal = value == next((run.value for run in baseline if run.slot == off.slot), None)
    sds = f"{distance / sd:.2f} sd" if sd else f"{distance:.4g}"
    reason = f"with the switch off the value is {sds} from the baseline's mean; the rule allows 1 sd, which rejects "
    reason += "a third of identical code"
    reason += "; it equals the baseline's on this seed exactly" if is_equal else ""
    facts = {"within_1_sd": is_within, "bit_equal": is_equal, "distance": distance, "baseline_sd": sd}
    return CheckResult("off", is_within or is_equal, reason, facts)


def on_check(
    control: Sequence[RunOutcome], treated: RunOutcome, metric: str, observe: Sequence[str] = ()
) -> CheckResult:
    """Whether the switch does anything: on a1 the metric, or a value that the plan observes, has to move.

    `control` is a1 and its repeats. A value moves if it differs from a1's by more than every repeat does.
    """
    problem = failed_text("treated run", [treated]) or failed_text("baseline", control)
    if problem:
        return CheckResult("on", False, problem)
    moved = [
        name
        for name in (metric, *observe)
        if is_moved([figure_of(run, name, metric) for run in control], figure_of(treated, name, metric))
    ]
    if moved:
        return CheckResult("on", True, f"the switch moves {list_text(moved)}", {"moved": ", ".join(moved)})
    tried = list_text([metric, *observe])
    reason = f"the switch does nothing that can be seen: {tried} differs by no more than repeats of the control do"
    return CheckResult("on", False, reason if observe else f"{reason}; `observe` can name what it has to move")


def figure_of(run: RunOutcome, name: str, metric: str) -> float | None:
    return run.value if name == metric else run.metrics.get(name)


def is_moved(control: Sequence[float | None], treated: float | None) -> bool:
    """False as well if a value is missing or NaN: what was not seen to move did not move."""
    figures = [value for value in control if value is not None and isfinite(value)]
    if treated is None or len(figures) < len(control):
        return False
    return abs(treated - figures[0]) > max(abs(value - figures[0]) for value in figures)


def size_check(lines: int, largest: int) -> CheckResult:
    """Whether the idea's diff is small enough to be judged as one idea."""
    reason = f"the diff has {count_text(lines, 'line')}; `largest_change` allows {largest}"
    return CheckResult("size", lines <= largest, reason, {"lines": lines, "largest_change": largest})


def scale_check(names: Iterable[str], control: Mapping[str, ARGUMENT], treated: Mapping[str, ARGUMENT]) -> CheckResult:
    """Whether both arms had the same scale. `control` and `treated` are the metrics and arguments of a run each.

    A comparison in which one arm computes more is invalid, whichever arm that is.
    """
    told = [scale_text(name, control.get(name), treated.get(name)) for name in names]
    problems = [problem for problem in told if problem]
    if not problems:
        return CheckResult("scale", True, f"both arms have the same {list_text(list(names))}")
    return CheckResult("scale", False, list_text(problems))


def scaled_runs(
    control: Sequence[RunOutcome], treated: Sequence[RunOutcome], names: Sequence[str]
) -> tuple[RunOutcome, ...]:
    """The treated runs, of which those are invalid whose scale differs from the control's on the same seed.

    Only what runs report is compared here: arguments belong to the whole arm, and `scale_check` compares them.
    """
    return tuple(scaled_run(run, other, names) for run, other in matched_runs(control, treated))


def scaled_run(control: RunOutcome, treated: RunOutcome, names: Sequence[str]) -> RunOutcome:
    told = [name for name in names if name in control.metrics or name in treated.metrics]
    found = scale_check(told, control.metrics, treated.metrics)
    is_compared = usable_value(control) is not None and usable_value(treated) is not None
    return replace(treated, status="invalid", reason=found.reason) if is_compared and not found.is_passed else treated


def scale_text(name: str, control: ARGUMENT | None, treated: ARGUMENT | None) -> str:
    if control is None or treated is None:
        who = "neither arm" if control is treated else "the control" if control is None else "the treated arm"
        missing = f"{who} reports {name}" if who == "neither arm" else f"{who} does not report {name}"
        return f"{missing}, so equal compute is not shown"
    different = f"more compute: {name} is {control} in the control and {treated} in the treated arm"
    return "" if control == treated else different
