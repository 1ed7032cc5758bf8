"""Sealed approvals: an append-only ledger of who decided what, when, about which content."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from flagstone.layout import Run
from flagstone.locks import sole_use
from flagstone.records import Ledger


@dataclass(frozen=True)
class Decision:
    """Who decided, on whose authority, from where."""

    by: str
    who: str
    at: str
    how: str
    comment: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)


def ledger(run: Run) -> Ledger:
    return Ledger(run.seals)


def decisions(run: Run, nr: str) -> list[dict[str, Any]]:
    """Every decision about a stage, oldest first."""
    try:
        stat = os.stat(run.seals)
    except OSError:
        return []
    entries = ledger_entries(run.seals, stat.st_ino, stat.st_size, stat.st_mtime_ns)
    return [entry for entry in entries if entry.get("stage") == nr]


@lru_cache(maxsize=8)
def ledger_entries(path: Path, _inode: int, _size: int, _mtime_ns: int) -> list[dict[str, Any]]:
    """The ledger, read once for each state of its file."""
    return Ledger(path).entries()


def last_decision(run: Run, nr: str, *, event: str | None = None) -> dict[str, Any] | None:
    """The newest decision about a stage, or the newest of one kind."""
    return newest(decisions(run, nr), event)


def newest(known: list[dict[str, Any]], event: str | None = None) -> dict[str, Any] | None:
    """The last of these decisions, or the last of one kind."""
    return next((entry for entry in reversed(known) if event is None or entry.get("event") == event), None)


def record(run: Run, event: str, nr: str, decision: Decision, **facts: object) -> None:
    """Appends one decision; durable when it returns."""
    entry: dict[str, object] = {
        "event": event,
        "stage": nr,
        "by": decision.by,
        "who": decision.who,
        "at": decision.at,
        "how": decision.how,
        "host": os.uname().nodename,
        **decision.extra,
        **facts,
    }
    if decision.comment:
        entry["comment"] = decision.comment
    with sole_use(run.approved / ".lock"):
        ledger(run).append(entry)


def owner_of(path: Path) -> str:
    """The login name of a file's owner; for a touched flag that is who approved."""
    return login_name(os.stat(path).st_uid)


def login_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
