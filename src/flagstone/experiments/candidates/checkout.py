"""The last commit of a git work tree as a source."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates.folders import LEFT_OUT, is_left_out
from flagstone.experiments.candidates.git import (
    Batch,
    Blob,
    Checkout,
    Modified,
    Recent,
    Store,
    Tree,
    edit_tree,
    fetch_submodules,
    large_files,
    tree_of,
)
from flagstone.experiments.candidates.sources import (
    LARGEST_SOURCE,
    SCRATCH,
    SOURCE_NAMES,
    content_of,
    first_few,
    own_files,
    printable_path,
    within_bounds,
    written_by_runs,
)
from flagstone.plans import SubjectSpec

# what building, testing and editing leaves beside the sources: no run is shown it
LEFTOVERS = LEFT_OUT | {"build", "dist", "htmlcov", ".coverage", ".tox", ".nox", ".ruff_cache", ".hypothesis", ".idea"}


@dataclass(frozen=True)
class GitSource:
    """The last commit of a git work tree. The person's checkout is only read."""

    spec: SubjectSpec
    store: Store
    pointers: Recent[str, Mapping[str, Path | None]] = field(default_factory=lambda: Recent(1), compare=False)

    @cached_property
    def checkout(self) -> Checkout:
        return Checkout(self.spec.root)

    @property
    def is_bare(self) -> bool:
        """Whether runs see nothing that a person has written and not committed: only what git ignores."""
        return self.spec.uncommitted == "none"

    def refuse_edits(self) -> None:
        """Refuses an edit that the last commit does not hold: it would be lost without a word."""
        edits = [printable_path(each.path) for each in self.checkout.changes() if each.is_tracked and self.names(each)]
        if edits and not self.spec.at_head:
            raise FlagstoneError(
                f"the experiment would edit files of {self.spec.root} with uncommitted changes: {first_few(edits)}",
                hint="commit them or git stash them; or start from the last commit without them: "
                "set subject.at_head in experiment.yaml",
            )

    def base(self) -> tuple[str, str]:
        commit = self.checkout.head()
        self.refuse_edits()
        self.store.make()
        self.store.repository.fetch(self.spec.root, commit)
        tree = self.store.repository.tree_of(commit)
        fetch_submodules(self.store.repository, self.spec.root, tree)
        if not self.own_files(tree) and not any(self.spec.may_change(row.path) for row in self.store.rows(tree)):
            raise FlagstoneError(
                f"no committed file in {self.spec.root} matches {', '.join(self.spec.mutable)}",
                hint="name the files that may change: subject.mutable in experiment.yaml",
            )
        return self.with_new_sources(tree, commit)

    def with_new_sources(self, tree: str, commit: str) -> tuple[str, str]:
        """The tree and commit with the sources that nobody has committed yet: a program may import them."""
        batch, files = Batch(self.store), dict[str, Blob | None]()
        whole = tree_of(tree, self.store.rows(tree))
        for path in self.new_sources(whole) if not self.is_bare else ():
            mode, content = content_of(self.spec.root / path, LARGEST_SOURCE)
            files[path] = Blob(mode, batch.put(b"blob", content))
        own = self.own_files(tree).items()
        files |= {path: Blob(mode, batch.put(b"blob", content)) for path, (mode, content) in own}
        if not files:
            return tree, commit
        edited = edit_tree(whole, files, batch.put)
        commit = batch.put_commit(edited.sha, commit, "sources that were not committed", 0)
        batch.write()
        return edited.sha, commit

    def own_files(self, tree: str) -> Mapping[str, tuple[str, bytes]]:
        def is_of_project(path: str) -> bool:
            return any(row.path == path for row in self.store.rows(tree))

        return own_files(self.spec, self.store.root.parent, is_of_project)

    def new_sources(self, tree: Tree) -> list[str]:
        """The small sources, and the entry, that are neither tracked nor ignored, and that no run writes."""
        written = written_by_runs(self.spec, self, tree)
        found = (path for path in self.checkout.new_files() if path.endswith(SOURCE_NAMES) or path == self.spec.entry)
        return within_bounds(self.spec.root, (p for p in found if p not in written and self.is_to_be_seen(p)))

    def has_changed(self, base: Tree) -> bool:
        # an experiment that an earlier version began has only what was committed in its base
        return base.sha not in (self.base()[0], self.store.repository.tree_of(self.checkout.head()))

    def names(self, change: Modified) -> bool:
        return self.spec.may_change(change.path)

    def notices(self, base: Tree) -> tuple[str, ...]:
        changes = self.checkout.changes()
        new = [
            each.path
            for each in changes
            if not each.is_tracked
            and each.path not in base.files
            and (self.is_bare or self.names(each))
            and not is_left_out(each.path)
        ]
        added = [path for path in self.checkout.new_files() if path in base.files]
        large = self.contents_elsewhere(base)
        edited = [path for path in large if self.spec.may_change(path)]
        missing = [path for path, place in large.items() if place is None and path not in edited]
        found = (
            ("not committed, so not part of the experiment", [each.path for each in changes if each.is_tracked]),
            ("new and not committed, so not part of it", new),
            ("not committed, but part of every run and of the branch of the best", added),
            (
                "submodules that are not checked out, empty folders in every run (cure: git submodule update --init)",
                self.missing_submodules(base),
            ),
            ("kept with LFS and not downloaded, so pointers in every run (cure: git lfs pull)", sorted(missing)),
            ("kept with LFS, and pointers in every run because they may change", sorted(edited)),
        )
        return tuple(
            f"{words}: {first_few([printable_path(path) for path in paths])}" for words, paths in found if paths
        )

    def missing_submodules(self, tree: Tree) -> list[str]:
        known = self.store.repository.sizes({tree.files[path].sha for path in tree.submodules})
        return sorted(path for path in tree.submodules if tree.files[path].sha not in known)

    def contents_elsewhere(self, tree: Tree) -> Mapping[str, Path | None]:
        """Each file of a tree that git-lfs keeps, and its content here; None if it was not downloaded."""
        # pointers that may not change are in every tree
        places = self.pointers.find("", lambda: large_files(self.checkout, self.store, tree))
        return {path: places[blob.sha] for path, blob in tree.files.items() if blob.sha in places} if places else {}

    def links_within(self, tree: Tree) -> Mapping[str, str]:
        found = self.contents_elsewhere(tree)
        return {path: os.fspath(place) for path, place in found.items() if place and not self.spec.may_change(path)}

    def paths_beside(self, folders: Iterable[str]) -> Iterable[str]:
        """Of what is not tracked: data at the top, and what is ignored further down."""
        for path in self.others:
            if path in folders:  # a run leaves files in it: what is in it already is linked one by one
                yield from (f"{path}/{name}" for name in os.listdir(self.spec.root / path))
            else:
                yield path

    @cached_property
    def others(self) -> tuple[str, ...]:
        """Looked for once. A checkout that is gone or broken has none: candidates do not depend on it."""
        try:
            found = self.checkout.others(only_ignored=self.is_bare)
        except FlagstoneError:
            return ()
        return tuple(path for path in found if self.is_to_be_seen(path))

    def is_to_be_seen(self, path: str) -> bool:
        is_leftover = path.endswith(".pyc") or bool(LEFTOVERS & set(path.split("/")))
        return not is_leftover and not self.store.root.parent.is_relative_to(self.spec.root / path)

    def scratch(self, tree: Tree) -> frozenset[str]:
        """A folder with tracked files is written to only where the spec says so."""
        return frozenset(name for name in SCRATCH if name not in tree.folders)

    def also_mutable(self, tree: Tree) -> frozenset[str]:
        return frozenset()

    def way_home(self, commit: str, branch: str) -> str:
        """The command with which a person takes a candidate over as a branch; we never do."""
        self.store.show_to_git()
        words = ["git", "-C", str(self.spec.root), "fetch", str(self.store.root), f"{commit}:refs/heads/{branch}"]
        return shlex.join(words)
