"""A run's own copy of prompts, schemas, tables and defaults, so that a `git pull` changes nothing under it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.layout import Project, Run
from flagstone.records import content_of, write_atomic
from flagstone.settings import read_layer
from flagstone.stages import Stage

FOLDERS = ("prompts", "schemas")
LAYOUTS = "layouts"
FILES = ("config.yaml", "stages.yaml", "venues.yaml", "latex.yaml", "claim_words.yaml")


def pin_all(project: Project, run: Run) -> list[str]:
    """Copies everything a run is built with. Returns what changed by it."""
    sources = {name: project.root / name for name in FOLDERS} | {LAYOUTS: project.config / LAYOUTS}
    pairs = [
        (path, run.pinned / name / path.relative_to(folder))
        for name, folder in sources.items()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    files_of_config = {name: project.config / name for name in FILES}
    files_of_config["stages.yaml"] = table_source(project, table_named(run))
    return pin(run, [*pairs, *((source, run.pinned / name) for name, source in files_of_config.items())])


def table_named(run: Run) -> str:
    """The name of the table that a run was created with. Returns '' for the eight stages."""
    return str(read_layer(run.settings).get("table", "")) if run.settings.is_file() else ""


def table_source(project: Project, name: str) -> Path:
    """The file of a stage table: config/stages.yaml, or the one of this name in config/tables."""
    if not name:
        return project.config / "stages.yaml"
    path = project.config / "tables" / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in path.parent.glob("*.yaml"))) or "none"
        raise FlagstoneError(f"there is no stage table {name!r} ({path})", hint=f"the tables are: {known}")
    return path


def pin_stage(project: Project, run: Run, stage: Stage) -> list[str]:
    """Takes the newer prompt of one stage only."""
    name = stage.prompt()
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
