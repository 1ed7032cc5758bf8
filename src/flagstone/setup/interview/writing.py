"""Writes a new experiment: its folder is built beside its place and renamed into it, so that no half of one exists."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from flagstone import schemas
from flagstone.errors import FlagstoneError
from flagstone.experiments.engine import OpenedExperiment, open_experiment
from flagstone.plans import FOLDER, Home, command_of, constraint_of
from flagstone.records import cannot_write, write_atomic


def create_experiment(
    home: Home, value: Mapping[str, Any], schema_folder: Path, files: Mapping[str, bytes] | None = None
) -> OpenedExperiment:
    """Creates the folder of an experiment with its spec and further files, and opens it. On an error it leaves none."""
    refuse_taken(home)
    before = topmost_missing(home.root.parent)
    building = home.root.with_name(f".{home.name}.{os.getpid()}")
    try:
        make_experiment_folder(home.root.parent)
        building.mkdir(mode=0o700)
        for name, content in {home.spec.name: spec_text(value), **(files or {})}.items():
            (building / name).parent.mkdir(parents=True, exist_ok=True)
            write_atomic(building / name, content)
        os.rename(building, home.root)
    except OSError as error:
        remove_empty(before, home.root.parent)
        raise cannot_write(home.root, error) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    try:
        return open_experiment(home, schema_folder)
    except BaseException:
        shutil.rmtree(home.root, ignore_errors=True)  # so that the corrected command can use the same name
        remove_empty(before, home.root.parent)
        raise


def own_files_beside(plan: Path | None, value: Mapping[str, Any]) -> dict[str, bytes]:
    """The files in own/ beside a plan that sets arguments: they become the experiment's own."""
    if plan is None or "arguments" not in value:
        return {}
    paths = sorted(path for path in plan.with_name("own").rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(plan.parent).as_posix(): path.read_bytes() for path in paths}


def check_plan(value: Mapping[str, Any], schema_folder: Path, where: str) -> None:
    """Raises an error if a spec has not the form of one."""
    schemas.check(schema_folder, "experiment", value, where)
    for text in value.get("constraints", ()):
        constraint_of(text)


def spec_text(value: Mapping[str, Any]) -> bytes:
    import yaml

    return bytes(yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True, width=100).encode())


def refuse_taken(home: Home) -> None:
    if os.path.lexists(home.root):
        raise FlagstoneError(
            f"experiment {home.name!r} already exists",
            hint=f"choose another name, or continue it: {command_of(home, 'run')}",
        )


def make_experiment_folder(folder: Path) -> None:
    """Makes a folder for experiments or trials. In somebody's project git ignores it, and no marker file beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if folder.parent.name == FOLDER and not os.path.lexists(ignore):
        write_atomic(ignore, b"*\n")


def topmost_missing(folder: Path) -> Path | None:
    """The uppermost folder that has to be made for this one. Returns None if it is there."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    return missing[-1] if missing else None


def remove_empty(topmost: Path | None, folder: Path) -> None:
    """Removes the folders that were made for nothing, if nobody else has put anything there meanwhile."""
    if topmost is None:
        return
    with suppress(OSError):
        if os.listdir(folder) == [".gitignore"]:
            (folder / ".gitignore").unlink()
        for each in (folder, *folder.parents):
            each.rmdir()
            if each == topmost:
                return
