"""The files that a summary lists: where each really is, and whether it may be offered."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from flagstone.artifacts.formats import (
    OutsideRun,
    OwnRecord,
    Unreadable,
    is_filled,
    list_files,
    real_path,
    regular_file,
)
from flagstone.artifacts.rules.findings import RuleCheck, failed_check
from flagstone.artifacts.rules.summary import FILES, StageSummary
from flagstone.text import escaped_text, list_text

FOLDER_LIMIT = 10_000


def produced_files(summary: StageSummary, run_root: Path) -> tuple[str, ...]:
    """What the summary offers: each listed file, and each file of a listed folder, from the run's root."""
    found: dict[str, None] = {}
    for path in summary.files:
        try:
            place = path_in_run(path, run_root)
        except Unreadable:
            continue
        if (run_root / place).is_dir():
            found.update(dict.fromkeys(list_files(run_root, place, limit=FOLDER_LIMIT).paths))
        else:
            found[place] = None
    return tuple(found)


def file_problems(summary: StageSummary, run_root: Path) -> Iterator[RuleCheck]:
    section = summary.section(FILES)
    if section is None or section.is_empty:
        return
    problems: dict[str, list[str]] = {"summary-file-outside": [], "summary-file-missing": []}
    made = 0
    for path in summary.files:
        try:
            path_in_run(path, run_root)
            made += 1
        except OwnRecord:
            continue
        except Unreadable as refusal:
            rule = "summary-file-outside" if isinstance(refusal, OutsideRun) else "summary-file-missing"
            problems[rule].append(f"`{escaped_text(path, 120)}` ({refusal.reason})")
    yield from (failed_check(rule, f"{ADVICE[rule]}: {list_text(bad)}") for rule, bad in problems.items() if bad)
    if not made and not any(problems.values()):
        advice = "list at least one file you made under “## Files Produced”, its path in back-ticks"
        yield failed_check("summary-files-none", f"{advice}, such as `workspace/notes/plan.md`")


ADVICE = {
    "summary-file-outside": "list only files inside the run, by paths relative to it",
    "summary-file-missing": "write these files, or take them out of “## Files Produced”",
}


def path_in_run(path: str, run_root: Path) -> str:
    """A listed path as it is from the run's root; names below the workspace may leave that out."""
    if path.startswith(("/", "~")) or "\\" in path or ":" in path[:2] or ".." in path.split("/"):
        raise OutsideRun("not a path below the run")
    clean = os.path.normpath(path)
    clean = next((each for each in (clean, f"workspace/{clean}") if os.path.lexists(run_root / each)), "")
    if not clean:
        raise Unreadable("does not exist")
    real = real_path(run_root / clean, run_root)
    if os.path.isdir(real):
        files = list_files(run_root, clean, limit=FOLDER_LIMIT).paths
        if not any(is_filled(run_root / file, run_root) for file in files):
            raise Unreadable("an empty folder")
    elif not regular_file(real, run_root)[1].st_size:
        raise Unreadable("empty")
    return clean
