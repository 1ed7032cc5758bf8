"""Trees of files as git has them: what a tree holds, how it is edited, how it is encoded."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from flagstone.errors import FlagstoneError

FILE, PROGRAM, LINK, FOLDER, SUBMODULE = "100644", "100755", "120000", "40000", "160000"
UNSAFE = {"", ".", "..", ".git"}

Put = Callable[[bytes, bytes], str]


class Blob(NamedTuple):
    """One file of a tree: its git mode and its object."""

    mode: str
    sha: str


class TreeEntry(NamedTuple):
    """One line of a tree: its git mode, its object, and its path from the top."""

    mode: str
    sha: str
    path: str


@dataclass(frozen=True)
class Tree:
    """The rows of each folder by its path ('' is the top), and every file, link and submodule by its path."""

    sha: str
    folders: Mapping[str, Mapping[str, Blob]]
    files: Mapping[str, Blob]

    @cached_property
    def submodules(self) -> frozenset[str]:
        return frozenset(path for path, blob in self.files.items() if blob.mode == SUBMODULE)

    @cached_property
    def links(self) -> frozenset[str]:
        return frozenset(path for path, blob in self.files.items() if blob.mode == LINK)


def tree_of(sha: str, rows: Iterable[TreeEntry]) -> Tree:
    """A tree from its rows. Refuses one that could not be laid out safely."""
    folders: dict[str, dict[str, Blob]] = {"": {}}
    files: dict[str, Blob] = {}
    for row in rows:
        above, _, name = row.path.rpartition("/")
        inside = folders.setdefault(above, {})
        if UNSAFE & set(row.path.lower().split("/")) or name in inside:
            raise FlagstoneError(
                f"the repository has a path that cannot be written safely: {row.path!r}",
                hint="remove it from the repository and commit",
            )
        inside[name] = Blob(row.mode, row.sha)
        if row.mode == FOLDER:
            folders.setdefault(row.path, {})
        else:
            files[row.path] = inside[name]
    return Tree(sha, folders, files)


def edit_tree(before: Tree, changes: Mapping[str, Blob | None], put: Put) -> Tree:
    """The tree with these files changed, added or (None) removed. Leaves out a folder that is empty then."""
    folders: dict[str, Mapping[str, Blob]] = dict(before.folders)
    touched: dict[str, dict[str, Blob]] = {}

    def rows_of(folder: str) -> dict[str, Blob]:
        if folder not in touched:
            touched[folder] = dict(folders.get(folder, {}))
            if folder:
                rows_of(folder.rpartition("/")[0])
        return touched[folder]

    files = {**before.files}
    for path, blob in changes.items():
        above, _, name = path.rpartition("/")
        if blob is None:
            files.pop(path, None)
            rows_of(above).pop(name, None)
        else:
            files[path] = rows_of(above)[name] = blob
    sha = before.sha
    # the deepest first: a folder's name is known when its own rows are
    for folder in sorted(touched, key=lambda each: (each.count("/"), bool(each)), reverse=True):
        rows, (above, _, name) = touched[folder], folder.rpartition("/")
        if rows or not folder:
            folders[folder] = rows
            sha = put(b"tree", encode_folder(rows))
            if folder:
                touched[above][name] = Blob(FOLDER, sha)
                files.pop(folder, None)
        else:
            folders.pop(folder, None)
            touched[above].pop(name, None)
    return Tree(sha, folders, files)


EMPTY = Tree("", {"": {}}, {})


def encode_folder(rows: Mapping[str, Blob]) -> bytes:
    """One folder as git writes it. Git sorts folders as if their names ended with a slash."""
    named = [(os.fsencode(name), blob) for name, blob in rows.items()]
    named.sort(key=lambda row: row[0] + (b"/" if row[1].mode == FOLDER else b""))
    return b"".join(b"%s %s\0" % (blob.mode.encode(), name) + bytes.fromhex(blob.sha) for name, blob in named)
