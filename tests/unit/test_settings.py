"""What a run is set to, and which changes of it are a reason to do a stage again."""

from __future__ import annotations

from pathlib import Path

import pytest

from flagstone.layout import Project, Run
from flagstone.settings import StageSettings, load_settings, sandbox_of, settings_of

ROOT = Path(__file__).resolve().parents[2]

LIMITS = {"attempts": 3, "wall_s": 60, "silence_s": 30, "turns": 9, "cost_usd": None, "retry_s": 20}


def stage(**changes: object) -> StageSettings:
    """The settings of stage 01 where a run is set to this."""
    plain = {"goal": "g", "venue": "v", "sandbox": "auto", "approval": {}, "budget": {}, "agent": "auto"}
    return settings_of({**plain, "limits": LIMITS, **changes}, Run(Path("run"))).for_stage("01")


def test_the_automatic_agent_has_the_options_of_claude() -> None:
    assert stage(claude={"tools": ["WebSearch"]}).options == {"tools": ["WebSearch"]}


def test_patience_with_the_api_is_no_reason_to_do_a_stage_again() -> None:
    patience = {"command": "/opt/claude", "retries": 9, "api_timeout_s": 5, "stall_s": 5}
    assert stage(claude=patience, limits={**LIMITS, "retry_s": 1}).facts() == stage().facts()


def test_other_tools_are_a_reason_to_do_a_stage_again() -> None:
    assert stage(claude={"tools": ["WebSearch"]}).facts() != stage().facts()


@pytest.mark.parametrize(("written", "word"), [("off", "off"), ('"off"', "off"), ("require", "require")])
def test_the_sandbox_is_off_with_and_without_quotes(tmp_path: Path, written: str, word: str) -> None:
    (tmp_path / "run.yaml").write_text(f"goal: g\nsandbox: {written}\n")
    settings = load_settings(Project(ROOT, tmp_path), Run(tmp_path))
    assert settings.sandbox == word == sandbox_of(Run(tmp_path))


def test_the_sandbox_of_a_run_is_what_it_pinned_where_it_sets_none(tmp_path: Path) -> None:
    (tmp_path / "pinned").mkdir()
    (tmp_path / "run.yaml").write_text("goal: g\n")
    assert sandbox_of(Run(tmp_path)) == "auto"
    (tmp_path / "pinned" / "config.yaml").write_text("sandbox: require\n")
    assert sandbox_of(Run(tmp_path)) == "require"
