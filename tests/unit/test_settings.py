"""What a run is set to, and which changes of it are a reason to do a stage again."""

from __future__ import annotations

import shutil
from dataclasses import fields
from pathlib import Path

import pytest

from flagstone import schemas
from flagstone.layout import Project, Run
from flagstone.plans import granted_spec, spec_of
from flagstone.settings import StageLimits, StageSettings, grants_of, load_settings, settings_of

ROOT = Path(__file__).resolve().parents[2]

LIMITS = {
    "attempts": 3,
    "wall_s": 60,
    "silence_s": 30,
    "turns": 9,
    "cost_usd": None,
    "retry_s": 20,
    "outage_s": 9,
    "window_s": 9,
}


def stage(**changes: object) -> StageSettings:
    """The settings of stage 01 where a run is set to this."""
    plain = {"goal": "g", "venue": "v", "sandbox": "auto", "approval": {}, "budget": {}, "agent": "auto"}
    return settings_of({**plain, "limits": LIMITS, **changes}).for_stage("01")


def test_the_automatic_agent_has_the_options_of_claude() -> None:
    assert stage(claude={"tools": ["WebSearch"]}).options == {"tools": ["WebSearch"]}


def test_patience_and_limits_are_no_reason_to_do_a_stage_again() -> None:
    patience = {"command": "/opt/claude", "retries": 9, "api_timeout_s": 5, "stall_s": 5}
    assert stage(claude=patience, limits={**LIMITS, "retry_s": 1, "wall_s": 1, "turns": 3}).facts() == stage().facts()


def test_other_tools_are_a_reason_to_do_a_stage_again() -> None:
    assert stage(claude={"tools": ["WebSearch"]}).facts() != stage().facts()


def test_what_nobody_sets_has_the_default_of_the_schema(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("goal: g\nlimits: {turns: 9}\n")
    first = load_settings(Project(ROOT, tmp_path), Run(tmp_path)).for_stage("01")
    defaults = schemas.defaults(ROOT / "schemas", "settings")
    assert first.agent == defaults["agent"]
    assert vars(first.limits) == {**defaults["limits"], "turns": 9}


def test_the_defaults_are_settings_that_the_schema_allows() -> None:
    defaults = schemas.defaults(ROOT / "schemas", "settings")
    assert schemas.problems(ROOT / "schemas", "settings", defaults) == []
    assert set(defaults["limits"]) == {each.name for each in fields(StageLimits)}


def test_a_new_default_does_not_reach_a_run_that_was_made_before(tmp_path: Path) -> None:
    run = Run(tmp_path / "runs" / "attn")
    shutil.copytree(ROOT / "schemas", run.pinned / "schemas")
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    run.settings.write_text("goal: g\n")
    newer = tmp_path / "schemas" / "settings.schema.yaml"
    newer.write_text(newer.read_text().replace("default: 400", "default: 401"))
    shutil.copytree(ROOT / "config", tmp_path / "config")
    assert load_settings(Project(tmp_path, tmp_path / "runs"), run).for_stage("01").limits.turns == 400


def test_a_run_of_an_earlier_version_takes_new_keys_from_the_project(tmp_path: Path) -> None:
    """It pinned a schema without defaults, and a config.yaml that names every key of its time."""
    run = Run(tmp_path)
    (run.pinned / "schemas").mkdir(parents=True)
    (run.pinned / "schemas" / "settings.schema.yaml").write_text("properties: {limits: {type: object}}\n")
    (run.pinned / "config.yaml").write_text("agent: demo\nlimits: {attempts: 5, wall_s: 60}\n")
    run.settings.write_text("goal: g\n")
    limits = load_settings(Project(ROOT, tmp_path), run).for_stage("01").limits
    assert (limits.attempts, limits.wall_s, limits.turns) == (5, 60, 400)


@pytest.mark.parametrize(("written", "word"), [("off", "off"), ('"off"', "off"), ("require", "require")])
def test_the_sandbox_is_off_with_and_without_quotes(tmp_path: Path, written: str, word: str) -> None:
    (tmp_path / "run.yaml").write_text(f"goal: g\nsandbox: {written}\n")
    settings = load_settings(Project(ROOT, tmp_path), Run(tmp_path))
    assert settings.sandbox == word == grants_of(Run(tmp_path)).sandbox


def test_the_sandbox_of_a_run_is_what_it_pinned_where_it_sets_none(tmp_path: Path) -> None:
    (tmp_path / "pinned").mkdir()
    (tmp_path / "run.yaml").write_text("goal: g\n")
    assert grants_of(Run(tmp_path)).sandbox == "auto"
    (tmp_path / "pinned" / "config.yaml").write_text("sandbox: require\n")
    assert grants_of(Run(tmp_path)).sandbox == "require"


def test_a_plan_takes_the_network_away_and_never_gives_it(tmp_path: Path) -> None:
    value = {
        "goal": "g",
        "subject": {"mutable": ["a.py"]},
        "harness": {"argv": ["true"]},
        "metric": {"name": "x", "direction": "min"},
    }
    offline = {**value, "harness": {"argv": ["true"], "network": False}}
    for setting, granted in (("", True), ("network: false\n", False)):
        (tmp_path / "run.yaml").write_text(setting)
        found = [granted_spec(spec_of("x", tmp_path, each), Run(tmp_path)) for each in (value, offline)]
        assert [spec.harness.network for spec in found] == [granted, False]
