"""Bundles that somebody has changed, and packed again with new digests."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from flagstone.bundle import VerifyOptions, verify_bundle
from flagstone.bundle.archive import SUMS, write_archive

BUNDLES = Path(__file__).resolve().parents[2] / "data" / "bundles"
Files = dict[str, bytes]


def files_in(bundle: Path) -> Files:
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != SUMS}


def repacked(bundle: str, folder: Path, change: Callable[[Files], object]) -> Path:
    """One of the bundles of the tests, changed, with digests that fit."""
    files = files_in(BUNDLES / bundle)
    change(files)
    write_archive(folder / "changed.zip", sorted(files.items()))
    return folder / "changed.zip"


def replace(files: Files, path: str, old: bytes, new: bytes) -> None:
    files[path] = replace_in(files[path], old, new)


def replace_in(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new, 1)


def failures(bundle: Path, published: str = "") -> dict[str, str]:
    """The lines that do not hold."""
    return {line.name: line.text for line in verify_bundle(bundle, VerifyOptions(published)) if line.held is False}
