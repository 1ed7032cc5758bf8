"""The files of a project as a source: what may change, and every source file beside it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates.folders import LEFT_OUT, is_left_out
from flagstone.experiments.candidates.git import (
    EMPTY,
    LINK,
    Batch,
    Blob,
    Put,
    Store,
    Tree,
    edit_tree,
    object_name,
)
from flagstone.experiments.candidates.sources import (
    LARGEST_SOURCE,
    SCRATCH,
    SOURCE_NAMES,
    content_of,
    own_files,
    within_bounds,
    written_by_runs,
)
from flagstone.plans import SubjectSpec

ENVIRONMENTS = (".venv", "venv", "env", "node_modules", "site-packages", ".tox", ".nox")
LARGEST_MUTABLE = 20_000_000
MOST_LINKS = 1_000  # a folder with more data beside its few sources stays one link


@dataclass(frozen=True)
class FilesSource:
    """The files of a project that itself stays as it is: what may change, and every source beside it."""

    spec: SubjectSpec
    store: Store
    listed: dict[str, list[str]] = field(default_factory=dict, compare=False)

    def base(self) -> tuple[str, str]:
        self.store.make()
        batch = Batch(self.store)
        tree = self.tree_now(batch.put)
        commit = batch.put_commit(tree.sha, "", "base", 0)
        batch.write()
        return tree.sha, commit

    def has_changed(self, base: Tree) -> bool:
        now, also = self.tree_now(object_name).files, self.also_mutable(base)
        # an experiment that an earlier version began has only the files that may change in its trees
        is_narrow = all(path in also or self.names(path) for path in base.files)
        counts = (path for path in now if not is_narrow or path in base.files or self.names(path))
        return base.files != {path: now[path] for path in counts}

    def names(self, path: str) -> bool:
        return self.spec.may_change(path)

    def tree_now(self, put: Put) -> Tree:
        """The files as they stand in the project now."""
        mutable = {path: Blob(mode, put(b"blob", content)) for path, mode, content in self.mutable_now()}
        own = own_files(self.spec, self.home, lambda path: (self.spec.root / path).exists())
        if not mutable and not own:
            raise FlagstoneError(
                f"no file in {self.spec.root} matches {', '.join(self.spec.mutable)}",
                hint="name the files that may change: subject.mutable in experiment.yaml",
            )
        files: dict[str, Blob] = {}
        for path in self.further_sources(mutable):
            mode, content = content_of(self.spec.root / path, LARGEST_SOURCE)
            files[path] = Blob(mode, put(b"blob", content))
        stored = {path: Blob(mode, put(b"blob", content)) for path, (mode, content) in own.items()}
        return edit_tree(EMPTY, {**files, **mutable, **stored}, put)

    def mutable_now(self) -> Iterator[tuple[str, str, bytes]]:
        """Path, mode and content of each mutable file. A link within the project stays one, and brings its target."""
        root = self.spec.root
        for path in self.matching_paths():
            place = root / path
            target = os.path.relpath(os.path.realpath(place), os.path.realpath(root))
            if place.is_symlink() and not target.startswith(".."):
                yield path, LINK, os.fsencode(os.path.relpath(target, os.path.dirname(path) or "."))
                yield target, *content_of(root / target, LARGEST_MUTABLE)
            else:
                yield path, *content_of(place, LARGEST_MUTABLE)

    def matching_paths(self) -> Iterator[str]:
        root = self.spec.root
        for place, folders, names in os.walk(root):
            above = os.path.relpath(place, root)
            folders[:] = [name for name in folders if name not in (".git", ".flagstone", ".venv", "__pycache__")]
            for name in names:
                path = name if above == "." else f"{above}/{name}"
                if self.names(path) and os.path.isfile(os.path.join(place, name)):
                    yield path

    def further_sources(self, mutable: Mapping[str, Blob]) -> list[str]:
        """The other files that a program can import or read as settings; those near the top first, within bounds."""
        written = written_by_runs(self.spec, self, EMPTY)
        sources = [path for path in self.not_ignored() if self.is_source(path) and path not in mutable]
        crowded = self.crowded_folders(sources) - {os.path.dirname(path) for path in mutable}
        shown = (path for path in sources if path not in written and os.path.dirname(path) not in crowded)
        return within_bounds(self.spec.root, shown)

    def not_ignored(self) -> Iterable[str]:
        """Without git nothing says what is ignored, so only the entry and the mutable files are real files."""
        try:
            return self.store.repository.not_ignored(self.spec.root, [*ENVIRONMENTS, *LEFT_OUT])
        except FlagstoneError:
            return [self.spec.entry] if (self.spec.root / self.spec.entry).is_file() else ()

    def is_source(self, path: str) -> bool:
        is_ours = (self.spec.root / path).is_relative_to(self.home)
        is_named = path.endswith(SOURCE_NAMES) or path == self.spec.entry
        return is_named and not is_left_out(path) and not is_ours

    @property
    def home(self) -> Path:
        return self.store.root.parent

    def crowded_folders(self, sources: Iterable[str]) -> set[str]:
        """Folders of sources with so much data in them that a link each would cost more than it protects."""
        count: dict[str, int] = {}
        for path in sources:
            count[os.path.dirname(path)] = count.get(os.path.dirname(path), 0) + 1
        return {each for each, number in count.items() if len(self.names_in(each)) > number + MOST_LINKS}

    def notices(self, base: Tree) -> tuple[str, ...]:
        return ()

    def paths_beside(self, folders: Iterable[str]) -> Iterable[str]:
        for folder in folders:
            yield from self.names_in(folder)

    def names_in(self, folder: str) -> list[str]:
        """The paths in one folder of the project; looked for once."""
        if folder not in self.listed:
            place = self.spec.root / folder
            try:
                names = sorted(name for name in os.listdir(place) if not is_left_out(name))
            except OSError:
                names = []
            paths = [f"{folder}/{name}" if folder else name for name in names]
            self.listed[folder] = [path for path in paths if not self.home.is_relative_to(self.spec.root / path)]
        return self.listed[folder]

    def links_within(self, tree: Tree) -> Mapping[str, str]:
        return {}

    def scratch(self, tree: Tree) -> frozenset[str]:
        """The folders of the project that training code usually writes to, such as `runs`."""
        return frozenset(name for name in SCRATCH.intersection(self.names_in("")) if (self.spec.root / name).is_dir())

    def also_mutable(self, tree: Tree) -> frozenset[str]:
        """Where the links lead that may change."""
        found = set()
        for path in tree.links:
            if self.names(path):
                target = os.fsdecode(self.store.content(tree.files[path].sha))
                found.add(os.path.normpath(os.path.join(os.path.dirname(path), target)))
        return frozenset(found)
