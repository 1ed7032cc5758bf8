"""The journal beside all trials of a run: which pre-registrations share one α, and what became of the earlier ones."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from flagstone.locks import sole_use
from flagstone.plans import TrialFolder, TrialSpec
from flagstone.records import Ledger, digest_value, read_record, utc
from flagstone.trials.lines import Earlier
from flagstone.trials.sealing.seeds import renew_seeds, sealed_seeds

ALPHA = 0.05  # of the first pre-registration


@dataclass(frozen=True)
class Registered:
    """One line of the journal beside all trials of a run: what was pre-registered, and for which metric."""

    trial: str
    key: str
    seeds: str
    at: str
    head: str = ""  # the digest of the line in the trial's ledger that these seeds were drawn after


def key_of(metric: str, contract: str) -> str:
    """What the pre-registrations have in common that share one α."""
    return digest_value([metric, contract])


def journal_of(folder: TrialFolder) -> Path:
    """Beside all trials of a run, so that a trial which is made anew does not begin with its whole α again."""
    return folder.root.parent / "preregistrations.jsonl"


def next_number(folder: TrialFolder, spec: TrialSpec, contract: str) -> int:
    """The number of the next pre-registration of this trial, or for this metric under this contract, from 1."""
    return 1 + len(registrations(folder, key_of(spec.experiment.metric.name, contract)))


def registrations(folder: TrialFolder, key: str) -> list[Registered]:
    """Those that share one α: of a trial of this name too, whose metric or contract was edited since."""
    rows = Ledger(journal_of(folder)).entries(Registered)
    return [row for row in rows if row.key == key or row.trial == folder.name]


def register(folder: TrialFolder, spec: TrialSpec, contract: str) -> tuple[int, str]:
    """The number of this pre-registration and the digest of its seeds, which are drawn for it.

    One that a kill kept from being sealed does not count twice: its seeds were drawn for the same line of the ledger.
    """
    key, head = key_of(spec.experiment.metric.name, contract), Ledger(folder.ledger).head
    with sole_use(journal_of(folder)):
        kept = sealed_seeds(folder)
        is_known = any(kept and row.seeds == kept.digest and row.head == head for row in registrations(folder, key))
        if not is_known and not folder.prereg.exists():
            kept = renew_seeds(folder, spec)
            Ledger(journal_of(folder)).append(Registered(folder.name, key, kept.digest, utc(time.time()), head))
        seeds = kept.digest if kept else ""
        return number_in_journal(folder, key, seeds), seeds


def number_in_journal(folder: TrialFolder, key: str, seeds: str) -> int:
    """The number of the pre-registration with these seeds, from 1; 0 if the journal has none."""
    rows = registrations(folder, key)
    return next((number for number, row in enumerate(rows, 1) if row.seeds == seeds), 0)


def reuse_text(folder: TrialFolder, seeds: str) -> str:
    """That the seeds were drawn for an earlier ledger, and may have been known. Returns '' if they were not."""
    drawn = next((row for row in Ledger(journal_of(folder)).entries(Registered) if row.seeds == seeds), None)
    lines = Ledger(folder.ledger).entries()
    heads = (str(line.get("before")) for line in lines if line.get("kind") == "prereg")
    if drawn is None or drawn.head in ("", next(heads, "")):
        return ""
    return f"the confirmation seeds were drawn for an earlier start of this trial, at {drawn.at}"


def earlier_trials(folder: TrialFolder, key: str, seeds: str = "") -> Iterator[Earlier]:
    """The trials that asked before the pre-registration with these seeds: what they came to, and which α each had."""
    rows = takewhile(lambda row: row.seeds != seeds, registrations(folder, key))
    for number, row in enumerate(rows):
        sealed, outcome = end_of(folder, row)
        yield Earlier(row.trial, row.at, outcome, float(sealed.get("alpha", ALPHA / 2**number)))
    for place in sorted((folder.root / "history").glob("*")):
        sealed, found = (read_record(place / name) or {} for name in ("prereg.json", "verdict.json"))
        if found and not sealed.get("seeds"):
            yield Earlier(folder.name, str(sealed.get("sealed_at", "")), str(found.get("outcome")))


def end_of(folder: TrialFolder, row: Registered) -> tuple[Mapping[str, Any], str]:
    """What was sealed, and the outcome in words, wherever the trial lies now."""
    root = folder.root.with_name(row.trial)
    for place in (root, *sorted((root / "history").glob("*"))):
        sealed = read_record(place / "prereg.json") or {}
        if sealed.get("seeds") == row.seeds:
            return sealed, str((read_record(place / "verdict.json") or {}).get("outcome", "no verdict"))
    return {}, "not known: its files are gone"
