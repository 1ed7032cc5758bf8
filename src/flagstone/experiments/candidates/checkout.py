"""A git work tree as the subject of an experiment; the person's checkout is only read."""

from __future__ import annotations

import os
import shlex
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates.laying import Known, Layout, Plan
from flagstone.experiments.candidates.objects import LINK, Store
from flagstone.experiments.candidates.overlay import LEFT_OUT, SCRATCH
from flagstone.experiments.candidates.recent import Recent
from flagstone.experiments.candidates.repository import Change, Checkout, Repository
from flagstone.experiments.candidates.subject import Snapshot
from flagstone.experiments.candidates.taking import Rules, Taking, spoken
from flagstone.experiments.candidates.trees import SUBMODULE, Intake, Listing, edited, listing_of
from flagstone.globs import matches
from flagstone.plans import RunFolder, SubjectSpec, unused
from flagstone.records import read_record, write_record

LARGEST_SHOWN = 2_000_000
LONGEST_NOTE = 20_000
POINTER = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True)
class GitSubject:
    """The tree of one commit, of which the mutable files may change. `candidates` is our own bare repository."""

    spec: SubjectSpec
    candidates: Path
    listings: Recent[str, Listing] = field(default_factory=Recent, compare=False)
    known: Recent[Path, Known] = field(default_factory=Recent, compare=False)
    decided: dict[str, bool] = field(default_factory=dict, compare=False)
    left: dict[Path, Path] = field(default_factory=dict, compare=False)
    moving: threading.Lock = field(default_factory=threading.Lock, compare=False)

    @property
    def store(self) -> Store:
        return Store(self.candidates)

    @property
    def repository(self) -> Repository:
        return Repository(self.candidates)

    @property
    def home(self) -> Path:
        return self.candidates.parent

    @cached_property
    def surroundings(self) -> Surroundings:
        return Surroundings(self.spec.root, frozenset(self.spec.scratch), frozenset(self.spec.outputs), self.home)

    def base(self) -> Snapshot:
        """The last commit of the checkout. An edit that it does not hold would be lost without a word."""
        checkout = Checkout(self.spec.root)
        commit = checkout.head()
        edits = [spoken(change.path) for change in checkout.changes() if change.is_tracked and self.may_change(change)]
        if edits:
            raise FlagstoneError(
                f"not committed in {self.spec.root}, and to be edited by the experiment: {listed(edits)}",
                hint="commit them, or put them away with git stash: an experiment begins with the last commit",
            )
        self.store.make()
        self.repository.fetch(self.spec.root, commit)
        tree = self.repository.tree_of(commit)
        if not any(matches(path, self.spec.mutable) for path in self.listing(tree).files):
            raise FlagstoneError(
                f"no committed file in {self.spec.root} matches {', '.join(self.spec.mutable)}",
                hint="name the files that may change: subject.mutable in experiment.yaml",
            )
        return Snapshot(tree, commit)

    def may_change(self, change: Change) -> bool:
        return matches(change.path, self.spec.mutable)

    def notices(self, base: Snapshot) -> tuple[str, ...]:
        """What a person should know about the tree that everything starts from."""
        changes = Checkout(self.spec.root).changes()
        listing = self.listing(base.tree)
        said = (
            ("not committed, so not part of the experiment", [each.path for each in changes if each.is_tracked]),
            ("new and not committed, so not part of it", [each.path for each in changes if self.is_new(each)]),
            ("submodules, empty folders in every run", sorted(listing.submodules)),
            ("kept with LFS, pointers and not contents in every run", self.pointers(listing)),
        )
        return tuple(f"{words}: {listed([spoken(path) for path in paths])}" for words, paths in said if paths)

    def is_new(self, change: Change) -> bool:
        return not change.is_tracked and self.may_change(change)

    def pointers(self, listing: Listing) -> list[str]:
        """Files whose content is somewhere else."""
        rules = [blob.sha for path, blob in listing.files.items() if path.rpartition("/")[2] == ".gitattributes"]
        if not any(b"filter=lfs" in content for _, content in self.contents(rules)):
            return []
        sizes = self.repository.sizes({blob.sha for blob in listing.files.values() if blob.mode != SUBMODULE})
        small = dict(self.contents(sha for sha, size in sizes.items() if 100 < size < 300))
        return sorted(path for path, blob in listing.files.items() if small.get(blob.sha, b"").startswith(POINTER))

    def listing(self, tree: str) -> Listing:
        return self.listings.find(tree, lambda: listing_of(tree, self.repository.rows(tree)))

    def contents(self, shas: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """What objects hold: the few of candidates are read as files, the many of the base through git."""
        packed = []
        for sha in dict.fromkeys(shas):
            if self.store.path_of(sha).exists():
                yield sha, self.store.content(sha)
            else:
                packed.append(sha)
        yield from self.repository.contents(packed)

    def place(self, run: RunFolder, slot: int) -> Path:
        """A folder that is used again and again; what the run before left in it goes to that run."""
        folder = self.home / "trees" / str(slot)
        owner = folder.with_name(f"{slot}.json")
        before = str((read_record(owner) or {}).get("run", ""))
        if before:
            self.left[folder] = unused(run.root.with_name(before) / "left")
        write_record(owner, {"run": run.root.name}, durable=False)
        return folder

    def draft(self, run: RunFolder) -> Path:
        """A folder of the run's own: an earlier one that was given back, where there is one."""
        with self.moving:
            spare = next(iter(sorted((self.home / "trees").glob("draft-*[0-9]"))), None)
            if spare is None or os.path.lexists(run.draft):
                return run.draft
            known, owner = self.known_of(spare), read_record(spare.with_suffix(".json")) or {}
            run.root.mkdir(parents=True, exist_ok=True)
            os.rename(spare, run.draft)
            self.known.put(run.draft, known)
            if owner.get("run"):
                self.left[run.draft] = unused(run.root.with_name(str(owner["run"])) / "left-in-draft")
            return run.draft

    def release(self, run: RunFolder) -> None:
        """What is no part of the candidate goes to its run when the folder is used again."""
        with self.moving:
            known, number = self.known_of(run.draft), 0
            while os.path.lexists(spare := self.home / "trees" / f"draft-{number}"):
                number += 1
            write_record(spare.with_suffix(".json"), {"run": run.root.name}, durable=False)
            os.rename(run.draft, spare)
            given_back = Known(self.record_of(spare), known.seen, known.unkept)
            given_back.keep()
            self.known.put(spare, given_back)

    def lay_out(self, tree: str, folder: Path) -> None:
        self.layout(tree, folder, is_strict=True).put()

    def restore(self, tree: str, folder: Path) -> None:
        """The working folder back to a tree. A file that is right already is not touched."""
        self.layout(tree, folder, is_strict=False).put()

    def layout(self, tree: str, folder: Path, *, is_strict: bool) -> Layout:
        listing, known = self.listing(tree), self.known_of(folder)
        return Layout(self.plan(listing), folder, known, self.contents, self.left.pop(folder, None), is_strict)

    def plan(self, listing: Listing) -> Plan:
        """Submodules and folders that runs write to stand there empty."""
        scratch = self.surroundings.scratch(listing)
        folders = {*listing.folders, *listing.submodules, *scratch}
        folders |= {os.fspath(above) for name in scratch for above in Path(name).parents}
        files = {**listing.files}
        for path in listing.submodules:
            del files[path]
        return Plan(files, folders - {"", "."}, self.surroundings.links(listing))

    def known_of(self, folder: Path) -> Known:
        """What we last saw there."""
        return self.known.find(folder, lambda: Known.load(self.record_of(folder)))

    def record_of(self, folder: Path) -> Path | None:
        """Where that is written down: for folders that are used again."""
        is_lasting = folder.parent in (self.home, self.home / "trees")
        return self.home / "state" / "laid-out" / f"{folder.name}.json" if is_lasting else None

    def take(self, folder: Path, parent: Snapshot, note: str, number: int) -> Snapshot:
        """What stands in the folder now. Whatever may not be part of a candidate is a violation, and left out."""
        before = self.listing(parent.tree)
        rules = Rules(self.spec.mutable, self.surroundings.written_to(before), self.surroundings.links(before))
        intake, known = Intake(self.store, self.repository), self.known_of(folder)
        taking = Taking(folder, before, rules, known, intake, self.repository.ignored)
        taking.look()
        known.keep()
        after = edited(before, taking.changes, intake)
        intake.finish()
        self.listings.put(after.sha, after)
        commit = self.store.put_commit(after.sha, parent.commit, note.replace("\0", "")[:LONGEST_NOTE], number)
        return Snapshot(after.sha, commit, taking.said(), tuple(map(spoken, sorted(taking.changes))))

    def links(self, tree: str) -> Mapping[str, str]:
        return self.surroundings.links(self.listing(tree))

    def paths(self, tree: str) -> Iterable[str]:
        return self.listing(tree).files

    def is_written(self, path: str) -> bool:
        """Only what is so everywhere: a folder of that name may be tracked."""
        return path.endswith(".pyc") or bool(LEFT_OUT & set(path.split("/")))

    def mutable_in(self, folder: Path) -> Iterable[str]:
        """None: which new file belongs to a work tree is the repository's to say, when it is taken."""
        return ()

    def diff(self, before: str, after: str) -> str:
        return self.store.diff(before, after)

    def files(self, tree: str) -> Mapping[str, bytes]:
        """The mutable files; links, and what is too large to be looked at, left out."""
        named = {
            path: blob.sha
            for path, blob in self.listing(tree).files.items()
            if self.is_mutable(path) and blob.mode not in (LINK, SUBMODULE)
        }
        sizes = self.repository.sizes(set(named.values()))
        found = dict(self.contents(sha for sha in named.values() if sizes.get(sha, 0) <= LARGEST_SHOWN))
        return {path: found[sha] for path, sha in named.items() if sha in found}

    def is_mutable(self, path: str) -> bool:
        """Decided once for each path: trees have thousands, and differ in few."""
        if path not in self.decided:
            self.decided[path] = matches(path, self.spec.mutable)
        return self.decided[path]

    def way_home(self, commit: str, branch: str) -> str:
        """The command with which a person takes a candidate over as a branch; we never do."""
        words = ["git", "-C", str(self.spec.root), "fetch", str(self.candidates), f"{commit}:refs/heads/{branch}"]
        return shlex.join(words)


def listed(paths: list[str]) -> str:
    """A few of them, and how many more."""
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    return ", ".join(paths[:5]) + more


# what building, testing and editing leaves beside the sources: no run is shown it
LEFTOVERS = LEFT_OUT | {"build", "dist", "htmlcov", ".coverage", ".tox", ".nox", ".ruff_cache", ".hypothesis", ".idea"}


@dataclass(frozen=True)
class Surroundings:
    """The checkout at `root`. `asked` are the folders that runs write to, `outputs` what they are asked to leave;
    `own` is where the experiment lives."""

    root: Path
    asked: frozenset[str]
    outputs: frozenset[str]
    own: Path

    @cached_property
    def others(self) -> tuple[str, ...]:
        """Looked for once. A checkout that is gone or broken has none: candidates do not depend on it."""
        try:
            found = Checkout(self.root).others()
        except FlagstoneError:
            return ()
        return tuple(path for path in found if self.is_to_be_seen(path))

    def is_to_be_seen(self, path: str) -> bool:
        is_left = path.endswith(".pyc") or bool(LEFTOVERS & set(path.split("/")))
        return not is_left and not self.own.is_relative_to(self.root / path)

    def written_to(self, listing: Listing) -> frozenset[str]:
        """Paths that runs may leave things at; by default, those that training code is known to use."""
        told = {name.strip("/") for name in self.asked} | self.outputs
        # a folder with tracked files is written to only where the spec says so
        told |= {name for name in ([] if self.asked else SCRATCH) if name not in listing.folders}
        return frozenset(name for name in told if name not in listing.files)

    def scratch(self, listing: Listing) -> frozenset[str]:
        """Those that stand there as folders, empty, before a run."""
        asked = {name.strip("/") for name in self.asked}
        return frozenset(
            name
            for name in self.written_to(listing)
            if (self.root / name).is_dir() or (name in asked and not (self.root / name).is_file())
        )

    def links(self, listing: Listing) -> Mapping[str, str]:
        """What is linked, and where it points."""
        written_to = self.written_to(listing)
        return {
            path: str(self.root / path)
            for path in self.others
            if path not in listing.files
            and path not in listing.folders
            and path.rpartition("/")[0] in listing.folders
            and not any(path == name or path.startswith(f"{name}/") for name in written_to)
        }
