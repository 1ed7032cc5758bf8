"""Verifies a bundle, one line for each thing that has to hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flagstone.bundle.archive import SUMS
from flagstone.bundle.opening import LINE, opened_bundle
from flagstone.layout import Run
from flagstone.records import content_of, digest_bytes, digest_file
from flagstone.text import count_text, escaped_text, list_text


@dataclass(frozen=True)
class BundleLine:
    """One line of what was verified. `held` is None if there was nothing to look at."""

    name: str
    held: bool | None
    text: str


def verify_bundle(path: Path) -> Iterator[BundleLine]:
    """Every line, in order, as soon as it is known."""
    with opened_bundle(path) as folder:
        run = Run(folder)
        yield digests_row(run)


def row_of(name: str, problems: list[str], good: str) -> BundleLine:
    return BundleLine(name, False, list_text(problems)) if problems else BundleLine(name, True, good)


def digests_row(run: Run) -> BundleLine:
    """Whether every file is the one that was packed, and no other is there."""
    listed = content_of(run.root / SUMS)
    if listed is None:
        return BundleLine("digests", False, f"{SUMS} is missing")
    found = [LINE.match(line) for line in listed.decode("utf-8", "replace").splitlines()]
    sums = {each[2]: each[1] for each in found if each}
    there = {path.relative_to(run.root).as_posix() for path in run.root.rglob("*") if path.is_file()} - {SUMS}
    problems = [f"{escaped_text(path)} is missing" for path in sorted(sums.keys() - there)]
    problems += [f"{escaped_text(path)} was added" for path in sorted(there - sums.keys())]
    changed = (path for path in sorted(there & sums.keys()) if digest_file(run.root / path) != sums[path])
    problems += [f"{escaped_text(path)} was changed" for path in changed]
    problems += [f"{SUMS} has lines that cannot be read"] if None in found else []
    return row_of("digests", problems, f"{count_text(len(sums), 'file')}; digest of all: {digest_bytes(listed)}")
