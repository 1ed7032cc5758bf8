"""The experiment that a session of a marker goes on in: one for each base commit, and a new one where HEAD moved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import Checkout, GitSource
from flagstone.experiments.engine import OpenedExperiment, merged_files, open_experiment, write_edit
from flagstone.experiments.ledger import Entry, History
from flagstone.experiments.proposers import Proposed, Proposer, View, start_of
from flagstone.markers.compile import spec_values
from flagstone.markers.folder import MarkerFolder
from flagstone.markers.ideas import guidance_of
from flagstone.markers.marker import Marker
from flagstone.plans import Home, Spec, spec_of
from flagstone.records import read_record, write_atomic, write_record

FIRST_EDIT = 2  # run 1 measures the unedited files
CARRIED = re.compile(r"\A(?:the best of experiment \d+, r\d+: )+")


@dataclass(frozen=True)
class Opening:
    """The experiment of a session, and the earlier one whose best is tried first in it, if there is one."""

    opened: OpenedExperiment
    earlier: OpenedExperiment | None


def open_home(marker: Marker, schemas: Path, *, at_head: bool = False, is_fresh: bool = False) -> Opening:
    """The experiment to go on in. It is a new one if HEAD or what decides about the number has changed."""
    folder = MarkerFolder.of(marker.repository, marker.name)
    make_folder(folder)
    values, head = spec_values(marker, at_head=at_head), Checkout(marker.repository).head()
    last = folder.homes[-1] if folder.homes else None
    if last is not None and not is_fresh and goes_on(last, head, spec_of("", marker.repository, values)):
        home = last
    else:
        home = folder.home(len(folder.homes) + 1)
        home.root.mkdir()
        write_record(earlier_record(home), {"home": last.root.name if last else ""})
    write_spec(home, values)
    opened = open_experiment(home, schemas)
    assert isinstance(opened.subject.source, GitSource)
    opened.subject.source.refuse_edits()
    number = str((read_record(earlier_record(home)) or {}).get("home", ""))
    earlier = open_experiment(folder.home(int(number)), schemas) if number else None
    return Opening(opened, earlier)


def make_folder(folder: MarkerFolder) -> None:
    """Makes the folder of a marker. Git ignores all that is below `markers`, and not the marker file beside it."""
    folder.root.mkdir(parents=True, exist_ok=True)
    ignore = folder.root.parent / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")


def goes_on(home: Home, head: str, spec: Spec) -> bool:
    """Whether an experiment starts from this commit, and measures what the marker measures now."""
    start = read_record(home.start)
    if start is None:
        return True  # it was cut off before it began
    return start.get("commit") == head and Spec.digest_in(home.spec) == spec.digest


def earlier_record(home: Home) -> Path:
    """Which experiment of the marker came before."""
    return home.root / "earlier.json"


def write_spec(home: Home, values: Mapping[str, object]) -> None:
    write_atomic(home.spec, yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=100).encode())


@dataclass(frozen=True)
class CarryingProposer:
    """Proposes the best of the earlier experiment as the first edit, put onto the new base; then asks the other."""

    inner: Proposer | None
    opening: Opening

    def parent(self, view: View) -> Entry | None:
        return start_of(self.inner, view) if self.inner and view.number != FIRST_EDIT else None

    def propose(self, view: View, draft: Path, record_dir: Path) -> Proposed:
        first = self.carry(draft) if view.number == FIRST_EDIT else None
        if first:
            return first
        if self.inner is None:
            raise FlagstoneError("this marker has no proposer", hint="set loop.proposer: agent")
        guidance = guidance_of(MarkerFolder(view.home.root.parent, view.home.base), view.home)
        return self.inner.propose(replace(view, guidance=guidance), draft, record_dir)

    def carry(self, draft: Path) -> Proposed | None:
        """Writes the best of the earlier experiment into the draft. Returns None if there is nothing to be carried."""
        earlier, opened = self.opening.earlier, self.opening.opened
        best = History.read(earlier.home).progress.best if earlier else None
        if earlier is None or best is None:
            return None
        files, name = earlier.subject.files, f"experiment {earlier.home.name}"
        edit = merged_files(files(earlier.base.tree), files(best.tree), opened.subject.files(opened.base.tree))
        if edit is None:
            return Proposed(failure=f"the best of {name} does not merge with the commit that this one starts from")
        write_edit(edit, draft)
        note, origin = f"the best of {name}, {best.run_id}: {own_note(best)}", f"{earlier.home.name}/{best.run_id}"
        return Proposed(note=note, facts={"carried_from": origin}) if edit else None


def own_note(entry: Entry) -> str:
    """What its proposer said of an edit, also if it was carried from one experiment to the next."""
    return CARRIED.sub("", entry.note)
