"""Results that name a trial: the trial exists, and what they say of its verdict is what the verdict says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isclose
from typing import Any

from flagstone.artifacts.entry import IndexEntry
from flagstone.artifacts.formats import Unreadable, loads_strict
from flagstone.artifacts.rules.findings import RuleCheck, failed_check, passed_check
from flagstone.artifacts.rules.inspection import Inspection
from flagstone.artifacts.rules.named_files import csv_rows
from flagstone.layout import Run
from flagstone.plans import trial_plans
from flagstone.records import read_record
from flagstone.text import escaped_text, list_text

ROUNDING = 1e-9  # relative: a number that is written again with all its digits is the same number
OF_ONE_ARM = "arm"  # a table with this column tells of arms, and a verdict of their difference


def trial_result_checks(inspection: Inspection) -> Iterator[RuleCheck]:
    """One row if the stage has results that name a trial. What other stages had approved was checked with them."""
    approved = inspection.request.turn.protected
    entries = [
        each for each in inspection.usable_entries("results") if each.makers.trials and each.path not in approved
    ]
    if not entries:
        return
    verdicts = verdicts_of(inspection.run)
    problems = [
        f"{escaped_text(entry.path, 120)}: {problem}"
        for entry in entries
        for problem in dict.fromkeys(problems_of_result(entry, inspection, verdicts))
    ]
    if problems:
        advice = "let results that name a trial say what its verdict.json says, with all digits"
        yield failed_check("results-of-trials", f"{advice}: {list_text(problems, 10)}")
    else:
        yield passed_check("results-of-trials", "results that name a trial agree with its verdict")


def verdicts_of(run: Run) -> dict[str, dict[str, Any]]:
    """The verdict of each planned trial that has one."""
    found = {plan.name: read_record(plan.folder.verdict) for plan in trial_plans(run)}
    return {name: record for name, record in found.items() if record}


def problems_of_result(
    entry: IndexEntry, inspection: Inspection, verdicts: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    for name in entry.makers.trials:
        if name not in verdicts:
            known = ", ".join(sorted(verdicts)) or "none"
            yield f"there is no trial {escaped_text(name, 60)} with a verdict (there are: {known})"
    for row in rows_of(entry, inspection):
        verdict = verdicts.get(trial_of(row, entry))
        yield from differences(row, verdict) if verdict else ()


def trial_of(row: Mapping[str, Any], entry: IndexEntry) -> str:
    """The trial that a row is about: the one that it names, or the only one that the file names."""
    is_clear = len(entry.makers.trials) == 1 and not entry.makers.experiments
    return str(row.get("trial") or (entry.makers.trials[0] if is_clear else ""))


def rows_of(entry: IndexEntry, inspection: Inspection) -> list[Mapping[str, Any]]:
    """Everything in a result that may repeat a verdict. A format without names holds nothing of the kind."""
    try:
        text = inspection.text(entry.path) if entry.format in ("json", "jsonl", "csv") else ""
        if entry.format == "csv":
            return [row for row in csv_rows(text) if OF_ONE_ARM not in row]
        values = [loads_strict(line) for line in (text.splitlines() if entry.format == "jsonl" else [text]) if line]
    except Unreadable:
        return []
    rows = [row for value in values for row in (value if isinstance(value, list) else [value])]
    return [row for row in rows if isinstance(row, dict)]


def differences(row: Mapping[str, Any], verdict: Mapping[str, Any]) -> Iterator[str]:
    """What a row says of a verdict, by its own name or within `confirm`, and the verdict does not."""
    confirm = verdict.get("confirm") or {}
    words = {"outcome": verdict.get("outcome"), "verdict": verdict.get("outcome")}
    known = {**confirm, **words, "exploratory": verdict.get("exploratory"), "gate": verdict.get("gate")}
    known["minimum_effect"] = verdict.get("minimum_effect")
    inner = row.get("confirm")
    for name, value in [*row.items(), *(inner.items() if isinstance(inner, dict) else ())]:
        if name in known and not isinstance(known[name], list | dict) and not is_same(value, known[name]):
            yield f"{name} is {escaped_text(str(value), 40)}, and {known[name]} in verdict.json"


def is_same(value: object, known: object) -> bool:
    """Whether a value is the known one, also as the text of a cell. An empty cell says nothing."""
    if isinstance(known, bool) or known is None or isinstance(known, str):
        return value in (known, "") or str(value).lower() == str(known).lower()
    try:
        return value == "" or isclose(float(str(value)), float(str(known)), rel_tol=ROUNDING)
    except ValueError:
        return False
