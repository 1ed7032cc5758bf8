"""Projects of a few files, and what is found in them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flagstone.setup.programs import Program
from flagstone.setup.project_tree import ProjectTree, project_tree


def project(folder: Path, files: Mapping[str, str | bytes], **program: Any) -> tuple[ProjectTree, Program]:
    """A project with these files, the later ones newer, whose program is train.py."""
    for number, (name, content) in enumerate(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))
    return project_tree(folder), Program(**{"entry": "train.py", **program})
