"""The references of a run's paper: every cited work asked for, the bibliography, and what a person has to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone.artifacts import RuleCheck
from flagstone.layout import Run
from flagstone.paper.citations.answers import LOCK, Answers, NoNetwork, read_lock, records_in, write_lock
from flagstone.paper.citations.bibtex import bibliography
from flagstone.paper.citations.requests import SOURCES, CitationRequest, key_text, read_requests
from flagstone.paper.citations.verifying import CitationStatus, Verification, verify
from flagstone.settings import Settings
from flagstone.text import count_text, list_text

RULE = "citation-verification"
DEMO_RECORDS = Path(__file__).parents[2] / "agents" / "demo" / "material" / "citations"
BY_HAND = "checked against the records that come with the demo; no network was asked"


@dataclass(frozen=True)
class CitationRow:
    """What became of one cited work, as citation_verification.json lists it."""

    key: str
    status: CitationStatus
    message: str
    asked: str  # the digest of the request
    identifier: str = ""
    title: str = ""
    source: str = ""
    hand_made: bool = False


@dataclass(frozen=True)
class References:
    """The bibliography of a paper, a row for each cited work, and the check."""

    bib: str
    rows: tuple[CitationRow, ...]
    checks: tuple[RuleCheck, ...]

    def as_record(self) -> dict[str, object]:
        """What citation_verification.json holds."""
        hand_made = any(row.hand_made for row in self.rows)
        return {"version": 1, "hand_made": hand_made, "rows": [dict(vars(row)) for row in self.rows]}


def references_of(run: Run, cited: Sequence[str], settings: Settings) -> References:
    """Verifies every cited work of a run and renders its bibliography."""
    requests = read_requests(run)
    locked, problems = read_lock(run.below(*LOCK))
    answers = Answers(hand_made_records(settings), locked, NoNetwork())
    entries = {key: verification_of(key, requests.by_key, answers) for key in dict.fromkeys(cited)}
    write_lock(run, answers.used.values(), locked)
    rows = tuple(row_of(request, verification, answers) for request, verification in entries.values())
    return References(bibliography(entries.values()), rows, (check_of(rows, [*requests.problems, *problems]),))


def hand_made_records(settings: Settings) -> Mapping[tuple[str, str], Any]:
    folder = settings.merged.get("citations", {}).get("records")
    if folder:
        return records_in(Path(folder))
    return records_in(DEMO_RECORDS) if settings.merged.get("agent") == "demo" else {}


def verification_of(
    key: str, requests: Mapping[str, CitationRequest], answers: Answers
) -> tuple[CitationRequest, Verification]:
    request = requests.get(key)
    if request is None:
        return CitationRequest(key, title=key), Verification(
            CitationStatus.NOT_FOUND, f"{SOURCES} has no request for it"
        )
    return request, verify(request, answers)


def row_of(request: CitationRequest, verification: Verification, answers: Answers) -> CitationRow:
    record = verification.record
    return CitationRow(
        request.key,
        verification.status,
        verification.message,
        request.digest,
        record.identifier if record else "",
        record.title if record else "",
        record.source if record else "",
        bool(answers.by_hand),
    )


def check_of(rows: Sequence[CitationRow], problems: Sequence[str]) -> RuleCheck:
    open_rows = [row for row in rows if row.status is not CitationStatus.VERIFIED]
    by_hand = f"; {BY_HAND}" if any(row.hand_made for row in rows) else ""
    if open_rows:
        named = [f"{key_text(row.key)} is {row.status} ({row.message})" for row in open_rows]
        hint = "correct the request in workspace/literature/sources.json, or have a person waive it"
        return RuleCheck(RULE, "failed", f"{list_text(named)}: {hint}{by_hand}")
    words = f"{count_text(len(rows), 'cited work')} verified"
    return RuleCheck(RULE, "passed", f"{words}{by_hand}{'; ' if problems else ''}{list_text(list(problems))}")
