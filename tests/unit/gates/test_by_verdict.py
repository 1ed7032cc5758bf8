"""When `approval: verdict` seals the stage that ran the trials, and what is said when it does not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moments import approved, built, edited, moment

from flagstone.gates.by_verdict import explain, policy_of, trial_words
from flagstone.gates.frontier import Call, Frontier
from flagstone.gates.judge import judge_gates
from flagstone.gates.moment import StageFiles
from flagstone.layout import Run
from flagstone.plans import TrialPlan, trial_plans
from flagstone.stages import Stage

CONFIRM = {"n": 8, "mean": 0.0278625, "ci_low": 0.0122013146, "ci_high": 0.0435236854}
VERDICT: dict[str, Any] = {
    "gate": "confirm",
    "outcome": "SUPPORTED",
    "exploratory": False,
    "metric": {"name": "val_loss"},
    "confirm": CONFIRM,
}
STAGE = replace(built("01").stage, runs_experiments=True)


def end_trial(run: Run, name: str = "clip", **changes: Any) -> TrialPlan:
    """A trial as it lies on disk when it has ended."""
    plan_file = run.workspace / "trials" / f"{name}.yaml"
    plan_file.parent.mkdir(parents=True, exist_ok=True)
    plan_file.write_text("question: Does it help?\n")
    (plan,) = (each for each in trial_plans(run) if each.name == name)
    plan.folder.root.mkdir(parents=True)
    plan.folder.verdict.write_text(json.dumps({**VERDICT, **changes}))
    plan.done_file.write_text(json.dumps({"plan": plan.digest}))
    return plan


def opened_with(run: Run, approver: str = "verdict") -> Any:
    return SimpleNamespace(run=run, settings=SimpleNamespace(approver=lambda nr: approver))


def is_as_recorded(opened: object, plan: TrialPlan) -> str:
    return ""


def answer(run: Run, stage: Stage = STAGE, check: Any = is_as_recorded) -> tuple[str, str]:
    """The rule that approves the stage, and what is said of its gate."""
    verdict = judge_gates(moment(replace(built("01"), stage=stage)))["01"]
    return policy_of(opened_with(run), stage, "", check), explain(opened_with(run), verdict, check).reason


def test_a_supported_verdict_of_every_planned_trial_approves(tmp_path: Path) -> None:
    end_trial(Run(tmp_path))
    end_trial(Run(tmp_path), "warmup")
    assert answer(Run(tmp_path)) == ("verdict", "waits for you")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"outcome": "INCONCLUSIVE"}, "trial warmup ended INCONCLUSIVE"),
        ({"outcome": "HARMFUL"}, "trial warmup ended HARMFUL"),
        ({"outcome": "PROCEED", "gate": "cohens_d"}, "trial warmup ended PROCEED"),
        ({"outcome": "supported"}, "trial warmup ended supported"),
        ({"exploratory": True}, "trial warmup is exploratory"),
        ({"exploratory": None}, "trial warmup is exploratory"),
    ],
)
def test_one_trial_that_ended_otherwise_leaves_the_stage_to_a_person(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    end_trial(Run(tmp_path))
    end_trial(Run(tmp_path), "warmup", **changes)
    assert answer(Run(tmp_path)) == ("", f"waits for you (not approved by verdict: {words})")


def test_a_trial_without_a_verdict_for_its_present_plan_leaves_the_stage_to_a_person(tmp_path: Path) -> None:
    plan = end_trial(Run(tmp_path))
    plan.path.write_text("question: Another one?\n")
    assert answer(Run(tmp_path))[1].endswith("trial clip ended SUPPORTED before its plan was changed)")
    assert trial_words(trial_plans(Run(tmp_path))[0]) == "clip: ended SUPPORTED before its plan was changed"
    plan.path.write_text("question: Does it help?\n")
    assert answer(Run(tmp_path))[0] == "verdict"
    plan.folder.verdict.unlink()
    assert answer(Run(tmp_path))[1].endswith("trial clip has not ended)")


def test_no_trial_and_a_stage_without_trials_leave_the_stage_to_a_person(tmp_path: Path) -> None:
    assert answer(Run(tmp_path))[1].endswith("no trial is planned)")
    end_trial(Run(tmp_path))
    other = replace(STAGE, runs_experiments=False)
    assert answer(Run(tmp_path), other) == (
        "",
        "waits for you (not approved by verdict: no trial is run for this stage)",
    )


def test_a_verdict_that_is_not_what_was_recorded_does_not_count(tmp_path: Path) -> None:
    end_trial(Run(tmp_path))
    found = answer(Run(tmp_path), check=lambda opened, plan: "verdict.json is not what the ledger says; nor is a.csv")
    assert found[0] == ""
    assert "trial clip is not as it was recorded: verdict.json is not what the ledger says, nor is a.csv" in found[1]


def test_nobody_who_does_not_check_trials_approves_by_verdict(tmp_path: Path) -> None:
    end_trial(Run(tmp_path))
    call = Call(executing=lambda: True, forced=lambda stage: False, here=Path())
    assert Frontier(opened_with(Run(tmp_path)), call).policy(STAGE) == ""


@pytest.mark.parametrize(
    ("files", "is_approved"),
    [
        (built("01"), True),
        (edited(approved("01")), True),
        (replace(approved("01"), flag=None), False),
        (edited(replace(approved("01"), flag=None)), False),
        (replace(approved("01"), settings={"model": "opus"}), False),
    ],
)
def test_a_verdict_never_approves_what_is_a_persons_to_decide(
    tmp_path: Path, files: StageFiles, is_approved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_trial(Run(tmp_path))
    decided: list[str] = []
    monkeypatch.setattr("flagstone.gates.frontier.approve", lambda run, verdict, how: decided.append(how.policy))
    call = Call(
        executing=lambda: True, forced=lambda stage: False, here=Path(), check_trial=is_as_recorded, say=lambda line: 0
    )
    found = Frontier(opened_with(Run(tmp_path)), call)
    verdict = judge_gates(moment(replace(files, stage=STAGE)))["01"]
    found.verdicts = {"01": verdict}
    monkeypatch.setattr(Frontier, "look", lambda self: None)
    monkeypatch.setattr(Frontier, "bring_back_from_the_future", lambda self, stage: None)
    found.settle(verdict)
    assert decided == (["verdict"] if is_approved else [])


def test_nothing_is_added_where_a_person_or_another_rule_approves(tmp_path: Path) -> None:
    verdict = judge_gates(moment(built("01")))["01"]
    for approver in ("person", "auto"):
        assert explain(opened_with(Run(tmp_path), approver), verdict, is_as_recorded) is verdict


def test_a_trial_is_told_in_one_line(tmp_path: Path) -> None:
    said = trial_words(end_trial(Run(tmp_path)))
    assert said == (
        "clip: SUPPORTED, n = 8, val_loss better by 0.0279 (95 % interval of the improvement 0.0122 to 0.0435)"
    )
    worse = {**CONFIRM, "mean": -0.01, "ci_low": None}
    assert (
        trial_words(end_trial(Run(tmp_path), "b", outcome="HARMFUL", exploratory=True, confirm=worse))
        == "b: HARMFUL, exploratory, n = 8, val_loss worse by 0.01"
    )
    assert trial_words(end_trial(Run(tmp_path), "c", outcome="NOTHING FOUND", confirm=None)) == "c: NOTHING FOUND"
