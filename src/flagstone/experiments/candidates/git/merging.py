"""Puts an edit of one tree onto another, file by file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from flagstone.experiments.candidates.git.repository import plain_environment
from flagstone.experiments.candidates.git.store import Batch, Store
from flagstone.experiments.candidates.git.trees import FILE, PROGRAM, Blob, Tree, edit_tree
from flagstone.processes import run_quietly


def merge_trees(store: Store, before: Tree, after: Tree, onto: Tree) -> Tree | None:
    """The tree `onto` with the edit from `before` to `after`; None if both changed the same lines.

    A rename is a file that was removed and one that was added: an edit of a renamed file does not follow it.
    """
    batch, changes = Batch(store), dict[str, Blob | None]()
    for path in changed_paths(before, after):
        was, edited, now = before.files.get(path), after.files.get(path), onto.files.get(path)
        if edited in (was, now):
            continue
        if was == now:
            changes[path] = edited
            continue
        joined = joined_blob(store, batch, was, edited, now)
        if joined is None:
            return None
        changes[path] = joined
    if not changes:
        return onto
    if has_folder_clash(onto, changes):
        return None
    merged = edit_tree(onto, changes, batch.put)
    batch.write()
    return merged


def joined_blob(store: Store, batch: Batch, was: Blob | None, edited: Blob | None, now: Blob | None) -> Blob | None:
    """One file with both edits; None if they do not go together, or if it is no plain file."""
    if was is None or edited is None or now is None or {was.mode, edited.mode, now.mode} - {FILE, PROGRAM}:
        return None
    content = merged_content(*(store.content(blob.sha) for blob in (now, was, edited)))
    mode = edited.mode if edited.mode != was.mode else now.mode
    return None if content is None else Blob(mode, batch.put(b"blob", content))


def merged_content(now: bytes, was: bytes, edited: bytes) -> bytes | None:
    """A three-way merge of one file; None if both sides changed the same lines."""
    with tempfile.TemporaryDirectory(prefix="flagstone-merge-") as name:
        folder = Path(name)
        for part, content in (("now", now), ("was", was), ("edited", edited)):
            (folder / part).write_bytes(content)
        argv = ["git", "merge-file", "-p", "now", "was", "edited"]
        code, joined, _ = run_quietly(argv, folder, 60, env=plain_environment())
    return joined if code == 0 else None


def changed_paths(before: Tree, after: Tree) -> list[str]:
    """The files in which two trees differ."""
    return sorted({path for path, _ in before.files.items() ^ after.files.items()})


def has_folder_clash(onto: Tree, changes: Mapping[str, Blob | None]) -> bool:
    """Whether one path would be a file and a folder at once."""
    names = {path for path, blob in {**onto.files, **changes}.items() if blob is not None}
    added = [path for path in changes if path in names and path not in onto.files]
    return any(
        any(os.fspath(above) in names for above in Path(path).parents)
        or (path in onto.folders and any(name.startswith(f"{path}/") for name in names))
        for path in added
    )
