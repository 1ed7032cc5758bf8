"""An edit of an older parent, put onto the best: merged file by file, and measured before anything is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from flagstone.experiments.candidates import Candidate, Snapshot, make_empty_folder, merged_content
from flagstone.experiments.engine.opening import OpenedExperiment, facts_of
from flagstone.experiments.ledger import Entry
from flagstone.experiments.measuring import Measurement
from flagstone.plans import run_id


def rebased_candidate(
    opened: OpenedExperiment, candidate: Candidate, first: Measurement | None, best: Entry | None
) -> Candidate | None:
    """The candidate on the best of now; None unless the spec asks for that and its parent is older."""
    if not opened.spec.rebase or best is None or first is None or first.status != "ok":
        return None
    return merge_onto(opened, candidate, best) if best.tree != candidate.base_tree else None


def merge_onto(opened: OpenedExperiment, candidate: Candidate, best: Entry) -> Candidate | None:
    """The candidate with its edit on the best; None if both changed the same lines, or nothing is left of it."""
    run = opened.home.run(run_id(candidate.number))
    subject, parent = opened.subject, Snapshot(best.tree, best.commit)
    merged = merged_files(
        subject.files(candidate.base_tree), subject.files(candidate.snapshot.tree), subject.files(best.tree)
    )
    if merged is None:
        return None
    folder = run.root / "rebased"
    make_empty_folder(folder)
    subject.lay_out(best.tree, folder)
    write_edit(merged, folder)
    taken = subject.take(folder, parent, candidate.note or run_id(candidate.number), candidate.number)
    if taken.tree == best.tree or taken.violations:
        return None
    facts = {**candidate.facts, **facts_of(opened, taken.tree), "rebased_from": candidate.base_run}
    facts.pop("base", None)  # now it is made from the best
    return replace(candidate, parent_run=best.run_id, parent_tree=best.tree, snapshot=taken, facts=facts)


def write_edit(edit: Mapping[str, bytes | None], folder: Path) -> None:
    """Writes the files of an edit into a folder, and removes those that it removes."""
    for path, content in edit.items():
        target = folder / path
        if content is None:
            target.unlink(missing_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


def merged_files(
    base: Mapping[str, bytes], edited: Mapping[str, bytes], best: Mapping[str, bytes]
) -> dict[str, bytes | None] | None:
    """What has to be written over the best, path by path (None: removed); None if it does not merge."""
    found: dict[str, bytes | None] = {}
    for path in sorted({*base, *edited}):
        before, after, now = base.get(path), edited.get(path), best.get(path)
        if before == after or after == now:
            continue
        if before == now:
            found[path] = after
            continue
        if before is None or after is None or now is None:
            return None
        joined = merged_content(now, before, after)
        if joined is None:
            return None
        found[path] = joined
    return found
