"""Files that git-lfs keeps: a commit has a pointer to each, a person's repository the contents that it downloaded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates.git.repository import Checkout
from flagstone.experiments.candidates.git.store import Store
from flagstone.experiments.candidates.git.trees import FILE, PROGRAM, Tree

POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/.*^oid sha256:([0-9a-f]{64})\nsize (\d+)$", re.M | re.S
)
SHORTEST, LONGEST = 100, 300


def large_files(checkout: Checkout, store: Store, tree: Tree) -> Mapping[str, Path | None]:
    """The content of each pointer of a tree by the name of its object; None if it was not downloaded."""
    rules = [blob.sha for path, blob in tree.files.items() if path.endswith(".gitattributes")]
    if not any(b"filter=lfs" in content for _, content in store.contents(rules)):
        return {}
    shas = {blob.sha for blob in tree.files.values() if blob.mode in (FILE, PROGRAM)}
    small = [sha for sha, size in store.repository.sizes(shas).items() if SHORTEST < size < LONGEST]
    found = ((sha, POINTER.match(content)) for sha, content in store.contents(small))
    return {sha: place_of(checkout, match[1].decode(), int(match[2])) for sha, match in found if match}


def place_of(checkout: Checkout, name: str, size: int) -> Path | None:
    try:
        place = checkout.common_folder / "lfs" / "objects" / name[:2] / name[2:4] / name
        return place if place.is_file() and place.stat().st_size == size else None
    except (FlagstoneError, OSError):  # a checkout that is gone
        return None
