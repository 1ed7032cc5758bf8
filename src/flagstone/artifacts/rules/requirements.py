"""What each requirement of config/stages.yaml means: a name, and the rules behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from flagstone.artifacts.entry import FORMATS_OF, IndexEntry
from flagstone.artifacts.rules.findings import RuleCheck, failed_check, passed_check
from flagstone.artifacts.rules.inspection import Inspection
from flagstone.artifacts.rules.manuscript import paper_checks
from flagstone.artifacts.rules.readiness import readiness_checks
from flagstone.artifacts.rules.trial_results import trial_result_checks
from flagstone.errors import FlagstoneError
from flagstone.text import count_text, escaped_text, list_text

Requirement = Callable[[Inspection], Iterator[RuleCheck]]
NOUNS = {"data": "data file", "results": "result file", "figures": "figure"}
WANTED = {
    "data": "a data file with at least one record",
    "results": "a machine-readable result file",
    "figures": "a figure",
}


def presence_checks(kind: str, inspection: Inspection) -> Iterator[RuleCheck]:
    """That at least one file can be read and has content. Files that cannot be read are named."""
    rule, good = f"{kind}-present", inspection.usable_entries(kind)
    if good:
        broken = not_counted_text([entry for entry in inspection.entries(kind) if entry.unreadable])
        unread = f"; not counted: {broken}" if broken else ""
        yield passed_check(rule, f"{count_text(len(good), NOUNS[kind])} in workspace/{kind}{unread}")
        return
    advice = f"write {WANTED[kind]} under workspace/{kind} ({', '.join(sorted(FORMATS_OF[kind]))})"
    others = not_counted_text(inspection.entries(kind))
    yield failed_check(rule, f"{advice}; these do not count: {others}" if others else f"{advice}; nothing was found")


def not_counted_text(entries: Sequence[IndexEntry]) -> str:
    return list_text([f"{escaped_text(entry.path, 120)} ({reason_not_counted(entry)})" for entry in entries])


def reason_not_counted(entry: IndexEntry) -> str:
    if entry.unreadable:
        return entry.unreadable
    return "contains no records" if entry.format in FORMATS_OF[entry.kind] else "not of such a format"


def freshness_checks(kind: str, inspection: Inspection) -> Iterator[RuleCheck]:
    """That the content of at least one of them is this turn's own work."""
    rule, good = f"{kind}-fresh", inspection.usable_entries(kind)
    new = [entry for entry in good if inspection.is_fresh(entry.path, entry.digest)]
    if new:
        yield passed_check(rule, f"{count_text(len(new), NOUNS[kind])} made by this stage")
        return
    advice = f"write {WANTED[kind]} under workspace/{kind} in this stage"
    old = list_text([escaped_text(entry.path, 120) for entry in good])
    yield failed_check(
        rule, f"{advice}; its content existed before the stage began (a copy is not new): {old}" if old else advice
    )


def result_name_checks(inspection: Inspection) -> Iterator[RuleCheck]:
    """That each result names the experiment or trial that made it, and that a trial's verdict is repeated as it is."""
    good = inspection.usable_entries("results")
    nameless = [escaped_text(entry.path, 120) for entry in good if not entry.makers.is_complete]
    if nameless:
        advice = (
            "name what made each result: a key “experiment” (or “trial”) at the top of a JSON object and in"
            " each row of a list, such a column filled in each row of a table, or for other formats"
            " <file>.json beside it with that key"
        )
        yield failed_check("results-named", f"{advice}. Without a name: {list_text(nameless)}")
    elif good:
        yield passed_check("results-named", "each result names the experiment or trial that made it")
    yield from trial_result_checks(inspection)


def figure_data_checks(inspection: Inspection) -> Iterator[RuleCheck]:
    """That each figure names the data it was drawn from, and that this data exists."""
    good = inspection.usable_entries("figures")
    problems = []
    for entry in good:
        data = inspection.drawn_from(entry.path)
        if not data.is_complete:
            why = f"names data that does not exist: {list_text(data.missing)}" if data.missing else "names no data"
            problems.append(f"{escaped_text(entry.path, 120)} ({why})")
    if problems:
        advice = (
            "let each figure name its data: the same name with .csv beside it, <figure>.json with"
            ' {"data": ["workspace/…"]}, or a row {"path": …, "data": […]} in workspace/figures/figures.json'
        )
        yield failed_check("figures-named", f"{advice}. Open: {list_text(problems)}")
    elif good:
        yield passed_check("figures-named", "each figure names its data")


def kind_checks(
    kind: str, more: Requirement | None, must_be_fresh: bool, inspection: Inspection
) -> Iterator[RuleCheck]:
    """The checks of one kind of file. Whether the files are new is checked only if at least one of them counts."""
    yield from presence_checks(kind, inspection)
    if more:
        yield from more(inspection)
    if must_be_fresh and inspection.usable_entries(kind):
        yield from freshness_checks(kind, inspection)


FAMILIES: Mapping[str, Callable[[bool, Inspection], Iterator[RuleCheck]]] = {
    "data": partial(kind_checks, "data", None),
    "results": partial(kind_checks, "results", result_name_checks),
    "figures": partial(kind_checks, "figures", figure_data_checks),
    "paper": paper_checks,
    "readiness": readiness_checks,
}
REQUIREMENTS: Mapping[str, Requirement] = {
    prefix + name: partial(family, bool(prefix)) for name, family in FAMILIES.items() for prefix in ("", "fresh-")
}


def requirement(name: str) -> Requirement:
    """The requirement of that name; an unknown one must not pass unnoticed."""
    if name not in REQUIREMENTS:
        raise FlagstoneError(
            f"unknown requirement “{name}” in the stage table",
            hint=f"use these in config/stages.yaml: {', '.join(REQUIREMENTS)}",
        )
    return REQUIREMENTS[name]
