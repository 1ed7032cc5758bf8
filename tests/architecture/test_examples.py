"""The configuration we ship: what we show people must be right."""

from __future__ import annotations

from pathlib import Path

import pytest
from sources import ROOT

from flagstone import schemas
from flagstone.layout import Project, Run
from flagstone.settings import load_settings, pinned_table, venue_fields

PROJECT = Project(ROOT, ROOT / "runs")
EXAMPLES = sorted((ROOT / "config" / "examples").glob("*.yaml"))


def test_there_are_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_a_valid_run(path: Path, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(f'goal: "Does it help?"\n{path.read_text(encoding="utf-8")}', encoding="utf-8")
    settings = load_settings(PROJECT, Run(tmp_path))
    assert venue_fields(PROJECT.config, settings.venue)
    stages = {stage.nr for stage in pinned_table(PROJECT, None)}
    assert {*settings.merged["stages"], *settings.approval} <= {*stages, "default"}


def test_every_stage_has_its_prompt() -> None:
    assert [stage.key for stage in pinned_table(PROJECT, None) if not (prompt_of(stage.key)).is_file()] == []


def prompt_of(key: str) -> Path:
    return PROJECT.prompts / f"{key}.md.j2"


def test_the_default_venue_exists() -> None:
    default = schemas.read_yaml(PROJECT.config / "venues.yaml")["default"]
    assert venue_fields(PROJECT.config, default)["key"] == default
