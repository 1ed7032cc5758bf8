"""Ledgers of decisions with numbers in place of the names of people and machines."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flagstone.gates import RunConfig
from flagstone.layout import Run
from flagstone.records import ZERO, Ledger, decode_or_none, digest_bytes, encode
from flagstone.settings import venue_fields

ALIASES = {"who": "person", "host": "machine"}


@dataclass
class People:
    """Who and which machine stands for which number, in the order in which they first decided.

    `public` are those whom the paper names: who lets an unverified citation pass is printed in it.
    """

    public: Collection[str] = ()
    known: dict[str, dict[str, str]] = field(default_factory=lambda: {key: {} for key in ALIASES})

    @classmethod
    def of(cls, opened: RunConfig) -> People:
        found = cls(public_names(opened))
        for path in decision_ledgers(opened.run):
            for entry in Ledger(path).entries():
                found.aliases(entry)
        return found

    @property
    def names(self) -> set[str]:
        """The names that must not leave."""
        return set(self.known["who"]) - set(self.public)

    def aliases(self, entry: Mapping[str, object]) -> dict[str, str]:
        named = {key: str(entry[key]) for key in ALIASES if entry.get(key)}
        return {key: name if name in self.public else self.alias(key, name) for key, name in named.items()}

    def alias(self, key: str, name: str) -> str:
        return self.known[key].setdefault(name, f"{ALIASES[key]}-{len(self.known[key]) + 1}")


def without_names(run: Run, people: People, clean: Callable[[bytes], bytes]) -> dict[Path, bytes]:
    """The ledgers of decisions with numbers for names, each chained anew over what it says now.

    The seals come last, because they name lines of the others by their digest. `clean` takes out what else must go.
    """
    found: dict[Path, bytes] = {}
    renamed: dict[str, str] = {}
    for path in sorted(decision_ledgers(run), key=lambda path: path == run.seals):
        lines, before = [], ZERO
        for raw in Ledger(path).lines():
            entry = decode_or_none(raw.raw, dict[str, Any])
            if entry is None:
                continue
            digest = {"digest": renamed[entry["digest"]]} if entry.get("digest") in renamed else {}
            line = clean(encode({**entry, **people.aliases(entry), **digest, "before": before}))
            before = renamed[digest_bytes(raw.raw)] = digest_bytes(line)
            lines.append(line + b"\n")
        found[path] = b"".join(lines)
    return found


def public_names(opened: RunConfig) -> set[str]:
    """Who waived a citation, if the paper is not anonymous."""
    venue = venue_fields(opened.run.pinned, opened.settings.venue)
    waivers = Ledger(opened.run.approved / "waivers.jsonl").entries()
    return set() if venue.get("anonymous") else {str(each["who"]) for each in waivers if each.get("who")}


def decision_ledgers(run: Run) -> list[Path]:
    """The approvals, and what else people decided."""
    return sorted(run.approved.glob("*.jsonl"))
