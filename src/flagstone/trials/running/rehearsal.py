"""What every job of a trial does as it begins, done once before the jobs are forked: their caches are then filled."""

from __future__ import annotations

import os
from pathlib import Path
from typing import get_args

from flagstone.plans import TrialPlan
from flagstone.processes import Redactor
from flagstone.records import decode_or_none
from flagstone.trials.lines import Line
from flagstone.trials.planning import load_trial
from flagstone.trials.running.opening import TrialStart
from flagstone.trials.running.records import RunRecord
from flagstone.trials.sealing import SealedSeeds


def rehearse(plan: TrialPlan, schemas: Path) -> None:
    """Changes no file. Raises what a job would raise."""
    for kind in (TrialStart, SealedSeeds, RunRecord, *get_args(Line)):
        decode_or_none(b"{}", kind)
    Redactor.of(os.environ)
    if plan.digest:
        load_trial(plan.folder.spec, plan.base, schemas)
