"""The rule `paper-claims`: each claim of a paper, computed again from its facts and its verdict."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flagstone.artifacts.rules import RuleCheck, failed_check, passed_check
from flagstone.layout import Run
from flagstone.paper.claims.claim import ClaimCase
from flagstone.paper.claims.claim_list import ClaimEntry, ClaimList, read_claims
from flagstone.paper.claims.directions import direction_faults
from flagstone.paper.claims.rulings import ClaimVerdict, better_values, ruling_of
from flagstone.paper.claims.strength import HIGH, is_end, strength_faults
from flagstone.paper.facts import Fact, FactBook, Permission
from flagstone.paper.linting import FACT, ClaimUse, LintRules, PaperSource
from flagstone.text import count_text, escaped_text, list_text

RULE = "paper-claims"
FAULTS_SHOWN = 40
BY_FACT = re.compile(rf"\bby[\s\u00a0]+{FACT}")
FINAL = re.compile(r"\babstract(?:\.tex)?\Z|conclu|summary|outlook|take-?away|closing", re.IGNORECASE)


@dataclass(frozen=True)
class Evidence:
    """All that claims are held against."""

    run: Run
    book: FactBook
    rules: LintRules
    permission: Permission


def claim_checks(source: PaperSource, book: FactBook, run: Run, rules: LintRules) -> list[RuleCheck]:
    """One failed check for each claim that does not hold; one that passed if all do."""
    listed = read_claims(run)
    evidence = Evidence(run, book, rules, Permission.of(run))
    faults = [*listed.problems, *id_faults(source, listed), *screening_faults(source, book)]
    for use in source.claims:
        if use.id in listed.entries:
            faults += [
                f"{use.place}: the claim {use.id}: {fault}"
                for fault in claim_faults(use, listed.entries[use.id], evidence)
            ]
    faults = list(dict.fromkeys(faults))
    if len(faults) > FAULTS_SHOWN:
        faults = [*faults[:FAULTS_SHOWN], f"and {len(faults) - FAULTS_SHOWN} more; correct these first"]
    if faults:
        return [failed_check(RULE, fault) for fault in faults]
    free = sum(entry.kind == "none" for entry in listed.entries.values())
    held = count_text(len(source.claims) - free, "claim")
    own = [use.id for use in source.claims if has_own_direction(use, listed.entries[use.id], evidence)]
    said = f"; only the paper says which values are better in {list_text(own)}" if own else ""
    return [passed_check(RULE, f"{held} computed again, {free} about what the study did not measure{said}")]


def has_own_direction(use: ClaimUse, entry: ClaimEntry, evidence: Evidence) -> bool:
    """Whether neither a plan nor a verdict names the direction that the author gives."""
    ruling = ruling_of(evidence.run, entry.verdict, evidence.permission) if entry.verdict else None
    return bool(entry.better) and not planned_direction(entry, ruling, evidence)


def id_faults(source: PaperSource, listed: ClaimList) -> Iterator[str]:
    """Claims without an entry, entries without a claim, and an id that stands twice."""
    first: dict[str, ClaimUse] = {}
    for use in source.claims:
        if use.id not in listed.ids:
            yield f"{use.place}: claims.yaml has no {use.id}; say there what it claims: kind, of, against, verdict"
        if use.id in first:
            yield f"{use.place}: the claim {use.id} stands also at {first[use.id].place}; give this one its own id"
        first.setdefault(use.id, use)
    for entry in listed.entries.values():
        if entry.id not in first:
            yield f"{entry.where}: no \\claim{{{entry.id}}}{{…}} is in the paper; remove the entry, or claim it"


def screening_faults(source: PaperSource, book: FactBook) -> Iterator[str]:
    """Exploratory numbers in the abstract or the conclusion: those hold what was confirmed."""
    for use in source.uses:
        fact = book.facts.get(use.key)
        final = next((name for name in (use.place.section, use.place.file) if FINAL.search(name)), "")
        if fact and fact.is_exploratory and final:
            where = escaped_text(final, 40)
            yield f"{use.place}: {use.key} comes from a screen or is exploratory; leave it out of {where}"


def claim_faults(use: ClaimUse, entry: ClaimEntry, evidence: Evidence) -> Iterator[str]:
    """Everything that is wrong with one claim."""
    unknown = [key for key in (*entry.of, *entry.against) if key not in evidence.book.facts]
    if unknown:
        yield from (f"{entry.where}: {evidence.book.unknown_text(key)}" for key in unknown)
    if unknown or any(key not in evidence.book.facts for key in use.facts):
        return  # what is printed and unknown is named by the rule paper-lint
    try:
        ruling = ruling_of(evidence.run, entry.verdict, evidence.permission) if entry.verdict else None
    except ValueError as error:
        yield f"{entry.where}: {error}"
        return
    case = case_of(use, entry, ruling, evidence)
    known = {case.better, entry.better} - {""}
    if len(known) > 1:
        yield f"{entry.where}: better: {entry.better} contradicts the plan, by which {case.better} values are better"
    yield from direction_faults(case, evidence.rules)
    yield from strength_faults(case)
    yield from sign_faults(case)


def case_of(use: ClaimUse, entry: ClaimEntry, ruling: ClaimVerdict | None, evidence: Evidence) -> ClaimCase:
    def facts(keys: Sequence[str]) -> list[Fact]:
        return [evidence.book.facts[key] for key in keys if key in evidence.book.facts]

    return ClaimCase(
        use=use,
        entry=entry,
        printed=facts(use.facts),
        of=facts(entry.of),
        against=facts(entry.against),
        ruling=ruling,
        better=planned_direction(entry, ruling, evidence) or entry.better,
        words=evidence.rules.wording.said_in(use.text),
    )


def planned_direction(entry: ClaimEntry, ruling: ClaimVerdict | None, evidence: Evidence) -> str:
    """Which values are better, as the verdict or the plan says. Returns '' if neither does."""
    facts = (evidence.book.facts[key] for key in entry.of if key in evidence.book.facts)
    planned = (better_values(evidence.run, fact) for fact in facts)
    return (ruling.better if ruling else "") or next(filter(None, planned), "")


def sign_faults(case: ClaimCase) -> Iterator[str]:
    """`lower by −0.3`, which says the opposite of what is meant."""
    markers = [offset for offset, letter in enumerate(case.use.text) if letter == FACT]
    for found in BY_FACT.finditer(case.use.text):
        fact = case.printed[markers.index(found.end() - 1)]
        if fact.printed.startswith("\N{MINUS SIGN}") and case.says("better", "worse", "rises", "falls", "strong"):
            yield f"“by {fact.printed}” turns its direction around; print the difference the other way round"
        if is_end(fact, HIGH):
            yield f"“by {fact.printed}” is the upper end of an interval; print what was found, and then both ends"
