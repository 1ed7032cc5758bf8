"""What an experiment edits: lays candidates out as files, and takes files as candidates."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from flagstone.experiments.candidates.candidate import Snapshot
from flagstone.experiments.candidates.checkout import LEFTOVERS, GitSource
from flagstone.experiments.candidates.folders import is_left_out
from flagstone.experiments.candidates.git import (
    EMPTY,
    FILE,
    PROGRAM,
    SUBMODULE,
    Batch,
    Blob,
    Recent,
    Store,
    Tree,
    edit_tree,
    tree_of,
)
from flagstone.experiments.candidates.last_seen import FileStatus, LastSeen
from flagstone.experiments.candidates.laying import Laying, Layout
from flagstone.experiments.candidates.placement import Placement
from flagstone.experiments.candidates.project import ENVIRONMENTS, FilesSource
from flagstone.experiments.candidates.sources import (
    Source,
    argument_problems,
    first_few,
    folders_of_outputs,
    links_of,
    printable_path,
    results_in,
    written_by_runs,
)
from flagstone.experiments.candidates.survey import Survey
from flagstone.experiments.candidates.taking import Rules, Taking
from flagstone.plans import RunFolder, SubjectSpec, unused_path
from flagstone.records import make, read_record, write_in_place

LARGEST_SHOWN = 2_000_000
LONGEST_MESSAGE = 20_000
REMEMBERED = 16
MOST_SHOWN = 100
OF_A_RUN = ("run.log", "result.json", "proposal.json", "agent", "draft", "tree", "checkpoint", "left", "rebased")


@dataclass(frozen=True)
class Subject:
    """The files of one kind of source, of which some may change. Keeps each candidate in the store."""

    spec: SubjectSpec
    source: Source
    store: Store
    trees: Recent[str, Tree] = field(default_factory=lambda: Recent(REMEMBERED), compare=False)
    placements: Recent[str, Placement] = field(default_factory=lambda: Recent(REMEMBERED), compare=False)
    submodules: Recent[str, Tree] = field(default_factory=lambda: Recent(REMEMBERED), compare=False)
    mutable: Recent[str, Mapping[str, str]] = field(default_factory=lambda: Recent(REMEMBERED), compare=False)
    last_seen: Recent[Path, LastSeen] = field(default_factory=lambda: Recent(REMEMBERED), compare=False)
    is_named: dict[str, bool] = field(default_factory=dict, compare=False)
    left: dict[Path, Path] = field(default_factory=dict, compare=False)
    moving: threading.Lock = field(default_factory=threading.Lock, compare=False)

    @property
    def home(self) -> Path:
        return self.store.root.parent

    @property
    def run_repository(self) -> Path:
        """What git finds in a run."""
        return self.home / "state" / "git"

    def base(self) -> Snapshot:
        """The tree everything starts from, stored."""
        return Snapshot(*self.source.base())

    def has_changed(self, base: str) -> bool:
        """Whether the project is not what this base was taken from."""
        return self.source.has_changed(self.tree(base))

    def notices(self, base: Snapshot) -> tuple[str, ...]:
        """What a person should know of the tree that everything starts from."""
        return self.source.notices(self.tree(base.tree))

    def tree(self, sha: str) -> Tree:
        return self.trees.find(sha, lambda: tree_of(sha, self.store.rows(sha)))

    def place(self, run: RunFolder, slot: int | str) -> Path:
        """The folder that a run is laid out in. It is used again: what the run before left in it goes to that run."""
        folder = run.root.parents[1] / "trees" / str(slot)
        owner = folder.with_name(f"{slot}.json")
        before = str((read_record(owner) or {}).get("run", ""))
        if before:
            self.left[folder] = unused_path(run.root.with_name(before) / "left")
        write_in_place(owner, {"run": run.root.name})
        return folder

    def draft(self, run: RunFolder) -> Path:
        """A folder of the run's own for its proposer: an earlier one that was given back, if there is one."""
        with self.moving:
            spare = next(iter(sorted((self.home / "trees").glob("draft-*[0-9]"))), None)
            if spare is None or os.path.lexists(run.draft):
                return run.draft
            last_seen, owner = self.last_seen_in(spare), read_record(spare.with_suffix(".json")) or {}
            run.root.mkdir(parents=True, exist_ok=True)
            os.rename(spare, run.draft)
            self.last_seen.put(run.draft, last_seen)
            if owner.get("run"):
                self.left[run.draft] = unused_path(run.root.with_name(str(owner["run"])) / "left-in-draft")
            return run.draft

    def release(self, run: RunFolder) -> None:
        """Gives a draft back, once it is stored. What is no part of the candidate goes to its run at the next use."""
        with self.moving:
            last_seen, number = self.last_seen_in(run.draft), 0
            while os.path.lexists(spare := self.home / "trees" / f"draft-{number}"):
                number += 1
            write_in_place(spare.with_suffix(".json"), {"run": run.root.name})
            os.rename(run.draft, spare)
            if last_seen.record != self.record_of(spare):
                last_seen.record, last_seen.is_saved = self.record_of(spare), False
            last_seen.save_if_cheap()
            self.last_seen.put(spare, last_seen)

    def lay_out(
        self, tree: str, folder: Path, *, links: bool = True, whole: bool = False, is_trusted: bool = False
    ) -> str:
        """Exactly this tree in the folder, whatever stood there. Says which sources the run before has written to.

        Without `links`, nothing in it leads to the project. The `whole` tree has the files that are held out.
        If what runs there is trusted, the next call looks at each file only if the kernel reports a write.
        """
        owner = self.left.get(folder, folder).parent.name
        placement = self.placement(tree, whole=whole)
        of_person = placement.layout if folder.parent == self.home else placement.of_runs
        layout = of_person if links else placement.without_links
        touched = self.put(layout, folder, is_strict=True, is_trusted=is_trusted)
        names = first_few([printable_path(path) for path in sorted(touched)])
        return f"{owner} wrote into its sources: {names}" if touched else ""

    def restore(self, tree: str, folder: Path) -> None:
        """The working folder back to a tree. A file that is right already is not touched."""
        self.put(self.placement(tree).layout, folder, is_strict=False)

    def put(self, layout: Layout, folder: Path, *, is_strict: bool, is_trusted: bool = False) -> list[str]:
        left, last_seen = self.left.pop(folder, None), self.last_seen_in(folder)
        laying = Laying(layout, folder, last_seen, self.store.contents, left, is_strict, is_trusted)
        laying.put()
        return laying.touched

    def placement(self, sha: str, *, whole: bool = False) -> Placement:
        return self.placements.find(f"{sha} {whole}", lambda: self.placement_of(self.tree(sha), whole))

    def placement_of(self, tree: Tree, whole: bool) -> Placement:
        """Submodules that the project has not checked out, and folders that runs write to, are empty."""
        written = written_by_runs(self.spec, self.source, tree)
        hides, is_hiding = self.spec.is_held_out, bool(self.spec.held_out) and not whole
        opened = (*self.spec.outputs, *self.spec.held_out)  # a link to a whole folder would show what is held out
        ends = {*tree.submodules, *written.empty, *folders_of_outputs(self.spec.root, opened)}
        folders = {*tree.folders, *ends, *(os.fspath(above) for end in ends for above in Path(end).parents)} - {"."}
        inner = self.files_of_submodules(tree)
        folders |= {os.fspath(above) for path in inner for above in Path(path).parents} - {"."}
        beside = (path for path in self.source.paths_beside(folders) if not (is_hiding and hides(path)))
        within = {
            path: place for path, place in self.source.links_within(tree).items() if not (is_hiding and hides(path))
        }
        links = {**links_of(self.spec.root, tree, folders, beside, written), **within}
        every = {**tree.files, **inner}.items()
        files = {path: blob for path, blob in every if blob.mode != SUBMODULE and not (is_hiding and hides(path))}
        repository = os.fspath(self.run_repository) if (self.run_repository / "HEAD").is_file() else ""
        placement = Placement(Layout(files, folders - {""}, links), written, self.source.also_mutable(tree), repository)
        results = (path for path in results_in(files, self.spec) if not self.is_mutable(path, placement))
        return replace(placement, results=frozenset(results))

    def files_of_submodules(self, tree: Tree) -> dict[str, Blob]:
        """The files of the submodules whose commits are in the store, and of those within them."""
        found: dict[str, Blob] = {}
        for path in sorted(tree.submodules):
            commit = tree.files[path].sha
            inner = self.submodules.find(commit, partial(self.submodule, commit))
            files = {**inner.files, **self.files_of_submodules(inner)}
            found |= {f"{path}/{name}": blob for name, blob in files.items() if blob.mode != SUBMODULE}
        return found

    def submodule(self, commit: str) -> Tree:
        repository = self.store.repository
        return self.tree(repository.tree_of(commit)) if repository.sizes([commit]) else EMPTY

    def last_seen_in(self, folder: Path) -> LastSeen:
        return self.last_seen.find(folder, lambda: LastSeen.load(self.record_of(folder)))

    def laid_out_in(self, folder: Path) -> Callable[[Path], bool]:
        """Tells which files of a folder are as they were laid out, and which a run has written."""
        return partial(self.last_seen_in(folder).has_same_content, folder)

    def record_of(self, folder: Path) -> Path | None:
        """Where that is written down: for folders that are used again."""
        is_lasting = folder.parent == self.home or folder.parent.name == "trees"
        return self.home / "state" / "laid-out" / f"{folder.name}.json" if is_lasting else None

    def touched_in(self, folder: Path) -> Iterator[tuple[str, FileStatus]]:
        """All that was written in a folder since it was laid out. `take` does not look again if nothing is written."""
        return self.last_seen_in(folder).touched_in(folder, lambda _: True)

    def take(self, folder: Path, parent: Snapshot, note: str, number: int) -> Snapshot:
        """Stores what the folder contains now. What may not be part of a candidate is a violation, and left out."""
        before, placement = self.tree(parent.tree), self.placement(parent.tree)
        may = partial(self.is_mutable, placement=placement)
        rules = Rules(may, self.spec.is_held_out, placement.written, placement.layout.links)
        batch, last_seen = Batch(self.store), self.last_seen_in(folder)
        taking = Taking(folder, before, placement.layout.entries, rules, last_seen, batch, self.store.ignored_paths)
        taking.look()
        last_seen.save_if_cheap()
        after = edit_tree(before, taking.changes, batch.put)
        commit = batch.put_commit(after.sha, parent.commit, note.replace("\0", "")[:LONGEST_MESSAGE], number)
        batch.write()
        self.trees.put(after.sha, after)
        # few of thousands of files differ
        now = {path: blob.sha if blob else "" for path, blob in taking.changes.items()}
        named = {**self.mutable.find(parent.tree, lambda: self.mutable_of(parent.tree)), **now}
        self.mutable.put(after.sha, {path: sha for path, sha in named.items() if sha})
        changed = tuple(map(printable_path, sorted(taking.changes)))
        violations = (*taking.listed_violations(), *argument_problems(self.spec, self.store, after))
        return Snapshot(after.sha, commit, violations, changed)

    def survey(self, tree: str) -> Survey:
        """What a run can read of the project: all but environments, what tools leave, and what runs write."""
        written, own = self.placement(tree).written, os.fspath(self.home.parent)

        def is_watched(path: str) -> bool:
            name = path.rpartition("/")[2]
            is_others = is_left_out(name) or name in LEFTOVERS or name in ENVIRONMENTS
            return not is_others and path not in written and f"{self.spec.root}/{path}" != own

        return Survey(self.spec.root, self.home / "state" / "project.json", is_watched)

    def is_mutable(self, path: str, placement: Placement) -> bool:
        """Decided once for each path: trees have thousands, and differ in few."""
        if path not in self.is_named:
            self.is_named[path] = self.spec.may_change(path)
        return self.is_named[path] or (path in placement.also_mutable and not self.spec.is_immutable(path))

    def links(self, tree: str) -> Mapping[str, str]:
        """What is only linked beside a tree, and where it leads: the project as it is now."""
        return self.placement(tree).layout.links

    def paths(self, tree: str) -> Iterable[str]:
        """Every file of a tree."""
        return self.tree(tree).files

    def is_written(self, path: str, tree: str) -> bool:
        """Whether runs leave such a file, so that it is part of no candidate."""
        return is_left_out(path) or (bool(tree) and path in self.placement(tree).written)

    def diff(self, before: str, after: str) -> str:
        """The difference of two trees as text."""
        return self.store.diff(before, after)

    def show(self, run: RunFolder, snapshot: Snapshot) -> None:
        """Copies the files that a candidate changed to the folder of its run, for a reader; of the base all of them."""
        files = self.files(snapshot.tree)
        for path in snapshot.changed or tuple(files)[:MOST_SHOWN]:
            target = run.root / path
            if path in files and path.partition("/")[0] not in OF_A_RUN and not os.path.lexists(target):
                make(target, files[path])

    def files(self, tree: str) -> Mapping[str, bytes]:
        """The content of the files that may change. Leaves out links, and what is too large to be looked at."""
        named = self.mutable.find(tree, lambda: self.mutable_of(tree))
        found = self.store.small_contents(set(named.values()), LARGEST_SHOWN)
        return {path: found[sha] for path, sha in named.items() if sha in found}

    def mutable_of(self, tree: str) -> Mapping[str, str]:
        """The object of each file that may change, without links."""
        placement, files = self.placement(tree), self.tree(tree).files.items()
        return {
            path: blob.sha for path, blob in files if blob.mode in (FILE, PROGRAM) and self.is_mutable(path, placement)
        }

    def close(self) -> None:
        """Leaves the candidates where git finds them, and what the folders hold for the next process."""
        self.store.show_to_git()
        for last_seen in tuple(self.last_seen.rows.values()):
            last_seen.save()


def subject_of(spec: SubjectSpec, store: Store) -> Subject:
    """The subject that a spec names."""
    return Subject(spec, GitSource(spec, store) if spec.kind == "git" else FilesSource(spec, store), store)
