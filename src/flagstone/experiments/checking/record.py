"""check.json: what was checked, and whether it still holds for the spec of now."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Literal

from flagstone.plans import Home, Spec
from flagstone.records import read_record, utc, write_record

CheckState = Literal["checked", "not checked", "check failed", "check is stale"]


def write_check(home: Home, spec: Spec, found: Mapping[str, Any]) -> None:
    """Writes what was found, with the digest of what decides about the number."""
    write_record(home.check, {"digest": spec.digest, "checked_at": utc(time.time()), **found})


def check_state(home: Home, spec: Spec) -> CheckState:
    """Whether an experiment was checked as it is set now."""
    record = read_record(home.check)
    if record is None:
        return "not checked"
    if record.get("digest") != spec.digest:
        return "check is stale"
    return "checked" if record.get("exit") == 0 else "check failed"


def is_to_be_checked(home: Home, spec: Spec) -> bool:
    """Whether nothing ran yet, no parent was measured with the same command, and no check holds."""
    has_begun = home.ledger.exists() or home.origin.exists()
    return not has_begun and check_state(home, spec) != "checked"
