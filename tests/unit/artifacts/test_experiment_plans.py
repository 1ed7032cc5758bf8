"""Which plans of experiments a stage may leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from flagstone.artifacts.rules.plans import plan_checks
from flagstone.layout import Run
from flagstone.plans.plan import plans

ROOT = Path(__file__).resolve().parents[3]
PLAN: dict[str, Any] = {
    "goal": "less loss",
    "subject": {"root": "workspace/code", "mutable": ["train.py"]},
    "harness": {"argv": ["python", "train.py"]},
    "metric": {"name": "loss", "direction": "min"},
    "stopping": {"max_runs": 20},
}


def verdict(run: Run, plan: dict[str, Any], sandbox: str = "auto") -> str:
    """What the check says of one plan, where the run is set to this."""
    run.pinned.mkdir(parents=True, exist_ok=True)
    if not (run.pinned / "schemas").exists():
        (run.pinned / "schemas").symlink_to(ROOT / "schemas")
    run.settings.write_text(f"sandbox: {sandbox}\n")
    run.plans.mkdir(parents=True, exist_ok=True)
    (run.plans / "sweep.yaml").write_text(yaml.safe_dump(plan))
    (check,) = plan_checks(run)
    return f"{check.status}: {check.message}"


def test_a_plan_may_ask_for_more_of_the_sandbox(run: Run) -> None:
    assert verdict(run, PLAN).startswith("passed")
    assert verdict(run, {**PLAN, "sandbox": "require"}).startswith("passed")


@pytest.mark.parametrize("off", ["off", False])
def test_a_plan_may_not_switch_the_sandbox_off(run: Run, off: object) -> None:
    said = verdict(run, {**PLAN, "sandbox": off})
    assert said.startswith("failed") and "sweep.yaml" in said and "`sandbox: off`" in said
    assert verdict(run, {**PLAN, "sandbox": off}, "off").startswith("passed"), "a person has switched it off"


def test_a_plan_may_not_name_folders_to_write_to(run: Run) -> None:
    said = verdict(run, {**PLAN, "harness": {**PLAN["harness"], "writable": ["/"]}})
    assert said.startswith("failed") and "harness.writable" in said


def test_a_plan_may_not_choose_what_an_agent_is_started_as(run: Run) -> None:
    said = verdict(run, {**PLAN, "agent": {"driver": "command", "options": {"state": ["~"]}}})
    assert said.startswith("failed") and "agent.options.state" in said


@pytest.mark.parametrize("stopping", [{}, {"threshold": 0.1}, {"gpu_h": 5}, {"max_runs": None}])
def test_a_plan_that_may_never_end_is_refused(run: Run, stopping: dict[str, Any]) -> None:
    said = verdict(run, {**PLAN, "stopping": stopping})
    assert said.startswith("failed") and "max_runs, plateau or wall_h" in said


@pytest.mark.parametrize("stopping", [{"plateau": 3}, {"wall_h": 2}, {"cost_usd": 3, "threshold": 0.1}])
def test_a_plan_with_one_certain_end_is_enough(run: Run, stopping: dict[str, Any]) -> None:
    assert verdict(run, {**PLAN, "stopping": stopping}).startswith("passed")


def test_two_plans_of_one_name_are_refused(run: Run) -> None:
    verdict(run, PLAN)
    (run.plans / "sweep.yml").write_text(yaml.safe_dump(PLAN))
    (check,) = plan_checks(run)
    assert check.status == "failed" and "sweep.yaml and sweep.yml are two plans of one name" in check.message


@pytest.mark.parametrize(
    "name", ["my plan.yaml", "lr=3.yaml", "_x.yaml", f"{80 * 'a'}.yaml", "sub/deep.yaml", "größe.yml", "UP.YAML"]
)
def test_a_plan_that_would_never_be_run_for_its_name_is_refused(run: Run, name: str) -> None:
    verdict(run, PLAN)
    (run.plans / name).parent.mkdir(exist_ok=True)
    (run.plans / name).write_text(yaml.safe_dump(PLAN))
    (check,) = plan_checks(run)
    assert check.status == "failed" and "is never run: the name of a plan" in check.message
    assert [plan.name for plan in plans(run)] == ["sweep"]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"proposer": "scripted"}, "needs `script`"),
        ({"proposer": "search"}, "needs `search:"),
        ({"harness": {"argv": ["python", "train.py"], "gpus": 9999}}, "harness.gpus: 9999"),
    ],
)
def test_a_plan_that_lacks_what_every_run_needs_is_refused(run: Run, changes: dict[str, Any], word: str) -> None:
    said = verdict(run, {**PLAN, **changes})
    assert said.startswith("failed") and word in said
