"""Why the best of a marker is believed: what the noise rule saw of each keep, and tccw's score beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flagstone.experiments.ledger import Entry, entries_of
from flagstone.markers.folder import MarkerFolder
from flagstone.plans import Home
from flagstone.schemas import read_yaml
from flagstone.statistics import mad_confidence

Decider = Literal["noise rule", "one run", ""]


@dataclass(frozen=True)
class Keep:
    """One kept run, and what spoke for it. `chance` is that of such a gain without any; None if nothing varied."""

    run: str
    metric: float
    evidence: str
    runs: int
    pairs: int
    chance: float | None
    score: float | None


@dataclass(frozen=True)
class Confidence:
    """How sure it is that the best is better than the baseline. `score` and `label` are tccw's; they decide nothing."""

    home: str = ""
    baseline: float | None = None
    best: float | None = None
    score: float | None = None
    label: str = "UNKNOWN"
    decided_by: Decider = ""
    baseline_evidence: str = ""
    keeps: tuple[Keep, ...] = ()


def confidence_of(folder: MarkerFolder) -> Confidence:
    """That of the newest experiment which has a baseline: numbers of different base commits do not compare."""
    for home in reversed(folder.homes):
        entries = [entry for entry in entries_of(home.ledger) if entry.improved and entry.value is not None]
        if entries:
            return confidence_in(home, entries)
    return Confidence()


def confidence_in(home: Home, entries: Sequence[Entry]) -> Confidence:
    first, *kept = entries
    assert first.value is not None
    values = [entry.value for entry in kept if entry.value is not None]
    scores = [mad_confidence(first.value, value, values[: count + 1]) for count, value in enumerate(values)]
    keeps = [keep_of(entry, score) for entry, (score, _) in zip(kept, scores, strict=True)]
    score, label = scores[-1] if scores else (None, "UNKNOWN")
    return Confidence(
        home=home.root.name,
        baseline=first.value,
        best=values[-1] if values else first.value,
        score=score,
        label=label,
        decided_by="one run" if is_noise_off(home) else "noise rule",
        baseline_evidence=first.reason,
        keeps=tuple(keeps),
    )


def keep_of(entry: Entry, score: float | None) -> Keep:
    chance = entry.judgement.get("evidence")
    return Keep(
        run=entry.run_id,
        metric=entry.value or 0.0,
        evidence=entry.reason,
        runs=len(entry.measurements),
        pairs=int(entry.judgement.get("pairs") or 0),
        chance=float(chance) if isinstance(chance, int | float) else None,
        score=score,
    )


def is_noise_off(home: Home) -> bool:
    return read_yaml(home.spec).get("noise") in ("off", False)
