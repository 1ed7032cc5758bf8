"""The confidence that is reported: how far the best has come, in units of how far the kept values lie apart."""

from __future__ import annotations

from math import inf, nan

import pytest

from flagstone.statistics.mad import mad_confidence


def test_the_confidence_is_the_way_gone_over_the_scaled_median_deviation() -> None:
    multiple, word = mad_confidence(10.0, 4.0, [8.0, 6.0, 5.0, 4.0])
    assert multiple == pytest.approx(6.0 / (1.4826 * 1.0))  # median 5.5, deviations 2.5 0.5 0.5 1.5
    assert word == "HIGH"


@pytest.mark.parametrize(("current", "word"), [(2 * 1.4826, "HIGH"), (1.4826, "MEDIUM"), (1.48, "LOW"), (0.0, "LOW")])
def test_the_words_begin_at_two_and_at_one(current: float, word: str) -> None:
    assert mad_confidence(0.0, current, [1.0, 2.0, 3.0])[1] == word


def test_two_kept_values_say_nothing_yet() -> None:
    assert mad_confidence(0.0, 5.0, [4.0, 5.0]) == (None, "UNKNOWN")


@pytest.mark.parametrize("kept", [[5.0, 5.0, 5.0], [5.0, 5.0, 5.0, 9.0], [1.0, 2.0, nan], [1.0, 2.0, inf]])
def test_values_without_distance_are_never_called_certain(kept: list[float]) -> None:
    assert mad_confidence(0.0, 5.0, kept) == (None, "UNKNOWN")
