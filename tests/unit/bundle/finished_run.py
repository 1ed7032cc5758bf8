"""A finished run for the tests of the bundle: the one that an earlier version made, opened with the code of today."""

from __future__ import annotations

import subprocess
from pathlib import Path

from flagstone.gates import RunConfig, open_run
from flagstone.layout import Project, Run

CHECKOUT = Path(__file__).resolve().parents[3]
ARCHIVES = CHECKOUT / "tests" / "data" / "made-by" / "e144a5e" / "runs"


def finished_run(folder: Path, name: str = "finished") -> RunConfig:
    """The run, or another one that the same version made, unpacked below this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    archive = ARCHIVES / f"{name}.tar.gz"
    subprocess.run(["tar", "--no-same-owner", "-xzf", archive, "-C", folder], check=True)
    return open_finished(folder, name)


def open_finished(folder: Path, name: str = "finished") -> RunConfig:
    return open_run(Project(CHECKOUT, folder), Run(folder / name), validate=False)
