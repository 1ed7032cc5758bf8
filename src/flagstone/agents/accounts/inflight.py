"""Calls under way, as durable records: what they may still use is counted, and a killed one leaves its line."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from flagstone.agents.protocol import Outcome, Usage, paid, whole
from flagstone.processes import Survivor, entry_of, still_alive
from flagstone.records import read_record, utc, write_record

FOLDER = "inflight"
# a call on another machine cannot be looked at: it is given up this long after it had to be over
LATE_S = 900.0
# of a record that whoever was killed has left; nothing else of it becomes part of the log
SAID_OF_A_CALL = (
    *("agent", "stage", "experiment", "attempt", "title", "mode", "model"),
    *("session_id", "resumed", "allowed"),
)


@dataclass(frozen=True)
class Flight:
    """One call under way: its record, and what that says."""

    place: Path
    facts: Mapping[str, Any]

    @property
    def number(self) -> str:
        return self.place.stem

    def is_over(self, now_s: float) -> bool:
        """Whether whoever made the call is gone, so that nobody will write its line."""
        if self.facts.get("host") != socket.gethostname():
            return now_s > began_s(self.facts) + limit_s(self.facts) + LATE_S
        holder = Survivor(whole(self.facts.get("pid")) or 0, whole(self.facts.get("started_ticks")) or 0)
        return not still_alive((holder,))

    def last_words(self, now_s: float) -> dict[str, object]:
        """The line of a call whose maker was killed: what it cost is unknown."""
        told = {name: value for name, value in self.facts.items() if name in SAID_OF_A_CALL}
        wall_s = min(max(now_s - began_s(self.facts), 0.0), limit_s(self.facts))
        return {
            **told,
            "outcome": Outcome.CRASHED.value,
            "reason": "whoever made this call was killed",
            "cost_usd": None,
            "usage": dict(vars(Usage())),
            "started_at": str(self.facts.get("at", "")),
            "ended_at": "",
            "wall_s": round(wall_s, 3),
        }


def take_off(log: Path, facts: Mapping[str, object]) -> Flight:
    """Puts a call on record, before it starts."""
    own = entry_of(os.getpid())
    holder = {
        "pid": os.getpid(),
        "started_ticks": own.started_ticks if own else 0,
        "host": socket.gethostname(),
        "at": utc(time.time()),
    }
    flight = Flight(log.parent / FOLDER / f"{uuid.uuid4().hex}.json", {**facts, **holder})
    write_record(flight.place, dict(flight.facts))
    return flight


def flights(log: Path) -> list[Flight]:
    """Every call that was put on record and not taken off it."""
    try:
        names = sorted(os.listdir(log.parent / FOLDER))
    except OSError:
        return []
    places = (log.parent / FOLDER / name for name in names if name.endswith(".json") and not name.startswith("."))
    found = ((place, read_record(place)) for place in places)
    return [Flight(place, facts) for place, facts in found if facts is not None]


def began_s(facts: Mapping[str, Any]) -> float:
    try:
        return datetime.fromisoformat(str(facts.get("at"))).timestamp()
    except ValueError:
        return 0.0


def limit_s(facts: Mapping[str, Any]) -> float:
    """How long the call may take at most; a day where nobody said."""
    allowed = facts.get("allowed")
    hours = paid(allowed.get("wall_h")) if isinstance(allowed, Mapping) else None
    return 86_400.0 if hours is None else hours * 3600
