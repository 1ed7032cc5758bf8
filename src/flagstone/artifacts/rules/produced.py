"""The files that a summary lists: where each really is, and whether it may be offered."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from flagstone.artifacts.formats import PRODUCED_IN, Unreadable, is_inside, list_files, reason_of
from flagstone.artifacts.rules.findings import Finding
from flagstone.artifacts.rules.summary import FILES, Summary
from flagstone.text import escaped_text, list_text

FOLDER_LIMIT = 10_000


class Outside(Unreadable):
    """The path leads out of the run."""


class OwnRecord(Unreadable):
    """The path is one of Flagstone's own records: it exists, and is nothing that a stage made."""


def produced_files(summary: Summary, run_root: Path) -> tuple[str, ...]:
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


def file_problems(summary: Summary, run_root: Path) -> Iterator[Finding]:
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
            rule = "summary-file-outside" if isinstance(refusal, Outside) else "summary-file-missing"
            problems[rule].append(f"`{escaped_text(path, 120)}` ({refusal.reason})")
    yield from (Finding(rule, f"{ADVICE[rule]}: {list_text(bad)}") for rule, bad in problems.items() if bad)
    if not made and not any(problems.values()):
        advice = "list at least one file you made under “## Files Produced”, its path in back-ticks"
        yield Finding("summary-files-none", f"{advice}, such as `workspace/notes/plan.md`")


ADVICE = {
    "summary-file-outside": "list only files inside the run, by paths relative to it",
    "summary-file-missing": "write these files, or take them out of “## Files Produced”",
}


def path_in_run(path: str, run_root: Path) -> str:
    """A listed path as it is from the run's root; names below the workspace may leave that out."""
    if path.startswith(("/", "~")) or "\\" in path or ":" in path[:2] or ".." in path.split("/"):
        raise Outside("not a path below the run")
    clean = os.path.normpath(path)
    if not os.path.lexists(run_root / clean) and os.path.lexists(run_root / "workspace" / clean):
        clean = f"workspace/{clean}"
    root = os.path.realpath(run_root)
    try:
        real = os.path.realpath(run_root / clean, strict=True)
        if not is_inside(real, root):
            raise Outside("a link that leaves the run")
        if real == root or os.path.relpath(real, root).split("/")[0] not in PRODUCED_IN:
            raise OwnRecord("one of Flagstone's own records")
        refuse_unless_filled(real)
    except OSError as error:
        raise Unreadable("does not exist" if isinstance(error, FileNotFoundError) else reason_of(error)) from None
    return clean


def refuse_unless_filled(real: str) -> None:
    status = os.lstat(real)
    if stat.S_ISDIR(status.st_mode):
        if not has_content(real):
            raise Unreadable("an empty folder")
    elif not stat.S_ISREG(status.st_mode):
        raise Unreadable("not a plain file")
    elif not status.st_size:
        raise Unreadable("empty")


def has_content(folder: str) -> bool:
    """Whether a folder holds, at some depth, a plain file with something in it."""
    waiting, looked_at = [folder], 0
    while waiting and looked_at < FOLDER_LIMIT:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                looked_at += 1
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif is_filled(entry):
                    return True
    return False


def is_filled(entry: os.DirEntry[str]) -> bool:
    status = entry.stat(follow_symlinks=False)
    return not entry.name.startswith(".") and stat.S_ISREG(status.st_mode) and status.st_size > 0
