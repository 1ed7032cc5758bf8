"""A run's own copy of prompts, schemas, tables and defaults, so that a `git pull` changes nothing under it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.layout import Project, Run
from flagstone.records import content_of, write_atomic
from flagstone.stages import Stage

FOLDERS = ("prompts", "schemas")
FILES = ("config.yaml", "stages.yaml", "venues.yaml")


def pin_all(project: Project, run: Run) -> list[str]:
    """Copies everything a run is built with. Returns what changed by it."""
    files = (path for folder in FOLDERS for path in sorted((project.root / folder).rglob("*")) if path.is_file())
    pairs = [(path, run.pinned / path.relative_to(project.root)) for path in files]
    return pin(run, [*pairs, *((project.config / name, run.pinned / name) for name in FILES)])


def pin_stage(project: Project, run: Run, stage: Stage) -> list[str]:
    """Takes the newer prompt of one stage only."""
    name = f"{stage.key}.md.j2"
    return pin(run, [(project.prompts / name, run.pinned / "prompts" / name)])


def pin(run: Run, pairs: Iterable[tuple[Path, Path]]) -> list[str]:
    changed = []
    for source, target in pairs:
        try:
            content = source.read_bytes()
        except OSError as error:
            why = error.strerror or error
            raise FlagstoneError(f"cannot read {source}: {why}", hint=f"make it readable: chmod +r {source}") from error
        if content_of(target) != content:
            write_atomic(target, content)
            changed.append(run.relative(target))
    return changed
