"""How far an experiment is: all that the next decision needs, folded from the ledger line by line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from flagstone.experiments.deciding import conditions, end_reason, is_exact_after, is_suspicious, varies
from flagstone.experiments.ledger.entry import Entry
from flagstone.plans import Spec

KEPT = 200
OF_IDEAS = ("max_experiments", "halt")  # they wait until the last idea had its reworks
RECENT = 6  # simulated: fewer say too little of the best, more are out of date where it drifts


@dataclass(frozen=True)
class Progress:
    """Everything the engine has to know of all runs so far. Its size does not grow with their number.

    `reference` holds what the best came to on each seed (None: to nothing), `recent` its last values, and
    `best_measured` when they were measured. `is_exact` says whether it gives the same value again on the same seed
    (None: that is unknown), `has_varied` whether equal files ever gave different numbers, `tests` how many candidates
    were repeated so far, `idle` how many runs in a row had no proposal, `kept` the values of the last gains, the
    baseline left out. `experiments` counts ideas, `failures` those that failed since the last gain; `next_rework` is
    the rework that the last run would have next (0: the guard did not refuse it). `has_halted` says whether the last
    run was one failure too many: if another one follows, a person has asked for it, and failures count anew. `gains`
    counts what was kept, without the baseline and the best of an earlier experiment.
    """

    number: int = 0
    best: Entry | None = None
    baseline: tuple[float, ...] = ()
    reference: Mapping[int, float | None] = field(default_factory=dict)
    recent: tuple[float, ...] = ()
    best_measured: int = 0
    is_exact: bool | None = None
    has_varied: bool = False
    tests: int = 0
    plateau: int = 0
    idle: int = 0
    wall_s: float = 0.0
    gpu_s: float = 0.0
    cost_usd: float = 0.0
    unknown_costs: int = 0
    tokens: float = 0.0
    experiments: int = 0
    failures: int = 0
    next_rework: int = 0
    has_halted: bool = False
    gains: int = 0
    verdicts: Mapping[str, int] = field(default_factory=dict)
    repeats: int = 0
    kept: tuple[float, ...] = ()
    began_at: str = ""

    @property
    def best_run(self) -> str:
        return self.best.run_id if self.best else ""

    @property
    def best_value(self) -> float | None:
        return self.best.value if self.best else None

    @property
    def typical_value(self) -> float | None:
        return self.best.typical_value if self.best else None

    @property
    def known_values(self) -> tuple[float, ...]:
        """The values of the best run on all seeds that were tried."""
        return tuple(value for value in self.reference.values() if value is not None)

    @property
    def amounts(self) -> dict[str, float]:
        """What was used up so far, by the name of the condition that limits it."""
        return {
            "max_runs": self.number,
            "plateau": self.plateau,
            "wall_h": self.wall_s / 3600,
            "gpu_h": self.gpu_s / 3600,
            "cost_usd": self.cost_usd,
            "tokens": self.tokens,
            "max_experiments": self.experiments,
            "halt": self.failures,
            "proposals": self.idle,
            "suspicion": float(self.best is not None and is_suspicious(self.best.flags)),
        }

    def reason_to_end(self, spec: Spec) -> str:
        """The condition that ends the experiment now. Returns '' if it goes on."""
        found = conditions(spec, self.typical_value, self.amounts)
        # a later run than the next one would be the rework, if runs are proposed ahead
        return end_reason(each for each in found if not (self.is_reworked_next(spec) and each.name in OF_IDEAS))

    def is_reworked_next(self, spec: Spec) -> bool:
        """Whether the next run gives a candidate that the guard refused back to its proposer."""
        return spec.lag == 1 and 0 < self.next_rework <= spec.rework

    def after(self, entry: Entry) -> Progress:
        """The same with one more line."""
        values = {each.seed: each.value for each in entry.measurements if each.value is not None}
        is_gain = entry.verdict == "advance"
        is_new_value = is_gain and not entry.is_baseline and entry.value is not None
        now = self.with_best_again(entry.reference, entry.number)
        recent = tuple(values.values())[-RECENT:] if is_gain else now.recent
        return Progress(
            number=entry.number,
            best=entry if is_gain else self.best,
            baseline=tuple(values.values()) if entry.is_baseline and entry.improved else self.baseline,
            reference=values if is_gain else now.reference,
            recent=recent,
            best_measured=entry.number if is_gain else now.best_measured,
            is_exact=now.is_exact,
            has_varied=now.has_varied or varies(tuple(values.values())),
            tests=self.tests + bool(entry.judgement.get("test")),
            plateau=self.plateau_after(entry),
            idle=0 if entry.has_proposal else self.idle + 1,
            wall_s=self.wall_s + entry.wall_s,
            gpu_s=self.gpu_s + entry.gpu_s,
            cost_usd=self.cost_usd + entry.spent_usd,
            unknown_costs=self.unknown_costs + (entry.cost_usd is None),
            tokens=self.tokens + entry.spent_tokens,
            experiments=self.experiments + entry.is_idea,
            failures=0 if entry.improved else entry.is_failure + (0 if self.has_halted else self.failures),
            has_halted=entry.has_halted,
            gains=self.gains + (is_gain and not entry.is_baseline and not entry.is_carried),
            next_rework=entry.reworks + 1 if entry.refused_by == "guard" else 0,
            verdicts={**self.verdicts, entry.word: self.verdicts.get(entry.word, 0) + 1},
            repeats=self.repeats + max(0, len(entry.measurements) - 1),
            kept=(*self.kept, entry.value)[-KEPT:] if is_new_value and entry.value is not None else self.kept,
            began_at=self.began_at or (entry.first.started_at if entry.first else "") or entry.ended_at,
        )

    def with_best_again(self, rows: Iterable[tuple[int, float | None]], number: int) -> Progress:
        """The same after the best was measured again in a run of this number."""
        known, recent, is_exact = dict(self.reference), self.recent, self.is_exact
        for seed, value in rows:
            is_exact = is_exact_after(is_exact, known.get(seed), value)
            known[seed] = value
            recent = recent if value is None else (*recent, value)[-RECENT:]
        if known == self.reference and recent == self.recent:
            return self
        has_varied = self.has_varied or varies([value for value in (*known.values(), *recent) if value is not None])
        return replace(
            self, reference=known, recent=recent, best_measured=number, is_exact=is_exact, has_varied=has_varied
        )

    def plateau_after(self, entry: Entry) -> int:
        """Runs in a row without a gain; one that failed counts neither way."""
        if entry.improved:
            return 0
        if entry.reworks:
            return self.plateau
        return self.plateau + ((entry.status == "ok" or entry.is_stopped_early) and not entry.is_baseline)
