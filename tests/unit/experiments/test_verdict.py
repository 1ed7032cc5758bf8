"""What wins, from plain values: no process, no file."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from pathlib import Path
from typing import get_args

import pytest
from entries import spec_for

from flagstone.experiments.deciding.stopping import conditions, end_reason
from flagstone.experiments.deciding.verdict import AFTER, Reference, Status, behind_text, broken_text, check, is_ahead
from flagstone.plans.constraint import constraint_of
from flagstone.plans.spec import MetricSpec, Spec, StoppingSpec

LESS = MetricSpec("val_loss", "min", "log", (), {})
USED = {"max_runs": 7, "plateau": 3, "wall_h": 0.5, "gpu_h": 0.0, "cost_usd": 0.0}


def test_every_run_that_fails_has_a_verdict_and_none_of_them_wins() -> None:
    assert set(AFTER) == set(get_args(Status)) - {"ok"} and "advance" not in AFTER.values()


def test_without_noise_every_strictly_better_number_wins() -> None:
    assert [is_ahead(value, Reference("r0001", 1.0), LESS) for value in (0.999, 1.0, 1.001)] == [True, False, False]


def test_with_noise_a_number_must_be_ahead_of_what_the_best_varies_by() -> None:
    best = Reference("r0001", 1.0, (0.9, 1.0, 1.1), is_noisy=True)
    assert [is_ahead(value, best, LESS) for value in (0.9, 0.99)] == [True, False]


def test_a_number_that_is_not_ahead_is_told_with_exactly_what_it_was_compared_with() -> None:
    """Seen: "99.98, no better than the best (100.83)", where less is better."""
    best = Reference("r0007", 100.83, (99.0, 100.0, 102.0), is_noisy=True)
    assert not is_ahead(99.98, best, LESS)
    assert behind_text(best, LESS) == (
        "not clearly better than the last 3 runs of r0007 (median 100): needs less than 99.2362"
    )
    assert is_ahead(99.2361, best, LESS) and not is_ahead(99.2363, best, LESS)
    more = MetricSpec("accuracy", "max")
    assert behind_text(best, more).endswith("(median 100): needs more than 100.764")
    assert is_ahead(100.77, best, more) and not is_ahead(100.76, best, more)
    assert behind_text(Reference("r0001", 4.5), LESS) == "no better than r0001 (4.5)"


@pytest.mark.parametrize(
    ("amounts", "words"),
    [
        ({"mem": 9.0}, ""),
        ({"mem": 11.0}, "mem <= 10 does not hold: it is 11"),
        ({"mem": nan}, "mem <= 10 does not hold: it is nan"),
        ({}, "mem <= 10 does not hold: it is unknown"),
    ],
)
def test_a_constraint_that_does_not_hold_says_what_was_found(amounts: dict[str, float], words: str) -> None:
    assert broken_text(check([constraint_of("mem <= 10")], amounts)) == words


def ending(stopping: StoppingSpec) -> Spec:
    return replace(spec_for(Path()), metric=LESS, stopping=stopping)


def test_the_first_condition_that_is_reached_ends_the_experiment() -> None:
    stopping = StoppingSpec(threshold=0.5, max_runs=7, plateau=3)
    assert end_reason(conditions(ending(stopping), 0.6, USED)) == "max_runs(7)"
    assert end_reason(conditions(ending(stopping), 0.5, USED)) == "primary_threshold"
    assert end_reason(conditions(ending(StoppingSpec(plateau=4, wall_h=0.6)), 0.5, USED)) == ""
    assert str(conditions(ending(StoppingSpec(plateau=4)), None, USED)[0]) == "plateau 3/4"
