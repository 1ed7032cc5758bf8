"""How a marker stands, from its files: what a table of all markers shows."""

from __future__ import annotations

from dataclasses import dataclass

from flagstone.experiments.ledger import History, Progress, tail_entries
from flagstone.locks import holder_of
from flagstone.markers.folder import MarkerFolder
from flagstone.markers.marker import Marker, MarkerStatus
from flagstone.markers.session import status_of
from flagstone.statistics import mad_confidence


@dataclass(frozen=True)
class MarkerState:
    """One marker. Runs, keeps and costs are those of all its experiments; the numbers are those of the newest one.

    `process` is that of the session that goes on now.
    """

    marker: str
    repository: str
    description: str
    status: MarkerStatus
    process: int | None
    last_run_at: str
    runs: int
    kept: int
    baseline: float | None
    best: float | None
    confidence: float | None
    confidence_label: str
    cost_usd: float
    tokens: float


def state_of(marker: Marker) -> MarkerState:
    folder = MarkerFolder.of(marker.repository, marker.name)
    homes, holder = folder.homes, holder_of(folder.lock)
    every = [History.read(home).progress for home in homes]
    newest = next((each for each in reversed(every) if each.baseline), Progress())
    baseline = newest.baseline[0] if newest.baseline else None
    score, label = score_of(newest)
    last = next((rows[-1] for home in reversed(homes) if (rows := tail_entries(home.ledger, 1))), None)
    return MarkerState(
        marker=marker.name,
        repository=str(marker.repository),
        description=marker.description,
        status=status_of(marker),
        process=int(holder["pid"]) if holder and str(holder.get("pid", "")).isdigit() else None,
        last_run_at=last.ended_at if last else "",
        runs=sum(each.number for each in every),
        kept=sum(each.gains for each in every),
        baseline=baseline,
        best=newest.best_value,
        confidence=score,
        confidence_label=label,
        cost_usd=sum(each.cost_usd for each in every),
        tokens=sum(each.tokens for each in every),
    )


def score_of(progress: Progress) -> tuple[float | None, str]:
    """The score of tccw, as `confidence` shows it."""
    if not progress.baseline or progress.best_value is None:
        return None, "UNKNOWN"
    return mad_confidence(progress.baseline[0], progress.best_value, progress.kept)
