"""Which plans of trials a stage may leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from flagstone.artifacts.rules.plans import plan_checks
from flagstone.layout import Run
from flagstone.plans import trial_plans

ROOT = Path(__file__).resolve().parents[3]
PLAN: dict[str, Any] = {
    "question": "Does clipping lower the loss? Its seeds are sealed/secret.",
    "subject": {"root": "workspace/code", "mutable": ["train.py"]},
    "harness": {"argv": ["python", "train.py"]},
    "metric": {"name": "loss", "direction": "min"},
    "switch": ["--clip"],
    "minimum_effect": 0.05,
}


def said_of(run: Run, *, name: str = "clip.yaml", makes_ideas: bool = False, **changes: Any) -> str:
    """What the check says of one plan; a change to None leaves the key out."""
    run.pinned.mkdir(parents=True, exist_ok=True)
    if not (run.pinned / "schemas").exists():
        (run.pinned / "schemas").symlink_to(ROOT / "schemas")
    run.settings.write_text("sandbox: auto\n")
    path = run.workspace / "trials" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({key: row for key, row in {**PLAN, **changes}.items() if row is not None}))
    (check,) = plan_checks(run, makes_ideas=makes_ideas)
    assert check.rule == "trial-plans"
    return f"{check.status}: {check.message}"


def test_a_plan_that_can_be_run_passes(run: Run) -> None:
    assert said_of(run) == "passed: every plan has the form that it needs: clip.yaml"
    arms = {"half": {"switch": {"CLIP": "0.5"}}, "new": {"tree": "workspace/code/new"}}
    assert said_of(run, switch=None, arms=arms, screen="off").startswith("passed")


def test_everything_that_is_wrong_is_said_at_once(run: Run) -> None:
    metric = {"name": "loss"}
    said = said_of(run, minimum_efect=1, metric=metric, minimum_effect=-1, looks=[{"pairs": 8, "alpha": 0.2}], gate="x")
    assert said.startswith("failed: correct these plans")
    for words in ("unknown key 'minimum_efect'", "direction: min", "above 0", "0.05 at most", "'x' in gate"):
        assert words in said, words


@pytest.mark.parametrize(
    "changes", [{"seeds": {"confirmation": [1, 2]}}, {"confirmation_seeds": [7]}, {"confirm": {"seeds": [7]}}]
)
def test_a_plan_that_names_confirmation_seeds_is_refused(run: Run, changes: dict[str, Any]) -> None:
    said = said_of(run, **changes)
    assert said.startswith("failed") and "Flagstone draws the confirmation seeds" in said


@pytest.mark.parametrize(
    "changes",
    [
        {"data": ["../../trials/clip/sealed/**"]},
        {"subject": {"root": "workspace/code", "mutable": ["../../trials/clip/sealed/seeds.json"]}},
        {"harness": {"argv": ["python", "train.py", "--seeds=/runs/t/trials/clip/sealed/seeds.json"]}},
        {"switch": {"SEEDS": "../sealed/seeds.json"}},
    ],
)
def test_a_plan_that_names_a_file_with_sealed_seeds_is_refused(run: Run, changes: dict[str, Any]) -> None:
    said = said_of(run, **changes)
    assert said.startswith("failed") and "below `sealed`" in said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"subject": {"root": "trials/clip", "mutable": ["**"]}}, "subject.root leads out of the workspace"),
        ({"subject": {"root": ".", "mutable": ["**"]}}, "subject.root leads out of the workspace"),
        ({"subject": {"root": "workspace/nowhere", "mutable": ["a"]}}, "does not exist"),
        ({"switch": None, "arms": {"a": {"tree": "/etc"}}}, "arms.a.tree leads out of the workspace"),
        ({"switch": None}, "no treatment: give it a `switch`, or `arms`"),
        ({"sandbox": "off"}, "`sandbox: off` is for a person"),
        ({"harness": {"argv": ["a"], "writable": ["/"]}}, "harness.writable"),
        ({"harness": {"argv": ["a"], "gpus": 9999}}, "harness.gpus: 9999"),
        ({"name": "my trial.yaml"}, "is never run: the name of a plan is that of its trial"),
    ],
)
def test_a_plan_that_takes_too_much_or_runs_nothing_is_refused(run: Run, changes: dict[str, Any], words: str) -> None:
    said = said_of(run, **changes)
    assert said.startswith("failed") and words in said
    assert "clip.yaml: " in said or "my trial.yaml" in said


def test_in_a_campaign_the_attempts_make_the_treatment(run: Run) -> None:
    assert said_of(run, switch=None, makes_ideas=True).startswith("passed")


def test_a_run_without_the_schema_says_that_nobody_looked(run: Run) -> None:
    said_of(run)
    (run.pinned / "schemas").unlink()
    (check,) = plan_checks(run)
    assert check.status == "not checked" and "flagstone repin" in check.message


def test_what_passes_is_a_plan_of_the_run(run: Run) -> None:
    said_of(run)
    assert [plan.name for plan in trial_plans(run)] == ["clip"]


def test_data_that_no_file_matches_is_named_with_its_line(run: Run) -> None:
    said = said_of(run, data=["corpus/*.txt"])
    number = (run.workspace / "trials" / "clip.yaml").read_text().splitlines().index("- corpus/*.txt") + 1
    assert f"workspace/trials/clip.yaml: line {number}, data: corpus/*.txt names no file in" in said
    (run.workspace / "code" / "corpus").mkdir()
    (run.workspace / "code" / "corpus" / "a.txt").touch()
    assert said_of(run, data=["corpus/*.txt"]).startswith("passed")
