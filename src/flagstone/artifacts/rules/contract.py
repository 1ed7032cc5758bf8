"""The summary contract: every rule, its id, and what to do if it is broken."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flagstone.artifacts.rules.findings import RuleCheck, failed_check
from flagstone.artifacts.rules.placeholders import placeholders, template_texts
from flagstone.artifacts.rules.produced import file_problems
from flagstone.artifacts.rules.summary import (
    OPTIONS,
    OPTIONS_SECTION,
    SECTIONS,
    SUGGESTIONS,
    SUMMARY_LIMIT_BYTES,
    StageSummary,
    numbered_items,
    parse_summary,
    unreadable_summary,
)
from flagstone.text import escaped_text, list_text

CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Expected:
    """The title that the summary must have, and the run that must contain its files."""

    title: str
    run_root: Path


Rule = Callable[[StageSummary, Expected], Iterator[RuleCheck]]


def contract_problems(text: str, stage_nr: str, stage_title: str, run_root: Path) -> tuple[RuleCheck, ...]:
    """Everything in which a summary breaks the contract, in the order of its rules."""
    refused = refusal(text)
    if refused:
        return (unreadable_summary(refused),)
    summary, expected = parse_summary(text), Expected(f"Stage {stage_nr}: {stage_title}", run_root)
    return (*(check for rule in RULES for check in rule(summary, expected)), *control_character_problems(text))


def refusal(text: str) -> str:
    """Why a text is not parsed ('' if it is)."""
    if "\0" in text:
        return "it contains NUL bytes"
    if len(text) > SUMMARY_LIMIT_BYTES or len(text.encode("utf-8", "replace")) > SUMMARY_LIMIT_BYTES:
        return "it is larger than 1 MB (a summary is about two pages; put detail into files)"
    return ""


def title_problems(summary: StageSummary, expected: Expected) -> Iterator[RuleCheck]:
    if summary.title != expected.title or not summary.starts_with_title:
        where = "is its first line" if summary.title != expected.title else "comes before all other text"
        yield failed_check("summary-title", f"write the summary so that “# {expected.title}” {where}")
    elif summary.title_count > 1:
        yield failed_check("summary-title", "keep only one level-one heading; make the others “###” within a section")


def section_name_problems(summary: StageSummary, _: Expected) -> Iterator[RuleCheck]:
    names = {section.name for section in summary.sections}
    missing = [f"“## {name}”" for name in SECTIONS if name not in names]
    if missing:
        yield failed_check("summary-sections-missing", f"add what is missing: {list_text(missing, 7)}")
    unknown = [f"“## {escaped_text(section.name, 60)}”" for section in summary.sections if section.name not in SECTIONS]
    if unknown:
        advice = "make these headings “###” within one of the seven sections"
        yield failed_check("summary-section-unknown", f"{advice}: {list_text(unknown)}")


def section_order_problems(summary: StageSummary, _: Expected) -> Iterator[RuleCheck]:
    names = [section.name for section in summary.sections if section.name in SECTIONS]
    repeated = [f"“## {name}”" for name, times in Counter(names).items() if times > 1]
    if repeated:
        yield failed_check(
            "summary-section-repeated", f"write each section once; these occur more often: {list_text(repeated)}"
        )
    once = list(dict.fromkeys(names))
    wanted = [name for name in SECTIONS if name in once]
    if once != wanted:
        yield failed_check("summary-section-order", f"put the sections into this order: {', '.join(wanted)}")


def empty_section_problems(summary: StageSummary, _: Expected) -> Iterator[RuleCheck]:
    empty = [f"“## {section.name}”" for section in summary.sections if section.name in SECTIONS and section.is_empty]
    if empty:
        yield failed_check("summary-section-empty", f"write something under {list_text(empty, 7)}")


def suggestion_problems(summary: StageSummary, _: Expected) -> Iterator[RuleCheck]:
    section = summary.section(SUGGESTIONS)
    if section is None or section.is_empty:
        return
    items = numbered_items(section)
    if [number for number, _ in items] != ["1", "2", "3"] or not all(plain_words(text) for _, text in items):
        advice = "give exactly three suggestions as one numbered list 1, 2, 3, each with its text"
        yield failed_check("summary-suggestions", f"{advice}; found {len(items)} numbered items")
    elif len({plain_words(text) for _, text in items}) < 3:
        yield failed_check("summary-suggestions-distinct", "make the three suggestions differ from each other")


def plain_words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def option_problems(summary: StageSummary, _: Expected) -> Iterator[RuleCheck]:
    section = summary.section(OPTIONS_SECTION)
    if section is None or section.is_empty:
        return
    items = [(number, plain_words(text)) for number, text in numbered_items(section)]
    if items != [(str(number), plain_words(text)) for number, text in enumerate(OPTIONS, 1)]:
        fixed = "; ".join(f"{number}. {text}" for number, text in enumerate(OPTIONS, 1))
        yield failed_check("summary-options", f"write the six fixed options as a numbered list, unchanged: {fixed}")


def open_text_problems(summary: StageSummary, _: Expected) -> Iterator[RuleCheck]:
    found = list(dict.fromkeys(f"“{escaped_text(text, 60)}”" for text in placeholders(summary.tokens)))
    if found:
        advice = "replace every placeholder by what is known, or by a sentence that says why it is not"
        yield failed_check("summary-placeholder", f"{advice}: {list_text(found)}")
    copied = list(dict.fromkeys(f"“{escaped_text(text, 60)}”" for text in template_texts(summary.tokens)))
    if copied:
        yield failed_check(
            "summary-template-text", f"replace text copied from a template by your own: {list_text(copied)}"
        )


def control_character_problems(text: str) -> Iterator[RuleCheck]:
    found = CONTROL.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        yield failed_check(
            "summary-control-characters",
            f"remove control characters (U+{ord(found.group()):04X} in line {line}): write plain text",
        )


RULES: tuple[Rule, ...] = (
    title_problems,
    section_name_problems,
    section_order_problems,
    empty_section_problems,
    suggestion_problems,
    option_problems,
    lambda summary, expected: file_problems(summary, expected.run_root),
    open_text_problems,
)
