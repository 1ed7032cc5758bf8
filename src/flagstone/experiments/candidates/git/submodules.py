"""Where the commits of submodules are on this machine: in the checkout, or in the repository that git keeps of each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates.git.repository import Checkout, Repository
from flagstone.experiments.candidates.git.trees import SUBMODULE


def fetch_submodules(repository: Repository, place: Path, tree: str) -> None:
    """Takes over the submodules of a tree, and those within them. No network is asked. Some may be nowhere here.

    `place` is the work tree, or the folder of the repository, that the tree is from.
    """
    rows = list(repository.rows(tree))
    modules = {row.path: row.sha for row in rows if row.mode == SUBMODULE}
    if not modules:
        return
    known = repository.sizes(modules.values())
    settings = next((row.sha for row in rows if row.path == ".gitmodules"), "")
    names = names_of(repository, settings) if settings else {}
    for path, commit in modules.items():
        for source in sources_of(place, path, names.get(path, path)) if commit not in known else ():
            with suppress(FlagstoneError):
                repository.fetch(source, commit)
                fetch_submodules(repository, source, repository.tree_of(commit))
                break


def names_of(repository: Repository, settings: str) -> Mapping[str, str]:
    """The name of each submodule by its path, from the object of `.gitmodules`."""
    try:
        found = repository.git("config", "--null", "--blob", settings, "--get-regexp", r"^submodule\..*\.path$")
    except FlagstoneError:
        return {}
    rows = (os.fsdecode(row).partition("\n") for row in found.split(b"\0") if row)
    return {path: key.removeprefix("submodule.").removesuffix(".path") for key, _, path in rows}


def sources_of(place: Path, path: str, name: str) -> Iterator[Path]:
    """The repositories of one submodule that are there."""
    if (place / path / ".git").exists():
        yield place / path
    with suppress(FlagstoneError):
        is_repository = (place / "HEAD").is_file() and (place / "objects").is_dir()
        kept = (place if is_repository else Checkout(place).common_folder) / "modules" / name
        if ".." not in kept.parts and (kept / "HEAD").is_file():
            yield kept
