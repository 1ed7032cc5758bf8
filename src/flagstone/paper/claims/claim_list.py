"""claims.yaml as the agent wrote it: what each claim of the paper claims."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flagstone.layout import Run
from flagstone.paper.facts import read_written

ClaimKind = Literal["better", "worse", "equal", "trend", "largest", "none"]
ID = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,63}\Z")


@dataclass(frozen=True)
class ClaimEntry:
    """One entry. `against` is empty if `of` is itself an improvement, of which a positive one is better."""

    id: str
    kind: ClaimKind
    of: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    is_improvement: bool = False
    better: str = ""
    verdict: str = ""
    line: int = 1

    @property
    def where(self) -> str:
        return f"workspace/writing/claims.yaml:{self.line}"

    @property
    def keys(self) -> tuple[str, ...]:
        return self.of + self.against


@dataclass(frozen=True)
class ClaimList:
    """The entries by their id, what is wrong with the file, and all ids in it, also of entries that are wrong."""

    entries: Mapping[str, ClaimEntry]
    problems: tuple[str, ...]
    ids: frozenset[str]


def read_claims(run: Run) -> ClaimList:
    written = read_written(run, "claims", ID)
    entries = {key: entry_of(key, row, written.yaml.line((key,))) for key, row in written.entries.items()}
    value = written.yaml.value if written.yaml.text else None
    return ClaimList(entries, written.problems, frozenset(map(str, value)) if isinstance(value, dict) else frozenset())


def entry_of(key: str, row: Mapping[str, Any], line: int) -> ClaimEntry:
    against = row.get("against", ())
    return ClaimEntry(
        id=key,
        kind=row["kind"],
        of=keys_of(row.get("of", ())),
        against=() if against == 0 else keys_of(against),
        is_improvement=against == 0,
        better=row.get("better", ""),
        verdict=row.get("verdict", ""),
        line=line,
    )


def keys_of(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
