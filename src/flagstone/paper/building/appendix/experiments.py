"""The experiments of a run for the appendix: every candidate from the ledger, held against the folders of the runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from flagstone.experiments.ledger import Entry, entries_of, head_of, ledger_problems
from flagstone.layout import Run
from flagstone.paper.building.appendix.entries import AppendixEntry, MadeRun
from flagstone.plans import Home, plans
from flagstone.records import read_record

CURE = "restore it from a copy, or start the experiment over"


def experiment_entries(run: Run) -> Iterator[AppendixEntry]:
    """One entry for each start of each experiment, whether its plan is still there or not."""
    planned = [plan.name for plan in plans(run)]
    found = sorted(path.name for path in run.experiments.glob("*") if path.is_dir())
    for name in dict.fromkeys((*planned, *found)):
        root = run.experiments / name
        for earlier in sorted(root.glob("history/*")):
            yield entry_of(name, Home(earlier, run.root), f", earlier start {earlier.name}")
        yield entry_of(name, Home(root, run.root))


def entry_of(name: str, home: Home, which: str = "") -> AppendixEntry:
    entries = list(entries_of(home.ledger))
    return AppendixEntry(
        f"Experiment {name}{which}",
        tuple(sentences_of(home, entries)),
        tuple(made_run(name, entry) for entry in entries),
        tuple(f"experiment {name}{which}: {problem}" for problem in fault_texts(home, entries)),
        ideas=sum(entry.is_idea for entry in entries),
    )


def sentences_of(home: Home, entries: Sequence[Entry]) -> Iterator[str]:
    if not entries:
        yield "It was planned, and never begun."
        return
    best = next((entry for entry in reversed(entries) if entry.best_run), None)
    yield f"Its best run is {best.best_run}." if best else "It has no best run."


def made_run(name: str, entry: Entry) -> MadeRun:
    failed = [each for each in entry.measurements if each.status == entry.status != "ok"]
    decisive = failed[-1] if failed else entry.first
    seed = str(entry.first.seed) if entry.first else ""
    status = entry.word if entry.status == "ok" else entry.status
    words = "; ".join(filter(None, (entry.note, entry.reason)))
    return MadeRun(
        entry.run_id,
        name,
        entry.status,
        entry.value,
        seed,
        entry.wall_s,
        decisive.exit_code if decisive else None,
        f"{status}: {words}",
    )


def fault_texts(home: Home, entries: Sequence[Entry]) -> Iterator[str]:
    yield from (f"{problem}: restore the ledger from a copy" for problem in ledger_problems(home.ledger))
    head = tuple((read_record(home.root / "done.json") or {}).get("ledger") or (0,))
    if head[0] and head != head_of(home.ledger, int(head[0])):
        yield "its ledger has lost or changed lines since done.json was written: restore the ledger from a copy"
    known = {entry.run_id: entry for entry in entries}
    there = set(home.run_names())
    for name in sorted(known.keys() - there):
        yield f"the ledger has the run {name} ({known[name].status}), and its folder is gone: {CURE}"
    for name in sorted(there - known.keys()):
        if has_outcome(home.run(name).root):
            yield f"runs/{name} holds a run that was measured, and the ledger has no line of it: {CURE}"


def has_outcome(folder: Path) -> bool:
    return (folder / "result.json").is_file() or (folder / "measured-first.json").is_file()
