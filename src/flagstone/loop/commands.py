"""The command lines that a person is told to give next."""

from __future__ import annotations

from flagstone.loop.home import Home


def command_of(home: Home, verb: str) -> str:
    """One verb for this experiment, with the run that it belongs to where there is one."""
    of_run = f" --run {home.base.name}" if (home.base / "run.yaml").is_file() else ""
    return f"flagstone experiment {verb} {home.name}{of_run}"
