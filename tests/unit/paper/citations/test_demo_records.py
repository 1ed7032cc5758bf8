"""The demo's citations are checked against records that come with it, and say so."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

from flagstone import schemas
from flagstone.layout import Run
from flagstone.paper.citations import References, references_of
from flagstone.settings import Settings, settings_of

CHECKOUT = Path(__file__).parents[4]
MATERIAL = CHECKOUT / "src" / "flagstone" / "agents" / "demo" / "material"


def demo_settings() -> Settings:
    defaults = schemas.defaults(CHECKOUT / "schemas", "settings")
    return settings_of({**defaults, "agent": "demo", "citations": {**defaults["citations"], "network": False}})


def demo_references(run: Run) -> References:
    (run.workspace / "literature").mkdir(parents=True)
    shutil.copy(MATERIAL / "sources.json", run.workspace / "literature" / "sources.json")
    keys = [row["key"] for row in json.loads((MATERIAL / "sources.json").read_text())["sources"]]
    return references_of(run, keys, demo_settings())


def test_every_work_of_the_demo_is_verified_against_records_made_by_hand(tmp_path: Path) -> None:
    found = demo_references(Run(tmp_path))
    assert [row.status for row in found.rows] == ["VERIFIED"] * 9, [row.message for row in found.rows]
    (check,) = found.checks
    assert check.status == "passed"
    assert "checked against the records that come with the demo; no network was asked" in check.message
    assert found.as_record()["hand_made"] is True


def test_a_project_of_an_earlier_version_has_the_defaults_of_today(tmp_path: Path) -> None:
    merged = {key: value for key, value in demo_settings().merged.items() if key != "citations"}
    (tmp_path / "workspace" / "literature").mkdir(parents=True)
    shutil.copy(MATERIAL / "sources.json", tmp_path / "workspace" / "literature" / "sources.json")
    found = references_of(Run(tmp_path), ["zhang2018mixup"], replace(demo_settings(), merged=merged))
    assert found.rows[0].status == "VERIFIED"


def test_the_lock_file_of_the_demo_says_that_its_answers_were_made_by_hand(tmp_path: Path) -> None:
    demo_references(Run(tmp_path))
    lock = json.loads((tmp_path / "paper" / "refs.lock.json").read_text())
    assert lock["hand_made"] is True
    assert all(row["hand_made"] for row in lock["answers"].values())
    assert lock == json.loads((tmp_path / "workspace" / "literature" / "refs.lock.json").read_text())
