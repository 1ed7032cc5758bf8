"""Whether a run is ready to leave the house: computed from the checks of its stages, never ticked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flagstone.artifacts.rules import READINESS_FILES
from flagstone.bundle.archive import record_bytes
from flagstone.gates import RunConfig, last_publication, offer_of
from flagstone.records import keep, read_record
from flagstone.seals import last_decision
from flagstone.stages import Stage
from flagstone.text import one_line

PASS, FAIL, NOT_CHECKED = "pass", "fail", "not checked"
OUTCOMES = {"passed": PASS, "failed": FAIL, "not checked": NOT_CHECKED}
OWN_LIST = "readiness.json"  # what the agent's own program found; it can take a point away, and give none


@dataclass(frozen=True)
class ReadinessPoint:
    """One thing that has to be in order, and what is known of it."""

    stage: str
    rule: str
    outcome: str
    evidence: str


@dataclass(frozen=True)
class Readiness:
    """All points, and the decision that follows from them."""

    points: tuple[ReadinessPoint, ...]

    @cached_property
    def counts(self) -> dict[str, int]:
        found = Counter(point.outcome for point in self.points)
        return {outcome: found[outcome] for outcome in (PASS, FAIL, NOT_CHECKED)}

    @property
    def decision(self) -> str:
        if self.counts[FAIL]:
            return "not ready"
        return "ready with reservations" if self.counts[NOT_CHECKED] else "ready"

    @property
    def words(self) -> str:
        """Such as `ready with reservations: 120 pass, 0 fail, 2 not checked`."""
        return f"{self.decision}: {', '.join(f'{count} {outcome}' for outcome, count in self.counts.items())}"

    def to_record(self) -> dict[str, Any]:
        rows = [vars(point) for point in self.points]
        return {"version": 1, "decision": self.decision, "counts": self.counts, "points": rows}

    def to_markdown(self) -> str:
        order = (FAIL, NOT_CHECKED, PASS)
        rows = [
            f"| {point.outcome} | {point.stage} | {point.rule} | {point.evidence.replace('|', '/')} |"
            for point in sorted(self.points, key=lambda point: order.index(point.outcome))
        ]
        head = ["| outcome | stage | rule | evidence |", "|---|---|---|---|"]
        about = "Flagstone computed this list from the checks of each stage as it was approved. No agent can tick it."
        return "\n".join(["# Readiness", "", f"**{self.words}**", "", about, "", *head, *rows, ""])


def readiness_of(opened: RunConfig, stage: Stage) -> Readiness:
    """What is known of all that a stage rests on."""
    points = [point for up in opened.table.ancestors(stage.nr) for point in points_of(opened, up)]
    return Readiness((*points, *own_points(opened, stage)))


def points_of(opened: RunConfig, stage: Stage) -> Iterator[ReadinessPoint]:
    """The checks of the version that was published last, and who approved it."""
    run = opened.run
    was = last_publication(run, stage.nr, offer_of(run, stage))
    folder = run.drafts(stage.nr) / f"{was.attempt:03d}" if was else None
    rows = (read_record(folder / "checks.json") or {}).get("checks") if folder else None
    if not rows:
        yield ReadinessPoint(stage.nr, "checks", NOT_CHECKED, "there is no record of the checks of this stage")
    for row in rows or []:
        outcome = OUTCOMES.get(str(row.get("status")), NOT_CHECKED)
        yield ReadinessPoint(stage.nr, str(row.get("rule")), outcome, one_line(str(row.get("message")), 300))
    seal = last_decision(run, stage.nr, event="approved")
    if seal is None:
        yield ReadinessPoint(stage.nr, "approval", NOT_CHECKED, "nobody has approved this stage")
    elif seal.by == "person":
        yield ReadinessPoint(stage.nr, "approval", PASS, f"approved by a person, {seal.at}")
    else:
        yield ReadinessPoint(
            stage.nr, "approval", NOT_CHECKED, f"approved by a rule ({seal.policy}): no person had to read it"
        )


def own_points(opened: RunConfig, stage: Stage) -> Iterator[ReadinessPoint]:
    """What a program of the agent's found wrong, or left open."""
    rows = (read_record(opened.run.workspace / "reviews" / OWN_LIST) or {}).get("checks")
    for row in rows if isinstance(rows, list) else []:
        outcome = row.get("outcome") if isinstance(row, dict) else None
        if outcome in (FAIL, NOT_CHECKED):
            text = f"the agent's own program: {row.get('question', '')} {row.get('evidence', '')}"
            yield ReadinessPoint(stage.nr, one_line(str(row.get("id")), 60), str(outcome), one_line(text, 300))


def write_readiness(opened: RunConfig, stage: Stage) -> Readiness:
    """Computes the list anew and writes it, for people and for programs."""
    found = readiness_of(opened, stage)
    opened.run.below("bundle").mkdir(exist_ok=True)
    record, page = (opened.run.root / path for path in READINESS_FILES)
    keep(record, record_bytes(found.to_record()))
    keep(page, found.to_markdown().encode())
    return found
