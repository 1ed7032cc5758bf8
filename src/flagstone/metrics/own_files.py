"""The files that a run has written itself, by a pattern, and why others that match are none of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from flagstone.metrics.series import Place

SAID = 3


def own_files(place: Place, pattern: str) -> tuple[list[Path], list[str]]:
    """Files the pattern names in the run's folder, the newest last, and what is said of those that do not count."""
    if fault := pattern_fault(pattern):
        return [], [f"{pattern or 'the pattern'} {fault}"]
    try:
        found = sorted(place.run_dir.glob(pattern))
    except (OSError, ValueError, IndexError, NotImplementedError) as error:
        return [], [f"{pattern} is no pattern of files: {error}"]
    whys = {path: why_not(place, path) for path in found}
    own = sorted((path for path in found if not whys[path]), key=lambda path: (path.stat().st_mtime_ns, path))
    said = [f"{os.path.relpath(path, place.run_dir)} {why}" for path, why in whys.items() if why]
    return own, said[:SAID] if said or own else [f"the run wrote no file that matches {pattern}"]


def why_not(place: Place, path: Path) -> str:
    """Why a file is not the run's own. Returns '' if it is."""
    if not path.exists():
        return "is a link to nothing"
    if not path.is_file():
        return "is no file"
    if not path.resolve().is_relative_to(place.run_dir.resolve()):
        return "is a link that leads out of the run's folder, and is ignored"
    return "" if place.is_own(path) else "was not written while this run ran, and is ignored"


def pattern_fault(pattern: str) -> str:
    """Why a pattern can match nothing of a run's own."""
    if not pattern:
        return "is empty"
    if os.path.isabs(pattern) or pattern.startswith("~") or ".." in pattern.split("/"):
        return "leads out of the run's folder: name files from there"
    return ""


def faults(options: Mapping[str, object], *names: str) -> list[str]:
    """What is wrong with the patterns of a spec."""
    given = {name: str(options[name]) for name in names if options.get(name)}
    return [f"metric.{name}: {text} {pattern_fault(text)}" for name, text in given.items() if pattern_fault(text)]
