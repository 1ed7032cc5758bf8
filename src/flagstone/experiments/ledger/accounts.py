"""GPU time of an experiment: written down with the calls of agents, and held to the budgets of its run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flagstone.agents.accounts import Balance, Budget, Claim, append_use, has_use
from flagstone.experiments.ledger.entry import Entry
from flagstone.plans import Home


@dataclass(frozen=True)
class Accounts:
    """Where the GPU time of an experiment is written down, and the budgets that limit it."""

    home: Home
    stage: str = ""
    budgets: Sequence[Budget] = ()

    def refuse_if_spent(self, gpus: int) -> None:
        """Before a run that needs GPUs: nothing is begun once their hours are used up."""
        if gpus and self.budgets:
            claim = Claim({"experiment": self.home.name}, {"gpu_h": None})
            Balance.of(self.home.log).grant(self.budgets, claim)

    def note(self, entry: Entry) -> None:
        """After a run: what its measurements have used."""
        self.note_use(entry.gpu_s, entry.wall_s, mark_of(entry))

    def note_use(self, gpu_s: float, wall_s: float, run: str = "") -> None:
        """What was used; without GPUs there is nothing to write down."""
        if gpu_s:
            used = {"gpu_s": round(gpu_s, 3), "wall_s": round(wall_s, 3)}
            append_use(self.home.log, stage=self.stage, experiment=self.home.name, run=run, **used)

    def note_missing(self, last: Entry) -> None:
        """After a kill between a verdict and its line here; all earlier ones have theirs."""
        if last.gpu_s and not has_use(self.home.log, self.home.name, mark_of(last)):
            self.note(last)


def mark_of(entry: Entry) -> str:
    """One verdict among all of a name: an experiment that started over has an r0001 again."""
    return f"{entry.run_id} {entry.ended_at}"
