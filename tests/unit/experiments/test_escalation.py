"""The ladder of a losing streak."""

from __future__ import annotations

import pytest
from laboratory import Edits, Laboratory, set_x

from flagstone.experiments.engine import engine_of
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


@pytest.mark.parametrize("lag", [1, 3])
def test_a_person_who_lets_it_go_on_after_a_halt_gives_it_the_whole_ladder_again(
    laboratory: Laboratory, lag: int
) -> None:
    steps = {"refine_after": 1, "pivot_after": 4, "halt_after_pivots": 1}
    laboratory.make(lag=lag, stopping={"on_halt": True, "proposals": None}, escalation=steps)
    edits = Edits({number: set_x(-float(number)) for number in range(2, 40)})
    assert laboratory.run(edits) == laboratory.run(edits) == "halt"
    assert len(laboratory.entries()) == 5
    with engine_of(laboratory.open(), edits, laboratory.said.append) as engine:
        engine.history.count_anew()
        assert engine.run() == "halt"
    assert [each.number for each in laboratory.entries() if each.has_halted] == [5, 9]
    made_after = slice(5 + lag - 1, None)  # those that were made before the halt keep their step
    levels = [str(each.proposal["level"]) for each in laboratory.entries()[made_after]]
    assert levels == ["normal", "refine", "refine", "refine"][: len(levels)] and len(levels) == 5 - lag


def test_the_halt_is_only_a_hint_unless_it_is_asked_for(laboratory: Laboratory) -> None:
    laboratory.make(stopping={"max_runs": 18, "proposals": None})
    assert laboratory.run(Edits({number: set_x(-float(number)) for number in range(2, 40)})) == "max_runs(18)"
