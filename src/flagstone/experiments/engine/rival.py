"""Early stopping: from which rival run a candidate's first run gets its limit, if the spec asks for one."""

from __future__ import annotations

from collections.abc import Callable

from flagstone.experiments.candidates import Candidate
from flagstone.experiments.engine.opening import OpenedExperiment
from flagstone.experiments.ledger import entries_of, find_entry
from flagstone.experiments.measuring import EarlyStop, early_stop_for


def early_stop_of(opened: OpenedExperiment, candidate: Candidate, say: Callable[[str], None]) -> EarlyStop | None:
    """What watches the run. Returns None if the spec does not ask for it, or nothing can; that is said.

    The rival is the run that it was edited from, and not the best of this moment: when a run begins must not matter.
    """
    if not opened.spec.early_stop or not candidate.parent_run:
        return None
    home = opened.home
    parent = find_entry(home.ledger, candidate.parent_run)
    base = next((entry for entry in entries_of(home.ledger) if entry.is_baseline and entry.improved), None)
    if parent is None or parent.first is None or base is None:
        return None
    logs = [home.root / each.log for each in base.measurements]
    found = early_stop_for(opened.spec, (parent.run_id, home.root / parent.first.log), logs)
    if isinstance(found, EarlyStop):
        return found
    if candidate.number == parent.number + 1:  # once for each best
        say(f"no run is stopped early: {found}")
    return None
