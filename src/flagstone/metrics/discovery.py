"""Looks for a metric in the JSON and CSV files that a run wrote, if no option names one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from flagstone.metrics.series import Place, Reading
from flagstone.metrics.tables import read_csv, read_json

READERS = {".json": read_json, ".jsonl": read_json, ".csv": read_csv, ".tsv": read_csv}
NOT_RESULTS = frozenset(("wandb", "node_modules", "site-packages", "__pycache__"))
MOST_ENTRIES = 20_000
MOST_FILES = 50
LARGEST = 4_000_000


def read(place: Place, wanted: Sequence[str]) -> Reading:
    """The metric from the one file that has it. Files that disagree are named, and none of them is believed."""
    found: list[Reading] = []
    seen: dict[str, float] = {}
    for path in written_files(place):
        name = os.path.relpath(path, place.run_dir)
        reading = READERS[path.suffix.lower()]({"path": glob_of(name)}, place, ())
        seen |= reading.values
        if wanted and wanted[0] in reading.values:
            found.append(reading)
    if not found:
        return Reading(seen, "json", tuple(earlier_results(place, wanted[:1])))
    if len({repr(each.values[wanted[0]]) for each in found}) > 1:
        files = ", ".join(f"{each.sources[0]} ({each.values[wanted[0]]:g})" for each in found[:5])
        said = f"several files have {wanted[0]}: {files}; name one in metric.path"
        return Reading({name: value for name, value in seen.items() if name != wanted[0]}, "json", (said,))
    return found[-1]


def earlier_results(place: Place, wanted: Sequence[str]) -> Iterator[str]:
    """The files that have the metric, but were laid out for the run and hold what they held before it."""
    anew = replace(place, is_laid_out=lambda _: False)
    for path in written_files(anew):
        if wanted and place.is_laid_out(path):
            name = os.path.relpath(path, place.run_dir)
            values = READERS[path.suffix.lower()]({"path": glob_of(name)}, anew, ()).values
            if wanted[0] in values:
                yield f"{name} has it, but holds what it held before the run: name its folder in subject.scratch"


def written_files(place: Place) -> Iterator[Path]:
    """The run's own small JSON and CSV files, those near the top first."""
    left, files = MOST_ENTRIES, MOST_FILES
    for above, folders, names in os.walk(place.run_dir):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in NOT_RESULTS)
        left -= len(names) + len(folders)
        for name in sorted(names):
            path = Path(above, name)
            if path.suffix.lower() in READERS and place.is_own(path) and path.stat().st_size <= LARGEST:
                yield path
                files -= 1
        if left < 0 or files < 0:
            return


def glob_of(name: str) -> str:
    """A pattern that only this path matches."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)
