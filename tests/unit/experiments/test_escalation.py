"""The ladder of a losing streak."""

from __future__ import annotations

from flagstone.experiments.proposers.advice import Advice, advice_after

LETTERS = {Advice.NORMAL: "n", Advice.REFINE: "R", Advice.PIVOT: "P", Advice.SEARCH: "S", Advice.HALT: "HALT"}


def test_a_losing_streak_goes_up_the_ladder_step_by_step() -> None:
    seen = [LETTERS[advice_after(failures)] for failures in range(16)]
    assert " ".join(seen) == "n n n R R P n n R R S n n R R HALT"


def test_the_last_step_is_never_left_without_a_gain() -> None:
    assert {advice_after(failures) for failures in range(15, 500)} == {Advice.HALT}
