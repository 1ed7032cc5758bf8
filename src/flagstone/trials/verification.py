"""Whether a trial is still what was recorded: its ledger, its pre-registration, its seeds, and what is derived."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.plans import TrialFolder, TrialPlan, TrialSpec
from flagstone.records import Ledger, read_as
from flagstone.text import list_text
from flagstone.trials.planning import load_trial
from flagstone.trials.reporting import derived_problems
from flagstone.trials.sealing import Prereg, SealedSeeds, prereg_fault
from flagstone.trials.story import lines_in, story_of


def trial_faults(folder: TrialFolder, spec: TrialSpec) -> list[str]:
    """Everything that does not follow from the ledger, or that the ledger itself does not hold."""
    found = [*Ledger(folder.ledger).problems(), *registration_faults(folder), *derived_problems(folder, spec)]
    return list(dict.fromkeys(found))


def registration_faults(folder: TrialFolder) -> Iterator[str]:
    """What was changed about the pre-registration after the verdict, which names what was wrong before."""
    lines = lines_in(folder.ledger)
    verdict = story_of(lines).verdict
    if verdict is None:
        return
    fault = prereg_fault(folder, lines)
    if fault and fault != verdict.exploratory:
        yield fault
    sealed = read_as(folder.prereg, Prereg)
    if sealed and sealed.seeds and sealed.seeds != SealedSeeds(verdict.seeds, verdict.salt).digest:
        yield "the revealed seeds are not those that were sealed"


def trial_fault(plan: TrialPlan, schemas: Path) -> str:
    """Why the verdict of a trial is not what was recorded, in one line. Returns '' if it is."""
    try:
        return list_text(trial_faults(plan.folder, load_trial(plan.folder.spec, plan.base, schemas)), 2)
    except FlagstoneError as error:
        return error.problem
