"""What becomes of experiment.yaml in a run, where the approved plan is what holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from flagstone.errors import FlagstoneError
from flagstone.experiments.engine.block import adopt_plan, naming_plan
from flagstone.layout import Run
from flagstone.plans.folder import Home
from flagstone.plans.plan import Plan, find_plan

TEXT = """goal: less loss
subject: {root: workspace/code, mutable: [train.py]}
harness: {argv: [python, train.py]}
metric: {name: loss, direction: min}
stopping: {max_runs: 4}
"""
RAISED = TEXT.replace("max_runs: 4", "max_runs: 9")
OTHER = TEXT.replace("[python, train.py]", "[python, train.py, --fast]")


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    run = Run(tmp_path / "t")
    run.plans.mkdir(parents=True)
    (run.plans / "tune.yaml").write_text(TEXT)
    found = find_plan(run, "tune")
    assert found is not None
    return found


@pytest.fixture
def home(plan: Plan) -> Home:
    """Adopted, with a run in its ledger."""
    home = Home(plan.folder, plan.run.root)
    adopt_plan(home, plan)
    home.ledger.write_text('{"run_id": "r0001"}\n')
    return home


def test_a_raised_limit_gives_way_to_the_plan_and_no_run_is_lost(plan: Plan, home: Home) -> None:
    home.spec.write_text(RAISED)
    adopt_plan(home, plan)
    assert home.spec.read_text() == TEXT
    assert (home.aside / "experiment.yaml").read_text() == RAISED
    assert home.ledger.exists() and not (home.root / "history").exists()


def test_an_edit_that_decides_about_the_number_is_refused_and_the_plan_named(plan: Plan, home: Home) -> None:
    home.spec.write_text(OTHER)
    with pytest.raises(FlagstoneError) as caught:
        adopt_plan(home, plan)
    assert "workspace/experiments/tune.yaml" in caught.value.hint
    assert home.spec.read_text() == OTHER and home.ledger.exists()


def test_runs_made_by_hand_under_another_spec_are_not_discarded(plan: Plan, home: Home) -> None:
    home.design.unlink()
    home.spec.write_text(OTHER)
    with pytest.raises(FlagstoneError):
        adopt_plan(home, plan)
    assert home.ledger.exists()


def test_a_plan_that_is_another_begins_anew_and_keeps_the_old_runs(plan: Plan, home: Home) -> None:
    home.spec.write_text(RAISED)
    plan.path.write_text(OTHER)
    adopt_plan(home, plan)
    assert home.spec.read_text() == OTHER and not home.ledger.exists()
    assert (home.root / "history" / "001" / "ledger.jsonl").exists()


def test_a_hint_names_the_plan_and_not_the_copy_of_it(plan: Plan) -> None:
    where = "in workspace/experiments/tune.yaml (to be approved again)"
    assert naming_plan("set `script` in experiment.yaml: a folder", plan) == f"set `script` {where}: a folder"
    spec = plan.folder / "experiment.yaml"
    assert naming_plan(f"correct subject.root in {spec}", plan) == f"correct subject.root {where}"
    assert naming_plan(f"{spec}: goal is missing", plan) == "workspace/experiments/tune.yaml: goal is missing"
