"""A person's decision to cite a work although it is not verified: approved/waivers.jsonl, sealed like an approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flagstone import seals
from flagstone.layout import Run
from flagstone.locks import sole_use
from flagstone.paper.citations.requests import CitationRequest
from flagstone.records import Ledger, decode_or_none, digest_bytes
from flagstone.seals import Decision

WAIVED = "waived"  # the event of its seal


@dataclass(frozen=True, kw_only=True)
class Waiver(Decision):
    """Who lets which request pass, and why. `request` is its digest: of a changed request nobody knows."""

    key: str = ""
    request: str = ""
    status: str = ""
    why: str = ""


def waive(run: Run, request: CitationRequest, status: str, decision: Decision) -> None:
    """Records a waiver, and then its seal: a waiver without one does not count. `decision.comment` says why."""
    ledger = Ledger(run.waivers)
    decided = {name: value for name, value in vars(decision).items() if value and name != "comment"}
    row = {"key": request.key, "request": request.digest, "status": status, "why": decision.comment, **decided}
    with sole_use(run.approved / ".waivers.lock"):
        ledger.append(row)
        seals.record(run, WAIVED, "", decision, digest=ledger.head)


def waivers_of(run: Run) -> tuple[Mapping[str, Waiver], list[str]]:
    """The waivers that hold, by the digest of their request; and what is wrong with the others."""
    ledger = Ledger(run.waivers)
    sealed = {seal.digest for seal in seals.decisions(run, "") if seal.event == WAIVED}
    found, problems = {}, []
    for line in ledger.lines():
        waiver = decode_or_none(line.raw, Waiver)
        if waiver is None or line.is_broken or digest_bytes(line.raw) not in sealed:
            problems.append(f"line {line.number} of approved/waivers.jsonl has no seal, and does not count")
        else:
            found[waiver.request] = waiver
    return found, problems
