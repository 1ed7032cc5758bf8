"""A real run in a project of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from answering_desk import Desk

from flagstone.gates.runs.run_config import open_run
from flagstone.layout import Project
from flagstone.setup.new_run import NewRun, create

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "project"
    for name in ("config", "prompts", "schemas"):
        shutil.copytree(CHECKOUT / name, root / name)
    (root / "Snakefile").write_text("")
    table = root / "config" / "stages.yaml"
    rows = yaml.safe_load(table.read_text())["stages"]
    # the answers of these tests leave a note and nothing else
    table.write_text(yaml.safe_dump({"stages": {nr: {**row, "leaves": {}} for nr, row in rows.items()}}))
    return Project(root, root / "runs")


@pytest.fixture
def desk(project: Project) -> Desk:
    run = create(project, NewRun("attn", "Does it help?", sets={"agent": "demo", "limits": {"retry_s": 3}}))
    return Desk(open_run(project, run))
