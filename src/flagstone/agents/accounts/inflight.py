"""Running calls as durable records: what they may still use counts, and a killed one leaves its line in the log."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone.agents.accounts.call_line import CallLine, line_of_record
from flagstone.agents.protocol import CallOutcome, Usage, valid_count
from flagstone.processes import Survivor, entry_of, still_alive
from flagstone.records import read_record, seconds_of, utc, write_record

FOLDER = "inflight"
# a call on another machine cannot be looked at: it is given up this long after it had to be over
LATE_S = 900.0
# of a record that whoever was killed has left; nothing else of it becomes part of the log
CALL_FACTS = (
    *("agent", "stage", "experiment", "attempt", "title", "mode", "model"),
    *("session_id", "resumed", "allowed"),
)


@dataclass(frozen=True)
class CallRecord:
    """The record of a running call: its path, and what it says."""

    path: Path
    facts: Mapping[str, Any]

    @property
    def number(self) -> str:
        return self.path.stem

    @property
    def line(self) -> CallLine:
        """What the call may use, and for what it is made."""
        return line_of_record(self.facts)

    @property
    def began_s(self) -> float:
        return seconds_of(str(self.facts.get("at")))

    @property
    def limit_s(self) -> float:
        """How long the call may take at most. Returns a day if it has no limit."""
        hours = self.line.allowed_amount("wall_h")
        return 86_400.0 if hours is None else hours * 3600

    def is_over(self, now_s: float) -> bool:
        """Whether the process that made the call is gone, so that nobody will write its line."""
        if self.facts.get("host") != socket.gethostname():
            return now_s > self.began_s + self.limit_s + LATE_S
        holder = Survivor(valid_count(self.facts.get("pid")) or 0, valid_count(self.facts.get("started_ticks")) or 0)
        return not still_alive((holder,))

    def line_if_killed(self, now_s: float) -> dict[str, object]:
        """The line of a call whose process was killed: its cost is unknown."""
        known = {name: value for name, value in self.facts.items() if name in CALL_FACTS}
        wall_s = min(max(now_s - self.began_s, 0.0), self.limit_s)
        return {
            **known,
            "outcome": CallOutcome.CRASHED.value,
            "reason": "the process that made this call was killed",
            "cost_usd": None,
            "usage": dict(vars(Usage())),
            "started_at": str(self.facts.get("at", "")),
            "ended_at": "",
            "wall_s": round(wall_s, 3),
        }


def open_record(log: Path, facts: Mapping[str, object]) -> CallRecord:
    """Records a call before it starts."""
    own = entry_of(os.getpid())
    holder = {
        "pid": os.getpid(),
        "started_ticks": own.started_ticks if own else 0,
        "host": socket.gethostname(),
        "at": utc(time.time()),
    }
    record = CallRecord(log.parent / FOLDER / f"{uuid.uuid4().hex}.json", {**facts, **holder})
    write_record(record.path, dict(record.facts))
    return record


def open_records(log: Path) -> list[CallRecord]:
    """Every call that was recorded and has not ended."""
    try:
        names = sorted(os.listdir(log.parent / FOLDER))
    except OSError:
        return []
    paths = (log.parent / FOLDER / name for name in names if name.endswith(".json") and not name.startswith("."))
    return [CallRecord(path, facts) for path in paths if (facts := read_record(path)) is not None]
