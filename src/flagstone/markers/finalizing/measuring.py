"""Measures trees for a branch as a session does, in an experiment of their own, which goes on after a kill."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from flagstone.errors import Interrupted
from flagstone.experiments.candidates import Batch, Candidate, Contract, Snapshot, Store, Tree
from flagstone.experiments.engine import Engine, baseline_candidate, engine_of, open_experiment
from flagstone.experiments.ledger import Entry, Progress, entries_of
from flagstone.markers.compile import shell, spec_values
from flagstone.markers.homes import goes_on, write_spec
from flagstone.markers.marker import Marker
from flagstone.plans import Home, Spec, StepSpec, spec_of
from flagstone.records import read_record, write_record
from flagstone.text import one_line


@dataclass(frozen=True)
class Measurer:
    """Measures trees and judges them. What is in its ledger is not measured again."""

    engine: Engine
    gates: tuple[StepSpec, ...]

    @property
    def store(self) -> Store:
        return self.engine.opened.subject.store

    def tree(self, sha: str) -> Tree:
        return self.engine.opened.subject.tree(sha)

    @property
    def base(self) -> Tree:
        return self.tree(self.engine.opened.base.tree)

    @property
    def base_commit(self) -> str:
        return self.engine.opened.base.commit

    @cached_property
    def baseline(self) -> Progress:
        """The unedited files, measured."""
        entries = entries_of(self.engine.opened.home.ledger)
        found = next((entry for entry in entries if entry.is_baseline and entry.improved), None)
        if found is None:
            make = baseline_candidate
            found = self.conclude(lambda: make(self.engine.opened, self.engine.next_number), Progress())
        return Progress().after(found)

    @cached_property
    def verdicts(self) -> dict[tuple[str, str], Entry]:
        """What was measured to its end, by the tree and the one that it was put onto.

        What a check refused is tried again by the next call: a person may have corrected why.
        """
        entries = {entry.run_id: entry for entry in entries_of(self.engine.opened.home.ledger)}
        rows = ((entry, entries.get(entry.parent_run)) for entry in entries.values())
        return {
            (entry.tree, onto.tree): entry
            for entry, onto in rows
            if onto and entry.status == "ok" and not entry.refused_by
        }

    def judge(self, tree: Tree, note: str, against: Progress) -> Entry:
        """Whether a tree is better than the best of `against`, onto which it was put."""
        onto = against.best
        assert onto is not None
        known = self.verdicts.get((tree.sha, onto.tree))
        if known is not None:
            return known
        number, batch = self.engine.next_number, Batch(self.store)
        commit = batch.put_commit(tree.sha, onto.commit, note, number)
        batch.write()
        made = Candidate(number, onto.run_id, onto.tree, Snapshot(tree.sha, commit), note)
        entry = self.conclude(lambda: made, against)
        self.verdicts[(tree.sha, onto.tree)] = entry
        return entry

    def conclude(self, make: Callable[[], Candidate], against: Progress) -> Entry:
        candidate, first = self.engine.prepare(make)
        if first is not None and first.status == "interrupted":
            raise Interrupted("stopped in a measurement", hint=f"go on: {self.engine.again_command}")
        entry = self.engine.record(replace(self.engine.judge_of(candidate), progress=against).entry(first))
        self.engine.accounts.note(entry)  # no folder of a best is made: a branch is
        self.engine.halt_on(entry)
        return entry

    def gate_fault(self, entry: Entry) -> str:
        """Why the files of a run do not pass the gates. Returns '' if they do; this is written down."""
        home = self.engine.opened.home
        record, said = home.run(entry.run_id).root / "gates.json", [step.argv[-1] for step in self.gates]
        if read_record(record) == {"passed": said}:
            return ""
        onto = Candidate(entry.number, entry.parent_run, "", Snapshot(entry.tree, entry.commit))
        for number, step in enumerate(self.gates, 1):
            tried = self.engine.harness.try_gate(step, self.engine.order(onto, f"gate-{number}"))
            if tried.reason:
                log = os.path.relpath(home.root / tried.log, home.base)
                return f"{tried.reason} ({step.argv[-1]}): see {log}"
        write_record(record, {"passed": said})
        return ""


@contextmanager
def bench_of(marker: Marker, home: Home, schemas: Path, say: Callable[[str], None]) -> Iterator[Measurer]:
    opened = open_experiment(home, schemas)
    seconds = marker.loop.budget_per_experiment_s
    gates = tuple(StepSpec(tuple(shell(command)), seconds) for command in marker.finalize.gates)
    with engine_of(opened, None, say, tells_interruptions=False) as engine:
        yield Measurer(replace(engine, lines=measured_lines), gates)


def measured_lines(home: Home, entry: Entry, spec: Spec) -> Iterator[str]:
    """What a person is told of one measurement. Its run has a number of its own, which would only confuse."""
    what = "the files to start from" if entry.is_baseline else entry.note
    number = entry.judgement.get("ours", entry.value)  # what its commit says
    value = "" if number is None else f" {number:.6g}"
    yield f"measured {what}:{value} ({one_line(entry.reason, 200)})"


def home_for(marker: Marker, last: Home, head: str | None) -> Home:
    """The experiment that measures on the base of `last`, or on `head` if that is given.

    It is a new one if what decides about the number has changed.
    """
    start, values = read_record(last.start) or {}, measuring_values(marker)
    base = {"tree": start["tree"], "commit": start["commit"]}
    commit, spec, number = head or base["commit"], spec_of("", marker.repository, values), 1
    while (home := Home(last.root.with_name(f"finalizing-{last.name}-{number}"), marker.repository)).root.exists():
        if goes_on(home, commit, spec) and is_as_begun(home, spec):
            break
        number += 1
    if not home.start.exists():
        home.root.mkdir(exist_ok=True)
        if not home.candidates.is_symlink():  # what was kept is there already
            os.symlink(os.path.join("..", last.name, last.candidates.name), home.candidates)
        home.origin.unlink(missing_ok=True)
        if head is None:
            write_record(home.origin, base)
        write_spec(home, values)
    return home


def is_as_begun(home: Home, spec: Spec) -> bool:
    """Whether the files and programs that decide about its numbers are what they were."""
    start = read_record(home.start)
    return start is None or not Contract(spec, home.spec).change_text(start["files"], start["contract"])


def measuring_values(marker: Marker) -> dict[str, Any]:
    """The experiment of a marker without what only a session needs: nothing is proposed, and nothing ends it early."""
    values = spec_values(marker, at_head=True)
    kept = {key: row for key, row in values.items() if key not in ("lag", "rebase", "rework", "script")}
    return {**kept, "proposer": "none", "stopping": {"on_halt": True}}
