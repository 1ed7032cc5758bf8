"""The variables that the shell commands of rules find our code by. It loads nothing of the gates."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def export(home: Path) -> None:
    """What the shell commands of rules are found by, here and on other machines."""
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(home / "src"), os.environ.get("PYTHONPATH")]))
    os.environ["FLAGSTONE_PYTHON"] = sys.executable
    os.environ["FLAGSTONE_SCRIPTS"] = str(home / "workflow" / "scripts")
