"""Views of made-up experiments, as proposers are shown them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from entries import home_for, progress_of, spec_for

from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.proposers.protocol import View

ROOT = Path(__file__).resolve().parents[3]


def view_of(
    base: Path,
    entries: Sequence[Entry] = (),
    *,
    number: int = 0,
    diff: Callable[[str, str], str] = lambda before, after: f"-{before}\n+{after}\n",
    tail: Callable[[Entry], str] = lambda entry: f"the log of {entry.run_id}\n",
    **changes: Any,
) -> View:
    """What the proposal after these entries may know; `changes` are whole top-level keys of the spec."""
    best = None
    for entry in entries:
        best = entry if entry.improved else best
    number = number or (entries[-1].number + 1 if entries else 2)
    failures = progress_of(entries).failures
    return View(number, spec_for(base, **changes), home_for(base), entries, best, diff, tail, failures=failures)


def draft_of(base: Path, source: str = "X = 1.0\n", name: str = "draft") -> Path:
    """A draft folder: one file of its own, and one that is a link into a project."""
    host, draft = base / "host", base / name
    host.mkdir(exist_ok=True)
    draft.mkdir(parents=True)
    (host / "prepare.py").write_text("OFFSET = 0.5\n")
    (host / "data").mkdir(exist_ok=True)
    (draft / "train.py").write_text(source)
    (draft / "prepare.py").symlink_to(host / "prepare.py")
    (draft / "data").symlink_to(host / "data")
    return draft
