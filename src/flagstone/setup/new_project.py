"""Makes a folder for runs: copies of Snakefile, rules, prompts, schemas, settings and profiles."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Iterator
from pathlib import Path

from flagstone import __version__
from flagstone.errors import FlagstoneError
from flagstone.layout import shipped_files
from flagstone.records import write_atomic

VERSION_FILE = "flagstone-version"
FOLDERS = ("config", "profiles", "prompts", "schemas", "workflow")
SNAKEFILE = "Snakefile"  # written last: with it the folder is a project
GITIGNORE = "/runs/*\n.snakemake/\n"


def create_project(folder: Path) -> None:
    """Writes what a project has. Nothing that is there is changed; a call that was cut off is finished by the next."""
    source = shipped_files()
    refuse_other_files(source, folder)
    for path in shipped_paths(source):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(target, (source / path).read_bytes())
    (folder / "runs").mkdir(exist_ok=True)
    if not (folder / ".gitignore").exists():
        write_atomic(folder / ".gitignore", GITIGNORE.encode())
    write_atomic(folder / VERSION_FILE, f"{__version__}\n".encode())
    write_atomic(folder / SNAKEFILE, (source / SNAKEFILE).read_bytes())


def refuse_other_files(source: Path, folder: Path) -> None:
    if os.path.lexists(folder) and not folder.is_dir():
        raise FlagstoneError(f"{folder} is no folder", hint="name an empty folder, or a new one: flagstone init DIR")
    if os.path.lexists(folder / SNAKEFILE):
        raise FlagstoneError(
            f"{folder} has a Snakefile already", hint="name an empty folder, or a new one: flagstone init DIR"
        )
    ours = set(shipped_paths(source))
    others = [name for name in FOLDERS if (folder / name).exists() and not is_ours(source, folder, name, ours)]
    if others:
        raise FlagstoneError(
            f"{folder} has files of its own in {', '.join(others)}/", hint="name an empty folder, or a new one"
        )


def is_ours(source: Path, folder: Path, name: str, ours: set[Path]) -> bool:
    """Whether there is nothing in a folder but what an earlier call copied there."""
    found = (path for path in (folder / name).rglob("*") if not path.is_dir())
    return all(
        path.relative_to(folder) in ours and filecmp.cmp(path, source / path.relative_to(folder), shallow=False)
        for path in found
    )


def shipped_paths(source: Path) -> Iterator[Path]:
    """What a project gets a copy of, relative to where it is shipped."""
    for name in FOLDERS:
        for place, folders, files in os.walk(source / name):
            folders[:] = sorted(each for each in folders if each != "__pycache__")
            yield from (Path(place, each).relative_to(source) for each in sorted(files))
