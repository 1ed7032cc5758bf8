"""Creating a run: built beside its place, then renamed into it, so that a half-made run never exists."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone import schemas
from flagstone.errors import FlagstoneError
from flagstone.gates.runs import note_arrival
from flagstone.layout import RUN_NAME, WORKSPACE_FOLDERS, Project, Run
from flagstone.records import cannot_write, utc, write_atomic
from flagstone.settings import pinned_table, venue_fields
from flagstone.setup import intake, pinning
from flagstone.stages import load_table

PASSING = "# what means nothing in another copy of this run\n.lock\n.snakemake/\n"
HEAD = "# What this run sets over the defaults it pinned (pinned/config.yaml). Every key: docs/reference/settings.md"
EMPTY_FOLDERS = ("approved", "feedback", "redo", "stages", "drafts", "history", "handoff", "index", "logs")


@dataclass(frozen=True)
class NewRun:
    """What a person asks for with `flagstone new`."""

    name: str
    goal: str
    resources: Sequence[Path] = ()
    answers: Sequence[tuple[str, str]] = ()
    sets: Mapping[str, Any] | None = None
    further: Callable[[Run], object] = lambda run: None  # what else is put into the run before it exists


def create(project: Project, asked: NewRun) -> Run:
    """Creates runs/<name>/ whole, or nothing."""
    refuse_impossible(project, asked)
    final = project.run(asked.name)
    building = Run(project.runs_dir / f".{asked.name}.{os.getpid()}")
    try:
        project.runs_dir.mkdir(parents=True, exist_ok=True)
        building.root.mkdir(mode=0o700)
        fill(project, building, asked)
        note_arrival(building, pinned_table(project, building), "created")
        try:
            os.rename(building.root, final.root)
        except OSError as error:
            raise exists_error(project, asked.name) from error
    except OSError as error:
        raise cannot_write(final.root, error) from error
    finally:
        shutil.rmtree(building.root, ignore_errors=True)
    return final


def refuse_impossible(project: Project, asked: NewRun) -> None:
    """Refuses what can be known to be wrong before a file is made."""
    if not RUN_NAME.match(asked.name) or asked.name == "latest":
        raise FlagstoneError(
            f"{asked.name!r} cannot be the name of a run",
            hint="a name has letters, digits, '.', '_' and '-', at most 64, and starts with a letter or digit",
        )
    if not asked.goal.strip():
        raise FlagstoneError("a run needs a goal", hint=f'give one: flagstone new {asked.name} --goal "…"')
    if os.path.lexists(project.run(asked.name).root):
        raise exists_error(project, asked.name)
    schemas.check(project.schemas, "settings", dict(asked.sets or {}), "the settings given")
    if asked.sets and "venue" in asked.sets:
        venue_fields(project.config, str(asked.sets["venue"]))
    load_table(pinning.table_source(project, str((asked.sets or {}).get("table", ""))), project.schemas)
    config = project.config / "config.yaml"
    schemas.check(project.schemas, "settings", schemas.read_yaml(config) or {}, str(config))
    intake.check_resources(asked.resources)


def exists_error(project: Project, name: str) -> FlagstoneError:
    return FlagstoneError(
        f"run {name!r} already exists below {project.runs_dir}",
        hint=f"choose another name, or continue it: flagstone run {name}",
    )


def fill(project: Project, run: Run, asked: NewRun) -> None:
    import yaml

    for folder in WORKSPACE_FOLDERS:
        (run.workspace / folder).mkdir(parents=True)
    for folder in EMPTY_FOLDERS:
        (run.root / folder).mkdir()
        (run.root / folder / ".gitkeep").touch()
    write_atomic(run.root / ".gitignore", PASSING.encode())
    taken = intake.take_in(run, asked.resources)
    write_atomic(run.brief, intake.brief_text(asked.goal, taken, asked.answers).encode())
    settings: dict[str, Any] = {"created_at": utc(time.time()), **(asked.sets or {})}
    if taken:
        settings["resources"] = [{"path": each.path, "kind": each.kind, "digest": each.digest} for each in taken]
    text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True, width=100)
    write_atomic(run.settings, f"{HEAD}\n{text}".encode())
    asked.further(run)
    pinning.pin_all(project, run)  # after the settings, which name the stage table
