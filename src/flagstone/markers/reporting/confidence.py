"""Why the best of a marker is believed: what the noise rule saw of each keep, and tccw's score beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from flagstone.experiments.ledger import Entry, entries_of
from flagstone.markers.folder import MarkerFolder
from flagstone.plans import Home
from flagstone.schemas import read_yaml
from flagstone.statistics import mad_confidence
from flagstone.text import count_text, one_line

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


def confidence_lines(found: Confidence) -> Iterator[str]:
    """The same in words. Nothing if nothing is measured yet."""
    if found.baseline is None:
        return
    keeps = count_text(len(found.keeps), "keep")
    yield f"baseline {found.baseline:g} → best {found.best:g}, {keeps}, in experiment {found.home}"
    yield f"score of tccw: {score_text(found)}"
    yield f"decided by: {decision_text(found)}"
    yield f"  r0001  {found.baseline:.6g}  {one_line(found.baseline_evidence)}"
    for each in found.keeps:
        yield f"  {each.run}  {each.metric:.6g}  {evidence_text(each)}"


def score_text(found: Confidence) -> str:
    if found.score is not None:
        return f"{found.score:.2f} ({found.label})"
    if len(found.keeps) < 3:
        return f"unknown, because it needs 3 kept values and has {len(found.keeps)}"
    return "unknown, because the kept values do not lie apart"


def decision_text(found: Confidence) -> str:
    if found.decided_by == "one run":
        return "one run each, because noise is off: every strictly better number was kept"
    return "the noise rule; the score decided nothing"


def evidence_text(keep: Keep) -> str:
    times = f", measured {keep.runs} times" if keep.runs > 1 and not keep.pairs else ""
    return f"{one_line(keep.evidence)}{times}"
