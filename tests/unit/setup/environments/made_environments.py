"""Environments as tools leave them, written by hand: nothing in them can be started."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from flagstone.setup.environments import EnvironmentReport, report_environment
from flagstone.setup.programs import Program
from flagstone.setup.project_tree import project_tree

HOME = Path(sys.executable).resolve().parent


def make_environment(folder: Path, packages: Sequence[str] = (), version: str = "3.11.7", home: Path = HOME) -> Path:
    """An environment with these packages, as venv makes it. Its interpreter leaves a trace if anything starts it."""
    site = folder / "lib" / f"python{version.rpartition('.')[0]}" / "site-packages"
    for name in packages:
        (site / name).mkdir(parents=True)
        (site / f"{name}-1.0.dist-info").mkdir()
        (site / f"{name}-1.0.dist-info" / "METADATA").write_text(f"Name: {name}\nVersion: 1.0\n")
    site.mkdir(parents=True, exist_ok=True)
    (folder / "pyvenv.cfg").write_text(f"home = {home}\nversion = {version}\n")
    trap(folder / "bin" / "python")
    return folder


def trap(program: Path) -> None:
    """A program that tells on whoever starts it."""
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\ntouch {program.parent / 'was-started'}\n")
    program.chmod(0o755)


def report(root: Path, environ: Mapping[str, str] | None = None, asked: str = "") -> EnvironmentReport:
    """What is found for the program train.py of a project."""
    return report_environment(
        project_tree(root), Program(entry="train.py", runner="python"), {"PATH": "", **(environ or {})}, asked
    )
