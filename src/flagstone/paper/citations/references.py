"""The references of a run's paper: every cited work asked for, the bibliography, and what a person has to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flagstone.artifacts import RuleCheck
from flagstone.layout import Run
from flagstone.paper.citations.answers import (
    LOCK,
    Answers,
    Fetcher,
    NoNetwork,
    RawAnswer,
    read_lock,
    records_in,
    write_lock,
)
from flagstone.paper.citations.bibtex import bibliography
from flagstone.paper.citations.patience import SharedPatience, each_in_parallel
from flagstone.paper.citations.registries import Registries
from flagstone.paper.citations.requests import CitationRequest, key_text, read_requests
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
    at: str = ""
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


def references_of(run: Run, cited: Sequence[str], settings: Settings, *, refresh: bool = False) -> References:
    """Verifies every cited work of a run and renders its bibliography. With `refresh`, all is asked again."""
    requests = read_requests(run)
    locked, problems = read_lock(run.below(*LOCK))
    answers = Answers(hand_made_records(settings), {} if refresh else locked, fetcher_of(settings))
    found = verify_all([requests.by_key.get(key) or CitationRequest(key) for key in dict.fromkeys(cited)], answers)
    write_lock(run, [answer for work in found for answer in work.answers], locked)
    rows = tuple(row_of(work) for work in found)
    bib = bibliography((work.request, work.verification) for work in found)
    return References(bib, rows, (check_of(rows, [*requests.problems, *problems]),))


def hand_made_records(settings: Settings) -> Mapping[tuple[str, str], RawAnswer]:
    folder = settings.merged["citations"]["records"]
    if folder:
        return records_in(Path(folder))
    return records_in(DEMO_RECORDS) if is_demo(settings) else {}


def is_demo(settings: Settings) -> bool:
    """Whether the records are those that come with the demo. Then nobody else is asked."""
    return settings.merged["agent"] == "demo" and not settings.merged["citations"]["records"]


def fetcher_of(settings: Settings) -> Fetcher:
    chosen = settings.merged["citations"]
    if is_demo(settings) or not chosen["network"]:
        return NoNetwork()
    return Registries(chosen, SharedPatience(chosen["patience_s"]))


@dataclass(frozen=True)
class VerifiedWork:
    """A request, what asking came to, and the answers that this rests on."""

    request: CitationRequest
    verification: Verification
    answers: tuple[RawAnswer, ...] = ()


def verify_all(requests: Sequence[CitationRequest], answers: Answers) -> list[VerifiedWork]:
    """Verifies several works at once. Those that are not done when no registry answers any more are UNREACHABLE."""

    def verify_one(request: CitationRequest) -> VerifiedWork:
        own = answers.anew()
        return VerifiedWork(request, verify(request, own), tuple(own.used.values()))

    done = each_in_parallel(verify_one, requests, answers.fetcher.left_s)
    late = Verification(CitationStatus.UNREACHABLE, "no registry answered in time")
    return [done.get(position) or VerifiedWork(request, late) for position, request in enumerate(requests)]


def row_of(work: VerifiedWork) -> CitationRow:
    record = work.verification.record
    return CitationRow(
        work.request.key,
        work.verification.status,
        work.verification.message,
        work.request.digest,
        record.identifier if record else "",
        record.title if record else "",
        record.source if record else "",
        max((answer.at for answer in work.answers), default=""),
        any(answer.hand_made for answer in work.answers),
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
