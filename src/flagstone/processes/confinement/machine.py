"""What this machine allows: whether bubblewrap can be used here."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

from flagstone.processes.confinement.bubblewrap import PROGRAM, View, prefix
from flagstone.processes.tool import run_quietly

PROBE_S = 10.0


@cache
def bubblewrap_fault() -> str:
    """Why bubblewrap cannot be used here; empty where it can. Tried once in the life of this process."""
    if shutil.which(PROGRAM) is None:
        return "bubblewrap is not installed"
    code, _, stderr = run_quietly([*prefix(View(Path("/"))), "true"], Path("/"), PROBE_S)
    told = stderr.decode(errors="replace").strip().splitlines()
    return "" if code == 0 else f"bubblewrap does not work here: {told[-1] if told else f'exit code {code}'}"
