"""The ladder of a losing streak."""

from __future__ import annotations

import pytest
from laboratory import Edits, Laboratory, set_x

from flagstone.experiments.proposers.protocol import Advice, advice_after
from flagstone.plans.spec_parts import Escalation

LETTERS = {Advice.NORMAL: "n", Advice.REFINE: "R", Advice.PIVOT: "P", Advice.SEARCH: "S", Advice.HALT: "HALT"}


def ladder(count: int, steps: Escalation) -> str:
    return " ".join(LETTERS[advice_after(failures, steps)] for failures in range(count))


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (Escalation(), "n n n R R P n n R R S n n R R HALT"),
        (Escalation(1, 2, 1, 4), "n R S R S R S R HALT"),
        (Escalation(2, 3, 3, 4), "n n R P n R P n R S n R HALT"),
        (Escalation(9, 3, 2, 2), "n n n P n n HALT"),
    ],
)
def test_a_losing_streak_goes_up_the_ladder_step_by_step(steps: Escalation, expected: str) -> None:
    assert ladder(len(expected.split()), steps) == expected


def test_the_last_step_is_never_left_without_a_gain() -> None:
    assert {advice_after(failures, Escalation()) for failures in range(15, 500)} == {Advice.HALT}


def test_each_step_stands_in_the_ledger_and_the_halt_ends_after_exactly_that_failure(laboratory: Laboratory) -> None:
    laboratory.make(stopping={"on_halt": True, "proposals": None}, escalation={"pivot_after": 5})
    assert laboratory.run(Edits({number: set_x(-float(number)) for number in range(2, 40)})) == "halt"
    entries = laboratory.entries()
    assert len(entries) == 1 + 15
    assert [each.terminated_by for each in entries] == [""] * 15 + ["halt"]
    levels = [str(each.proposal["level"]) for each in entries[1:]]
    assert levels == [advice_after(failures, Escalation()).value for failures in range(15)]


def test_a_gain_begins_the_ladder_anew(laboratory: Laboratory) -> None:
    laboratory.make(
        stopping={"on_halt": True}, escalation={"refine_after": 1, "pivot_after": 2, "halt_after_pivots": 2}
    )
    edits = {number: set_x(2.0 if number == 5 else -float(number)) for number in range(2, 40)}
    assert laboratory.run(Edits(edits)) == "halt"
    assert len(laboratory.entries()) == 5 + 4


def test_the_halt_is_only_a_hint_unless_it_is_asked_for(laboratory: Laboratory) -> None:
    laboratory.make(stopping={"max_runs": 18, "proposals": None})
    assert laboratory.run(Edits({number: set_x(-float(number)) for number in range(2, 40)})) == "max_runs(18)"
