"""Sealed approvals: an append-only ledger of who decided what, when, about which content."""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from flagstone.layout import Run
from flagstone.locks import sole_use
from flagstone.records import Ledger, utc

COMMON_NAMES = {
    *("root", "user", "admin", "ubuntu", "debian", "nobody", "runner", "test", "guest", "vagrant", "docker", "jovyan"),
    *("flagstone", "person", "policy", "agent", "demo", "model", "train", "data"),
}
SHORTEST_NAME = 3


@dataclass(frozen=True)
class Decision:
    """Who decided, on whose authority, from where. `policy` names the rule if a rule decided."""

    by: str = ""
    who: str = ""
    at: str = ""
    how: str = ""
    comment: str = ""
    policy: str = ""


@dataclass(frozen=True, kw_only=True)
class Seal(Decision):
    """One line of the ledger of approvals: an event, who decided it, and the content it is about."""

    event: str = ""
    stage: str = ""
    digest: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    index: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 0
    flag_mtime_ns: int | None = None
    place: tuple[int, ...] = ()  # of an arrival: which copy of the run this is, and which flags came along with it
    spent: Mapping[str, int] = field(default_factory=dict)


def decisions(run: Run, nr: str) -> list[Seal]:
    """Every decision about a stage, oldest first."""
    try:
        stat = os.stat(run.seals)
    except OSError:
        return []
    return [seal for seal in read_seals(run.seals, stat.st_ino, stat.st_size, stat.st_mtime_ns) if seal.stage == nr]


@lru_cache(maxsize=8)
def read_seals(path: Path, _inode: int, _size: int, _mtime_ns: int) -> list[Seal]:
    """The ledger, read once for each state of its file."""
    return Ledger(path).entries(Seal)


def last_decision(run: Run, nr: str, *, event: str | None = None) -> Seal | None:
    """The newest decision about a stage, or the newest of one kind."""
    return newest_seal(decisions(run, nr), event)


def newest_seal(known: Sequence[Seal], event: str | None = None) -> Seal | None:
    """The last of these decisions, or the last of one kind."""
    return next((seal for seal in reversed(known) if event is None or seal.event == event), None)


def record(run: Run, event: str, nr: str, decision: Decision, **facts: object) -> None:
    """Appends one decision. It is durable when this returns."""
    decided = {name: value for name, value in vars(decision).items() if value}
    with sole_use(run.approved / ".lock"):
        Ledger(run.seals).append({"event": event, "stage": nr, "host": os.uname().nodename, **decided, **facts})


def decision_now(by: str, how: str, *, comment: str = "", policy: str = "") -> Decision:
    """A decision made at this moment, under the login name of this process."""
    return Decision(by, login_name(os.getuid()), utc(time.time()), how, comment, policy)


def login_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def names_to_hide(names: Iterable[str]) -> frozenset[str]:
    """The login names that can be told from ordinary words."""
    return frozenset(name for name in names if len(name) >= SHORTEST_NAME and name.lower() not in COMMON_NAMES)
