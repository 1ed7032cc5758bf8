"""A finished run for the tests of the bundle: the one that an earlier version made, opened with the code of today."""

from __future__ import annotations

import subprocess
from pathlib import Path

from flagstone.gates import RunConfig, open_run
from flagstone.layout import Project, Run

CHECKOUT = Path(__file__).resolve().parents[3]
ARCHIVE = CHECKOUT / "tests" / "data" / "made-by" / "e144a5e" / "runs" / "finished.tar.gz"


def finished_run(folder: Path) -> RunConfig:
    """The run, unpacked below this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "--no-same-owner", "-xzf", ARCHIVE, "-C", folder], check=True)
    return open_finished(folder)


def open_finished(folder: Path) -> RunConfig:
    return open_run(Project(CHECKOUT, folder), Run(folder / "finished"), validate=False)
