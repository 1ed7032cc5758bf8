"""Which program a command starts: that of the person's own environment, and the same one in every run."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

OWN_FOLDER = os.path.dirname(sys.executable)


def program_path(word: str, root: Path, inherited: Mapping[str, str]) -> str:
    """The program that the first word of a command starts in a project; empty if there is none."""
    if "/" in word:
        place = root / os.path.expanduser(word)
        return os.path.normpath(place) if os.access(place, os.X_OK) and place.is_file() else ""
    return shutil.which(word, path=search_path("", inherited)) or ""


def search_path(program: str | None, inherited: Mapping[str, str]) -> str:
    """PATH of a run: the caller's, and our own programs last.

    `program` is what the command started when the experiment began. If PATH leads to another one by now, the folder of
    that program comes first. None means that our own come first, as in a run of Flagstone.
    """
    callers = [path for path in inherited.get("PATH", "").split(os.pathsep) if path]
    if program is None:
        return os.pathsep.join([OWN_FOLDER, *callers])
    found = os.pathsep.join([*callers, OWN_FOLDER])
    if not program or not os.access(program, os.X_OK) or shutil.which(os.path.basename(program), path=found) == program:
        return found
    return os.pathsep.join([os.path.dirname(program), found])
