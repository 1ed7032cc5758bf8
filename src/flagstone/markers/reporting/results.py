"""The runs of a marker as people and scripts read them: kept, discarded, crashed, or a violation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flagstone.experiments.ledger import Entry, LedgerRow, entries_of
from flagstone.markers.folder import MarkerFolder
from flagstone.plans import Home
from flagstone.statistics import mad_confidence
from flagstone.text import one_line


@dataclass(frozen=True)
class ResultRow:
    """One run. The first six are what other tools call the results of a marker."""

    commit: str
    metric: float | None
    guard: str
    status: str
    confidence: str
    description: str
    run: str
    home: str
    reason: str


def result_rows(folder: MarkerFolder) -> list[ResultRow]:
    """Every run of every experiment of a marker, the oldest first."""
    return [row for home in folder.homes for row in rows_in(home)]


def rows_in(home: Home) -> Iterator[ResultRow]:
    kept: list[float] = []
    baseline = None
    for entry in entries_of(home.ledger):
        if entry.improved and entry.value is not None:
            baseline = entry.value if entry.is_baseline else baseline
            kept += [] if entry.is_baseline else [entry.value]
        yield ResultRow(
            commit=entry.commit,
            metric=entry.value,
            guard=guard_word(entry),
            status=status_word(entry),
            confidence=score_text(baseline, kept) if entry.improved else "--",
            description="the unedited files" if entry.is_baseline else one_line(entry.note, 200),
            run=entry.run_id,
            home=home.root.name,
            reason=one_line(entry.reason, 300),
        )


def status_word(entry: LedgerRow) -> str:
    if entry.status == "violation":
        return "violation"
    if entry.status in ("crash", "timeout"):
        return "crash"
    return "keep" if entry.improved else "discard"


def guard_word(entry: Entry) -> str:
    tries = entry.tries_of("guard")
    if not tries:
        return "--"
    return "fail" if entry.refused_by == "guard" else "pass"


def score_text(baseline: float | None, kept: list[float]) -> str:
    """How far the best is from the baseline, in spreads of what was kept. It only tells; the noise rule decides."""
    score = mad_confidence(baseline, kept[-1], kept)[0] if baseline is not None and kept else None
    return "--" if score is None else f"{score:.2f}"


def table(rows: Iterable[ResultRow]) -> str:
    """The rows as tab-separated values, with a header."""
    lines = [
        list(ResultRow.__dataclass_fields__),
        *([cell_text(value) for value in vars(row).values()] for row in rows),
    ]
    return "\n".join("\t".join(line) for line in lines)


def cell_text(value: str | float | None) -> str:
    if isinstance(value, str):
        return value.replace("\t", " ")
    return "" if value is None else f"{value:.10g}"
