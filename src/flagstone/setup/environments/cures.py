"""Ways to get a working environment. Each is offered; none is done without a person's yes to exactly that."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flagstone.errors import FlagstoneError
from flagstone.processes import run_quietly
from flagstone.setup.environments.candidates import FOLDERS
from flagstone.setup.environments.install_commands import Commands
from flagstone.setup.environments.python_environment import environment_at
from flagstone.setup.repository import sibling_trees
from flagstone.text import one_line

INSTALL_S = 3600.0


@dataclass(frozen=True)
class EnvironmentCure:
    """What could be done: its commands, what it touches, and the interpreter that it leads to."""

    kind: Literal["sibling", "install", "link", "stop"]
    text: str
    commands: Commands = ()
    touches: str = "nothing"
    python: str = ""


def environment_cures(root: Path, install: Commands, own: Path) -> tuple[EnvironmentCure, ...]:
    """What can be offered here, in the order of how little it touches."""
    found = list[EnvironmentCure]()
    for folder in sibling_environments(root, own):
        python = str(folder / "bin" / "python")
        found.append(EnvironmentCure("sibling", f"use the interpreter of {folder.parent}", python=python))
        break
    if install:
        said = " && ".join(shlex.join(words) for words in install)
        found.append(EnvironmentCure("install", f"run {said}", install, "the project's environment"))
    if found and found[0].kind == "sibling" and not os.path.lexists(root / ".venv"):
        source = str(Path(found[0].python).parent.parent)
        command = ("ln", "-s", source, ".venv")
        found.append(EnvironmentCure("link", f"link {source} as .venv", (command,), ".venv", ".venv/bin/python"))
    return (*found, EnvironmentCure("stop", "stop, and mend it by hand"))


def sibling_environments(root: Path, own: Path) -> list[Path]:
    """The environments without a fault in the other work trees of this repository."""
    found = []
    for tree in sibling_trees(root):
        for name in FOLDERS:
            environment = environment_at(tree / name, name, root, own)
            if environment and not environment.fault and not environment.is_own:
                found.append(environment.folder)
    return found


def apply_cure(root: Path, cure: EnvironmentCure) -> None:
    """Does what a person said yes to. Nothing is deleted, and a link is made only where nothing is."""
    if cure.kind == "link":
        make_link(root, cure)
    for words in cure.commands if cure.kind == "install" else ():
        code, output, said = run_quietly(words, root, INSTALL_S)
        if code != 0:
            last = one_line((said or output).decode(errors="replace").strip().rpartition("\n")[2])
            raise FlagstoneError(
                f"{shlex.join(words)} ended with {code}: {last}", hint="mend it by hand, then try again"
            )


def make_link(root: Path, cure: EnvironmentCure) -> None:
    try:
        os.symlink(cure.commands[0][2], root / ".venv")
    except FileExistsError:
        raise FlagstoneError(".venv is there already", hint="look at it: nothing was changed") from None
