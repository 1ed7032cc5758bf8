"""Nothing in a picture of a trial lies outside of it or on top of other words, however long the names are."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from test_trial_reports import confirmed

from flagstone.plans import MetricSpec
from flagstone.trials.outcomes import IdeaOutcome, Outcome
from flagstone.trials.reporting import Frame, forest_picture, pairs_picture

LONG = "validation_loss_of_a_metric_with_a_very_long_name"


def frame(name: str = "loss") -> Frame:
    return Frame("Trial clip: Does it help?", MetricSpec(name=name, direction="min", backend="log"), 0.02)


def words_in(picture: bytes) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]+)</text>", picture.decode())


def test_the_long_name_of_a_metric_is_cut_where_it_would_leave_the_picture() -> None:
    words = words_in(pairs_picture(frame(LONG), confirmed()))
    assert [word for word in words if LONG in word] == []
    assert [word for word in words if word.startswith("validation_loss_of_a_metric")] != []


def test_arms_whose_long_names_end_differently_are_told_apart() -> None:
    names = [f"an_arm_whose_name_has_forty_characters_{number}" for number in range(6)]
    ideas = [IdeaOutcome(name, name, Outcome.FAILED_CHECK) for name in names]
    assert [name for name in names if name not in words_in(forest_picture(frame(), ideas))] == []


def test_of_many_pairs_only_some_are_named_and_a_cross_is_explained() -> None:
    (pair,) = confirmed().pairs[:1]
    pairs = tuple(replace(pair, slot=f"b{number}") for number in range(1, 41))
    words = words_in(pairs_picture(frame(), replace(confirmed(), pairs=pairs, n=40)))
    assert 10 <= len([word for word in words if re.fullmatch(r"b\d+", word)]) <= 20
    assert "cross: a run of the pair failed" not in words
    failed = (*pairs[:-1], replace(pairs[-1], status="treated failed"))
    words = words_in(pairs_picture(frame(), replace(confirmed(), pairs=failed, n=40)))
    assert "cross: a run of the pair failed" in words


@pytest.mark.parametrize("value", [0.0, 1e-300, 1.0, 1e16, 1.7e308])
def test_numbers_of_any_size_are_drawn_inside_the_picture(value: float) -> None:
    (pair,) = confirmed().pairs[:1]
    pairs = (replace(pair, control=value, treated=-value, improvement=value), pair)
    drawn = pairs_picture(frame(), replace(confirmed(), pairs=pairs, mean=value / 2, ci_low=-value, ci_high=value))
    root = ElementTree.fromstring(drawn)
    places = [float(each.get(name, "nan")) for each in root.iter() for name in ("cx", "x1", "x2") if each.get(name)]
    assert places and all(0 <= place <= float(root.get("width", 0)) for place in places)


def test_names_with_marks_of_markup_are_drawn_as_they_are() -> None:
    drawn = forest_picture(frame(), [IdeaOutcome("a", "<b> & 'c' $x$", Outcome.DROPPED)])
    assert "<b> & 'c' $x$" in [each.text for each in ElementTree.fromstring(drawn).iter()]
