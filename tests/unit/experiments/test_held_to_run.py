"""An experiment of a run is held to what a person has set the run to; one of a project to its own file."""

from __future__ import annotations

import pytest
from laboratory import Laboratory

from flagstone.agents.sandbox import Strength
from flagstone.errors import FlagstoneError
from flagstone.experiments.measuring import environment

HOLES = {"agent": {"driver": "command", "options": {"argv": ["x"], "state": ["~"], "environment": ["KEY"]}}}


@pytest.mark.parametrize(
    ("run", "plan", "held"),
    [
        ("auto", "off", "auto"),
        ("auto", False, "auto"),
        ("require", "off", "require"),
        ("require", "auto", "require"),
        ("auto", "require", "require"),
        ('"off"', "require", "require"),
        ("off", "auto", "off"),
    ],
)
def test_a_plan_may_ask_for_more_and_never_for_less(laboratory: Laboratory, run: str, plan: object, held: str) -> None:
    laboratory.make(sandbox=plan)
    (laboratory.project / "run.yaml").write_text(f"goal: g\nsandbox: {run}\n")
    assert laboratory.open().spec.sandbox == held
    assert laboratory.open().spec.sandbox == held, "also where the checked spec is already known"


def test_a_plan_opens_no_folders_and_hands_nothing_to_an_agent(laboratory: Laboratory) -> None:
    harness = {"argv": ["python", "train.py"], "writable": [str(laboratory.folder)]}
    laboratory.make(harness=harness, **HOLES)
    assert laboratory.open().spec.harness.writable and laboratory.open().spec.agent.options["state"]
    (laboratory.project / "run.yaml").write_text("goal: g\n")
    spec = laboratory.open().spec
    assert spec.harness.writable == () and dict(spec.agent.options) == {"argv": ["x"]}


def test_in_a_project_the_file_is_the_person_s_own(laboratory: Laboratory) -> None:
    assert laboratory.make(sandbox="off").open().spec.sandbox == "off"


def test_what_a_run_requires_holds_for_the_code_of_its_experiments(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    laboratory.make(sandbox="off")
    (laboratory.project / "run.yaml").write_text("goal: g\nsandbox: require\n")
    monkeypatch.setattr(environment, "strength", lambda: Strength(0, "there is none"))
    with pytest.raises(FlagstoneError, match="requires the whole sandbox"):
        environment.confinement(laboratory.open().spec, ())
