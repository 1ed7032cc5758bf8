"""From a ruling to the line of the ledger; whether it ends the experiment is part of it."""

from __future__ import annotations

import time
from dataclasses import replace

from flagstone.loop.candidate import Candidate
from flagstone.loop.entry import Entry
from flagstone.loop.home import run_id
from flagstone.loop.judging import Ruling
from flagstone.loop.opening import Opened
from flagstone.loop.progress import Progress
from flagstone.loop.stopping import terminated_by
from flagstone.records import utc


def entry_of(opened: Opened, before: Progress, candidate: Candidate, ruling: Ruling) -> Entry:
    """The line of one run, as the ledger will hold it."""
    is_better = ruling.verdict == "advance"
    made = Entry(
        number=candidate.number,
        run_id=run_id(candidate.number),
        parent_run=candidate.parent_run,
        tree=candidate.snapshot.tree,
        commit=candidate.snapshot.commit,
        note=candidate.note,
        status=ruling.status,
        verdict=ruling.verdict,
        reason=ruling.reason,
        value=ruling.value,
        valid=ruling.valid,
        improved=is_better,
        previous_best=before.best_run,
        best_run=run_id(candidate.number) if is_better else before.best_run,
        best_value=ruling.value if is_better else before.best_value,
        constraints=ruling.constraints,
        measurements=ruling.measurements,
        reference=ruling.reference,
        beside=ruling.beside,
        judgement=ruling.judgement,
        proposal=dict(candidate.facts),
        contract=opened.start["contract"],
        ended_at=utc(time.time()),
    )
    ended = terminated_by(opened.spec.stopping, opened.spec.metric, before.after(made))
    return replace(made, should_terminate=bool(ended), terminated_by=ended)
