"""The score that tccw-autoresearch shows, beside what really decided."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from marker_runs import entry, write

from flagstone.markers.folder import MarkerFolder
from flagstone.markers.reporting.confidence import Confidence, confidence_lines, confidence_of
from flagstone.markers.reporting.results import result_rows

SCORE = (15 - 10) / 1.4826  # the kept values are 1, 0 and 2 from their median


def folder_with(tmp_path: Path, *values: float, noise: str = "{}", **judgement: Any) -> MarkerFolder:
    folder = MarkerFolder.of(tmp_path, "speed")
    write(folder, 1, entry(1, value=10.0, improved=True, reason="baseline: 3 runs gave the same value"))
    kept = (entry(2 + n, value=each, improved=True, judgement=judgement) for n, each in enumerate(values))
    write(folder, 1, *kept, entry(9, value=1.0))
    folder.home(1).spec.write_text(f"noise: {noise}\n")
    return folder


def test_the_score_is_the_gain_in_spreads_of_the_kept_values(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, 12, 13, 15)
    found = confidence_of(folder)
    assert found.score == pytest.approx(SCORE)
    assert (found.label, [each.score and round(each.score, 2) for each in found.keeps]) == ("HIGH", [None, None, 3.37])
    assert [row.confidence for row in result_rows(folder)] == ["--", "--", "--", "3.37", "--"]


@pytest.mark.parametrize(
    ("values", "why"), [((12.0, 13.0), "it needs 3 kept values and has 2"), ((12.0,) * 3, "apart")]
)
def test_a_score_that_cannot_be_told_says_why(tmp_path: Path, values: tuple[float, ...], why: str) -> None:
    assert why in text_of(confidence_of(folder_with(tmp_path, *values)))


def test_it_says_that_the_noise_rule_decided_and_on_what_evidence(tmp_path: Path) -> None:
    found = confidence_of(folder_with(tmp_path, 12, evidence=0.01, pairs=4))
    assert (found.decided_by, found.keeps[0].chance, found.keeps[0].pairs) == ("noise rule", 0.01, 4)
    assert "the noise rule; the score decided nothing" in text_of(found)


def test_it_says_that_one_run_decided_if_noise_is_off(tmp_path: Path) -> None:
    assert "every strictly better number was kept" in text_of(confidence_of(folder_with(tmp_path, 12, noise='"off"')))


def test_a_marker_without_runs_has_no_confidence(tmp_path: Path) -> None:
    assert list(confidence_lines(confidence_of(MarkerFolder.of(tmp_path, "speed")))) == []


def text_of(found: Confidence) -> str:
    return "\n".join(confidence_lines(found))
