"""The rule `paper-claims`: each claim of a paper, recomputed from its facts and its verdict."""

from __future__ import annotations

from flagstone.artifacts.rules import RuleCheck, failed_check, passed_check
from flagstone.layout import Run
from flagstone.paper.facts import FactBook
from flagstone.paper.linting import PaperSource
from flagstone.text import count_text

RULE = "paper-claims"


def claim_checks(source: PaperSource, book: FactBook, run: Run) -> list[RuleCheck]:
    """One failed check for each claim that does not hold; one that passed if all do."""
    faults = [
        f"{use.place}: the claim {use.id} prints the fact {key}, which does not exist; add it to facts.yaml"
        for use in source.claims
        for key in use.facts
        if key not in book.facts
    ]
    if faults:
        return [failed_check(RULE, fault) for fault in faults]
    return [passed_check(RULE, f"{count_text(len(source.claims), 'claim')} held against {run.name}'s facts")]
