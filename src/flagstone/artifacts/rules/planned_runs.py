"""No run is dropped: whatever was planned before the runs has a row among them, failed or not."""

from __future__ import annotations

from collections.abc import Iterator

from flagstone.artifacts.formats import Unreadable
from flagstone.artifacts.rules.findings import RuleCheck, failed_check, passed_check
from flagstone.artifacts.rules.inspection import Inspection
from flagstone.artifacts.rules.named_files import csv_rows
from flagstone.text import count_text, escaped_text, list_text

RULE = "planned-runs"
PLANNED, MADE = "workspace/results/planned.csv", "workspace/results/runs.csv"
NAMING = ("experiment", "setting", "condition", "arm", "seed")  # the columns that say which run a row is about


def planned_run_checks(inspection: Inspection) -> Iterator[RuleCheck]:
    """One row if the stage must leave both tables. Whether they can be read is for another rule to say."""
    if not {PLANNED, MADE} <= {file.path for file in inspection.request.leaves}:
        return
    try:
        planned = csv_rows(inspection.text(PLANNED))
        made = csv_rows(inspection.text(MADE))
    except Unreadable:
        return
    names = [name for name in NAMING if name in planned[0] and name in made[0]]
    if not names:
        return
    known = {tuple(row[name] for name in names) for row in made}
    missing = [key for row in planned if (key := tuple(row[name] for name in names)) not in known]
    if missing:
        shown = list_text([escaped_text(" ".join(map(str, key)), 120) for key in missing])
        advice = f"give each planned run a row in {MADE}, also one that failed or was not made"
        yield failed_check(RULE, f"{advice}: {shown}")
    else:
        yield passed_check(RULE, f"each of {count_text(len(planned), 'planned run')} has a row in {MADE}")
