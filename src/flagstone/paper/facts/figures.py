"""The figures of a paper: each is drawn by one job in a sandbox, with its data beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flagstone.artifacts.rules import RuleCheck
from flagstone.layout import Run

RULE = "paper-figures"


@dataclass(frozen=True)
class Figures:
    """How each figure went, and the PDFs that there are."""

    checks: list[RuleCheck]
    pdfs: tuple[Path, ...] = ()


def make_figures(run: Run, out: Path) -> Figures:
    """Draws the figures that are not drawn yet, or whose script or inputs have changed."""
    return Figures([])
