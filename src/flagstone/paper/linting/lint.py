"""The rule `paper-lint`: what stands in the source of a paper that may not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flagstone.artifacts.rules import RuleCheck, failed_check, passed_check
from flagstone.paper.facts import FactBook
from flagstone.paper.linting.numbers import number_faults, title_faults
from flagstone.paper.linting.place import SourceFault
from flagstone.paper.linting.printed_text import FACT, PrintedText
from flagstone.paper.linting.rules import LintRules
from flagstone.paper.linting.source import PaperSource
from flagstone.text import count_text, escaped_text

RULE = "paper-lint"
FAULTS_SHOWN = 40
LITERALS_ALLOWED = 20
AS_PERCENT = re.compile(rf"{FACT}(?=[\s\u00a0\u2009]*(?:%|per\s?cent(?!age point)))")
VERDICT = re.compile(r"(?<!\w)(?:SUPPORTED|NO\s+PRACTICAL\s+EFFECT|HARMFUL|INCONCLUSIVE)(?!\w)")
PERCENT = re.compile(r"%|per\s?cent|\bpp\b|\bpct\b|points?", re.IGNORECASE)


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
    yield from (SourceFault(use.place, book.unknown_text(use.key)) for use in source.uses if use.key not in book.facts)
    for text in source.texts:
        is_title = bool(text.pieces) and text.pieces[0].place.within == "title"  # it can hold no fact
        yield from title_faults(text, rules) if is_title else number_faults(text, rules)
        yield from unit_faults(text, book)
        yield from claim_faults(text, rules)
    yield from literal_faults(source, book)
    yield from worded_faults(source, book, rules)


def unit_faults(text: PrintedText, book: FactBook) -> Iterator[SourceFault]:
    """A fact in another unit that is printed as a percentage."""
    for found in AS_PERCENT.finditer(text.text):
        fact = book.facts.get(text.piece_at(found.start()).key)
        if fact and fact.unit and not PERCENT.search(fact.unit):
            said = f"\\val{{{fact.key}}} is in {escaped_text(fact.unit, 40)}, and the text says per cent"
            yield SourceFault(text.place_at(found.start()), f"{said}; use a fact in per cent (expr: pct(…))")


def claim_faults(text: PrintedText, rules: LintRules) -> Iterator[SourceFault]:
    """Words that claim something outside a claim, where nothing would be computed again."""
    for found in VERDICT.finditer(text.text):
        said = f"“{found.group()}” is the word of a verdict, and it is typed; print the fact that has it"
        yield SourceFault(text.place_at(found.start()), f"{said} (\\val{{…}}), or write it in small letters")
    for offset, word, _ in rules.wording.claims_in(text.text):
        place = text.place_at(offset)
        if not place.claim:
            cure = "put the sentence into \\claim{id}{…}, and id into claims.yaml"
            if place.within in ("heading", "title"):
                cure = "say it in the text below, inside \\claim{id}{…}"
            yield SourceFault(place, f"“{word}” claims something; {cure}")


def literal_faults(source: PaperSource, book: FactBook) -> Iterator[SourceFault]:
    """Too many literals, and literals that are results."""
    distinct = {(use.printed, use.reason): use for use in reversed(source.literals)}
    for use in list(distinct.values())[::-1][LITERALS_ALLOWED:]:
        why = f"this is one of {len(distinct)} literals; a paper has at most {LITERALS_ALLOWED}"
        yield SourceFault(use.place, f"{why}, so make facts of those that a file holds (kind: config)")
    measured = {fact.printed: fact.key for fact in book.facts.values() if fact.kind in ("measured", "derived")}
    for use in source.literals:
        key = measured.get(use.printed.replace("-", "\N{MINUS SIGN}"))
        if key and "." in use.printed:
            yield SourceFault(use.place, f"the literal {use.printed} is the fact {key}; write \\val{{{key}}}")


def worded_faults(source: PaperSource, book: FactBook, rules: LintRules) -> Iterator[SourceFault]:
    """Facts and literals whose text claims something: nothing looks at it where it is used."""
    named = [(use.place, book.facts[use.key]) for use in source.uses if use.key in book.facts]
    texts = [(place, fact.printed, fact.key) for place, fact in named if isinstance(fact.value, str)]
    texts += [(use.place, use.printed, use.printed) for use in source.literals]
    verdicts = (use for use in source.literals if VERDICT.search(use.printed))
    yield from (SourceFault(use.place, f"the literal {use.printed} is a verdict; print the fact") for use in verdicts)
    for place, text, name in texts:
        word = next((word for _, word, _ in rules.wording.claims_in(text)), "")
        if word:
            why = f"{escaped_text(name, 60)} prints “{word}”, which claims something"
            yield SourceFault(place, f"{why}; write the words out, inside \\claim{{id}}{{…}}")
