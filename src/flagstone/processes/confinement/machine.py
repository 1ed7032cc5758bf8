"""What this machine allows: whether bubblewrap can be used here."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

from flagstone.processes.confinement.bubblewrap import PROGRAM, SandboxView, prefix
from flagstone.processes.tool import run_quietly

PROBE_S = 10.0


@cache
def bubblewrap_fault() -> str:
    """Why bubblewrap cannot be used here; empty if it can. Tried once in the life of this process."""
    if shutil.which(PROGRAM) is None:
        return "bubblewrap is not installed"
    code, _, stderr = run_quietly([*prefix(SandboxView(Path("/"))), "true"], Path("/"), PROBE_S)
    lines = stderr.decode(errors="replace").strip().splitlines()
    return "" if code == 0 else f"bubblewrap does not work here: {lines[-1] if lines else f'exit code {code}'}"
