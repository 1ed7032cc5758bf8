"""A picture claims nothing: no program computes again what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from flagstone.paper.building.gathering import figure_word_checks
from flagstone.paper.facts import Figures
from flagstone.paper.facts.figure_checks import pdf_faults
from flagstone.paper.linting import LintRules, lint_rules

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def rules() -> LintRules:
    return lint_rules(ROOT / "config", ROOT / "schemas")


def test_a_strong_word_in_a_picture_is_named_and_labels_are_not(rules: LintRules) -> None:
    figures = Figures([], texts={"a": "best so far\nlower is better\np, significance level", "b": "mixup: superior"})
    (check,) = figure_word_checks(figures, rules)
    assert check.rule == "paper-figures" and "figure b says “superior”" in check.message


def test_the_text_of_a_picture_is_read(tmp_path: Path) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    picture = pyplot.figure(figsize=(3.3, 2.0))
    picture.text(0.1, 0.5, "outperforms", fontsize=8)
    picture.savefig(tmp_path / "a.pdf")
    pyplot.close(picture)
    said: list[str] = []
    list(pdf_faults((tmp_path / "a.pdf").read_bytes(), 3.3, said))
    assert "outperforms" in "".join(said)
