"""A run's own copy of prompts, schemas, tables and defaults, so that a `git pull` changes nothing under it."""

from __future__ import annotations

import shutil
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.layout import Project, Run
from flagstone.records import content_of, write_atomic
from flagstone.stages import Stage

FOLDERS = ("prompts", "schemas")
FILES = ("config.yaml", "stages.yaml", "venues.yaml")


def pin_all(project: Project, run: Run) -> list[str]:
    """Copies everything a run is built with; returns what changed by it."""
    changed = []
    for source, target in pairs(project, run):
        try:
            content = source.read_bytes()
        except OSError as error:
            why = error.strerror or error
            raise FlagstoneError(f"cannot read {source}: {why}", hint=f"make it readable: chmod +r {source}") from error
        if content_of(target) != content:
            write_atomic(target, content)
            changed.append(run.relative(target))
    return changed


def pairs(project: Project, run: Run) -> list[tuple[Path, Path]]:
    found = []
    for folder in FOLDERS:
        top = project.root / folder
        found += [
            (path, run.pinned / folder / path.relative_to(top)) for path in sorted(top.rglob("*")) if path.is_file()
        ]
    return found + [(project.config / name, run.pinned / name) for name in FILES]


def pin_stage(project: Project, run: Run, stage: Stage) -> list[str]:
    """Takes the newer prompt of one stage only."""
    source = project.prompts / f"{stage.key}.md.j2"
    target = run.pinned / "prompts" / source.name
    if target.is_file() and target.read_bytes() == source.read_bytes():
        return []
    write_atomic(target, source.read_bytes())
    return [run.relative(target)]


def forget(folder: Path) -> None:
    """Removes a folder that was being built when something went wrong."""
    shutil.rmtree(folder, ignore_errors=True)
