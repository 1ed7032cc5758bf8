"""What is kept from agents and runs: secret files, and all of the hidden check, wherever there is a copy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from flagstone.plans import Home, Spec

OF_RESULTS = ("hidden", "ledger.jsonl", "state/progress.json")


def secret_paths(home: Home, spec: Spec) -> tuple[Path, ...]:
    """The paths that no agent and no run may see."""
    secret = tuple(path for path in map(Path, spec.agent.secret_files) if path.exists())
    return secret if spec.hidden is None else (*secret, *paths_of_hidden(home, spec))


def paths_of_hidden(home: Home, spec: Spec) -> tuple[Path, ...]:
    """What the hidden check finds, and what it is found with."""
    every = [folder for folder in home.root.parent.iterdir() if folder.is_dir()]  # sessions of the same marker
    found = [folder / name for folder in every for name in OF_RESULTS]
    found += [path for folder in every for path in (folder / "trees").glob("hidden-*")]
    found.append(home.root.parent / "summary.html")
    if spec.subject.held_out:
        stores = {(folder / home.candidates.name).resolve() for folder in every}
        found += [*sorted(stores), *git_objects(home), *held_out_paths(spec)]
    return tuple(path for path in found if path.exists())


def git_objects(home: Home) -> list[Path]:
    """Where the files of every commit of the project are: a run could ask git for what is held out."""
    try:
        named = (home.root / "state" / "git" / "objects" / "info" / "alternates").read_text("utf-8").splitlines()
    except OSError:
        return []
    return [Path(line) for line in named if line]


def held_out_paths(spec: Spec) -> Iterator[Path]:
    """What is held out in the project itself; of a folder only the folder."""
    root, is_held_out = spec.subject.root, spec.subject.is_held_out
    for place, folders, names in os.walk(root):
        above = os.path.relpath(place, root)
        paths = {name: name if above == "." else f"{above}/{name}" for name in (*folders, *names)}
        yield from (root / path for path in paths.values() if is_held_out(path))
        folders[:] = [name for name in folders if name not in (".git", ".flagstone") and not is_held_out(paths[name])]
