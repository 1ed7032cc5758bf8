"""The sample papers of tests/data/papers, as runs whose stages offer their files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from flagstone.layout import Run
from flagstone.records import digest_file

ROOT = Path(__file__).resolve().parents[4]
PAPERS = ROOT / "tests" / "data" / "papers"
SAMPLES = ("one_column", "two_columns", "mathematics")


def lay_sample(run: Run, name: str) -> None:
    """Copies a sample into a run, and offers its data and results."""
    shutil.copytree(PAPERS / name, run.root, dirs_exist_ok=True)
    found = [
        path for kind in ("data", "results") for path in sorted((run.workspace / kind).rglob("*")) if path.is_file()
    ]
    rows = [{"path": run.relative(path), "digest": digest_file(path)} for path in found]
    (run.root / "stages").mkdir(exist_ok=True)
    (run.root / "stages" / "06_analysis.json").write_text(json.dumps({"stage": "06", "artifacts": rows}))
