"""Which step of a trial comes next, decided from its plan and its ledger alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flagstone.plans import TrialSpec, trial_spec_of
from flagstone.trials import CheckResult, CompareResult, LookResult, Outcome, ScreenResult
from flagstone.trials.lines import IdeaLine, Line, LookLine, PreregLine, RunLine, VerdictLine
from flagstone.trials.running import TrialState, TrialStep, next_step

AT = "2026-01-01T00:00:00Z"
PLAN: dict[str, Any] = {
    "question": "Is it better?",
    "subject": {"mutable": ["train.py"]},
    "harness": {"argv": ["python", "train.py"]},
    "metric": {"name": "loss", "direction": "min"},
    "minimum_effect": 0.1,
}


def spec(*arms: str, **changes: Any) -> TrialSpec:
    own = {"arms": {arm: {"switch": [f"--{arm}"]} for arm in arms}} if arms else {}
    return trial_spec_of("t", Path(), {**PLAN, **own, **changes})


def step_after(asked: TrialSpec, *lines: Line) -> TrialStep:
    return next_step(asked, TrialState(lines))


def names(step: TrialStep) -> list[str]:
    return [f"{arm}-{slot}" for arm, slot in step.runs]


def sealed(*, is_deterministic: bool = True) -> tuple[Line, ...]:
    facts = {"is_deterministic": is_deterministic}
    return LookLine(1, "baseline", AT, "control", facts=facts), PreregLine("d", 1, 0.05, AT)


def checks(step: int, arm: str, *, is_passed: bool = True) -> LookLine:
    return LookLine(step, "checks", AT, arm, checks=(CheckResult("on", is_passed, "because"),))


def screen(step: int, arm: str, mean: float, *, is_dropped: bool = False) -> LookLine:
    return LookLine(step, "screen", AT, arm, screen=ScreenResult(arm, 3, mean, 1.0, is_dropped))


def look(step: int, number: int, **accepted: bool) -> LookLine:
    found = tuple(
        LookResult(arm, number, (), 0.1, 0.1, 0.5, 0.01, is_accepted) for arm, is_accepted in accepted.items()
    )
    return LookLine(step, "confirm", AT, looks=found)


def compare(step: int, arm: str, outcome: Outcome | None) -> LookLine:
    return LookLine(step, "compare", AT, arm, compare=CompareResult(arm, 3, 0.1, 0.3, outcome))


def test_the_control_runs_on_five_seeds_and_once_more_on_the_first() -> None:
    step = step_after(spec("x"))
    assert (step.number, step.what) == (1, "baseline")
    assert names(step) == ["control-a1", "control-a2", "control-a3", "control-a4", "control-a5", "control-a1r2"]


def test_no_arm_runs_before_the_pre_registration_is_sealed() -> None:
    (baseline, _) = sealed()
    assert step_after(spec("x"), baseline).what == "baseline"


def test_a_program_that_repeats_itself_needs_one_run_off_and_one_on() -> None:
    step = step_after(spec("x"), *sealed())
    assert (step.number, step.what) == (2, "checks")
    assert names(step) == ["x-off-a1", "x-a1"]


def test_a_program_that_does_not_needs_five_values_of_the_control_and_two_with_the_switch_off() -> None:
    found = names(step_after(spec("x"), *sealed(is_deterministic=False)))
    assert found == [
        *(f"control-a1{again}" for again in ("", "r2", "r3", "r4", "r5")),
        "x-off-a1",
        "x-off-a1r2",
        "x-a1",
    ]


def test_all_arms_are_checked_and_screened_in_one_step_each() -> None:
    asked = spec("x", "y", screen="on")
    step = step_after(asked, *sealed(), checks(2, "x"), checks(2, "y"))
    assert (step.number, step.what, step.arms) == (3, "screen", ("x", "y"))


def test_a_step_that_a_kill_cut_in_two_comes_again_for_the_arms_that_are_missing() -> None:
    step = step_after(spec("x", "y"), *sealed(), checks(2, "x"))
    assert (step.number, step.what, step.arms) == (2, "checks", ("y",))


def test_an_arm_that_failed_a_check_is_not_screened() -> None:
    step = step_after(spec("x", "y"), *sealed(), checks(2, "x", is_passed=False), checks(2, "y"))
    assert step.arms == ("y",)


def test_the_arm_with_the_largest_improvement_is_confirmed_on_four_pairs_and_then_on_eight() -> None:
    known = (*sealed(), checks(2, "x"), checks(2, "y"), screen(3, "x", 0.1), screen(3, "y", 0.2))
    step = step_after(spec("x", "y"), *known)
    assert (step.number, step.what, step.arms) == (4, "confirm", ("y",))
    assert names(step) == [f"{arm}-b{slot}" for arm in ("control", "y") for slot in (1, 2, 3, 4)]
    later = step_after(spec("x", "y"), *known, look(4, 1, y=False))
    assert later.number == 5 and len(later.runs) == 16


@pytest.mark.parametrize("looks", [[look(4, 1, x=True)], [look(4, 1, x=False), look(5, 2, x=False)]])
def test_the_verdict_follows_an_accepted_look_or_the_last_one(looks: list[LookLine]) -> None:
    assert step_after(spec("x"), *sealed(), checks(2, "x"), screen(3, "x", 0.1), *looks).what == "verdict"


def test_with_the_screen_off_all_arms_are_confirmed_until_each_is_accepted() -> None:
    asked = spec("x", "y", screen="off")
    known = (*sealed(), checks(2, "x"), checks(2, "y"))
    assert step_after(asked, *known).arms == ("x", "y")
    step = step_after(asked, *known, look(3, 1, x=True, y=False))
    assert step.arms == ("y",) and "x-b8" not in names(step)


@pytest.mark.parametrize(
    "lines", [[checks(2, "x", is_passed=False)], [checks(2, "x"), screen(3, "x", -0.1, is_dropped=True)]]
)
def test_a_trial_of_which_nothing_is_left_ends_with_its_verdict(lines: list[LookLine]) -> None:
    assert step_after(spec("x"), *sealed(), *lines).what == "verdict"


def test_a_run_that_was_tampered_with_ends_the_trial() -> None:
    run = RunLine("x", "a1", "invalid", "b", AT, reason="tampered: evaluate.py was 1, is 2")
    assert step_after(spec("x"), *sealed(), run).what == "verdict"


def test_nothing_follows_the_verdict() -> None:
    assert step_after(spec("x"), *sealed(), VerdictLine(Outcome.SUPPORTED, (), AT)).what == "done"


def idea(number: int, failure: str = "") -> IdeaLine:
    return IdeaLine(f"idea{number}", "an idea", "t", "c", AT, failure=failure)


def test_a_campaign_tries_one_idea_after_the_other_and_confirms_the_best() -> None:
    known: list[Line] = [*sealed()]
    assert step_after(spec(), *known).arms == ("idea1",)
    for number in (1, 2, 3):
        attempt = step_after(spec(), *known)
        assert (attempt.what, attempt.arms) == ("attempt", (f"idea{number}",))
        known.append(idea(number))
        step = step_after(spec(), *known)
        assert (step.what, step.number) == ("checks", attempt.number + 1)
        known.append(checks(step.number, f"idea{number}"))
        step = step_after(spec(), *known)
        assert (step.what, step.arms) == ("screen", (f"idea{number}",))
        known.append(screen(step.number, f"idea{number}", 0.1 * number))
    assert step_after(spec(), *known).arms == ("idea3",)


def test_an_idea_that_failed_a_check_is_repaired_once() -> None:
    known: list[Line] = [*sealed(), idea(1), checks(3, "idea1", is_passed=False)]
    step = step_after(spec(), *known)
    assert (step.what, step.arms, step.number) == ("attempt", ("idea1r",), 4)
    known += [replace(idea(1), arm="idea1r")]
    assert step_after(spec(), *known).arms == ("idea1r",)
    known += [checks(5, "idea1r", is_passed=False)]
    assert step_after(spec(), *known).arms == ("idea2",)
    known[-1] = checks(5, "idea1r")
    assert (step_after(spec(), *known).what, step_after(spec(), *known).arms) == ("screen", ("idea1r",))


def test_an_idea_that_was_repaired_before_its_first_run_is_not_repaired_again() -> None:
    known: list[Line] = [*sealed(), replace(idea(1), arm="idea1r"), checks(3, "idea1r", is_passed=False)]
    assert step_after(spec(), *known).arms == ("idea2",)


def test_an_idea_without_code_is_not_run() -> None:
    assert step_after(spec(ideas=1), *sealed(), idea(1, "no patch")).what == "verdict"


def test_the_gate_cohens_d_compares_three_with_three_and_then_five_with_five() -> None:
    asked, known = spec("x", gate="cohens_d"), (*sealed(), checks(2, "x"))
    step = step_after(asked, *known)
    assert (step.what, len(step.runs)) == ("compare", 6) and names(step)[0] == "x-off-a1"
    assert len(step_after(asked, *known, compare(3, "x", None)).runs) == 10
    assert step_after(asked, *known, compare(3, "x", None), compare(4, "x", Outcome.REVERT)).what == "verdict"


def test_under_cohens_d_the_next_idea_is_tried_until_one_proceeds() -> None:
    asked = spec(gate="cohens_d")
    known = (*sealed(), idea(1), checks(3, "idea1"))
    assert step_after(asked, *known, compare(4, "idea1", Outcome.REVERT)).what == "attempt"
    assert step_after(asked, *known, compare(4, "idea1", Outcome.PROCEED)).what == "verdict"
