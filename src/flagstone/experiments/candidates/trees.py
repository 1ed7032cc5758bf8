"""Trees of files as git writes them: listed, edited, and packed."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from flagstone.errors import FlagstoneError

# precious objects: not even `git gc --prune=now` removes a candidate
from flagstone.experiments.candidates.objects import FOLDER, Blob, Store
from flagstone.experiments.candidates.repository import Repository, Row

SUBMODULE = "160000"
UNSAFE = {"", ".", "..", ".git"}
KINDS = {b"commit": 1, b"tree": 2, b"blob": 3}
LOOSE_AT_MOST = 200
AT_ONCE_BYTES = 64_000_000


@dataclass(frozen=True)
class Listing:
    """One tree: the rows of each of its folders by path ('' is the top), and every file, link and submodule."""

    sha: str
    folders: Mapping[str, Mapping[str, Blob]]
    files: Mapping[str, Blob]

    @cached_property
    def submodules(self) -> frozenset[str]:
        return frozenset(path for path, blob in self.files.items() if blob.mode == SUBMODULE)


def listing_of(sha: str, rows: Iterable[Row]) -> Listing:
    """A tree from its rows. One that could not be laid out safely is refused."""
    folders: dict[str, dict[str, Blob]] = {"": {}}
    files: dict[str, Blob] = {}
    for row in rows:
        above, _, name = row.path.rpartition("/")
        inside = folders.setdefault(above, {})
        if UNSAFE & set(row.path.lower().split("/")) or name in inside:
            raise FlagstoneError(
                f"the repository has a path that cannot be laid out safely: {row.path!r}",
                hint="remove it from the repository and commit",
            )
        inside[name] = Blob(row.mode, row.sha)
        if row.mode == FOLDER:
            folders.setdefault(row.path, {})
        else:
            files[row.path] = inside[name]
    return Listing(sha, folders, files)


@dataclass
class Intake:
    """New objects on their way into the store: each durable when `finish` returns."""

    store: Store
    repository: Repository
    waiting: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    weight: int = 0

    def put(self, kind: bytes, content: bytes) -> str:
        sha = object_name(kind, content)
        if sha not in self.waiting:
            self.waiting[sha] = (kind, content)
            self.weight += len(content)
        if self.weight > AT_ONCE_BYTES:
            self.finish()
        return sha

    def finish(self) -> None:
        """A few objects are written by themselves, many as one pack: each file costs a wait for the disk."""
        if len(self.waiting) > LOOSE_AT_MOST:
            self.repository.take_pack(pack_of(list(self.waiting.values())))
        else:
            for kind, content in self.waiting.values():
                self.store.put(kind, content)
        self.waiting, self.weight = {}, 0


def object_name(kind: bytes, content: bytes) -> str:
    return hashlib.sha1(kind + b" %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def pack_of(objects: list[tuple[bytes, bytes]]) -> bytes:
    """Objects as a pack, each whole."""
    parts = [b"PACK" + (2).to_bytes(4) + len(objects).to_bytes(4)]
    for kind, content in objects:
        parts += [entry_head(KINDS[kind], len(content)), zlib.compress(content, 1)]
    whole = b"".join(parts)
    return whole + hashlib.sha1(whole, usedforsecurity=False).digest()


def entry_head(kind: int, size: int) -> bytes:
    """Kind and size of a pack's entry: four bits of the size first, then seven at a time."""
    found, byte, rest = bytearray(), kind << 4 | size & 15, size >> 4
    while rest:
        found.append(byte | 128)
        byte, rest = rest & 127, rest >> 7
    return bytes([*found, byte])


def edited(before: Listing, changes: Mapping[str, Blob | None], intake: Intake) -> Listing:
    """The tree with these files changed, added or (None) removed; a folder that is empty then is left out."""
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
        files.pop(path, None)
        if blob is not None:
            files[path] = blob
        above, _, name = path.rpartition("/")
        if blob is None:
            rows_of(above).pop(name, None)
        else:
            rows_of(above)[name] = blob
    sha = before.sha
    # the deepest first: a folder's name is known when its own rows are
    for folder in sorted(touched, key=lambda each: (each.count("/"), bool(each)), reverse=True):
        rows, (above, _, name) = touched[folder], folder.rpartition("/")
        if rows or not folder:
            folders[folder] = rows
            sha = intake.put(b"tree", encoded(rows))
            if folder:
                touched[above][name] = Blob(FOLDER, sha)
                files.pop(folder, None)
        else:
            folders.pop(folder, None)
            touched[above].pop(name, None)
    return Listing(sha, folders, files)


def encoded(rows: Mapping[str, Blob]) -> bytes:
    """One folder as git writes it: folders are sorted as if their names ended with a slash."""
    named = [(os.fsencode(name), blob) for name, blob in rows.items()]
    named.sort(key=lambda row: row[0] + (b"/" if row[1].mode == FOLDER else b""))
    return b"".join(b"%s %s\0" % (blob.mode.encode(), name) + bytes.fromhex(blob.sha) for name, blob in named)
