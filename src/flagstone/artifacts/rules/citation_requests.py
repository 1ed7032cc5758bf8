"""What a survey asks to be cited: sources.json holds requests that Flagstone can look up."""

from __future__ import annotations

from collections.abc import Iterator

from flagstone import schemas
from flagstone.artifacts.formats import Unreadable, loads_strict
from flagstone.artifacts.rules.findings import RuleCheck, failed_check, passed_check
from flagstone.artifacts.rules.inspection import Inspection
from flagstone.layout import shipped_files
from flagstone.text import count_text, list_text

RULE, SCHEMA = "citation-requests", "sources"
SOURCES = "workspace/literature/sources.json"
MOST = 5_000


def citation_request_checks(inspection: Inspection) -> Iterator[RuleCheck]:
    """One row if the stage must leave requests. Whether the works exist is asked when the paper is built."""
    if SOURCES not in {file.path for file in inspection.request.leaves}:
        return
    try:
        value = loads_strict(inspection.text(SOURCES))
    except Unreadable:
        return  # another rule says so
    rows = value.get("sources") if isinstance(value, dict) else None
    pinned = inspection.run.pinned / "schemas"
    folder = pinned if (pinned / f"{SCHEMA}.schema.yaml").is_file() else shipped_files() / "schemas"
    # so many rows would take minutes to look at
    too_many = isinstance(rows, list) and len(rows) > MOST
    problems = [f"it holds more than {MOST} works"] if too_many else schemas.problems(folder, SCHEMA, value)
    if problems:
        advice = f"correct {SOURCES}, or let flagstone paper cite add write it"
        yield failed_check(RULE, f"{advice}: {list_text(problems)}")
    else:
        yield passed_check(RULE, f"{count_text(len(rows or ()), 'work')} may be looked up")
