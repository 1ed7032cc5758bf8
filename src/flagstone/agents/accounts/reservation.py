"""Counts a call towards its budgets before it starts, and limits it to what is left of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flagstone.agents.accounts import inflight
from flagstone.agents.accounts.budget import BUDGET_NAMES, Balance, Budget, Claim
from flagstone.agents.protocol import Limits
from flagstone.locks import sole_use
from flagstone.records import Ledger, cannot_write

LOOK_EVERY_S = 0.2


@dataclass(frozen=True)
class Patience:
    """How a claim waits for running calls that may use up what it needs."""

    say: Callable[[str], None] = lambda _: None
    sleep: Callable[[float], None] = time.sleep


@dataclass
class Reservation:
    """What was granted. It ends when the line of its call is written, or without a line if there was no call.

    If the line cannot be written, as on a full disk, the record of the call stays and counts in its place.
    """

    log: Path
    record: inflight.CallRecord
    granted: Mapping[str, float | None]
    is_owed: bool = False

    def limits_for(self, limits: Limits) -> Limits:
        """The limits of the call, none above what was granted."""
        hours, counted = self.granted.get("wall_h"), self.granted.get("tokens")
        wall_s = limits.wall_s if hours is None else min(limits.wall_s, max(hours * 3600, 1.0))
        return replace(
            limits,
            wall_s=wall_s,
            silence_s=min(limits.silence_s, wall_s),
            cost_usd=self.granted.get("usd"),
            tokens=None if counted is None else int(counted),
        )

    def append(self, line: dict[str, object]) -> None:
        """Writes the line of the call. From the same moment on, what it really used counts."""
        self.is_owed = True
        with sole_use(self.log):
            allowed = self.record.facts.get("allowed")
            Ledger(self.log).append({"call": self.record.number, "allowed": allowed, **line})
            self.is_owed = False
            close_record(self.record)


@contextmanager
def reserve(
    log: Path, budgets: Sequence[Budget], claim: Claim, patience: Patience | None = None
) -> Iterator[Reservation]:
    """Counts a claim towards every budget until its line is written; WorkFailed if a budget is used up.

    What running calls may still use counts as used. If nothing else is in the way, this waits for them.
    """
    patience = patience or Patience()
    has_said = False
    while True:
        with sole_use(log):
            close_killed_calls(log)
            balance = Balance.of(log)
            granted = balance.grant(budgets, claim)
            if granted is not None:
                allowed = {name: granted.get(name) for name in BUDGET_NAMES if granted.get(name) is not None}
                record = inflight.open_record(log, {**claim.about, "allowed": allowed})
                break
        if not has_said:
            patience.say(balance.waiting_words(budgets))
            has_said = True
        patience.sleep(LOOK_EVERY_S)
    reservation = Reservation(log, record, granted)
    try:
        yield reservation
    finally:
        if not reservation.is_owed:
            close_record(record)


def close_killed_calls(log: Path) -> None:
    """Writes the lines of calls whose process was killed, and closes their records. The log is locked."""
    closed = {line.get("call") for line in Ledger(log).entries()}
    now_s = time.time()
    for record in inflight.open_records(log):
        if record.number in closed:
            close_record(record)
        elif record.is_over(now_s):
            Ledger(log).append({"call": record.number, **record.line_if_killed(now_s)})
            close_record(record)


def close_record(record: inflight.CallRecord) -> None:
    try:
        record.path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(record.path, error) from error
