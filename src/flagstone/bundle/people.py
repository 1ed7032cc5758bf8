"""Ledgers of decisions with numbers in place of the names of people and machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.layout import Run
from flagstone.records import ZERO, Ledger, digest_bytes, encode

ALIASES = {"who": "person", "host": "machine"}


@dataclass
class People:
    """Who and which machine stands for which number, in the order in which they first decided."""

    known: dict[str, dict[str, str]] = field(default_factory=lambda: {key: {} for key in ALIASES})

    @classmethod
    def of(cls, run: Run) -> People:
        found = cls()
        for path in decision_ledgers(run):
            found.without_names(path, lambda line: line)
        return found

    @property
    def names(self) -> Iterable[str]:
        return self.known["who"]

    def alias(self, key: str, name: str) -> str:
        return self.known[key].setdefault(name, f"{ALIASES[key]}-{len(self.known[key]) + 1}")

    def without_names(self, path: Path, clean: Callable[[bytes], bytes]) -> bytes:
        """The ledger with numbers for names, chained anew over what it says now. `clean` takes more out."""
        lines, before = [], ZERO
        for entry in Ledger(path).entries():
            named = {key: self.alias(key, str(entry[key])) for key in ALIASES if entry.get(key)}
            line = clean(encode({**entry, **named, "before": before}))
            before = digest_bytes(line)
            lines.append(line + b"\n")
        return b"".join(lines)


def decision_ledgers(run: Run) -> list[Path]:
    """The approvals, and what else people decided."""
    return sorted(run.approved.glob("*.jsonl"))
