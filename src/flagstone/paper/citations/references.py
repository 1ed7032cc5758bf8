"""The references of a paper: a row for each cited work, the bibliography, and whether it may be published."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from flagstone.artifacts import RuleCheck
from flagstone.artifacts.formats import Unreadable, read_bounded
from flagstone.layout import Run
from flagstone.paper.citations.bibtex import bibliography
from flagstone.paper.citations.lookup import LookedUpWork, has_demo_records, look_up, may_ask
from flagstone.paper.citations.own_bib import BIB_BYTES, bib_fields
from flagstone.paper.citations.quotes import TEXTS, QuoteCheck, quote_checks
from flagstone.paper.citations.requests import OWN_SOURCES, SOURCES, CitationRequest, read_requests
from flagstone.paper.citations.verifying import CitationStatus
from flagstone.paper.citations.waivers import Waiver, waivers_of
from flagstone.records import plain_value, read_record
from flagstone.settings import Settings
from flagstone.text import count_text, list_text

RULE = "citation-verification"
VERIFICATION = "citation_verification.json"
PUBLISHED_BIB = "workspace/writing/references.bib"
BY_DEMO = "checked against the records that come with the demo; no network was asked"
BY_HAND = "checked against records that were made by hand (citations.records)"


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
    waived: str = ""
    quotes: tuple[QuoteCheck, ...] = ()

    @classmethod
    def of(cls, work: LookedUpWork, waived: str = "", quotes: tuple[QuoteCheck, ...] = ()) -> CitationRow:
        request, verification, record = work.request, work.verification, work.verification.record
        return cls(
            request.key,
            verification.status,
            verification.message,
            request.digest,
            record.identifier if record else "",
            record.title if record else "",
            record.source if record else "",
            max((answer.at for answer in work.answers), default=""),
            work.is_by_hand,
            waived,
            quotes,
        )

    @property
    def is_settled(self) -> bool:
        """Whether it may be cited."""
        return self.status is CitationStatus.VERIFIED or bool(self.waived)

    @property
    def is_unreachable(self) -> bool:
        """Whether it has to be asked for again, which no agent can bring about."""
        return self.status is CitationStatus.UNREACHABLE and not self.is_settled


@dataclass(frozen=True)
class References:
    """The bibliography of a paper, a row for each cited work, and the check."""

    bib: str
    rows: tuple[CitationRow, ...]
    checks: tuple[RuleCheck, ...]
    notice: str = ""  # what has to be said wherever the paper speaks of its citations
    notes: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()  # the unreachable works, if nothing else is wrong
    abstracts: Mapping[str, str] = field(default_factory=dict)  # as a registry sent them

    def as_record(self) -> dict[str, object]:
        """What citation_verification.json holds."""
        hand_made, rows = any(row.hand_made for row in self.rows), plain_value(list(self.rows))
        of_all = {"version": 1, "hand_made": hand_made, "notice": self.notice}
        return {**of_all, "waits_for": list(self.waits_for), "rows": rows}


def references_of(
    run: Run, cited: Sequence[str], settings: Settings, *, refresh: bool = False, factual: Collection[str] = ()
) -> References:
    """Looks up every cited work of a run and renders its bibliography. `factual` are the keys cited for facts."""
    requests = read_requests(run)
    wanted = [requests.by_key.get(key) or CitationRequest(key) for key in dict.fromkeys(cited)]
    found = look_up(run, wanted, settings, refresh=refresh)
    unsaved = found.save()
    waivers, unsealed = waivers_of(run)
    rows = tuple(
        CitationRow.of(work, waiver_text(waivers.get(work.request.digest)), quote_checks(run, work))
        for work in found.works
    )
    bib = bibliography((work.request, work.verification) for work in found.works)
    by_hand = BY_DEMO if has_demo_records(settings) else BY_HAND
    notice = by_hand if any(row.hand_made for row in rows) else ""
    notes = (notice, *requests.problems, *found.problems, *unsaved, *unsealed, *replaced_entries(run, bib))
    told = tuple(filter(None, notes))
    away = tuple(row.key for row in rows if row.is_unreachable)
    is_only_that = not any(faults_of([row for row in rows if not row.is_unreachable], factual))
    return References(
        bib,
        rows,
        (check_of(rows, factual, told),),
        notice,
        told,
        away if is_only_that else (),
        abstracts_of(found.works),
    )


def unreachable_works(run: Run, settings: Settings) -> list[str]:
    """The works that a paper still waits for: it was built without a fault, but no registry could be asked."""
    waits_for = (read_record(run.paper / VERIFICATION) or {}).get("waits_for")
    return [str(key) for key in waits_for] if isinstance(waits_for, list) and may_ask(settings) else []


def abstracts_of(works: Iterable[LookedUpWork]) -> dict[str, str]:
    """What authors may quote from without the text of a work."""
    records = {work.request.key: work.verification.record for work in works}
    return {key: record.abstract for key, record in records.items() if record and record.abstract}


def waiver_text(waiver: Waiver | None) -> str:
    return f"{waiver.who}: {waiver.why}" if waiver else ""


def check_of(rows: Sequence[CitationRow], factual: Collection[str], notes: Sequence[str]) -> RuleCheck:
    """Whether every cited work is verified or waived, and every quote stands where it is quoted from."""
    faults = list(faults_of(rows, factual))
    also = "".join(f"; {note}" for note in notes[:6])
    if faults:
        return RuleCheck(RULE, "failed", f"{list_text(faults)}{also}")
    waived = sum(row.status is not CitationStatus.VERIFIED for row in rows)
    words = f"{count_text(len(rows) - waived, 'cited work')} verified"
    words += f", {count_text(waived, 'waived', 'waived')} by a person" if waived else ""
    unquoted = sum(not row.quotes for row in rows)
    words += f"; {count_text(unquoted, 'work')} cited without a stored quote" if unquoted else ""
    stored = sum(each.place not in ("", "abstract") for row in rows for each in row.quotes)
    words += f"; {count_text(stored, 'quote')} found only in a text that somebody stored ({TEXTS})" if stored else ""
    return RuleCheck(RULE, "passed", f"{words}{also}")


def faults_of(rows: Sequence[CitationRow], factual: Collection[str]) -> Iterator[str]:
    for row in rows:
        if not row.is_settled:
            yield f"{row.key} is {row.status} ({row.message}): {CURES[row.status]}"
    for row in rows:
        lost = [each.quote for each in row.quotes if not each.place and not row.is_unreachable]
        if lost:
            yield (
                f"{row.key}: “{lost[0][:80]}” stands neither in its abstract nor in workspace/literature/texts/"
                f"{row.key}.txt: quote at least four words exactly, or store the text"
            )
        elif row.key in factual and not row.quotes:
            yield (
                f"{row.key} is cited for a fact: under its `claims` in {OWN_SOURCES}, quote the sentence that says so "
                f"(its abstract: flagstone paper cite check {row.key})"
            )


CURES = {
    CitationStatus.MISDESCRIBED: f"correct the request in {SOURCES}, or in {OWN_SOURCES} once that is approved",
    CitationStatus.MISMATCH: f"find the right identifier, and correct the request in {SOURCES}",
    CitationStatus.NOT_FOUND: "flagstone paper cite search finds works that exist; cite one of them, or none",
    CitationStatus.RETRACTED: "do not rest on it; a person may let it pass (flagstone paper cite waive)",
    CitationStatus.NO_ID: "give the request this identifier; a person may let it pass (flagstone paper cite waive)",
    CitationStatus.UNREACHABLE: "ask again later (flagstone paper cite check); a person may let it pass "
    "(flagstone paper cite waive)",
}


def replaced_entries(run: Run, bib: str) -> list[str]:
    """The entries of the published bibliography that something else wrote, in words. They are not used."""
    try:
        content = read_bounded(run.root / PUBLISHED_BIB, run.root, BIB_BYTES).decode("utf-8", "replace")
    except Unreadable:
        return []
    if content == bib:
        return []
    ours, _ = bib_fields(bib)
    theirs, _ = bib_fields(content)
    foreign = sorted(key for key, fields in theirs.items() if fields != ours.get(key))
    words = f"{PUBLISHED_BIB} is rendered from records: entries that something else wrote are not used"
    return [f"{words} ({list_text(foreign)})"] if foreign else []
