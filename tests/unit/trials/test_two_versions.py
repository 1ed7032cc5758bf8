"""A trial of two versions of the files: there is no switch, so nothing to turn off."""

from __future__ import annotations

from pathlib import Path

from flagstone.plans import TrialSpec, trial_spec_of
from flagstone.trials.lines import IdeaLine, Line, LookLine, PreregLine
from flagstone.trials.running import TrialState, next_step

BEGUN: tuple[Line, ...] = (
    LookLine(1, "baseline", "now", "control", facts={"is_deterministic": True}),
    PreregLine("digest", 1, 0.05, "now"),
)


def spec(arm: dict[str, object]) -> TrialSpec:
    value = {
        "question": "Is the rewrite better?",
        "subject": {"mutable": ["train.py"]},
        "harness": {"argv": ["python", "train.py"]},
        "metric": {"name": "loss", "direction": "min"},
        "minimum_effect": 1,
        "arms": {"treated": arm},
    }
    return trial_spec_of("rewrite", Path("/project"), value)


def checked_runs(arm: dict[str, object]) -> list[str]:
    idea = IdeaLine("treated", "treated", "tree", "commit", "now")
    step = next_step(spec(arm), TrialState((*BEGUN, idea)))
    assert step.what == "checks"
    return [f"{name}-{slot}" for name, slot in step.runs]


def test_a_second_version_is_not_run_with_its_switch_off() -> None:
    assert checked_runs({"tree": "../rewrite"}) == ["treated-a1"]


def test_a_second_version_with_a_switch_is_run_without_it_as_well() -> None:
    assert checked_runs({"tree": "../rewrite", "switch": ["-x"]}) == ["treated-off-a1", "treated-a1"]
