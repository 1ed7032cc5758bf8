"""Runs of trials that are drawn at random, and run again in the sandbox: does the same come out?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isclose, sqrt
from secrets import SystemRandom

from flagstone.bundle.verification.trials import PackedTrial
from flagstone.plans import CONTROL
from flagstone.statistics import t_quantile
from flagstone.trials import RunLine
from flagstone.trials.running import open_trial, repeat_run

CERTAINTY = 0.995  # of both ends: 1 % false alarms
SAME = 1e-9  # of another machine's last digits


@dataclass(frozen=True)
class RunAgain:
    """One run of a trial that ended well, and its seed."""

    trial: PackedTrial
    line: RunLine
    seed: int

    @property
    def name(self) -> str:
        return f"{self.trial.name} {self.line.arm}-{self.line.slot}"

    def value(self) -> float | None:
        """What it gives now. The code is a stranger's: it is run in the sandbox, or not at all."""
        found = repeat_run(open_trial(self.trial.plan, self.trial.schemas), self.line, self.seed, lambda _: None)
        return found.value if found.status == "ok" else None

    @property
    def tolerance(self) -> float:
        """How far a value may be from another of the same code and seed, by the repeats of the control's first run."""
        runs = [line for line in self.trial.runs if line.arm == CONTROL and line.slot.partition("r")[0] == "a1"]
        values = [line.value for line in runs if line.value is not None]
        if len(values) < 2:
            return 0.0
        centre = sum(values) / len(values)
        sd = sqrt(sum((value - centre) ** 2 for value in values) / (len(values) - 1))
        return float(t_quantile(CERTAINTY, len(values) - 1)) * sd * sqrt(1 + 1 / len(values))


def choose_runs(trials: Sequence[PackedTrial], count: int) -> list[RunAgain]:
    """As many runs as are asked for, by a draw that whoever made the bundle could not foresee."""
    known = [run for trial in trials for run in runs_of(trial)]
    return SystemRandom().sample(known, min(count, len(known)))


def runs_of(trial: PackedTrial) -> Iterator[RunAgain]:
    for line in trial.runs:
        seed = trial.seed(line.slot)
        if line.value is not None and seed is not None:
            yield RunAgain(trial, line, seed)


def outcome_of(run: RunAgain) -> tuple[bool, str]:
    """Whether a run gave the same again, and both numbers."""
    before, now = run.line.value, run.value()
    assert before is not None
    if now is None:
        return False, f"{run.name}: {before:g} as recorded, and no value now"
    if isclose(now, before, rel_tol=SAME):
        return True, f"{run.name}: {before:g} as recorded, the same now"
    is_inside = abs(now - before) <= run.tolerance
    where = f"{'inside' if is_inside else 'outside'} of what repeats of one run differ by ({run.tolerance:g})"
    return is_inside, f"{run.name}: {before:g} as recorded, {now:g} now, {where}"
