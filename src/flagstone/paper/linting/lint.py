"""The rule `paper-lint`: what stands in the source of a paper that may not."""

from __future__ import annotations

from collections.abc import Iterator

from flagstone.artifacts.rules import RuleCheck, failed_check, passed_check
from flagstone.paper.facts import FactBook
from flagstone.paper.linting.numbers import number_faults
from flagstone.paper.linting.place import SourceFault
from flagstone.paper.linting.rules import LintRules
from flagstone.paper.linting.source import PaperSource
from flagstone.text import count_text

RULE = "paper-lint"
FAULTS_SHOWN = 40


def lint_checks(source: PaperSource, book: FactBook, rules: LintRules) -> list[RuleCheck]:
    """One failed check for each fault, in the order of the files; one that passed if there is none."""
    found = {str(fault): fault for fault in faults_of(source, book, rules)}
    ordered = sorted(found, key=lambda text: (found[text].place.file, found[text].place.line))
    checks = [failed_check(RULE, text) for text in ordered[:FAULTS_SHOWN]]
    if len(ordered) > FAULTS_SHOWN:
        checks.append(failed_check(RULE, f"and {len(ordered) - FAULTS_SHOWN} more; correct these first"))
    uses = f"{count_text(len(source.uses), 'use')} of facts, {count_text(len(source.literals), 'literal')}"
    return checks or [passed_check(RULE, f"{uses}; no other number is typed")]


def faults_of(source: PaperSource, book: FactBook, rules: LintRules) -> Iterator[SourceFault]:
    yield from source.faults
    for use in source.uses:
        if use.key not in book.facts:
            yield SourceFault(use.place, book.unknown_text(use.key))
    for text in source.texts:
        yield from number_faults(text, rules)
